"""Starts one child process after the other for the evaluations that wait, and ends those that nobody wants any more.

All it knows for good is on disk, so another manager on the same home sees the same queue. A child computes only while
it holds the home's one place for evaluations.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from ganplay.evaluations import queue, results
from ganplay.evaluations.asks import Ask
from ganplay.evaluations.queue import Request
from ganplay.processes import child_environment

PERIOD = 0.3  # seconds between two looks while something waits
IDLE = 2.0  # and while nothing does
PATIENCE = 5.0  # seconds for a child to end by itself
LONGEST = 3_600.0  # seconds of one evaluation
LOST = (
    "The evaluation ended without a word, perhaps for want of memory or because the server stopped; evaluate once more."
)
LONG = "The evaluation was ended after an hour; choose fewer samples or other features."

log = logging.getLogger(__name__)


class Manager:
    """The evaluations of one server.

    Args:
        command: the command line that computes the ask of a key; a test may replace it.
        longest: seconds after which an evaluation is ended.
    """

    def __init__(self, command: Callable[[str], list[str]] | None = None, longest: float = LONGEST) -> None:
        self._command = command or (lambda key: [sys.executable, "-m", "ganplay.evaluations.worker", key])
        self._longest = longest
        self._child: subprocess.Popen | None = None
        self._request: Request | None = None  # what the child was started for
        self._since = 0.0
        self._unwanted = 0.0  # when the child's request was found to be gone
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to look at the queue, in a thread of its own. No effect when it already does."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True, name="evaluations")
            self._thread.start()

    def close(self, wait: float = PATIENCE) -> None:
        """Ends the child, and with it this manager. What it computed begins anew when somebody asks again."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(wait)
        if self._child is not None:
            _end(self._child, wait)

    def submit(self, ask: Ask, asker: str) -> None:
        """Puts an ask into the queue; errors as of `queue.submit`."""
        queue.submit(ask, asker)
        self._wake.set()

    def cancel(self, ask: Ask) -> None:
        """Takes an ask out of the queue, for everybody who waits for it."""
        queue.cancel(ask)
        self._wake.set()

    def _watch(self) -> None:
        with suppress(OSError):
            results.prune()
        while not self._closing.is_set():
            try:
                waiting = self._look()
            except Exception:  # a damaged file or a full disk must not end the queue
                log.exception("The queue of evaluations could not be looked at; it is tried again.")
                waiting = True
            self._wake.wait(PERIOD if waiting or self._child else IDLE)
            self._wake.clear()

    def _look(self) -> bool:
        """One round: see to the child, settle what died, start what is next. True while something waits."""
        crashed = self._see_to_child() if self._child is not None else None
        if self._child is None and queue.requests():
            with queue.working() as free:  # so that nobody begins meanwhile
                lost = [one for one in queue.requests() if queue.is_begun(one) or one == crashed] if free else []
                for request in lost:
                    queue.fail(request, LOST)
            if free and (waiting := queue.requests()):
                self._launch(waiting[0])
        return bool(queue.requests())

    def _see_to_child(self) -> Request | None:
        """Ends the child if need be; its request when it ended with an error."""
        wanted = queue.request(self._request.ask.key) == self._request
        code = self._child.poll()
        if code is not None:
            _hang_up(self._child)
            self._child = None
            return self._request if code else None
        if wanted and time.monotonic() - self._since > self._longest:
            queue.fail(self._request, LONG)  # the child sees that its request is gone
        elif not wanted:
            self._unwanted = self._unwanted or time.monotonic()
            if time.monotonic() - self._unwanted > PATIENCE:
                _end(self._child, 0.0)
        return None

    def _launch(self, request: Request) -> None:
        self._request, self._since, self._unwanted = request, time.monotonic(), 0.0
        try:
            self._child = _spawn(self._command(request.ask.key))
        except OSError as error:
            log.warning("An evaluation could not be started: %s", error)
            queue.fail(request, f"The evaluation could not be started: {error.strerror or error}.")


def _spawn(command: list[str]) -> subprocess.Popen:
    """A child whose standard input ends when this process does, however it does."""
    windows = os.name == "nt"  # elsewhere the child lowers its own priority
    flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS if windows else 0
    with (queue.folder() / "worker.log").open("wb") as output:  # of the last one only: no log grows for ever
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, env=child_environment(),
            creationflags=flags, start_new_session=not windows,
        )  # fmt: skip


def _hang_up(child: subprocess.Popen) -> None:
    with suppress(OSError):
        child.stdin.close()


def _end(child: subprocess.Popen, wait: float) -> None:
    """Asks a child to end, and kills it when it does not."""
    _hang_up(child)
    try:
        child.wait(wait)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
