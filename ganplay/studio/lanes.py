"""How the studio's work is queued: what answers at once never waits for what takes seconds."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from ganplay.runs.limits import cores

WAITING = 64  # requests beyond which a browser is told to try again later
SESSIONS = 500  # visitors that Gradio remembers, half a megabyte each; whoever calls without a session is a new one
_IDLE = 0.02  # seconds between two looks at an empty queue; Gradio's own 0.001 takes a 14th of a core for ever
_STATUS = 5.0  # seconds between two reports to those who wait; Gradio's own is one to everybody for each finished job
_TOLD = 0.3  # seconds between two reports of a long computation

SAMPLING: dict[str, Any] = {"concurrency_limit": cores(), "concurrency_id": "sampling"}
HEAVY: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "heavy"}  # seconds of a core: one at a time

# A control of the page: nothing a program should call, raw values in (the functions check them), the last one wins.
CONTROL: dict[str, Any] = {
    "preprocess": False, "trigger_mode": "always_last", "show_progress": "hidden", "api_visibility": "private",
}  # fmt: skip
LOCAL: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # what the browser does by itself


def open_queue(blocks: gr.Blocks) -> None:
    """Gives the studio its queue, without the work that Gradio does for statistics that nobody reads.

    Who is forgotten loses nothing: what a page must know from one event to the next is in hidden parts of it, not in
    `gr.State`.
    """
    blocks.queue(max_size=WAITING, default_concurrency_limit=cores(), status_update_rate=_STATUS)
    blocks.state_session_capacity = SESSIONS  # Gradio's own 10,000 would be 5 GB
    queue = blocks._queue
    queue.sleep_when_free = _IDLE
    # By default every event makes a table of the last 10,000 and groups it.
    queue.ANALYTICS_MAX_EVENTS, queue.ANAYLTICS_CACHE_FREQUENCY = 1, 10**9


def spoken(action: Callable[..., Any]) -> Callable[..., Any]:
    """`action` with a user's mistake shown as one sentence, in the browser and to a program."""

    @functools.wraps(action)
    def wrapped(*values: Any) -> Any:
        try:
            return action(*values)
        except ValueError as error:
            raise _sentence(error) from None

    @functools.wraps(action)
    def stream(*values: Any) -> Iterator[Any]:
        try:
            yield from action(*values)
        except ValueError as error:
            raise _sentence(error) from None

    return stream if inspect.isgeneratorfunction(action) else wrapped


def _sentence(error: ValueError) -> gr.Error:
    return gr.Error(str(error), print_exception=False)


def told(work: Callable[[Callable[[str, float], None]], Any]) -> Iterator[tuple[str, float]]:
    """What long work says of itself, from time to time until it is done: a sentence and the finished share.

    Args:
        work: called in a thread of its own with a function that takes such a report.

    Raises:
        ValueError: whatever the work raises.
    """
    reports: list[tuple[str, float]] = []
    failures: list[Exception] = []
    done = threading.Event()

    def run() -> None:
        try:
            work(lambda sentence, share: reports.append((sentence, share)))
        except Exception as error:  # handed to whoever waits
            failures.append(error)
        finally:
            done.set()

    threading.Thread(target=run, daemon=True, name="studio").start()
    while not done.wait(_TOLD):
        if reports:
            yield reports[-1]
    if failures:
        raise failures[0]
