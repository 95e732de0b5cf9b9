"""The queue of evaluations on disk, all in `evaluations/` of the home. No torch on import, no threads.

    <key>.request.json    it waits or is computed; taking this file away cancels it
    <key>.progress.json   what the process that computes it does
    <key>.failed.json     the sentence that says why there is no result
    .worker.lock          held by that process for life, so that one home computes one evaluation at a time

A key is made of the ask and never of what a browser sends.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from ganplay.evaluations.asks import Ask
from ganplay.files import locked, read_json, write_atomically
from ganplay.paths import home

PLACES, PLACES_EACH = 20, 8  # that may wait or be computed: of everybody together, and of one reader
_KEY = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True)
class Request:
    """An ask in the queue.

    Attributes:
        token: another one each time that somebody asks, so that no process takes an old request for a new one.
        asker: whoever asked.
        turn: the order of the queue, see `submit`.
        asked: Unix time.
    """

    token: str
    ask: Ask
    asker: str
    turn: int
    asked: float

    @property
    def order(self) -> tuple[int, float, str]:
        """Sorts the queue."""
        return self.turn, self.asked, self.token


@dataclass(frozen=True)
class State:
    """What becomes of an ask.

    Attributes:
        state: "none", "queued", "running" or "failed".
        message: one sentence about it.
        share: finished, 0 to 1.
        ahead: how many are computed before it.
    """

    state: str
    message: str = ""
    share: float = 0.0
    ahead: int = 0

    @property
    def active(self) -> bool:
        """True while there is something to wait for."""
        return self.state in ("queued", "running")


def folder() -> Path:
    """Where all of it lies."""
    return home() / "evaluations"


def file(key: str, part: str = "") -> Path:
    """A file of an ask; without a part its result.

    Raises:
        ValueError: `key` is no key.
    """
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise ValueError(f"{str(key)[:40]!r} is not the key of an evaluation.")
    return folder() / (f"{key}.{part}.json" if part else f"{key}.json")


# What readers do


def submit(ask: Ask, asker: str) -> None:
    """Puts an ask at its place in the queue. No effect when it is there already.

    Readers take turns: the first ask of each comes before the second of anybody who waits.

    Raises:
        ValueError: the queue is full, or too many of it are this reader's own.
        OSError: it cannot be written.
    """
    folder().mkdir(parents=True, exist_ok=True)
    with FileLock(folder() / ".queue.lock", timeout=10):
        waiting = requests()
        if any(request.ask == ask for request in waiting):
            return
        own = [request.turn for request in waiting if request.asker == asker]
        if len(own) >= PLACES_EACH:
            raise ValueError(f"{len(own)} of your evaluations wait already; wait for one of them, or cancel one.")
        if len(waiting) >= PLACES:
            raise ValueError(f"{len(waiting)} evaluations wait already; try again in a few minutes.")
        now = min((request.turn for request in waiting), default=0)
        content = {
            "token": secrets.token_hex(8), "ask": ask.to_json(), "asker": asker,
            "turn": max([now, *(turn + 1 for turn in own)]), "asked": time.time(),
        }  # fmt: skip
        file(ask.key, "failed").unlink(missing_ok=True)
        write_atomically(file(ask.key, "request"), json.dumps(content))


def cancel(ask: Ask) -> None:
    """Takes an ask out of the queue; a process that computes it notices and ends."""
    file(ask.key, "request").unlink(missing_ok=True)


def requests() -> list[Request]:
    """What waits or is computed, in the order of the queue."""
    keys = [path.name.split(".", 1)[0] for path in folder().glob("*.request.json")]
    found = [request(key) for key in keys if _KEY.fullmatch(key)]
    return sorted((one for one in found if one is not None), key=lambda one: one.order)


def request(key: str) -> Request | None:
    """The request of an ask, None unless it waits or is computed. A damaged one is removed."""
    path = file(key, "request")
    if not path.exists():
        return None
    try:
        content = read_json(path)
        ask = Ask.from_json(content["ask"])
        if ask.key == key:
            turn, asked = int(content["turn"]), float(content["asked"])
            return Request(str(content["token"]), ask, str(content["asker"]), turn, asked)
    except (KeyError, TypeError, ValueError):
        pass
    path.unlink(missing_ok=True)
    return None


def state(ask: Ask) -> State:
    """What becomes of an ask now."""
    waiting = request(ask.key)
    if waiting is None:
        try:
            return State("failed", str(read_json(file(ask.key, "failed"))["message"]))
        except (KeyError, TypeError, ValueError):
            return State("none")
    progress = _progress(waiting)
    if progress is not None:
        return State("running", *progress)
    ahead = sum(other.order < waiting.order or is_begun(other) for other in requests())
    return State("queued", ahead=ahead)


# What the process that computes does


@contextmanager
def working(wait: float = 0.0) -> Iterator[bool]:
    """Holds the one place for an evaluation inside the block. Gives False when it is not free in `wait` seconds."""
    folder().mkdir(parents=True, exist_ok=True)
    with locked(folder() / ".worker.lock", wait) as held:
        yield held


def is_busy() -> bool:
    """True while a process computes, and for the moment in which somebody else looks."""
    with working() as free:
        return not free


def is_begun(request: Request) -> bool:
    """True when a process has begun with it."""
    return _progress(request) is not None


def report(request: Request, message: str, share: float) -> None:
    """Says what is being done for a request."""
    content = {"token": request.token, "message": message, "share": share}
    write_atomically(file(request.ask.key, "progress"), json.dumps(content))


def fail(wanted: Request, message: str) -> None:
    """Ends a request with a sentence. No effect when it was cancelled; on a full disk the sentence is lost."""
    if request(wanted.ask.key) == wanted:
        with suppress(OSError):
            write_atomically(file(wanted.ask.key, "failed"), json.dumps({"message": message[:500]}))
        end(wanted)


def end(request: Request) -> None:
    """Takes a request that is done out of the queue."""
    file(request.ask.key, "request").unlink(missing_ok=True)
    file(request.ask.key, "progress").unlink(missing_ok=True)


def _progress(request: Request) -> tuple[str, float] | None:
    """What is being done for a request, None while nobody has begun with it."""
    try:
        content = read_json(file(request.ask.key, "progress"))
        return (str(content["message"]), float(content["share"])) if content["token"] == request.token else None
    except (KeyError, TypeError, ValueError):
        return None
