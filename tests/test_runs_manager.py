from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ganplay
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run, Status
from ganplay.runs.manager import Manager

ENDLESS = 10**9


@pytest.fixture
def ring() -> Recipe:
    settings = {"batch_size": 16, "stop_images": ENDLESS, "log_every": 1_000, "sample_every": 20_000, "score_every": 0}
    return recipe("toy-ring").change(settings)


@pytest.fixture
def manager() -> Iterator[Manager]:
    manager = Manager(limit=1)
    manager.start()
    yield manager
    manager.close()


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_in(run: Run, *states: str) -> Callable[[], bool]:
    return lambda: run.status().state in states


def trains(run: Run) -> Callable[[], bool]:
    return lambda: run.status().state == "running" and run.status().images > 0


def test_a_run_is_paused_forked_resumed_stopped_and_deleted(ring: Recipe, manager: Manager) -> None:
    run = manager.submit(ring, base="toy-ring", threads=1)
    wait_until(trains(run))
    assert run.checkpoints() == []

    child = manager.fork(run.id, {"generator_optimiser.learning_rate": 0.002})
    assert child.status().images > 0, "a live run makes a checkpoint for its fork"
    assert child.status().state == "queued", "the only place is taken"

    manager.pause(run.id)
    wait_until(is_in(run, "paused"))
    manager.pause(run.id)  # a second reader pressed the same button
    seen = run.status().images
    assert run.checkpoints()[0].stem == f"{seen:09d}"
    wait_until(trains(child))

    manager.resume(run.id)
    assert run.status().state == "queued"
    manager.stop(child.id)
    wait_until(lambda: run.status().images > seen)
    assert child.status().state == "stopped"

    manager.delete(run.id)  # a live one
    assert [listed.id for listed in store.list_runs()] == [child.id]
    assert os.listdir(run.folder.parent) == [child.id]


def test_closing_leaves_every_run_interrupted_with_a_checkpoint_and_the_queue_as_it_is(ring: Recipe) -> None:
    manager = Manager(limit=2)
    manager.start()
    runs = [manager.submit(ring, label=f"run {number}", threads=1) for number in range(3)]
    wait_until(lambda: all(trains(run)() for run in runs[:2]))
    assert runs[2].status().state == "queued", "no more than the limit"
    manager.close()
    for run in runs[:2]:
        status = run.status()
        assert status.state == "interrupted" and run.checkpoints()[0].stem == f"{status.images:09d}"
    assert runs[2].status().state == "queued", "and the waiting run keeps its place"


def test_two_managers_train_each_run_once_and_in_order(ring: Recipe) -> None:
    short = ring.change({"stop_images": 320})
    runs = [store.create(short, label=f"run {number}", threads=1) for number in range(2)]
    managers = [Manager(limit=1), Manager(limit=1)]
    for manager in managers:
        manager.start()
    wait_until(lambda: all(run.status().state == "finished" for run in runs))
    for manager in managers:
        manager.close()
    for run in runs:
        assert [point["round"] for point in run.metrics()] == [20], "a second worker would have added to the curves"
        assert run.status().state == "finished" and (run.folder / "worker.log").read_text() == ""


SERVER = """
import sys, time
from ganplay.runs.manager import Manager
Manager(limit=1).start()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs kill -9")
def test_the_death_of_the_server_leaves_no_orphan_and_a_run_that_resumes(ring: Recipe, manager: Manager) -> None:
    manager.close()
    run = store.create(ring, threads=1)
    environment = os.environ | {"PYTHONPATH": str(Path(ganplay.__file__).parent.parent)}
    server = subprocess.Popen([sys.executable, "-c", SERVER], env=environment, stdout=subprocess.PIPE)
    wait_until(trains(run))
    server.send_signal(signal.SIGKILL)
    server.communicate()
    wait_until(lambda: not run.is_locked())
    status = run.status()
    assert status.state == "interrupted" and "can be resumed" in status.message
    assert run.checkpoints()[0].stem == f"{status.images:09d}"

    successor = Manager(limit=1)
    successor.start()
    successor.resume(run.id)
    wait_until(lambda: run.status().images > status.images)
    successor.close()
    assert run.metrics()[-1]["images"] <= run.status().images
    assert [point["images"] for point in run.metrics()] == sorted({point["images"] for point in run.metrics()})


def test_a_worker_that_died_without_a_word_is_marked_and_a_damaged_folder_is_no_harm(
    ring: Recipe, manager: Manager
) -> None:
    dead, damaged, empty = (store.create(ring, threads=1, queued=False) for _ in range(3))
    (damaged.folder / "status.json").write_text("{")
    (empty.folder / "status.json").unlink()
    (empty.folder.parent / "20261121-231500-a-3f2a").write_text("no folder")
    dead.write_status(Status("running", images=320))
    wait_until(lambda: dead.written_status().state == "interrupted")
    assert dead.written_status().images == 320
    assert damaged.status().state == empty.status().state == "failed"


def test_a_worker_that_cannot_start_fails_the_run_once(
    ring: Recipe, manager: Manager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-such-python"))
    run = manager.submit(ring)
    wait_until(is_in(run, "failed"))
    assert "could not be started" in run.status().message


def test_on_a_full_disk_runs_without_a_worker_are_stopped_and_deleted(
    ring: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes | str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    manager = Manager(limit=1)  # not started: nothing moves by itself
    runs = [store.create(ring) for _ in range(3)]
    for run, state in zip(runs, ("queued", "paused", "interrupted"), strict=True):
        run.write_status(Status(state, images=320, message="m" * 200))
    monkeypatch.setattr("ganplay.runs.folder.write_atomically", full)
    for run in runs:
        manager.stop(run.id)
        assert run.status().state == "stopped" and run.status().images == 320
        manager.delete(run.id)
    assert store.list_runs() == []


def test_on_a_full_disk_a_run_that_trains_is_deleted_too_and_other_requests_are_refused_in_one_sentence(
    ring: Recipe, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes | str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run = manager.submit(ring, threads=1)
    wait_until(trains(run))
    monkeypatch.setattr("ganplay.runs.folder.write_atomically", full)
    with pytest.raises(ValueError, match=r"cannot be paused: No space left on device\.$"):
        manager.pause(run.id)
    manager.delete(run.id)
    assert store.list_runs() == []


def test_impossible_requests_are_refused_in_one_sentence(ring: Recipe) -> None:
    manager = Manager(limit=1)  # not started: nothing moves by itself
    run = manager.submit(ring)
    finished = store.create(ring)
    finished.write_status(Status("finished", images=320))
    for act in (manager.pause, manager.stop, manager.resume):
        with pytest.raises(ValueError, match=r"is finished; .*\.$"):
            act(finished.id)
        with pytest.raises(ValueError, match="no run"):
            act("20261121-231500-quick-digits-3f2a")
        with pytest.raises(ValueError, match="not the id of a run"):
            act("../" + run.id)
    for act in (manager.delete, lambda id: manager.fork(id, {})):
        with pytest.raises(ValueError, match="not the id of a run"):
            act("../" + run.id)
    manager.pause(run.id)
    assert run.status().state == "paused"
    manager.stop(run.id)
    assert run.status().state == "stopped"
    with pytest.raises(ValueError, match="is stopped; it cannot be paused"):
        manager.pause(run.id)
    manager.resume(run.id)
    assert run.status().state == "queued"
    manager.delete(finished.id)
    assert store.list_runs() == [run]
