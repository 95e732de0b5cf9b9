"""The runs on disk: make, list, find, rename, fork and delete them within a quota. No torch on import, no threads."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganplay.files import write_atomically
from ganplay.paths import runs_folder
from ganplay.runs.folder import ENDED, QUEUED, RESUMABLE, STATES, Run, Status, is_id
from ganplay.runs.limits import GIGABYTE, check_amounts, concurrent_runs, cores, queue_places, quota_bytes
from ganplay.runs.past import copy_newest_checkpoint, copy_past

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

__all__ = [
    "STATES", "Run", "Status", "concurrent_runs", "create", "deletable", "delete", "enqueue", "find", "fork", "is_id",
    "list_runs", "quota_bytes", "refuse_over_quota", "rename", "sweep", "unsorted_runs", "used_bytes",
]  # fmt: skip

_LONGEST_LABEL = 80
_TRASH, _UNFINISHED = ".trash-", ".new-"  # no id begins so: neither is ever listed
_ANSWER = 5.0  # seconds for a worker that is leaving to let its run go
_ABANDONED = 3600.0  # seconds after which an unfinished folder belongs to a process that died


def create(
    recipe: Recipe,
    label: str | None = None,
    base: str | None = None,
    group: str | None = None,
    threads: int | None = None,
    forked_from: str | None = None,
    queued: bool = True,
    lesson: Mapping[str, Any] | None = None,
) -> Run:
    """A new run of `recipe`.

    Args:
        label: what a reader calls it; the recipe's title by default.
        base: name of the registered recipe it started from.
        group: id shared by runs that are compared.
        threads: processor threads; the cores shared among the runs that may train at once by default. Numbers depend
            on it in the last bits, so a run keeps it.
        forked_from: id of the run whose past this one shares.
        queued: False for a run that its maker trains itself; a manager then leaves it alone.
        lesson: what a class knows it by, kept in `run.json` (`ganplay.classroom.board`). A fork does not inherit it.

    Raises:
        ValueError: the networks cannot be built, an argument is not allowed, the run would keep too much, or the disk
            quota or the queue is used up.
    """
    from ganplay.building import check  # imports torch

    check(recipe)
    _refuse(recipe, queued)
    with _new_run(recipe, label, base, group, threads, forked_from, lesson) as run:
        run.write_status(_first_status(queued))
    return find(run.id)


def list_runs() -> list[Run]:
    """Every run, newest first. A folder that is damaged is listed, and its status says so."""
    return sorted(unsorted_runs(), key=lambda run: (run.id[:15], run.created, run.id), reverse=True)


def unsorted_runs() -> list[Run]:
    """Every run, in no order, without a look inside."""
    return [Run(folder.name, folder) for folder in _entries() if is_id(folder.name)]


def find(id: str) -> Run:
    """The run with this id.

    Raises:
        ValueError: there is none, or it is no id at all.
    """
    if not is_id(id):
        raise ValueError(f"{str(id)[:80]!r} is not the id of a run; one looks like 20261121-231500-quick-digits-3f2a.")
    folder = runs_folder() / id
    if not folder.is_dir():
        raise ValueError(f"There is no run {id}; it may have been deleted.")
    return Run(id, folder)


def enqueue(run: Run) -> None:
    """Puts a run that is not live back into the queue, to go on from its newest checkpoint.

    A run that is queued or live stays so, and forgets a pause or stop that it has not yet obeyed. One that is about to
    obey is waited for.

    Raises:
        ValueError: the run is finished, or its worker did not let go of it in time.
    """
    asked, live = run.request() in ("pause", "stop"), run.written_status().live
    run.forget_request()
    forgotten = time.time()
    deadline = time.monotonic() + (0.2 if live and not asked else _ANSWER)
    while True:
        with run.locked(wait=0.1) as held:
            status = run.written_status()
            if held and status.state != "queued":
                if status.state not in RESUMABLE and not status.live:  # live without a worker: interrupted
                    raise ValueError(
                        f"The run '{run.label}' is {status.state}; fork it with a later stop to train it further."
                    )
                run.write_status(status.at_rest("queued", QUEUED))
            if held or (status.live and status.updated > forgotten):  # a worker that obeys writes no live status more
                return
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    if asked:
        raise ValueError(f"The run '{run.label}' is still busy with the last request; resume it in a moment.")


def rename(run: Run, label: str) -> None:
    """Gives a run another label.

    Raises:
        ValueError: the label is empty or too long.
    """
    write_atomically(run.folder / "run.json", json.dumps(run.info | {"label": _checked_label(label)}))


def delete(run: Run) -> None:
    """Removes a run and everything it holds.

    Raises:
        ValueError: a worker is at it, or its folder cannot be moved.
    """
    with run.locked(wait=0.5) as held:
        if not held and (run.folder / ".lock").exists():  # on a full disk there may be no lock, and then no worker
            raise ValueError(f"The run '{run.label}' is {run.status().state}; stop it before deleting it.")
        if held and run.written_status().state == "queued":  # so that no worker takes it from here on
            with suppress(OSError):  # whatever the disk says, deletion must go on
                run.force_status(replace(run.written_status(), state="stopped", message="Deleted."))
    trash = run.folder.with_name(f"{_TRASH}{run.id}")
    try:
        run.folder.replace(trash)  # first out of the list, as a whole
    except FileNotFoundError:
        return
    except OSError as error:
        raise ValueError(f"The run '{run.label}' cannot be deleted: {error.strerror}.") from error
    shutil.rmtree(trash, ignore_errors=True)


def fork(run: Run, changes: Mapping[str, Any], label: str | None = None, queued: bool = True) -> Run:
    """A new run with a changed recipe that goes on from the newest checkpoint of `run` and shares its past.

    Args:
        changes: as `Recipe.change` takes them.

    Raises:
        ValueError: a change is not allowed or does not fit the checkpoint, there is no usable checkpoint, the fork
            would be over at once or keep too much, or the disk quota or the queue is used up. Nothing is left behind.
    """
    from ganplay.building import check

    recipe = run.recipe().change(changes)
    check(recipe)
    _refuse(recipe, queued)
    info = run.info
    label = label or f"{info['label']} (fork)"[-_LONGEST_LABEL:]
    with _new_run(recipe, label, info["base"], info["group"], info["threads"], run.id) as child:
        images, seconds = copy_newest_checkpoint(run, child, recipe)
        if images >= recipe.stop_images or 0 < recipe.stop_seconds <= seconds:
            raise ValueError(
                f"The fork would end at once: its checkpoint has seen {images:,} images in {seconds:,.0f} s; "
                "set a later stop_images or stop_seconds."
            )
        copy_past(run, child, images)
        child.write_status(replace(_first_status(queued), images=images, seconds=seconds))
    return find(child.id)


def used_bytes() -> int:
    """Bytes of all runs together."""
    return sum(run.size() for run in unsorted_runs())


def refuse_over_quota(advice: str = "delete some first") -> None:
    """Looks at the size of every run.

    Raises:
        ValueError: together they use what the quota allows; the sentence holds `advice`.
    """
    used, allowed = used_bytes(), quota_bytes()
    if used >= allowed:
        raise ValueError(
            f"The runs use {used / GIGABYTE:.1f} of the {allowed / GIGABYTE:g} GB they may; {advice}: "
            f"{len(deletable())} have ended and can go (GANPLAY_DISK_GB sets the limit)."
        )


def deletable() -> list[Run]:
    """The finished, stopped and failed runs, the one that ended first before the others."""
    ended = [(status.updated, run) for run in list_runs() if (status := run.status()).state in ENDED]
    return [run for _, run in sorted(ended, key=lambda pair: (pair[0], pair[1].id))]


def sweep() -> None:
    """Removes what an interrupted deletion or creation left behind."""
    for folder in _entries():
        try:
            abandoned = time.time() - folder.stat().st_mtime > _ABANDONED
        except OSError:
            continue
        if folder.name.startswith(_TRASH) or (folder.name.startswith(_UNFINISHED) and abandoned):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _new_run(
    recipe: Recipe,
    label: str | None,
    base: str | None,
    group: str | None,
    threads: int | None,
    forked_from: str | None,
    lesson: Mapping[str, Any] | None = None,
) -> Iterator[Run]:
    """A run that appears under its id when the block ends, complete, or not at all when the block raises."""
    if threads is not None and not 1 <= threads <= 1024:
        raise ValueError(f"threads is {threads}; 1 to 1,024 are allowed.")
    now = time.time()
    slug = re.sub(r"[^a-z0-9]+", "-", (base or recipe.title or recipe.dataset.kind).lower()).strip("-")[:40].strip("-")
    info = {
        "label": _checked_label(label or recipe.title or base or recipe.dataset.kind),
        "created": now,
        "base": base,
        "group": group,
        "threads": threads or max(1, cores() // concurrent_runs()),
        "forked_from": forked_from,
    }
    if lesson is not None:
        info["lesson"] = dict(lesson)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    id = f"{stamp}-{slug or 'run'}-{secrets.token_hex(2)}"
    while (runs_folder() / id).exists():
        id = id[:-4] + secrets.token_hex(2)
    hidden = Run(id, runs_folder() / f"{_UNFINISHED}{id}")
    hidden.folder.mkdir(parents=True)
    try:
        write_atomically(hidden.folder / "recipe.json", json.dumps(recipe.to_json(), indent=1))
        write_atomically(hidden.folder / "run.json", json.dumps(info))
        yield hidden
        hidden.folder.replace(runs_folder() / id)
    finally:
        shutil.rmtree(hidden.folder, ignore_errors=True)


def _first_status(queued: bool) -> Status:
    if queued:
        return Status("queued", message=QUEUED)
    return Status("paused", message="Made, and not started yet.")


def _checked_label(label: str) -> str:
    clean = " ".join(str(label).split())
    if not 1 <= len(clean) <= _LONGEST_LABEL or not clean.isprintable():
        raise ValueError(f"The label is {str(label)[:100]!r}; it must have 1 to {_LONGEST_LABEL} printable characters.")
    return clean


def _refuse(recipe: Recipe, queued: bool) -> None:
    """Raises ValueError when there is no room for one more run of `recipe`."""
    check_amounts(recipe)
    refuse_over_quota()
    places = queue_places()
    if queued and sum(run.written_status().state == "queued" for run in unsorted_runs()) >= places:
        raise ValueError(f"The queue is full (GANPLAY_QUEUE is {places}); pause or delete a run that waits.")


def _entries() -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(runs_folder()) if entry.is_dir(follow_symlinks=False)]
    except OSError:  # no run was ever made
        return []
