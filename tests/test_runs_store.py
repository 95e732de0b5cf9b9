from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run, Status


@pytest.fixture(autouse=True)
def default_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANPLAY_DISK_GB", raising=False)
    monkeypatch.delenv("GANPLAY_CONCURRENT_RUNS", raising=False)


@pytest.fixture
def ring() -> Recipe:
    return recipe("toy-ring").change({"stop_images": 640})


def names(home: Path) -> list[str]:
    return sorted(os.listdir(home / "runs"))


def test_a_new_run_is_queued_and_keeps_its_recipe(ring: Recipe) -> None:
    run = store.create(ring, base="toy-ring", group="pair", threads=2)
    assert run.recipe() == ring
    assert run.status().state == "queued"
    assert run.info["base"] == "toy-ring" and run.info["group"] == "pair" and run.info["threads"] == 2
    assert store.is_id(run.id) and "toy-ring" in run.id
    assert store.find(run.id) == run


def test_a_run_made_for_the_command_line_is_not_in_the_queue(ring: Recipe) -> None:
    assert store.create(ring, queued=False).status().state == "paused"


def test_runs_are_listed_newest_first_even_within_one_second(ring: Recipe) -> None:
    made = [store.create(ring, label=f"run {number}") for number in range(4)]
    assert [run.label for run in store.list_runs()] == [run.label for run in reversed(made)]


def test_the_store_is_imported_without_torch() -> None:
    code = "import sys, ganplay.runs.store; print(sorted({'torch', 'streamlit', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "id",
    [
        "", ".", "..", "../../etc/passwd", "/etc", "20261121-231500-quick-digits-3f2a/..", "20261121-231500-a-3f2a\n",
        "20261121-231500-../x-3f2a", "20261121-231500-quick digits-3f2a", "20261121-231500-a-3f2A", "CON", None, 7,
        "20261121-231500-" + "a" * 200 + "-3f2a", "20261121-231500-a\\b-3f2a", "20261121-231500-a-3f2a\0",
    ],
)  # fmt: skip
def test_an_id_that_could_leave_the_folder_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="is not the id of a run"):
        store.find(id)


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(ValueError, match="no run 20261121-231500-quick-digits-3f2a"):
        store.find("20261121-231500-quick-digits-3f2a")


def test_networks_that_cannot_be_built_leave_no_folder(home: Path) -> None:
    impossible = recipe("quick-digits").change({"penalties": "gradient-penalty", "discriminator.norm": "batch"})
    with pytest.raises(ValueError, match="batch norm"):
        store.create(impossible)
    assert not (home / "runs").exists() or not names(home)


def test_a_label_is_cleaned_and_checked(ring: Recipe) -> None:
    run = store.create(ring)
    assert run.label == ring.title
    store.rename(run, "  a\n better   name ")
    assert run.label == "a better name"
    for wrong in ("", "   ", "x" * 81, "a\x1bb"):
        with pytest.raises(ValueError, match="label"):
            store.rename(run, wrong)
    assert run.label == "a better name"
    assert run.info["base"] is None and run.created > 0


def test_curves_leave_out_a_half_written_line(ring: Recipe) -> None:
    run = store.create(ring)
    assert run.metrics() == []
    lines = [json.dumps({"images": images, "round": images // 10}) for images in range(10, 110, 10)]
    whole = "".join(line + "\n" for line in lines)
    for cut in (1, 8, len(lines[-1]) - 1, len(lines[-1])):
        (run.folder / "metrics.jsonl").write_text(whole + '{"images": 110, "round": 11}'[:cut])
        assert [point["images"] for point in run.metrics()] == list(range(10, 110, 10))
    assert [point["images"] for point in run.metrics(after=80)] == [90, 100]
    assert run.metrics(after=100) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 99])
def test_thinned_curves_keep_the_newest_point(ring: Recipe, limit: int) -> None:
    run = store.create(ring)
    text = "".join(json.dumps({"images": images}) + "\n" for images in range(1, 101))
    (run.folder / "metrics.jsonl").write_text(text)
    kept = [point["images"] for point in run.metrics(limit=limit)]
    assert len(kept) == limit and kept[-1] == 100 and kept == sorted(set(kept))
    assert limit == 1 or kept[0] == 1


def test_a_live_status_without_a_worker_reads_as_interrupted(ring: Recipe) -> None:
    run = store.create(ring)
    run.write_status(Status("running", images=320, rate=100.0, left=3.0))
    with run.locked() as held:
        assert held
        assert run.status().state == "running"
    assert run.status().state == "interrupted"
    assert run.status().images == 320
    assert run.written_status().state == "running", "reading must not write"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"state": "dancing"}', "\xff\xfe"])
