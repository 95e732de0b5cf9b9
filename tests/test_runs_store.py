from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ganplay.recipe import Recipe
from ganplay.recipes import recipe, recipes
from ganplay.runs import limits, store
from ganplay.runs.folder import Run, Status


@pytest.fixture(autouse=True)
def default_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANPLAY_DISK_GB", raising=False)
    monkeypatch.delenv("GANPLAY_CONCURRENT_RUNS", raising=False)
    monkeypatch.delenv("GANPLAY_QUEUE", raising=False)


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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("images", None), ("images", "320"), ("images", 3.5), ("images", -1), ("images", True), ("seconds", None),
        ("seconds", []), ("rate", "fast"), ("rate", float("nan")), ("left", "soon"), ("left", float("inf")),
        ("progress", {}), ("message", None), ("message", 7), ("updated", None), ("updated", 10**400),
        ("state", ["paused"]),
    ],
)  # fmt: skip
def test_a_status_with_a_field_of_another_type_reads_as_damaged(ring: Recipe, field: str, value: object) -> None:
    run = store.create(ring)
    content = json.loads((run.folder / "status.json").read_text())
    (run.folder / "status.json").write_text(json.dumps(content | {field: value}))
    status = run.status()
    assert status.state == "failed" and status.message.endswith("its folder is damaged.")
    store.enqueue(run)
    assert run.status().state == "queued" and run.status().images == 0


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


@pytest.mark.parametrize("text", ["0", "-1", "much", "nan", "inf", "1e300", ""])
def test_an_impossible_quota_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANPLAY_DISK_GB", text)
    for act in (store.quota_bytes, limits.check_environment):
        with pytest.raises(ValueError, match=r"^GANPLAY_DISK_GB is '.*'; it must be .*\.$"):
            act()


@pytest.mark.parametrize("name", ["GANPLAY_RUN_GB", "GANPLAY_CACHE_GB", "GANPLAY_PICTURES_GB"])
def test_an_impossible_number_of_gigabytes_is_named_at_the_start(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "0")
    with pytest.raises(ValueError, match=rf"^{name} is '0'; it must be a number of gigabytes above 0"):
        limits.check_environment()


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "two", "", "9" * 5_000])
@pytest.mark.parametrize("name", ["GANPLAY_CONCURRENT_RUNS", "GANPLAY_QUEUE"])
def test_an_impossible_limit_of_runs_is_named_at_the_start(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits.check_environment()
    monkeypatch.setenv(name, text)
    with pytest.raises(ValueError, match=rf"^{name} is '.*'; it must be .*\.$"):
        limits.check_environment()


@pytest.mark.parametrize(
    ("files", "share"),
    [
        ({"cpu.max": "250000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, 64),
        ({"cpu.max": "9900000 100000\n"}, 64),
        ({"cpu.max": "nonsense"}, 64),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 64),
        ({"cpu/cpu.cfs_quota_us": "300000\n"}, 64),
        ({}, 64),
    ],
)
def test_a_container_has_the_cores_of_its_share(
    files: dict[str, str], share: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(limits, "_CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(64)), raising=False)
    assert limits.cores() == limits.concurrent_runs() == share


def test_every_registered_recipe_keeps_a_bearable_amount() -> None:
    for name in recipes.names():
        limits.check_amounts(recipe(name))
    limits.check_amounts(recipe("quick-digits").change({"stop_images": 10**8}))  # for a demonstration that never ends


@pytest.mark.parametrize(
    ("setting", "least", "other"), [("sample_every", 200_000, "log_every"), ("log_every", 10_000, "sample_every")]
)
def test_a_recipe_that_would_fill_the_disk_with_small_files_is_refused_with_the_least_interval(
    home: Path, setting: str, least: int, other: str
) -> None:
    endless = recipe("toy-ring").change({"stop_images": 10**10, other: 10**7})
    with pytest.raises(ValueError, match=rf"^{setting} is {least - 1:,}; .* at least {least:,}, .*\.$"):
        store.create(endless.change({setting: least - 1}))
    modest = store.create(endless.change({setting: least}))
    with pytest.raises(ValueError, match=f"^{setting} is 1,000; .* at least {least:,}"):
        store.fork(modest, {setting: 1_000})
    assert names(home) == [modest.id]


def test_a_full_queue_takes_no_new_run(ring: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.queue_places() == 20
    monkeypatch.setenv("GANPLAY_QUEUE", "2")
    first, _ = store.create(ring), store.create(ring)
    for attempt in (lambda: store.create(ring), lambda: store.fork(first, {})):
        with pytest.raises(ValueError, match=r"^The queue is full \(GANPLAY_QUEUE is 2\); .*\.$"):
            attempt()
    store.create(ring, queued=False)  # trained by its maker
    first.write_status(Status("paused"))
    store.create(ring)


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


def in_a_moment(act: Callable[[], object], seconds: float = 0.6) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


def test_a_run_resumed_while_it_still_obeys_a_pause_is_queued_once_it_has(ring: Recipe) -> None:
    run = store.create(ring)
    run.write_status(Status("running", images=320))
    run.ask("pause")
    taken, pause = threading.Event(), threading.Event()

    def worker() -> None:  # in a long checkpoint
        with run.locked(wait=5.0) as held:
            assert held
            taken.set()
            pause.wait(10.0)
            run.write_status(Status("paused", images=640))

    thread = threading.Thread(target=worker)
    thread.start()
    taken.wait(10.0)
    in_a_moment(pause.set)
    store.enqueue(run)
    thread.join()
    assert run.status().state == "queued" and run.status().images == 640
    assert run.request() == ""


def test_a_run_resumed_before_its_worker_saw_the_pause_goes_on(ring: Recipe) -> None:
    run = store.create(ring)
    run.write_status(Status("running", images=320))
    run.ask("pause")
    with run.locked():
        timer = in_a_moment(lambda: run.write_status(Status("running", images=640)))
        store.enqueue(run)
        timer.join()
        assert run.status().state == "running" and run.request() == ""


def test_a_resume_that_a_busy_worker_does_not_answer_is_no_silence(
    ring: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_ANSWER", 0.2)
    run = store.create(ring)
    run.write_status(Status("running", images=320))
    run.ask("stop")
    with run.locked(), pytest.raises(ValueError, match="busy with the last request; resume it in a moment"):
        store.enqueue(run)


def test_on_a_full_disk_any_run_at_rest_can_be_deleted(ring: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes | str) -> None:
        raise OSError(28, "No space left on device")

    queued, never_locked = store.create(ring), store.create(ring)
    with queued.locked():
        pass
    (queued.folder / "status.json").chmod(0o444)
    monkeypatch.setattr("ganplay.runs.folder.write_atomically", full)
    store.delete(queued)
    with monkeypatch.context() as patch:
        patch.setattr("filelock.FileLock.acquire", lambda *arguments, **options: full(Path(), ""))
        store.delete(never_locked)
    assert store.list_runs() == []


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
