"""Evaluations in a queue: one child process at a time, in turn, cancelled and ended, with results to be trusted."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import ganplay
from ganplay import paths
from ganplay.evaluations import queue, results
from ganplay.evaluations.asks import VERSION, Ask, exists, images_now, stamp
from ganplay.evaluations.manager import LONG, LOST, Manager
from ganplay.recipes import recipe
from ganplay.runs import store

SOURCE = "checkpoint:quick-digits"
ROOT = Path(ganplay.__file__).resolve().parent.parent

# What a child does instead of computing is in the ask's seed.
QUICK, ENDLESS, MISTAKE, ACCIDENT, KILLED, DEAF, FULL = range(100, 800, 100)
CHILD = f"""
import errno, os, sys, time
from ganplay.evaluations import worker

def work(ask, progress):
    kind = ask.seed // 100 * 100
    with open(os.environ["JOURNAL"], "a") as journal:
        print("start", ask.seed, os.getpid(), file=journal, flush=True)
        progress("Busy.", 0.25)
        while kind == {ENDLESS}:
            progress("Busy.", 0.5)
            time.sleep(0.05)
        if kind == {DEAF}:
            time.sleep(600)
        if kind == {KILLED}:
            os.kill(os.getpid(), 9)
        if kind == {MISTAKE}:
            raise ValueError("The ring has no pictures.")
        if kind == {ACCIDENT}:
            raise RuntimeError("shapes (3, 4) and (5,) differ\\nand more")
        if kind == {FULL}:
            raise OSError(errno.ENOSPC, "No space left on device")
        time.sleep(0.2)
        print("end", ask.seed, os.getpid(), file=journal, flush=True)
    return {{"value": ask.seed}}, {{"samples": ("jpg", b"picture %d" % ask.seed)}}

