"""The process that trains the playgrounds of all readers, each a little at a time: `python -m ganplay.playground.host`.

Requests come as lines of JSON on standard input, {"n", "op", "id", "kept", ...}. An answer is a line {"n", "status",
"kept"}, a tabulator, and the body. Whatever is needed to go on is in `kept`, which the server sends with the next
request: so a world that was put away here, or a whole process that died, is built again where it is asked for.

The process ends when standard input does, that is with the server, however that ends.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import torch

from ganplay.playground import film, frames
from ganplay.playground.protocol import BUSY, NOTHING_NEW, OK, READY, REFUSED, UNEXPECTED
from ganplay.playground.session import Session

MOST_WORLDS = 40  # in memory; others are put away and built again when they are asked for
MOST_WAITING = 6  # who wait for frames of one world
LONG_POLL = 1.0  # seconds that somebody waits for a newer frame
ROUND = 0.15  # seconds of training in which every world that plays gets its share once
SHARES = 0.004, 0.1  # seconds of one share, at the least and at the most
MEASURING = 0.15  # of the time, at the most
_SMALLEST = "g.widths=1;d.widths=1;batch_size=2"  # a GAN that takes no time
_POLITE = 1  # steps of priority below the server, which answers everybody
_LOOK = 0.25  # seconds between two looks at what nobody polls

_LOOKING = ("frame", "do")  # what a reader's window asks; the curves are asked for by a page that may be hidden

Request = Mapping[str, Any]
Write = Callable[[int, int, Mapping[str, Any] | None, bytes], None]


class Waiter(NamedTuple):
    """Somebody who has seen the frame `after` and wants another before `until`."""

    n: int
    after: int
    until: float


class Host:
    """All worlds of this process.

    Args:
        write: sends an answer: number of the request, status, what to keep, body.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # the one asked for last comes last
        self._waiting: dict[str, list[Waiter]] = {}
        self._measured: dict[str, float] = {}  # when, by id
        self._measuring = 0.02  # seconds of one measurement, as measured
        self._film: tuple[int, Iterator[film.Shot], list[film.Shot]] | None = None  # who waits, what is to come, taken
        self._operations = {
            "frame": self._frame, "do": self._do, "real": self._real, "curves": self._curves, "recipe": self._recipe,
            "animation": self._animation,
        }  # fmt: skip

    # Requests

    def answer(self, request: Request) -> None:
        """Answers a request, or lets it wait for a frame."""
        n = int(request["n"])
        try:
            session = self._session(str(request["id"]), request["kept"])
            if request["op"] in _LOOKING:
                session.seen = time.monotonic()
            body = self._operations[request["op"]](session, request)
        except ValueError as error:
            self._write(n, REFUSED, None, _error(str(error)))
        except Exception as error:  # whatever a library raises: the reader gets a sentence, the log the rest
            traceback.print_exception(error)
            self._write(n, UNEXPECTED, None, _error(f"The playground failed with {type(error).__name__}; start anew."))
        else:
            if body is not None:
                self._write(n, OK, session.kept(), body)

    def _session(self, id: str, kept: Mapping[str, Any]) -> Session:
        if id not in self._sessions:
            self._sessions[id] = Session(kept)
            while len(self._sessions) > MOST_WORLDS:
                self._put_away(next(iter(self._sessions)))
        self._sessions.move_to_end(id)
        return self._sessions[id]

    def _put_away(self, id: str) -> None:
        session = self._sessions.pop(id)
        self._measured.pop(id, None)
        for waiter in self._waiting.pop(id, []):
            self._write(waiter.n, NOTHING_NEW, session.kept(), b"")

    def _frame(self, session: Session, request: Request) -> bytes | None:
        after = request.get("after")
        if after != session.seq:
            return session.frame()
        waiting = self._waiting.setdefault(request["id"], [])
        if len(waiting) >= MOST_WAITING:
            first = waiting.pop(0)
            self._write(first.n, BUSY, None, _error(f"More than {MOST_WAITING} windows show this playground."))
        waiting.append(Waiter(request["n"], after, time.monotonic() + LONG_POLL))
        return None

    def _do(self, session: Session, request: Request) -> bytes:
        session.do(request["action"])
        self._tell(request["id"], session)
        return json.dumps({"seq": session.seq, "at": session.world.at, "script": session.text()}).encode()

    def _real(self, session: Session, request: Request) -> bytes:
        return json.dumps(frames.real(session.world)).encode()

    def _curves(self, session: Session, request: Request) -> bytes:
        return json.dumps(session.curves(request["member"])).encode()

    def _recipe(self, session: Session, request: Request) -> bytes:
        member = request["member"]
        if not 0 <= member < len(session.world):
            raise ValueError(f"There is no member {member}; this playground has {len(session.world)}, counted from 0.")
        return json.dumps(session.world.present().recipe(member).to_json()).encode()

    def _animation(self, session: Session, request: Request) -> None:
        if self._film is not None:
            raise ValueError("Another animation is being made; try again in a moment.")
        taking = film.shots(session.world)
        self._film = request["n"], taking, [next(taking)]

    # Computing

    def turn(self) -> float:
        """Gives one world its share, and everybody the frames they wait for; seconds until more is due."""
        now = time.monotonic()
        self._end_waits(now)
        self._take_shot()
        for session in self._sessions.values():
            session.pause_unseen(now)
        busy = {id: session for id, session in self._sessions.items() if session.busy(now)}
        if busy:
            id, session = min(busy.items(), key=lambda one: one[1].due)
            if session.due <= now:
                low, high = SHARES
                self._train(id, session, min(high, max(low, ROUND / len(busy))), len(busy))
                return 0.0
            wait = session.due - now
        else:
            wait = _LOOK if self._waiting else 10.0
        if self._film is not None:
            return 0.0
        for id, session in self._sessions.items():  # those at rest, when there is time
            if not session.busy(now) and now - session.seen < 2 and self._due(id, session, len(busy) + 1):
                self._train(id, session, 0.0, len(busy) + 1)
                return 0.0
        return min(wait, _LOOK) if self._waiting else wait

    def _take_shot(self) -> None:
        """One more picture of the animation; they are drawn in a thread of their own."""
        if self._film is None:
            return
        n, taking, taken = self._film
        try:
            shot = next(taking, None)
        except Exception as error:  # as in `answer`
            self._film = None
            self._fail_animation(n, error)
            return
        if shot is not None:
            taken.append(shot)
            return
        self._film = None
        threading.Thread(target=self._draw, args=(n, taken), daemon=True, name="animation").start()

    def _draw(self, n: int, taken: list[film.Shot]) -> None:
        try:
            self._write(n, OK, None, base64.b64encode(film.draw(taken)))
        except Exception as error:  # as in `answer`
            self._fail_animation(n, error)

    def _fail_animation(self, n: int, error: Exception) -> None:
        traceback.print_exception(error)
        self._write(n, UNEXPECTED, None, _error(f"The animation failed with {type(error).__name__}."))

    def _train(self, id: str, session: Session, seconds: float, busy: int) -> None:
        """Lets a world train for so long, and measures it when that is due. Whatever happens, the others go on."""
        try:
            if seconds:
                session.turn(seconds, time.monotonic())
            if self._due(id, session, busy):
                now = self._measured[id] = time.monotonic()
                session.measure()
                self._measuring += 0.3 * (time.monotonic() - now - self._measuring)
        except Exception as error:  # as in `answer`
            traceback.print_exception(error)
            session.fail(f"The playground failed with {type(error).__name__}; go back in time, or start anew.")
        self._tell(id, session)

    def _due(self, id: str, session: Session, busy: int) -> bool:
        """True about once a second, less often when many play."""
        period = max(1.0, busy * self._measuring / MEASURING)
        return session.stale() and time.monotonic() - self._measured.get(id, -period) >= period

    def _tell(self, id: str, session: Session) -> None:
        """Sends the present frame to those who wait for it."""
        told = [waiter for waiter in self._waiting.get(id, []) if waiter.after != session.seq]
        if not told:
            return
        self._waiting[id] = [waiter for waiter in self._waiting[id] if waiter.after == session.seq]
        try:
            status, body = OK, session.frame()
        except Exception as error:  # as in `answer`
            traceback.print_exception(error)
            status, body = UNEXPECTED, _error(f"The picture failed with {type(error).__name__}; start anew.")
        for waiter in told:
            self._write(waiter.n, status, session.kept(), body)

    def _end_waits(self, now: float) -> None:
        """Sends away those who have waited long enough."""
        for id, waiting in self._waiting.items():
            for waiter in waiting:
                if waiter.until <= now:
                    self._write(waiter.n, NOTHING_NEW, self._sessions[id].kept(), b"")
        still = {id: [waiter for waiter in waiting if waiter.until > now] for id, waiting in self._waiting.items()}
        self._waiting = {id: waiting for id, waiting in still.items() if waiting}


