from __future__ import annotations

import ctypes
import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from ganplay import checkpoint, processes, trainer
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run, Status
from ganplay.runs.worker import work
from ganplay.tensors import read_tensors

ENDLESS = 3 * 10**7
CLOCK = ("seconds", "rate")  # the only fields of a point that may differ between two equal runs


@pytest.fixture(scope="module")
def ring() -> Recipe:
    """Small updates, and intervals of curves, samples and scores that do not divide one another or the batch."""
    settings = {"batch_size": 16, "stop_images": 3_000, "log_every": 150, "sample_every": 700, "score_every": 1_100}
    return recipe("toy-ring").change(settings)


@pytest.fixture(scope="module")
def uninterrupted(ring: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run that every interrupted one must equal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANPLAY_HOME", str(tmp_path_factory.mktemp("uninterrupted")))
        run = store.create(ring, threads=1)
        assert work(run).state == "finished"
    return run


def curves(run: Run) -> list[dict]:
    return [{name: value for name, value in point.items() if name not in CLOCK} for point in run.metrics()]


def assert_equal_to_the_bit(one: Run, other: Run) -> None:
    assert curves(one) == curves(other)
    assert one.samples() == other.samples()
    for images in one.samples():
        assert one.sample_path(images).read_bytes() == other.sample_path(images).read_bytes()
    assert one.checkpoints()[0].name == other.checkpoints()[0].name
    (mine, _), (theirs, _) = (read_tensors(run.checkpoints()[0]) for run in (one, other))
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if not torch.equal(mine[name], theirs[name])] == []


def ask_once(run: Run, request: str) -> Callable[[Status], None]:
    """An `on_tick` that makes one request as soon as the run trains."""
    asked: list[str] = []

    def tick(status: Status) -> None:
        if status.state == "running" and not asked:
            asked.append(request)
            run.ask(request)

    return tick


def after_steps(monkeypatch: pytest.MonkeyPatch, count: int, act: Callable[[trainer.Step], None]) -> None:
    """Has `act` called with the step of that number, before the worker sees it."""
    genuine = trainer.train

    def train(*arguments, **options) -> Iterator[trainer.Step]:
        for step in genuine(*arguments, **options):
            if step.round == count:
                act(step)
            yield step

    monkeypatch.setattr(trainer, "train", train)


def test_a_finished_run_holds_its_curves_samples_and_checkpoint(uninterrupted: Run) -> None:
    run, status = uninterrupted, uninterrupted.status()
    points = run.metrics()
    assert status.state == "finished" and status.images == 3_008 and status.message.startswith("Finished: 3,008 images")
    assert [point["images"] for point in points][:3] == [160, 304, 464], "the first round at or past each multiple"
    assert points[-1]["images"] == 3_008
    assert run.samples() == [0, 704, 1_408, 2_112, 2_800, 3_008]
    assert run.checkpoints()[0].stem == "000003008"
    assert [point["images"] for point in points if point["score"] is not None] == [1_200, 2_256]
    for point in points:
        assert 0 <= point["accuracy_real"] <= 1 and 0 <= point["accuracy_fake"] <= 1
        for layers in point["gradients"].values():
            assert layers and all(0 <= small <= total and norm >= 0 for small, total, norm in layers.values())
    assert not list(run.folder.rglob(".*.tmp"))


def test_a_point_is_the_mean_since_the_last_one(uninterrupted: Run, ring: Recipe) -> None:
    losses = []
    for step in trainer.train(ring.change({"stop_images": 304})):
        losses.append(float(step.discriminator_loss))
    first, second = uninterrupted.metrics()[:2]
    assert first["discriminator_loss"] == pytest.approx(sum(losses[:10]) / 10, rel=1e-5)
    assert second["discriminator_loss"] == pytest.approx(sum(losses[10:19]) / 9, rel=1e-5)


