"""Work that pages ask for runs in other processes: answered once, replaced when killed, ended with the server."""

from __future__ import annotations

import os
import signal
import time

import pytest

from ganplay.ui import background
from ganplay.ui.background import Background, answer


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true within {seconds} seconds."
        time.sleep(0.05)


def _alive(process):
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True


@pytest.fixture
def asked_of(monkeypatch, home):
    monkeypatch.setattr(background, "cores", lambda: 1)
    made = Background()
    yield made
    made.close()


def test_an_answer_comes_from_another_process_and_is_computed_once(asked_of):
    first, again = asked_of.ask(os.getpid), asked_of.ask(os.getpid)
    assert first is again
    assert first.result(60) != os.getpid()


def test_an_error_of_the_reader_arrives_as_it_is_and_a_page_never_waits_for_long(asked_of, monkeypatch):
    monkeypatch.setattr(background, "PATIENCE", 0.0)
    assert answer(asked_of.ask(time.sleep, 5)) is None
    wrong = asked_of.ask(int, "seven")
    with pytest.raises(ValueError, match="invalid literal for int"):
        wrong.result(60)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills otherwise")
def test_a_killed_process_is_told_in_a_sentence_and_the_next_ask_begins_anew(asked_of):
    process = asked_of.ask(os.getpid).result(60)
    lost = asked_of.ask(time.sleep, 600)
    os.kill(process, signal.SIGKILL)
    assert isinstance(lost.exception(60), background.BrokenExecutor)
    with pytest.raises(ValueError, match="reload the page"):
        answer(lost)
    assert asked_of.ask(time.sleep, 0).result(60) is None
    assert asked_of.ask(time.sleep, 600) is not lost


def test_processes_end_with_the_server_whatever_they_do(asked_of):
    process = asked_of.ask(os.getpid).result(60)
    busy = asked_of.ask(time.sleep, 600)
    wait_for(busy.running)
    asked_of.close()
    assert isinstance(busy.exception(60), background.BrokenExecutor)
    wait_for(lambda: not _alive(process))