worker.main([sys.argv[1]], work)
"""


@pytest.fixture
def journal(tmp_path, monkeypatch) -> Path:
    path = tmp_path / "journal"
    path.touch()
    monkeypatch.setenv("JOURNAL", str(path))
    return path


@pytest.fixture
def manager(journal) -> Iterator[Manager]:
    made = Manager(lambda key: [sys.executable, "-c", CHILD, key])
    yield made
    made.close()


def ask(seed: int, source: str = SOURCE) -> Ask:
    return Ask(source, seed=seed)


def wait_until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def is_running(one: Ask) -> Callable[[], bool]:
    return lambda: queue.state(one).share > 0


def lines(journal: Path, word: str) -> list[list[str]]:
    return [line.split() for line in journal.read_text().splitlines() if line.startswith(word)]


def lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno != errno.ESRCH
    return "Z" not in Path(f"/proc/{process}/stat").read_text().split()[2]


def request(one: Ask) -> queue.Request:
    queue.submit(one, "somebody")
    return queue.request(one.key)


def kept(one: Ask, size: int = 10, age: float = 0.0) -> None:
    """A result made by hand, so many seconds ago."""
    results.keep(request(one), {"value": one.seed}, {"samples": ("jpg", bytes([one.seed % 256]) * size)})
    os.utime(queue.file(one.key), (time.time() - age, time.time() - age))


# The queue


def test_asks_are_computed_one_at_a_time_and_readers_take_turns(manager, journal) -> None:
    for seed in (100, 101, 102):
        queue.submit(ask(seed), "first reader")
    queue.submit(ask(103), "second reader")
    queue.submit(ask(101), "second reader")  # it waits already
    assert [queue.state(ask(seed)).ahead for seed in (100, 103, 101, 102)] == [0, 1, 2, 3]
    manager.start()  # what waited before there was a manager is computed too
    wait_until(lambda: all(results.find(ask(seed)) for seed in (100, 101, 102, 103)))
    said = [line.split()[:2] for line in journal.read_text().splitlines()]
    assert said == [[word, seed] for seed in ("100", "103", "101", "102") for word in ("start", "end")]
    assert queue.requests() == []
    assert queue.state(ask(100)) == queue.State("none")


def test_two_managers_of_one_home_compute_each_ask_once(manager, journal) -> None:
    other = Manager(lambda key: [sys.executable, "-c", CHILD, key])
    for seed in (100, 101):
        queue.submit(ask(seed), "reader")
    manager.start()
    other.start()
    wait_until(lambda: results.find(ask(100)) and results.find(ask(101)))
    other.close()
    assert [line[1] for line in lines(journal, "start")] == ["100", "101"]


def test_a_cancelled_evaluation_ends_at_once_and_the_next_begins(manager, journal) -> None:
    manager.start()
    manager.submit(ask(ENDLESS), "reader")
    manager.submit(ask(DEAF), "reader")
    manager.submit(ask(QUICK), "reader")
    wait_until(is_running(ask(ENDLESS)))
    manager.cancel(ask(ENDLESS))
    wait_until(is_running(ask(DEAF)))
    assert not lives(int(lines(journal, "start")[0][2]))
    assert queue.state(ask(ENDLESS)) == queue.State("none")
    manager.cancel(ask(DEAF))  # it computes without a word, as libraries do
    wait_until(lambda: results.find(ask(QUICK)))
    assert results.find(ask(ENDLESS)) is results.find(ask(DEAF)) is None


def test_what_waits_can_be_cancelled_and_asked_for_again(manager) -> None:
    queue.submit(ask(100), "reader")
    before = queue.request(ask(100).key)
    queue.report(before, "Busy.", 0.5)
    assert queue.state(ask(100)).state == "running"
    queue.cancel(ask(100))
    queue.submit(ask(100), "reader")
    assert queue.state(ask(100)).state == "queued", "what was said of the cancelled one is not said of this one"
    queue.fail(before, "Too late.")
    assert queue.state(ask(100)).state == "queued"


@pytest.mark.parametrize(
    ("seed", "sentence"),
    [
        (MISTAKE, "The ring has no pictures."),
        (ACCIDENT, "The evaluation failed with RuntimeError: shapes (3, 4) and (5,) differ."),
        (KILLED, LOST),
        (FULL, "The disk is full; free some space, then evaluate once more."),
    ],
)
def test_a_failure_becomes_one_sentence_until_somebody_asks_again(manager, seed, sentence) -> None:
    manager.start()
    manager.submit(ask(seed), "reader")
    wait_until(lambda: queue.state(ask(seed)).state == "failed")
    assert queue.state(ask(seed)).message == sentence
    assert results.find(ask(seed)) is None
    manager.submit(ask(QUICK), "reader")
    wait_until(lambda: results.find(ask(QUICK)))
    queue.submit(ask(seed), "reader")
    assert queue.state(ask(seed)).active


def test_a_command_that_cannot_start_fails_once_and_not_for_ever(journal) -> None:
    manager = Manager(lambda key: [sys.executable, "-c", "raise SystemExit(3)"])
    manager.start()
    manager.submit(ask(QUICK), "reader")
    wait_until(lambda: queue.state(ask(QUICK)).message == LOST)
    manager.close()


def test_an_evaluation_that_takes_too_long_is_ended(journal) -> None:
    manager = Manager(lambda key: [sys.executable, "-c", CHILD, key], longest=0.5)
    manager.start()
    manager.submit(ask(DEAF), "reader")
    wait_until(lambda: queue.state(ask(DEAF)).message == LONG)
    wait_until(lambda: not queue.is_busy())
    manager.close()


SERVER = f"""
import sys, time
from ganplay.evaluations.manager import Manager
CHILD = {CHILD!r}
Manager(lambda key: [sys.executable, "-c", CHILD, key]).start()
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs kill -9")
def test_the_death_of_the_server_leaves_no_orphan_and_the_next_server_goes_on(manager, journal) -> None:
    queue.submit(ask(DEAF), "reader")
    queue.submit(ask(QUICK), "reader")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    server = subprocess.Popen([sys.executable, "-c", SERVER], env=environment)
    wait_until(is_running(ask(DEAF)))
    server.send_signal(signal.SIGKILL)
    server.wait()
    wait_until(lambda: not lives(int(lines(journal, "start")[0][2])), 5)
    assert queue.state(ask(QUICK)).state == "queued"
    manager.start()
    wait_until(lambda: results.find(ask(QUICK)))
    assert queue.state(ask(DEAF)).message == LOST, "what may have used up the memory does not begin by itself again"


def test_the_queue_has_places_for_everybody(monkeypatch) -> None:
    for seed in range(queue.PLACES_EACH):
        queue.submit(ask(seed), "greedy")
    with pytest.raises(ValueError, match="8 of your evaluations wait already"):
        queue.submit(ask(50), "greedy")
    queue.submit(ask(3), "greedy")  # this one waits already
    for seed in range(queue.PLACES_EACH, queue.PLACES):
        queue.submit(ask(seed), f"reader {seed}")
    with pytest.raises(ValueError, match="20 evaluations wait already"):
        queue.submit(ask(51), "late")
    assert len(queue.requests()) == queue.PLACES


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"token": 1, "ask": {"source": "x"}}', "\x00"])
def test_a_damaged_request_is_removed_and_holds_up_nobody(content) -> None:
    queue.submit(ask(1), "reader")
    queue.file(ask(1).key, "request").write_text(content)
    assert queue.requests() == []
    assert not queue.file(ask(1).key, "request").exists()


