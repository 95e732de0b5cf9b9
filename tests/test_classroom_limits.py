"""How long a run may train on a server that many share: it stops there, says why, and can be continued."""

from __future__ import annotations

import math
import time

import pytest

from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run, Status
from ganplay.runs.limits import Turn, check_environment, longest_turn
from ganplay.runs.manager import Manager
from ganplay.runs.turns import Turns

LIMITS = ("GANPLAY_RUN_MINUTES", "GANPLAY_RUN_IMAGES")


@pytest.fixture
def run() -> Run:
    return store.create(recipe("quick-digits"))


def test_without_the_variables_a_turn_has_no_end(monkeypatch) -> None:
    for variable in LIMITS:
        monkeypatch.delenv(variable, raising=False)
    assert longest_turn() == Turn(math.inf, math.inf)


@pytest.mark.parametrize("variable", LIMITS)
@pytest.mark.parametrize("value", ["0", "-1", "ten", "nan", "inf", "1e10", ""])
def test_a_wrong_limit_is_told_at_the_start_of_a_program(monkeypatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=rf"^{variable} is '{value}'; it must be a number of (minutes|images)"):
        check_environment()


def test_a_turn_counts_from_where_the_worker_began(run: Run) -> None:
    turns = Turns(Turn(minutes=1))
    turns.look(run, Status("starting", seconds=0))
    for seconds in (500, 530, 559):  # resumed after 500 s of training
        turns.look(run, Status("running", images=10, seconds=seconds))
        assert run.request() == ""
    turns.look(run, Status("running", images=10, seconds=560))
    assert run.request() == "stop"


def test_a_run_that_used_its_turn_says_so_and_the_next_turn_is_a_whole_one(run: Run) -> None:
    turns = Turns(Turn(images=100))
    turns.look(run, Status("running", images=0))
    turns.look(run, Status("running", images=100))
    run.write_status(Status("stopped", images=112, message="Stopped at 112 images; it can be resumed."))
    turns.end(run)
    assert run.status().message == (
        "Stopped at 112 images: a turn on this server is 100 images (GANPLAY_RUN_IMAGES). "
        "Resume queues it for another one."
    )
    store.enqueue(run)
    assert run.request() == ""
    turns.look(run, Status("running", images=112))
    turns.look(run, Status("running", images=211))
    assert run.request() == ""


@pytest.mark.parametrize("state", ["finished", "failed", "queued"])
def test_what_else_happened_to_a_run_meanwhile_is_left_as_it_is(run: Run, state: str) -> None:
    turns = Turns(Turn(images=100))
    turns.look(run, Status("running", images=0))
    turns.look(run, Status("running", images=100))
    run.write_status(Status(state, images=120, message="As it was."))
    turns.end(run)
    assert run.status().message == "As it was."


def test_a_run_that_somebody_stops_keeps_its_own_sentence(run: Run) -> None:
    turns = Turns(Turn(images=100))
    turns.look(run, Status("running", images=0))
    run.ask("stop")
    turns.look(run, Status("running", images=100))
    run.write_status(Status("stopped", images=104, message="Stopped by hand."))
    turns.end(run)
    assert run.status().message == "Stopped by hand."


def test_a_manager_ends_a_turn_with_a_checkpoint_and_the_run_can_be_queued_again(monkeypatch) -> None:
    monkeypatch.setenv("GANPLAY_RUN_IMAGES", "200")
    manager = Manager()
    manager.start()
    try:
        tiny = {"batch_size": 16, "log_every": 32, "sample_every": 10**6, "stop_images": 10**6}
        run = manager.submit(recipe("quick-digits").change(tiny), threads=1)
        deadline = time.monotonic() + 60
        while "a turn on this server is 200 images" not in run.status().message:
            assert time.monotonic() < deadline, run.status()
            time.sleep(0.05)
    finally:
        manager.close()
    assert run.status().state == "stopped" and run.status().images >= 200 and run.checkpoints()
    manager.resume(run.id)
    assert run.status().state == "queued"