def _error(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()


def main() -> None:
    """Serves standard input until it ends."""
    torch.set_num_threads(1)
    with suppress(AttributeError, OSError):  # Windows: the server asked for it when it started this process
        os.nice(_POLITE)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints belongs to the log
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    writing = threading.Lock()

    def write(n: int, status: int, kept: Mapping[str, Any] | None, body: bytes) -> None:
        header = {"n": n, "status": status} | ({"kept": kept} if kept else {})
        with writing:
            output.write(json.dumps(header).encode() + b"\t" + body + b"\n")
            output.flush()

    def listen() -> None:
        for line in sys.stdin.buffer:
            inbox.put(line)
        os._exit(0)

    # PyTorch imports much with the first optimiser. On Windows, libraries that are loaded later would wait for the
    # thread that blocks in a read.
    Session({"script": f"0~r;{_SMALLEST}"}).measure()
    threading.Thread(target=listen, daemon=True, name="requests").start()
    write(READY, OK, None, b"")
    serve(Host(write), inbox)


def serve(host: Host, inbox: queue.SimpleQueue[bytes]) -> None:
    """Answers and trains for ever."""
    wait = 0.0
    while True:
        with suppress(queue.Empty):
            line = inbox.get(timeout=wait) if wait else inbox.get_nowait()
            while True:
                host.answer(json.loads(line))
                line = inbox.get_nowait()
        wait = host.turn()


if __name__ == "__main__":
    main()