# Results


def test_a_result_is_found_with_its_pictures_and_replaced_as_a_whole() -> None:
    kept(ask(1), size=10)
    first = results.find(ask(1))
    assert first["value"] == 1
    assert results.picture(ask(1), first["pictures"]["samples"]) == b"\x01" * 10
    assert results.find(ask(2)) is None
    kept(ask(1), size=20)
    second = results.find(ask(1))
    assert results.picture(ask(1), second["pictures"]["samples"]) == b"\x01" * 20
    with pytest.raises(ValueError, match="gone"):
        results.picture(ask(1), first["pictures"]["samples"])


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "binary", "other version", "list"])
def test_a_damaged_result_counts_as_none(damage) -> None:
    kept(ask(1))
    path = queue.file(ask(1).key)
    text = path.read_text()
    changed = {
        "cut": text[:-10],
        "changed": text.replace('"value": 1', '"value": 2'),
        "empty": "",
        "binary": "\udcff\x00",
        "other version": text.replace(f'"version": {VERSION}', '"version": 0'),
        "list": "[]",
    }[damage]
    assert changed != text
    path.write_bytes(changed.encode("utf-8", "surrogateescape"))
    assert results.find(ask(1)) is None


def test_results_are_bounded_in_number_and_size_and_the_oldest_go(monkeypatch) -> None:
    monkeypatch.setattr(results, "MOST_RESULTS", 3)
    for seed in range(5):
        kept(ask(seed), age=100.0 - seed)
    results.prune()
    assert [seed for seed in range(5) if results.find(ask(seed))] == [2, 3, 4]
    assert len(list(queue.folder().glob("*.jpg"))) == 3
    one = queue.file(ask(4).key).stat().st_size  # its picture has 10 bytes more
    monkeypatch.setattr(results, "MOST_BYTES", 4_000 + int(2.5 * one))
    kept(ask(5), size=4_000)
    results.prune()
    assert [seed for seed in range(6) if results.find(ask(seed))] == [4, 5]


def test_results_of_deleted_runs_vanish_and_those_that_can_be_made_again_stay() -> None:
    run = store.create(recipe("toy-ring"), base="toy-ring")
    of_run = ask(1, f"run:{run.id}")
    kept(of_run)
    kept(ask(1))
    results.prune()
    assert results.find(of_run)
    store.delete(run)
    assert not exists(of_run.source)
    results.prune()
    assert results.find(of_run) is None
    assert results.find(ask(1))
    assert [path.name for path in queue.folder().glob("*.jpg")] == [
        f"{ask(1).key}.{results.find(ask(1))['pictures']['samples']}"
    ]


def test_what_dead_processes_left_is_swept_and_what_is_in_use_is_not() -> None:
    kept(ask(1))
    queue.submit(ask(2), "reader")
    queue.report(queue.request(ask(2).key), "Busy.", 0.5)
    old = time.time() - 2 * results.ABANDONED
    for name in (f".{ask(1).key}.json.1-ab.tmp", f"{ask(3).key}.failed.json", f"{ask(3).key}.0123456789abcdef.jpg"):
        (queue.folder() / name).touch()
    for path in queue.folder().iterdir():
        os.utime(path, (old, old))
    results.prune()
    left = {path.name.split(".")[0] for path in queue.folder().iterdir() if not path.name.startswith(".")}
    assert left == {ask(1).key, ask(2).key}
    assert not list(queue.folder().glob(".*.tmp"))
    assert results.find(ask(1)) and queue.state(ask(2)).state == "running"


# What is asked


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"samples": 499}, "samples is 499; it must be a whole number, 500 to 10,000."),
        ({"samples": 10_001}, "10,000"),
        ({"samples": True}, "whole number"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**31}, "2,147,483,647"),
        ({"seed": 0.5}, "whole number"),
        ({"reference": "../train"}, "it must be train or test"),
        ({"source": 5}, "named by text"),
    ],
)
def test_a_setting_that_is_not_allowed_is_refused_with_a_sentence(change, sentence) -> None:
    with pytest.raises(ValueError) as refusal:
        replace(Ask(SOURCE), **change)
    assert sentence in str(refusal.value)


HOSTILE = [
    "checkpoint:../checkpoints/quick-digits", "checkpoint:/etc", "checkpoint:", "checkpoint:..", "checkpoint:.",
    "run:../../etc", "run:", "run:20261121-231500-quick-digits-3f2a", "/etc/passwd", "../../etc/passwd", "quick-digits",
    "checkpoint:quick-digits/", "checkpoint:quick-digits\x00", "x" * 5_000, "checkpoint:*", "",
]  # fmt: skip


