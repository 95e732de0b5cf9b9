"""Computes one evaluation: `python -m ganplay.evaluations.worker KEY`, the manager's child.

It takes the home's one place for evaluations before it imports torch, computes only what waits, and ends at once when
its request is taken away or its standard input, a pipe from the server, comes to its end.
"""

from __future__ import annotations

import argparse
import errno
import faulthandler
import os
import stat
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ganplay.evaluations import queue, results
from ganplay.evaluations.asks import Ask
from ganplay.evaluations.queue import Request
from ganplay.processes import standard_input_ended

CLAIM = 10.0  # seconds to wait for the place, which a reader may hold for a moment
PERIOD = 0.25  # seconds between two words about the progress, and between two looks whether to go on
POLITE = 10  # steps of priority below everything that somebody waits for at this moment
Progress = Callable[[str, float], None]
Work = Callable[[Ask, Progress], tuple[dict[str, Any], dict[str, tuple[str, bytes]]]]


class Watch:
    """Ends this process when nobody wants its result any more, even in the middle of a long computation.

    A thread that looks now and then, and never one that blocks in a read: on Windows, libraries that are loaded
    meanwhile would wait for it.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._served = stat.S_ISFIFO(os.fstat(0).st_mode)
        self._done = threading.Event()
        self._writing = threading.Lock()

    def start(self) -> None:
        """Begins to look."""
        threading.Thread(target=self._look, daemon=True, name="watch").start()

    def stop(self) -> None:
        """From here on the process may end the request itself."""
        with self._writing:
            self._done.set()

    def _look(self) -> None:
        while not self._done.wait(PERIOD):
            with self._writing:
                unwanted = queue.request(self._request.ask.key) != self._request
                if not self._done.is_set() and (unwanted or (self._served and standard_input_ended())):
                    os._exit(0)


def main(arguments: list[str] | None = None, work: Work | None = None) -> int:
    """The child's command. Ends without a word when another process computes or the request is gone.

    Args:
        work: what computes; a test may replace it.
    """
    parser = argparse.ArgumentParser(prog="python -m ganplay.evaluations.worker", description="Computes what waits.")
    parser.add_argument("key", help="the key of an evaluation in the queue")
    chosen = parser.parse_args(arguments)
    faulthandler.enable()
    try:
        request = queue.request(chosen.key)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    with suppress(AttributeError, OSError):  # Windows: the manager asked for it when it started this process
        os.nice(POLITE)
    with queue.working(wait=CLAIM) as held:
        if held and request is not None and queue.request(chosen.key) == request:
            _compute(request, work or _work)
    return 0


def _compute(request: Request, work: Work) -> None:
    """Computes a request and turns whatever ends it into a result or a sentence."""
    queue.report(request, "Starting.", 0.0)
    watch = Watch(request)
    watch.start()
    try:
        result, pictures = work(request.ask, _reporter(request))
    except ValueError as error:
        message = str(error)
    except MemoryError:
        message = "The evaluation needs more memory than there is; choose fewer samples."
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
        message = "The disk is full; free some space, then evaluate once more." if full else _unexpected(error)
    except Exception as error:  # whatever a library raises: the reader gets a sentence, the log the rest
        message = _unexpected(error)
    else:
        message = ""
    watch.stop()
    try:
        if message:
            queue.fail(request, message)
        else:
            results.keep(request, result, pictures)
            results.prune()
    except OSError as error:
        queue.fail(request, f"The result could not be written: {error.strerror or error}.")


def _unexpected(error: Exception) -> str:
    traceback.print_exception(error)
    first = (str(error).splitlines() or [""])[0][:200]
    return f"The evaluation failed with {type(error).__name__}: {first}".rstrip(": .") + "."


def _reporter(request: Request) -> Progress:
    """Writes a progress to disk, now and then."""
    last = 0.0

    def report(sentence: str, share: float) -> None:
        nonlocal last
        if time.monotonic() - last >= PERIOD:
            queue.report(request, sentence, min(1.0, max(0.0, share)))
            last = time.monotonic()

    return report


def _work(ask: Ask, progress: Progress) -> tuple[dict[str, Any], dict[str, tuple[str, bytes]]]:
    from ganplay.evaluations.work import work  # imports torch

    return work(ask, progress)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything is on disk; taking torch apart would hold the place for a second or more
