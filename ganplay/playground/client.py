"""The server's side of the playgrounds: ids for readers, what each needs to go on, and the process that trains.

The process is started by the first request, ends with the server, and is started again when it dies; every request
carries what its world is built from, so that nothing is lost. No method blocks for longer than it takes to start it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, NamedTuple

from ganplay.paths import home
from ganplay.playground.protocol import BUSY, NOT_FOUND, NOTHING_NEW, READY, UNAVAILABLE
from ganplay.processes import child_environment

MOST_TEXT = 2_000  # characters of a script; `limits` has the same number, but imports torch
MOST_KNOWN = 2_000  # playgrounds whose scripts are kept; the one that nobody asked for longest is forgotten
MOST_PENDING = 400
PATIENCE = 10.0  # seconds until an answer; a process that says nothing for longer is replaced
SHORT = 3.0  # and for a page that is being drawn
STARTING = 40.0  # and for its first word: it imports torch
PAUSE = 1.0  # seconds between two starts
_log = logging.getLogger(__name__)


class Answer(NamedTuple):
    """A status of HTTP, and a body that is JSON unless it is empty."""

    status: int
    body: bytes


class _Child(NamedTuple):
    process: subprocess.Popen
    outbox: queue.SimpleQueue  # lines for it, None at the end


class Client:
    """The playgrounds of one server.

    Args:
        command: what starts the host; a test may replace it.
    """

    def __init__(self, command: list[str] | None = None) -> None:
        self._command = command or [sys.executable, "-m", "ganplay.playground.host"]
        self._lock = threading.RLock()
        self._kept: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._pending: dict[int, tuple[Future[Answer], str, str, float]] = {}  # with id, operation and time
        self._count = READY
        self._child: _Child | None = None
        self._started = self._heard = -1e9
        self._ready = self._closed = False

    def new(self, text: str) -> str:
        """The id of a playground that begins with this script; whether it can be is known with its first frame.

        Raises:
            ValueError: the text is too long to be a script.
        """
        if len(text) > MOST_TEXT:
            raise ValueError(f"A playground's link may have {MOST_TEXT:,} characters; this one has {len(text):,}.")
        id = secrets.token_hex(12)  # no underscores: Streamlit refuses two of them in a component's key
        with self._lock:
            self._kept[id] = {"script": text}
            while len(self._kept) > MOST_KNOWN:
                self._kept.popitem(last=False)
        return id

    def script(self, id: str) -> str | None:
        """The text of a playground's script as it was last heard of; None when it is unknown."""
        with self._lock:
            return self._kept.get(id, {}).get("script")

    def forget(self, id: str) -> None:
        """Takes an id back."""
        with self._lock:
            self._kept.pop(id, None)

    def start(self) -> None:
        """Starts the process before it is needed, so that the first frame comes sooner."""
        with self._lock:
            self._living()

    def close(self, wait: float = 3.0) -> None:
        """Ends the process, and with it this client."""
        with self._lock:
            self._closed = True
            child, self._child = self._child, None
        if child is not None:
            _end(child, wait)
        self._fail_pending()

    # Asking

    async def ask(self, operation: str, id: str, patience: float | None = None, **more: Any) -> Answer:
        """The host's answer, or one that says why there is none; never blocks the event loop."""
        if self._child is None:
            await asyncio.to_thread(self.start)
        future = self._submit(operation, id, more)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), patience or self._patience())
        except TimeoutError:
            return self._late()

    def ask_and_wait(self, operation: str, id: str, patience: float = SHORT, **more: Any) -> Answer:
        """The same for a thread that may wait a little."""
        try:
            return self._submit(operation, id, more).result(patience)
        except TimeoutError:
            return self._late()

    def _submit(self, operation: str, id: str, more: Mapping[str, Any]) -> Future[Answer]:
        future: Future[Answer] = Future()
        with self._lock:
            kept = self._kept.get(id)
            if kept is None:
                future.set_result(_said(NOT_FOUND, "There is no such playground here any more; start anew."))
                return future
            self._kept.move_to_end(id)
            self._forget_done()
            if len(self._pending) >= MOST_PENDING:
                future.set_result(_said(BUSY, "Too many readers ask at once; it is tried again."))
                return future
            child = self._living()
            if child is None:
                future.set_result(_said(UNAVAILABLE, "The process that trains is being started; it is tried again."))
                return future
            self._count += 1
            self._pending[self._count] = future, id, operation, time.monotonic()
            line = {"n": self._count, "op": operation, "id": id, "kept": kept, **more}
            child.outbox.put(json.dumps(line).encode() + b"\n")
        return future

    def _forget_done(self) -> None:
        """Drops whom nobody waits for any more."""
        oldest = time.monotonic() - STARTING - PATIENCE
        for n, (future, _, _, since) in list(self._pending.items()):
            if future.done() or since < oldest:
                del self._pending[n]

    def _patience(self) -> float:
        return PATIENCE if self._ready else STARTING

    def _late(self) -> Answer:
        """No answer in time: a process that has said nothing for just as long is stuck, and replaced."""
        with self._lock:
            if self._child is not None and time.monotonic() - max(self._heard, self._started) > self._patience():
                self._child.process.kill()
        return _said(UNAVAILABLE, "The playground does not answer in time; it is tried again.")

    # The process

    def _living(self) -> _Child | None:
        """The process; None when there is none and it is too early for another."""
        if self._child is None and not self._closed and time.monotonic() - self._started > PAUSE:
            self._started, self._ready = time.monotonic(), False
            try:
                process = _spawn(self._command)
            except OSError as error:
                _log.warning("The playground's process could not be started: %s", error)
                return None
            self._child = _Child(process, queue.SimpleQueue())
            for task, name in ((self._send, "to the playground"), (self._listen, "from the playground")):
                threading.Thread(target=task, args=(self._child,), daemon=True, name=name).start()
        return self._child

    def _send(self, child: _Child) -> None:
        """Writes what is asked; a pipe that is full must stop nobody else."""
        with suppress(OSError, ValueError):  # it died, which `_listen` sees
            while (line := child.outbox.get()) is not None:
                child.process.stdin.write(line)
                child.process.stdin.flush()

    def _listen(self, child: _Child) -> None:
        """Hands out answers until the process ends."""
        with suppress(OSError, ValueError):
            for line in child.process.stdout:
                header, _, body = line.rstrip(b"\n").partition(b"\t")
                self._hear(json.loads(header), body)
        _end(child, 1.0)
        with self._lock:
            if self._child is child:
                self._child = None
                if not self._closed:
                    code = child.process.returncode
                    _log.warning("The playground's process ended with %s; another is started when needed.", code)
        self._fail_pending()

    def _hear(self, header: Mapping[str, Any], body: bytes) -> None:
        with self._lock:
            self._heard, self._ready = time.monotonic(), True
            future, id, *_ = self._pending.pop(header["n"], (None, ""))
            if "kept" in header and id in self._kept:
                self._kept[id] = header["kept"]
        if future is not None and not future.done():
            _settle(future, Answer(header["status"], body))

    def _fail_pending(self) -> None:
        """Nobody waits for a process that is gone: who looks asks again, who acted is told."""
        with self._lock:
            lost, self._pending = self._pending, {}
        for future, _, operation, _ in lost.values():
            gone = Answer(NOTHING_NEW, b"") if operation == "frame" else None
            _settle(future, gone or _said(UNAVAILABLE, "The process that trains has been replaced; do it once more."))


def _settle(future: Future[Answer], answer: Answer) -> None:
    with suppress(Exception):  # somebody gave up waiting in this very moment
        future.set_result(answer)


def _said(status: int, sentence: str) -> Answer:
    return Answer(status, json.dumps({"error": sentence}).encode())


def _spawn(command: list[str]) -> subprocess.Popen:
    """A child whose standard input ends when this process does, however it does."""
    windows = os.name == "nt"  # elsewhere the child lowers its own priority
    flags = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS if windows else 0
    folder = home() / "playground"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "host.log").open("wb") as log:  # of the last one only: no log grows for ever
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=child_environment(),
            creationflags=flags, start_new_session=not windows,
        )  # fmt: skip


def _end(child: _Child, wait: float) -> None:
    """Asks a child to end, and kills it when it does not."""
    child.outbox.put(None)
    with suppress(OSError):
        child.process.stdin.close()
    try:
        child.process.wait(wait)
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()
