"""Work of some seconds that pages ask for: in processes below the server's priority, once for everybody who looks.

A page asks, draws what it knows, and looks again. Asked for is a function of a module with plain arguments and a plain
result, so that no page waits for a thread that computes.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

import streamlit as st

from ganplay.runs.limits import cores

PATIENCE = 0.2  # seconds that a page waits for an answer before it is drawn without
AGAIN = 1.0  # seconds until it looks again
KEPT = 300  # answers
LOST = "This was ended before it was measured, perhaps for want of memory; reload the page to try again."


class Background:
    """The processes of one server and what they were asked; none is started before somebody asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, Future] = OrderedDict()
        self._alive, self._held = multiprocessing.Pipe(duplex=False)
        self._executor: Executor | None = None

    def ask(self, function: Callable[..., Any], *arguments: Hashable) -> Future:
        """What `function` returns: computed on the first ask, and again when a process died over it."""
        key = (function, arguments)
        with self._lock:
            found = self._known.get(key)
            if found is None or _lost(found):
                found = self._known[key] = self._submit(function, *arguments)
            self._known.move_to_end(key)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return found

    def close(self) -> None:
        """Ends the processes, whatever they are computing."""
        self._held.close()
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def _submit(self, function: Callable[..., Any], *arguments: Hashable) -> Future:
        self._executor = self._executor or executor(self._alive)
        try:
            return self._executor.submit(function, *arguments)
        except BrokenExecutor:  # a process was killed since the last ask
            self._executor = executor(self._alive)
            return self._executor.submit(function, *arguments)


def executor(alive: Connection) -> Executor:
    """One process for each core, started when there is work; they end when the other end of `alive` is closed."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(cores(), context, initializer=_prepare, initargs=(alive,))


@st.cache_resource(show_spinner=False)
def background() -> Background:
    """The server's one place for such work."""
    return Background()


def ask(function: Callable[..., Any], *arguments: Hashable) -> Future:
    """As `Background.ask`, of the server."""
    return background().ask(function, *arguments)


def answer(asked: Future) -> Any:
    """What was asked for, None while it is not known.

    Raises:
        ValueError: it cannot be measured; the sentence says why.
    """
    try:
        return asked.result(PATIENCE)
    except TimeoutError:
        return None
    except (BrokenExecutor, CancelledError):
        raise ValueError(LOST) from None


def _lost(asked: Future) -> bool:
    return asked.cancelled() or (asked.done() and isinstance(asked.exception(), BrokenExecutor))


def _prepare(alive: Connection) -> None:
    """Runs first in each process."""
    threading.Thread(target=_end_with, args=(alive,), daemon=True, name="alive").start()
    if hasattr(os, "nice"):  # Windows has no such call
        os.nice(5)  # those who wait for a page come first
    import torch

    torch.set_num_threads(1)


def _end_with(alive: Connection) -> None:
    """Ends this process as soon as the server is gone, or wants it to."""
    try:
        alive.recv()
    except (EOFError, OSError):
        os._exit(0)
