"""Decides which runs train now: starts workers from the queue and passes on what readers ask of them.

All it knows for good is on disk: another manager, in another process on the same home, sees the same runs and never
starts one twice, for a worker trains only what is queued once it has the run's lock. Two managers that look at the
same moment may exceed the limit of concurrent runs for a while.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ganplay.processes import child_environment
from ganplay.runs import store
from ganplay.runs.folder import GONE, Run, Status
from ganplay.runs.turns import Turns

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

PERIOD = 0.3  # seconds between two looks at the queue
CHECKPOINT_SECONDS = 30.0
PATIENCE = 15.0  # seconds for a worker to obey

log = logging.getLogger(__name__)


class Manager:
    """The queue of one server.

    Args:
        limit: runs that may train at once; by default what the environment's GANPLAY_CONCURRENT_RUNS says, or the
            number of cores.
        checkpoint_seconds: least time between two checkpoints of a run.
    """

    def __init__(self, limit: int | None = None, checkpoint_seconds: float = CHECKPOINT_SECONDS) -> None:
        self.limit = limit or store.concurrent_runs()
        self._checkpoint_seconds = checkpoint_seconds
        self._children: dict[str, subprocess.Popen] = {}
        self._ended: dict[str, tuple[int, int]] = {}  # id -> the status file in which it was seen at rest
        self._turns = Turns()
        self._guard = threading.RLock()  # over the three above
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to look at the queue, in a thread of its own. No effect when it already does."""
        with self._guard:
            if self._thread is None:
                store.sweep()
                self._thread = threading.Thread(target=self._watch, daemon=True, name="run manager")
                self._thread.start()

    def close(self, wait: float = PATIENCE) -> None:
        """Asks this manager's workers to make a checkpoint and end, and waits for them at most `wait` seconds.

        Their runs are then interrupted. A worker that needs longer ends by itself.
        """
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(wait)
        with self._guard:
            children = list(self._children.values())
        for child in children:
            _hang_up(child)
        deadline = time.monotonic() + wait
        for child in children:
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.0, deadline - time.monotonic()))

    @property
    def closing(self) -> bool:
        """True once `close` was called: what ends now is interrupted, and nobody should start it again."""
        return self._closing.is_set()

    def submit(
        self,
        recipe: Recipe,
        label: str | None = None,
        base: str | None = None,
        group: str | None = None,
        threads: int | None = None,
        lesson: Mapping[str, Any] | None = None,
    ) -> Run:
        """A new run in the queue; arguments and errors as of `store.create`."""
        run = store.create(recipe, label, base, group, threads, lesson=lesson)
        self._wake.set()
        return run

    def pause(self, id: str) -> None:
        """Lets a run make a checkpoint and give up its place; one that waits leaves the queue.

        Raises:
            ValueError: there is no such run, or it neither trains nor waits.
        """
        self._end(id, "pause", "paused", ("queued",))

    def stop(self, id: str) -> None:
        """Ends a run with a checkpoint; it can still be resumed.

        Raises:
            ValueError: there is no such run, it has finished or failed, or the disk is too full to ask its worker.
        """
        self._end(id, "stop", "stopped", ("queued", "paused", "interrupted"))

    def resume(self, id: str) -> None:
        """Puts a paused, stopped, interrupted or failed run back into the queue.

        Raises:
            ValueError: there is no such run, or it is finished.
        """
        store.enqueue(store.find(id))
        self._wake.set()

    def fork(self, id: str, changes: Mapping[str, Any], label: str | None = None) -> Run:
        """A new run in the queue that goes on from where this one is now, with a changed recipe.

        Raises:
            ValueError: as of `store.fork`.
        """
        run = store.find(id)
        if run.status().state == "running":
            before = run.checkpoints()[:1]
            run.ask("checkpoint")
            _until(lambda: run.checkpoints()[:1] != before or not run.is_locked(), PATIENCE)
        child = store.fork(run, changes, label)
        self._wake.set()
        return child

    def delete(self, id: str) -> None:
        """Stops a run if need be and removes its folder.

        Raises:
            ValueError: there is no such run, or another process does not let go of it.
        """
        run = store.find(id)
        with suppress(ValueError):  # it has ended already, or the disk is too full for a request
            self.stop(id)
        with self._guard:
            child = self._children.get(id)
        if child:
            _hang_up(child)  # which needs no disk
        if not _until(lambda: not run.is_locked() and (child is None or child.poll() is not None), PATIENCE) and child:
            child.kill()
            child.wait()
        store.delete(run)

    def _end(self, id: str, request: str, state: str, resting: tuple[str, ...]) -> None:
        """Asks the worker of a run to end, or writes `state` itself when there is none."""
        run = store.find(id)
        try:
            with run.locked(wait=0.1) as held:
                status = run.written_status()
                if not held and (status.live or status.state == "queued"):
                    run.ask(request)
                    return
                now = "interrupted" if status.live else status.state  # live without a worker
                if now == state:
                    return
                if now not in resting:
                    raise ValueError(f"The run '{run.label}' is {now}; it cannot be {state}.")
                run.force_status(status.at_rest(state, f"{state.capitalize()} at {status.images:,} images."))
        except OSError as error:
            raise ValueError(f"The run '{run.label}' cannot be {state}: {error.strerror or error}.") from error

    def _watch(self) -> None:
        while not self._closing.is_set():
            try:
                self._look()
            except Exception:  # a damaged folder or a full disk must not end the queue
                log.exception("The run manager could not look at the runs; it tries again.")
            self._wake.wait(PERIOD)
            self._wake.clear()

    def _look(self) -> None:
        """One round: reap what ended, mark what died, start what fits."""
        with self._guard:
            self._reap()
            busy = set(self._children)
            queued: list[tuple[float, Run]] = []
            for run, status in self._moving():
                if status.state == "queued":
                    queued.append((status.updated, run))
                elif run.is_locked():
                    busy.add(run.id)
                    if run.id in self._children:
                        self._turns.look(run, status)
                elif run.id not in self._children:
                    _settle(run, "interrupted", GONE)
            waiting = [run for _, run in sorted(queued, key=lambda pair: (pair[0], pair[1].id)) if run.id not in busy]
            for run in waiting[: max(0, self.limit - len(busy))]:
                self._launch(run)

    def _moving(self) -> list[tuple[Run, Status]]:
        """The runs that are queued or live. A status file at rest is read once."""
        found = []
        for run in store.unsorted_runs():
            try:
                entry = (run.folder / "status.json").stat()
            except OSError:
                continue
            version = entry.st_mtime_ns, entry.st_ino
            if self._ended.get(run.id) == version:
                continue
            status = run.written_status()
            if status.live or status.state == "queued":
                found.append((run, status))
            else:
                self._ended[run.id] = version
        return found

    def _reap(self) -> None:
        for id, child in list(self._children.items()):
            code = child.poll()
            if code is None:
                continue
            del self._children[id]
            _hang_up(child)
            with suppress(ValueError):  # deleted meanwhile
                run = store.find(id)
                self._turns.end(run)
                if code and run.written_status().state == "queued":
                    message = f"The worker could not start (exit code {code}); see its worker.log."
                    _settle(run, "failed", message)

    def _launch(self, run: Run) -> None:
        try:
            self._children[run.id] = _spawn(run, self._checkpoint_seconds)
        except OSError as error:
            log.warning("The worker of %s could not be started: %s", run.id, error)
            _settle(run, "failed", f"The worker could not be started: {error.strerror or error}.")


def _settle(run: Run, state: str, message: str) -> None:
    """Writes the state of a run that has no worker. Under its lock: a worker that has just begun wins."""
    before = run.written_status()
    with run.locked() as held:
        status = run.written_status()
        if held and status == before:
            run.force_status(status.at_rest(state, message))


def _spawn(run: Run, checkpoint_seconds: float) -> subprocess.Popen:
    """A worker whose standard input ends when this process does, however it does."""
    # A group of its own: Ctrl-C in the server's terminal is for the server, the worker ends with a checkpoint after it.
    windows = os.name == "nt"
    flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW if windows else 0
    with (run.folder / "worker.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "ganplay.runs.worker", run.id, "--checkpoint-seconds", str(checkpoint_seconds)],
            stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, creationflags=flags,
            env=child_environment(int(run.info["threads"])), start_new_session=not windows,
        )  # fmt: skip


def _hang_up(child: subprocess.Popen) -> None:
    with suppress(OSError):
        child.stdin.close()


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for a condition; False when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