@pytest.mark.parametrize("source", HOSTILE)
def test_no_source_is_ever_taken_for_a_path(source, home) -> None:
    one = Ask(source)
    assert queue.file(one.key).parent == home / "evaluations"
    assert queue.file(one.key).name.removesuffix(".json").isalnum()
    for look in (lambda: stamp(one), lambda: images_now(source)):
        with pytest.raises(ValueError) as refusal:
            look()
        assert len(str(refusal.value)) < 300
    assert not exists(source)


@pytest.mark.parametrize("name", ["../../x.jpg", "0123456789abcdef.jpg/../x", "x", "", "0123456789abcdef.png", None])
def test_a_picture_has_a_name_and_never_a_path(name) -> None:
    kept(ask(1))
    with pytest.raises(ValueError, match="not the name of a picture"):
        results.picture(ask(1), name)


@pytest.mark.parametrize("key", ["../x", "", "g" * 24, "0" * 23, "0" * 25, "0" * 24 + "\n", None, "." * 24])
def test_a_key_is_a_key_and_never_a_path(key) -> None:
    with pytest.raises(ValueError, match="not the key"):
        queue.file(key)


def test_a_stamp_holds_until_weights_recipe_or_features_change(tmp_path, monkeypatch) -> None:
    import torch

    from ganplay.metrics.features.pixels import Pixels
    from ganplay.tensors import read_tensors, write_tensors

    folder = tmp_path / "checkpoints" / "quick-digits"
    shutil.copytree(paths.bundled_checkpoints() / "quick-digits", folder)
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: folder.parent)
    one = Ask(SOURCE, features="pixels")
    stamps = [stamp(one)]

    tensors, metadata = read_tensors(folder / "model.safetensors")
    said = {name: metadata[name] for name in ("format", "images", "pieces")}
    write_tensors(folder / "model.safetensors", tensors, said)
    assert stamp(one) == stamps[0], "the same weights, written again"

    name = next(iter(tensors))
    tensors[name] = torch.nextafter(tensors[name].float(), torch.tensor(9.0)).to(tensors[name].dtype) + 0.5
    write_tensors(folder / "model.safetensors", tensors, {"format": metadata["format"], "images": metadata["images"]})
    stamps.append(stamp(one))

    config = json.loads((folder / "config.json").read_text())
    config["recipe"]["seed"] += 1
    (folder / "config.json").write_text(json.dumps(config))
    stamps.append(stamp(one))

    monkeypatch.setattr(Pixels, "stamp", lambda self: "other features")
    stamps.append(stamp(one))
    assert len(set(stamps)) == 4


def test_a_child_process_computes_figures_and_the_true_nearest_training_samples(monkeypatch) -> None:
    import io

    import torch
    from PIL import Image

    from ganplay.data.digits import Digits
    from ganplay.data.resident import load
    from ganplay.latent.sampling import sample
    from ganplay.metrics.features import rounded
    from ganplay.sources import open_source

    one = Ask(SOURCE, samples=500, features="pixels")
    manager = Manager()
    manager.start()
    manager.submit(one, "reader")
    wait_until(lambda: not queue.state(one).active, 120)
    manager.close()
    assert queue.state(one).state == "none", queue.state(one).message
    found = results.find(one)
    assert found["stamp"] == stamp(one)
    assert {figure["metric"] for figure in found["evaluation"]["figures"]} >= {"frechet-distance", "precision-recall"}
    assert found["evaluation"]["source"] == SOURCE

    training = load(Digits(), (1, 32, 32)).values.float().flatten(1) / 127.5 - 1
    made = rounded(sample(open_source(SOURCE), one.seed, 200)).flatten(1)
    distances = torch.cdist(made, training, compute_mode="donot_use_mm_for_euclid_dist").sort(1).values
    near = found["neighbours"]
    assert near["generated"] == pytest.approx(distances[:, 0].tolist(), abs=2e-4)
    closest = distances[distances[:, 0].argsort()][:3, :3]
    shown = [row["distances"] for row in near["rows"] if row["kind"] == "closest"]
    assert shown == [pytest.approx(row.tolist(), abs=2e-4) for row in closest]

    tiles = Image.open(io.BytesIO(results.picture(one, found["pictures"]["tiles"])))
    assert tiles.size == (4 * 32, 9 * 32)
    assert len(near["rows"]) == 9
    assert near["tile"] == [32, 32]
    assert Image.open(io.BytesIO(results.picture(one, found["pictures"]["samples"]))).format == "JPEG"