def test_a_damaged_run_is_listed_as_failed(ring: Recipe, content: str) -> None:
    run, sound = store.create(ring), store.create(ring)
    for name in ("status.json", "run.json", "recipe.json"):
        (run.folder / name).write_bytes(content.encode("latin-1"))
    assert {run.id, sound.id} == {listed.id for listed in store.list_runs()}
    assert run.status().state == "failed"
    assert run.label == run.id
    with pytest.raises(ValueError):
        run.recipe()
    store.delete(run)
    assert store.list_runs() == [sound]


def test_foreign_entries_are_not_runs(ring: Recipe, home: Path) -> None:
    run = store.create(ring)
    (home / "runs" / "notes.txt").write_text("mine")
    (home / "runs" / ".trash-x").mkdir()
    (home / "runs" / "20261121-231500-a-3f2a").write_text("a file, no folder")
    assert store.list_runs() == [run]


def test_over_quota_a_new_run_is_refused_with_the_number_that_can_go(
    ring: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, young = store.create(ring), store.create(ring)
    young.write_status(Status("stopped"))
    old.write_status(Status("finished"))
    store.create(ring)
    (old.folder / "worker.log").write_bytes(bytes(2_000_000))
    assert 2_000_000 < store.used_bytes() < 2_100_000
    monkeypatch.setenv("GANPLAY_DISK_GB", "0.002")
    for attempt in (lambda: store.create(ring), lambda: store.fork(old, {})):
        with pytest.raises(ValueError, match=r"0\.002 GB .* 2 have ended"):
            attempt()
    assert store.deletable() == [young, old], "the one that ended first comes first"
    store.delete(old)
    store.create(ring)


@pytest.mark.parametrize("text", ["0", "-1", "much", "nan", "inf", ""])
def test_an_impossible_quota_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANPLAY_DISK_GB", text)
    with pytest.raises(ValueError, match="GANPLAY_DISK_GB"):
        store.quota_bytes()


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", ""])
def test_an_impossible_limit_of_runs_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANPLAY_CONCURRENT_RUNS", text)
    with pytest.raises(ValueError, match="GANPLAY_CONCURRENT_RUNS"):
        store.concurrent_runs()


def test_a_live_run_is_not_deleted(ring: Recipe) -> None:
    run = store.create(ring)
    run.write_status(Status("running"))
    with run.locked(), pytest.raises(ValueError, match="is running; stop it"):
        store.delete(run)
    store.delete(run)
    assert store.list_runs() == []
    with pytest.raises(ValueError, match="may have been deleted"):
        store.find(run.id)


def test_a_deletion_that_was_cut_short_is_invisible_and_swept(
    ring: Recipe, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(ring)
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *arguments, **options: None)
        store.delete(run)
    assert len(names(home)) == 1 and store.list_runs() == []
    (home / "runs" / ".new-20261121-231500-a-3f2a").mkdir()  # another process is at it at this moment
    store.sweep()
    assert names(home) == [".new-20261121-231500-a-3f2a"]


def test_a_creation_that_fails_leaves_nothing(ring: Recipe, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(run: Run, status: Status) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Run, "write_status", full)
    with pytest.raises(OSError, match="No space left"):
        store.create(ring)
    assert names(home) == []


def test_a_fork_without_a_checkpoint_is_refused_and_leaves_nothing(ring: Recipe, home: Path) -> None:
    run = store.create(ring)
    with pytest.raises(ValueError, match="no checkpoint"):
        store.fork(run, {"stop_images": 1280})
    with pytest.raises(ValueError, match="batch_size"):
        store.fork(run, {"batch_size": 0})
    assert names(home) == [run.id]


@pytest.mark.parametrize("state", ["paused", "stopped", "interrupted", "failed", "running", "starting"])
def test_a_run_at_rest_goes_back_into_the_queue_without_old_requests(ring: Recipe, state: str) -> None:
    run = store.create(ring)
    run.write_status(replace(run.status(), state=state, images=320))
    run.ask("stop")
    store.enqueue(run)
    assert run.status().state == "queued"
    assert run.status().images == 320
    assert run.request() == ""


def test_a_finished_run_cannot_be_resumed(ring: Recipe) -> None:
    run = store.create(ring)
    run.write_status(Status("finished", images=640))
    with pytest.raises(ValueError, match="finished; fork it"):
        store.enqueue(run)


def test_only_known_requests_are_made(ring: Recipe) -> None:
    run = store.create(ring)
    with pytest.raises(ValueError, match="pause, stop, checkpoint"):
        run.ask("explode")
    assert run.request() == ""
