"""One process trains all playgrounds, fairly and within bounds, and nothing is lost when it dies."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganplay.playground import host as hosting
from ganplay.playground import session as sessions
from ganplay.playground.client import MOST_TEXT, PAUSE, Client
from ganplay.playground.host import Host
from ganplay.playground.limits import MOST_TEXT as MOST_SCRIPT
from ganplay.playground.protocol import BUSY, NOT_FOUND, NOTHING_NEW, OK, REFUSED, UNAVAILABLE, UNEXPECTED

TEXT = "0~r;g.widths=8;d.widths=8;batch_size=32"


class Desk:
    """A host in this process, with everything that it answered."""

    def __init__(self):
        self.answers, self.kept, self.asked, self.count = {}, {}, {}, 0
        self.host = Host(self._hear)

    def _hear(self, n, status, kept, body):
        self.answers[n] = status, body
        if kept:
            self.kept[self.asked[n]] = kept

    def send(self, op, id="a", text=TEXT, **more):
        self.count += 1
        self.asked[self.count] = id
        kept = self.kept.setdefault(id, {"script": text})
        self.host.answer({"n": self.count, "op": op, "id": id, "kept": kept, **more})
        return self.count

    def ask(self, op, id="a", text=TEXT, **more):
        n = self.send(op, id, text, **more)
        status, body = self.answers[n]
        return status, json.loads(body) if body else None

    def do(self, id="a", **action):
        return self.ask("do", id, action=action)

    def frame(self, id="a"):
        return self.ask("frame", id, after=-1)[1]

    def turns(self, count):
        for _ in range(count):
            self.host.turn()


@pytest.fixture
def desk():
    return Desk()


def test_a_playing_world_trains_and_a_paused_one_rests(desk):
    desk.do(do="play")
    desk.turns(3)
    assert desk.frame()["at"] > 0
    desk.do(do="pause")
    at = desk.frame()["at"]
    desk.turns(3)
    frame = desk.frame()
    assert (frame["at"], frame["playing"]) == (at, False)


def test_speed_bounds_the_iterations_of_a_frame(desk):
    desk.do(do="speed", speed=2)
    desk.do(do="play")
    desk.turns(1)
    assert desk.frame()["at"] == 2


def test_worlds_that_play_get_equal_shares(desk):
    names = [f"w{index}" for index in range(5)]
    for name in names:
        desk.do(name, do="speed", speed=3)
        desk.do(name, do="play")
    desk.turns(40)
    reached = [desk.frame(name)["at"] for name in names]
    assert min(reached) > 0
    assert max(reached) - min(reached) <= 6


def test_nobody_looks_so_it_pauses(desk, monkeypatch):
    desk.do(do="play")
    monkeypatch.setattr(sessions, "UNSEEN", 0.0)
    desk.turns(1)
    assert not desk.frame()["playing"]


def test_who_waits_gets_the_next_frame_or_nothing_after_a_second(desk, monkeypatch):
    seq = desk.frame()["seq"]
    n = desk.send("frame", after=seq)
    assert n not in desk.answers
    desk.do(do="speed", speed=7)
    assert json.loads(desk.answers[n][1])["speed"] == 7
    monkeypatch.setattr(hosting, "LONG_POLL", 0.0)
    n = desk.send("frame", after=desk.frame()["seq"])
    desk.turns(1)
    if desk.answers[n][0] == OK:  # the first measures came meanwhile
        n = desk.send("frame", after=desk.frame()["seq"])
        desk.turns(1)
    assert desk.answers[n] == (NOTHING_NEW, b"")


def test_few_may_wait_for_one_world(desk):
    seq = desk.frame()["seq"]
    waiting = [desk.send("frame", after=seq) for _ in range(hosting.MOST_WAITING + 2)]
    assert [desk.answers[n][0] for n in waiting if n in desk.answers] == [BUSY, BUSY]


def test_worlds_beyond_the_limit_are_put_away_and_come_back(desk, monkeypatch):
    monkeypatch.setattr(hosting, "MOST_WORLDS", 2)
    desk.do("a", do="step", which="both")
    desk.do("a", do="step", which="generator")
    desk.do("a", do="change", changes={"loss": "hinge"})
    before = desk.frame("a")
    for name in ("b", "c", "d"):
        desk.frame(name)
    assert len(desk.host._sessions) == 2
    desk.frame("a")
    desk.turns(2)
    after = desk.frame("a")
    assert after["members"][0]["fakes"] == before["members"][0]["fakes"]
    assert after["script"] == before["script"] == TEXT.replace("0~", "1~") + "~g1~c1;loss=hinge"


def test_measures_come_by_themselves_and_follow_a_journey(desk):
    desk.frame()
    desk.turns(2)
    frame = desk.frame()
    assert frame["members"][0]["measured"] == 0
    assert frame["members"][0]["measures"]["of"] == 8
    assert desk.ask("curves", member=0)[1]["measures"][0]["at"] == 0


def test_time_travel_and_slow_motion_through_the_host(desk):
    desk.do(do="seek", at=80)
    assert desk.frame()["target"] == 80
    desk.turns(30)
    frame = desk.frame()
    assert (frame["at"], frame["target"], frame["last"]) == (80, None, 80)
    desk.do(do="seek", at=10)
    desk.turns(10)
    assert (desk.frame()["at"], desk.frame()["last"]) == (10, 80)
    desk.do(do="slow", on=True)
    stages = [desk.frame()["stage"]]
    for _ in range(5):
        desk.do(do="step", which="both")
        stages.append(desk.frame()["stage"])
    assert stages == [0, 1, 2, 3, 4, 0]
    assert desk.frame()["at"] == 11
    assert "batch" in desk.frame()["members"][0]


def test_a_drawing_becomes_the_data(desk):
    desk.do(do="step")
    assert desk.do(do="points", points=[[0.5, 0.5], [-1, 0]])[0] == OK
    real = desk.ask("real")[1]
    assert 1 < real["extent"] < 2
    assert len(base64.b64decode(real["points"])) == 1_000 * 4
    assert "s=drawn" in desk.frame()["script"]
    assert desk.frame()["at"] == 1


def test_before_the_first_iteration_everything_can_change_later_only_what_nets_survive(desk):
    assert desk.do(do="change", changes={"generator.widths": "5", "seed": 3})[0] == OK
    desk.do(do="step")
    status, answer = desk.do(do="change", changes={"generator.widths": "6"})
    assert (status, answer["error"]) == (
        REFUSED,
        "The networks' shapes cannot change in mid-run; start anew with them.",
    )
    assert desk.do(do="change", changes={"generator.widths": "6"}, restart=True)[0] == OK
    frame = desk.frame()
    assert (frame["at"], frame["last"]) == (0, 0)
    assert "g.widths=6" in frame["script"]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({}, "no action 'None'"),
        ({"do": ["play"]}, "no action"),
        ({"do": "fly"}, "choose one of play"),
        ({"do": "speed"}, "whole number"),
        ({"do": "speed", "speed": 0}, "1 to 1,000"),
        ({"do": "speed", "speed": True}, "whole number"),
        ({"do": "speed", "speed": float("inf")}, "whole number"),
        ({"do": "seek", "at": "10"}, "whole number"),
        ({"do": "seek", "at": 10**400}, "allowed is"),
        ({"do": "seek", "at": 200_001}, "0 to 200,000"),
        ({"do": "step", "which": "up"}, "generator, discriminator or both"),
        ({"do": "slow", "on": "yes"}, "true or false"),
        ({"do": "change", "changes": []}, "an object"),
        ({"do": "change", "changes": {"loss": "x"}}, "no loss 'x'"),
        ({"do": "change", "changes": {"loss": {"kind": "hinge"}}}, "must be text"),
        ({"do": "change", "changes": {"generator.widths": [[8]]}}, "must be text"),
        ({"do": "change", "changes": {"loss": "hinge"}, "member": 2}, "no member 2"),
        ({"do": "change", "changes": {"loss": "hinge"}, "member": "a"}, "0, 1 or null"),
        ({"do": "restart", "changes": {"loss": "hinge"}, "member": "a"}, "0, 1 or null"),
        ({"do": "change", "changes": {"title": "x" * 3_000}}, "no longer fits"),
        ({"do": "points", "points": []}, "0 points"),
        ({"do": "points", "points": [[1, float("nan")]]}, "pairs of numbers"),
        ({"do": "points", "points": [[1, 10**400]]}, "pairs of numbers"),
        ({"do": "points", "points": [[0, 0]] * 3_000}, "at most 2,000"),
    ],
)
def test_wrong_actions_are_refused_in_a_sentence(desk, action, said):
    before = desk.frame()["script"]
    status, answer = desk.ask("do", action=action)
    assert status == REFUSED
    assert said in answer["error"]
    assert desk.frame()["script"] == before


def test_a_script_that_is_nonsense_is_refused_and_takes_no_place(desk):
    status, answer = desk.ask("frame", "bad", "5~r;loss=x", after=-1)
    assert status == REFUSED
    assert "no loss 'x'" in answer["error"]
    assert not desk.host._sessions


def test_an_unexpected_error_is_a_sentence_and_ends_nobody_elses_training(desk, monkeypatch, capsys):
    desk.frame()
    monkeypatch.setattr(sessions.Session, "curves", lambda self, member: 1 / 0)
    status, answer = desk.ask("curves", member=0)
    assert status == UNEXPECTED
    assert "ZeroDivisionError" in answer["error"]
    assert "Traceback" in capsys.readouterr().err
    assert desk.frame()


def test_nothing_changes_while_a_link_is_replayed(desk):
    desk.ask("frame", "far", TEXT.replace("0~", "90~"), after=-1)
    status, answer = desk.do("far", do="change", changes={"loss": "hinge"})
    assert (status, answer["error"].startswith("The playground is on its way to iteration 90")) == (REFUSED, True)
    desk.turns(40)
    assert desk.frame("far")["at"] == 90


def test_a_world_at_its_end_says_so(desk, monkeypatch):
    for module in ("world", "session"):
        monkeypatch.setattr(f"ganplay.playground.{module}.MOST_ITERATIONS", 9)
    desk.do(do="play")
    desk.turns(5)
    frame = desk.frame()
    assert (frame["at"], frame["playing"], frame["error"]) == (9, False, "The playground goes up to 9 iterations.")


def test_a_world_that_fails_stops_and_the_others_go_on(desk, monkeypatch, capsys):
    for name in ("a", "b"):
        desk.do(name, do="speed", speed=2)
        desk.do(name, do="play")
    monkeypatch.setattr(desk.host._sessions["a"].world, "work", lambda *more: 1 / 0)
    desk.turns(8)
    assert "ZeroDivisionError" in desk.frame("a")["error"]
    assert not desk.frame("a")["playing"]
    assert desk.frame("b")["at"] > 0
    assert "Traceback" in capsys.readouterr().err


def test_the_recipe_is_what_an_ordinary_run_trains(desk):
    desk.do(do="step")
    desk.do(do="change", changes={"loss": "hinge"})
    status, content = desk.ask("recipe", member=0)
    assert (status, content["loss"]["kind"], content["stop_images"]) == (OK, "hinge", 32)
    assert desk.ask("recipe", member=1)[0] == REFUSED


def test_an_animation_is_made_while_others_train(desk):
    desk.do("b", do="play")
    desk.do(do="seek", at=60)
    desk.turns(30)
    n = desk.send("animation")
    assert desk.ask("animation", "b")[0] == REFUSED  # one at a time
    before = desk.frame("b")["at"]
    end = time.monotonic() + 20
    while n not in desk.answers and time.monotonic() < end:
        desk.host.turn()
    status, body = desk.answers[n]
    assert status == OK
    assert base64.b64decode(body)[8:12] == b"WEBP"
    assert desk.frame("b")["at"] > before


# The process and its client


@pytest.fixture
def client(home):
    made = Client()
    yield made
    made.close()


def asked(client, operation, id, **more):
    answer = client.ask_and_wait(operation, id, patience=60, **more)
    return answer.status, json.loads(answer.body) if answer.body else None


def arrived(client, id):
    while True:
        status, frame = asked(client, "frame", id, after=-1)
        if status == OK and frame["target"] is None:
            return frame
        time.sleep(0.05)


def test_a_killed_process_is_replaced_and_worlds_go_on_where_they_were(client):
    id = client.new(TEXT)
    asked(client, "do", id, action={"do": "step", "which": "discriminator"})
    asked(client, "do", id, action={"do": "seek", "at": 120})
    before = arrived(client, id)
    process = client._child.process
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    time.sleep(PAUSE)
    after = arrived(client, id)
    assert client._child.process.pid != process.pid
    assert after["at"] == before["at"] == 120
    assert after["members"][0]["fakes"] == before["members"][0]["fakes"]
    assert after["script"] == before["script"] == client.script(id)
    child = client._child.process
    client.close()
    assert child.poll() is not None
    assert asked(client, "frame", id)[0] == UNAVAILABLE


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are looked up in /proc")
def test_the_process_ends_with_its_server(home):
    code = (
        "import os, sys; from ganplay.playground.client import Client; client = Client(); client.start(); "
        "print(client._child.process.pid, flush=True); os._exit(1)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    status, end = Path(f"/proc/{int(done.stdout)}/stat"), time.monotonic() + 60
    while status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < end, "The process outlived its server."
        time.sleep(0.1)


def echo(body="{}", delay=0.0):
    """A command that answers every request with the same."""
    code = (
        "import sys, json, time\n"
        "for line in sys.stdin:\n"
        f"    time.sleep({delay})\n"
        f"    print(json.dumps({{'n': json.loads(line)['n'], 'status': 200}}) + chr(9) + {body!r}, flush=True)\n"
    )
    return [sys.executable, "-c", code]


def test_unknown_ids_are_not_found(home):
    client = Client(echo())
    assert asked(client, "frame", "x" * 24)[0] == NOT_FOUND
    client.close()


def test_ids_are_unguessable_and_as_many_as_fit_are_kept(home, monkeypatch):
    monkeypatch.setattr("ganplay.playground.client.MOST_KNOWN", 3)
    client = Client(echo())
    ids = [client.new(TEXT) for _ in range(5)]
    assert len(set(ids)) == 5
    assert all(len(id) == 24 for id in ids)
    assert [client.script(id) for id in ids] == [None, None, TEXT, TEXT, TEXT]
    client.close()


def test_a_long_text_is_refused(home):
    with pytest.raises(ValueError, match="2,000 characters"):
        Client(echo()).new("x" * (MOST_TEXT + 1))
    assert MOST_TEXT == MOST_SCRIPT


def test_who_waits_too_long_gets_a_sentence_and_the_event_loop_goes_on(home):
    client = Client(echo(delay=30))
    id, ticks = client.new(TEXT), []

    async def both():
        async def tick():
            while True:
                ticks.append(time.monotonic())
                await asyncio.sleep(0.01)

        ticking = asyncio.create_task(tick())
        answer = await client.ask("frame", id, patience=0.5, after=-1)
        ticking.cancel()
        return answer

    answer = asyncio.run(both())
    assert answer.status == UNAVAILABLE
    assert b"in time" in answer.body
    assert len(ticks) > 5
    client.close(wait=0.1)


def test_too_many_questions_at_once_are_refused(home, monkeypatch):
    monkeypatch.setattr("ganplay.playground.client.MOST_PENDING", 3)
    client = Client(echo(delay=30))
    id = client.new(TEXT)

    async def many():
        return await asyncio.gather(*(client.ask("frame", id, patience=0.5) for _ in range(5)))

    assert sorted(answer.status for answer in asyncio.run(many())) == [BUSY, BUSY] + [UNAVAILABLE] * 3
    client.close(wait=0.1)


def test_a_process_that_cannot_start_is_a_sentence(home):
    client = Client(["/nowhere/at-all"])
    assert asked(client, "frame", client.new(TEXT))[0] == UNAVAILABLE
    client.close()