def test_neither_curves_nor_samples_change_what_is_learnt(uninterrupted: Run, ring: Recipe) -> None:
    run = store.create(ring.change({"log_every": 10**6, "sample_every": 48, "score_every": 0}), threads=1)
    work(run)
    (mine, _), (theirs, _) = (read_tensors(each.checkpoints()[0]) for each in (run, uninterrupted))
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("rounds", [1, 70, 171])
def test_a_paused_run_goes_on_to_the_bit(
    uninterrupted: Run, ring: Recipe, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(ring, threads=1)
    with monkeypatch.context() as patch:
        after_steps(patch, rounds, lambda step: os.kill(os.getpid(), signal.SIGINT))
        status = work(run)
    assert status.state == "paused" and status.images == 16 * rounds
    assert run.checkpoints()[0].stem == f"{16 * rounds:09d}"
    assert work(run).state == "finished"
    assert_equal_to_the_bit(run, uninterrupted)


def test_a_request_is_obeyed_and_a_finished_run_stays_finished(ring: Recipe) -> None:
    run = store.create(ring.change({"stop_images": ENDLESS}), threads=1)
    assert work(run, on_tick=ask_once(run, "stop")).state == "stopped"
    seen = run.status().images
    assert work(run, on_tick=ask_once(run, "pause")).state == "paused", "an old request is forgotten"
    assert run.status().images > seen
    child = store.fork(run, {"stop_images": run.status().images + 160})
    assert work(child).state == "finished"
    with pytest.raises(ValueError, match="is finished; fork it"):
        work(child)


def test_a_fork_shares_the_past_and_goes_on_with_its_own_recipe(uninterrupted: Run, ring: Recipe, home: Path) -> None:
    run = uninterrupted
    with pytest.raises(ValueError, match="would end at once"):
        store.fork(run, {"generator_optimiser.learning_rate": 0.01})
    with pytest.raises(ValueError, match=r"shape"):
        store.fork(run, {"generator.widths": "32,32", "stop_images": 4_000})
    with pytest.raises(ValueError, match="no setting"):
        store.fork(run, {"generator.nonsense": 1})
    assert list((home / "runs").iterdir()) == [], "nothing is left of a fork that was refused"
    child = store.fork(run, {"generator_optimiser.learning_rate": 0.01, "stop_images": 4_000})
    assert child.info["forked_from"] == run.id
    assert child.status().state == "queued" and child.status().images == 3_008
    assert curves(child) == curves(run) and child.samples() == run.samples()
    assert work(child).state == "finished"
    assert curves(child)[: len(curves(run))] == curves(run)
    assert child.metrics()[-1]["images"] == 4_000
    assert checkpoint.load(child.checkpoints()[0]).recipe.generator_optimiser.learning_rate == 0.01


def test_divergence_keeps_the_last_finite_checkpoint(ring: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(ring, threads=1)

    def poison(step: trainer.Step) -> None:
        with torch.no_grad():
            next(step.state.generator.parameters()).fill_(float("nan"))

    after_steps(monkeypatch, 100, poison)
    status = work(run, checkpoint_seconds=0.0)
    assert status.state == "failed" and "not finite at 1," in status.message
    assert run.checkpoints() and int(run.checkpoints()[0].stem) < 1_600
    for path in run.checkpoints():
        tensors, _ = read_tensors(path)
        assert all(bool(torch.isfinite(value.float()).all()) for value in tensors.values())
    assert f"{int(run.checkpoints()[0].stem):,} images is kept" in status.message


@pytest.mark.parametrize(
    ("number", "writes"), [(errno.ENOSPC, 3), (errno.ENOSPC, 6), (errno.ENOSPC, 8), (errno.EDQUOT, 15)]
)
def test_a_full_disk_ends_the_run_in_one_sentence_and_it_resumes_to_the_bit(
    uninterrupted: Run, ring: Recipe, number: int, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(ring, threads=1)
    done, genuine = [], os.fsync

    def fsync(descriptor: int) -> None:
        done.append(descriptor)
        if len(done) > writes:
            raise OSError(number, os.strerror(number))
        genuine(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        status = work(run, checkpoint_seconds=0.0)
    assert status.state == "failed" and status.message.startswith("The disk is full")
    assert run.status() == status, "also on disk, though nothing new could be written"
    assert not list(run.folder.rglob(".*.tmp"))
    store.enqueue(run)
    assert work(run).state == "finished"
    assert_equal_to_the_bit(run, uninterrupted)


def test_a_damaged_checkpoint_is_set_aside_for_the_one_before(uninterrupted: Run, ring: Recipe, monkeypatch) -> None:
    run = store.create(ring, threads=1)
    with monkeypatch.context() as patch:
        after_steps(patch, 60, lambda step: run.ask("checkpoint"))
        after_steps(patch, 160, lambda step: os.kill(os.getpid(), signal.SIGINT))
        monkeypatch.setattr("ganplay.runs.worker.POLL", 0.0)
        assert work(run).state == "paused"
    newest, before = run.checkpoints()
    newest.write_bytes(newest.read_bytes()[:-7])
    told: list[str] = []
    assert work(run, on_tick=lambda status: told.append(status.message)).state == "finished"
    sentence = "The checkpoint at 2,560 images could not be read; training goes on from the one at 960 images."
    assert sentence in told and before.stem == "000000960"
    assert newest.with_suffix(".damaged").exists()
    assert_equal_to_the_bit(run, uninterrupted)


def test_over_quota_a_run_fails_in_one_sentence_and_resumes_to_the_bit(
    uninterrupted: Run, ring: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(ring, threads=1)
    with monkeypatch.context() as patch:
        after_steps(patch, 60, lambda step: patch.setenv("GANPLAY_DISK_GB", "0.00001"))
        patch.setattr("ganplay.runs.recorder.QUOTA_SECONDS", 0.0)
        status = work(run, checkpoint_seconds=0.0)
    assert status.state == "failed" and "delete some, then resume this one" in status.message
    assert status.message.startswith("The runs use ") and status.message.endswith("sets the limit).")
    assert 960 <= int(run.checkpoints()[0].stem) < 3_008
    store.enqueue(run)
    assert work(run).state == "finished"
    assert_equal_to_the_bit(run, uninterrupted)


def test_the_sizes_are_looked_at_now_and_then_and_never_fail_a_run_that_pauses_or_ends(
    ring: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    monkeypatch.setattr(store, "refuse_over_quota", lambda advice="": looks.append(advice))
    monkeypatch.setattr("ganplay.runs.recorder.PATIENCE", 0.0)
    run = store.create(ring, threads=1)
    looks.clear()
    assert work(run, checkpoint_seconds=0.0).state == "finished"
    assert len(looks) == 1, "many checkpoints within half a minute"
    looks.clear()
    assert work(store.create(ring, threads=1)).state == "finished"
    assert len(looks) == 1, "by the creation only"


def test_what_the_last_point_has_counted_is_not_counted_again_by_a_fork(
    ring: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = ring.change({"stop_images": 2_960})  # ends within an interval of the curves
    plain, saved_by_its_last_step = (store.create(short, threads=1) for _ in range(2))
    assert work(plain).state == "finished"
    monkeypatch.setattr("ganplay.runs.recorder.PATIENCE", 0.0)
    assert work(saved_by_its_last_step, checkpoint_seconds=0.0).state == "finished"
    forks = [store.fork(parent, {"stop_images": 3_200}) for parent in (plain, saved_by_its_last_step)]
    assert [work(child).state for child in forks] == ["finished", "finished"]
    assert_equal_to_the_bit(*forks)
    assert [point["images"] for point in forks[0].metrics()][-4:] == [2_960, 3_008, 3_152, 3_200]


def test_without_a_usable_checkpoint_nothing_is_deleted(ring: Recipe) -> None:
    run = store.create(ring, threads=1)
    assert work(run, on_tick=ask_once(run, "pause")).state == "paused"
    for path in run.checkpoints():
        path.write_bytes(b"not a checkpoint")
    before = sorted(path.name for path in run.folder.rglob("*") if path.name != "control")
    status = work(run)
    assert status.state == "failed" and "cannot be read" in status.message and status.message.count(".") <= 2
    assert sorted(path.name for path in run.folder.rglob("*") if path.name != "control") == before


def test_data_that_cannot_be_had_is_one_sentence(ring: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(dataset: object, shape: object, split: str = "train", progress: object = None) -> None:
        raise ValueError("MNIST is not on this machine; choose digits.")

    run = store.create(ring, threads=1)
    monkeypatch.setattr("ganplay.data.resident.load", load)
    status = work(run)
    assert (status.state, status.message) == ("failed", "MNIST is not on this machine; choose digits.")
    assert not (run.folder / "worker.log").exists()


def test_an_unexpected_error_is_one_sentence_and_its_traceback_is_logged(
    ring: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(step: trainer.Step) -> None:
        raise KeyError("surprise\nin two lines")

    run = store.create(ring, threads=1)
    after_steps(monkeypatch, 5, explode)
    status = work(run)
    assert status.state == "failed" and "KeyError" in status.message and "\n" not in status.message
    assert "in explode" in (run.folder / "worker.log").read_text()


def test_a_run_that_another_process_trains_is_left_alone(ring: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganplay.runs.worker.CLAIM", 0.1)
    run = store.create(ring, threads=1)
    with run.locked(), pytest.raises(ValueError, match="trained by another process"):
        work(run)
    assert run.status().state == "queued"


def spawn(run: Run) -> subprocess.Popen:
    command = [sys.executable, "-m", "ganplay.runs.worker", run.id, "--checkpoint-seconds", "0.05"]
    environment = os.environ | {"PYTHONPATH": str(Path(checkpoint.__file__).parent.parent), "OMP_NUM_THREADS": "1"}
    with (run.folder / "worker.log").open("ab") as output:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=environment)


def wait_until(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


LONGER = {  # 80 points each: points of a ring; images, with convolutions, batch norm and bf16 where the machine has it
    "toy-ring": {"batch_size": 16, "stop_images": 12_000, "log_every": 150, "sample_every": 400, "score_every": 400},
    "quick-digits": {"batch_size": 32, "stop_images": 5_120, "log_every": 64, "sample_every": 640},
}


@pytest.mark.skipif(os.name == "nt", reason="needs kill -9")
@pytest.mark.parametrize("name", LONGER)
def test_killed_at_random_moments_a_run_ends_as_if_it_had_not_been(name: str) -> None:
    longer = recipe(name).change(LONGER[name])
    undisturbed, killed = (store.create(longer, threads=1) for _ in range(2))
    work(undisturbed)
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed of the moments:", seed)
    moments = random.Random(seed)
    for points in (moments.randint(0, 20), moments.randint(21, 40)):
        child = spawn(killed)
        wait_until(lambda points=points: len(killed.metrics()) > points)
        time.sleep(moments.uniform(0.0, 0.05))
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert killed.status().state == "interrupted"
        store.enqueue(killed)
    with spawn(killed) as child:
        assert child.wait() == 0
    assert killed.status().state == "finished"
    assert (killed.folder / "worker.log").read_text() == ""
    assert_equal_to_the_bit(killed, undisturbed)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGTERM")
def test_a_terminated_worker_makes_a_checkpoint_and_a_second_worker_goes_quietly(ring: Recipe) -> None:
    run = store.create(ring.change({"stop_images": ENDLESS}), threads=1)
    child = spawn(run)
    wait_until(lambda: run.status().images > 0)
    child.send_signal(signal.SIGTERM)
    child.communicate()
    status = run.status()
    assert status.state == "interrupted" and run.checkpoints()[0].stem == f"{status.images:09d}"
    late = spawn(run)  # the run is not queued
    late.communicate()
    assert late.returncode == 0 and run.status() == status
    assert json.loads((run.folder / "status.json").read_text())["state"] == "interrupted"


def test_a_worker_whose_server_died_before_it_was_ready_ends_interrupted(ring: Recipe) -> None:
    run = store.create(ring.change({"stop_images": ENDLESS}), threads=1)
    child = spawn(run)
    child.stdin.close()
    assert child.wait(60.0) == 0
    status = run.status()
    assert status.state == "interrupted" and status.images <= 16, "seen at the first step, if not before"


def test_a_worker_watches_its_server_without_a_read_that_blocks() -> None:
    code = """
import threading
from pathlib import Path
from ganplay.runs import worker
from ganplay.runs.folder import Run
worker.POLL = 0.0
served, own = (worker.Wishes(Run("", Path("none")), served) for served in (True, False))
print(repr(served.now()), threading.active_count(), flush=True)  # while the pipe is open and empty
input()
while not served.now():
    pass
print(repr(served.now()), repr(own.now()))
"""
    environment = os.environ | {"PYTHONPATH": str(Path(checkpoint.__file__).parent.parent)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes) as child:
        assert child.stdout.readline() == "'' 1\n"
        child.stdin.write("go on\n")
        child.stdin.close()
        assert child.stdout.read() == "'interrupt' ''\n"


@pytest.mark.parametrize("peeked", [1, 0])
def test_on_windows_the_pipe_is_peeked_at_and_never_read(peeked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def peek(pipe: ctypes.c_void_p, *rest: None) -> int:  # 0, an error, once the other end is closed
        asked.append((pipe.value, rest))
        return peeked

    kernel = SimpleNamespace(PeekNamedPipe=peek)
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(get_osfhandle=lambda descriptor: descriptor + 77))
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        patch.setattr(os, "read", None)
        ended = processes.standard_input_ended()
    assert ended == (not peeked) and asked == [(77, (None, 0, None, None, None))]
