"""Downloads for views: asked for again and again without waiting, done one after the other for all viewers.

A view's download never sends the operator's token: whoever opens the page must not read what only he may.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from typing import NamedTuple

from ganplay.hub import cache
from ganplay.hub.downloading import download
from ganplay.hub.reference import HUB, Reference

PLACES = 20  # downloads that may wait
_KNOWN = 200  # of which the outcome is remembered
_TOLD = 10.0  # seconds for which a failure stands, so that everybody who waited can read it


class Fetch(NamedTuple):
    """How a download is going.

    Attributes:
        state: "waiting", "loading", "ready" or "failed".
        progress: the finished share, 0 to 1.
        message: a sentence for the reader.
    """

    state: str
    progress: float = 0.0
    message: str = ""


def fetch(key: str, retry: bool = False) -> Fetch:
    """How far the download of a `hub:` key is; begins it if nobody has. Returns at once, and never raises.

    Once it is "ready", `sources.open_source(key)` opens it. Any other key is ready. What is on this computer is ready
    as it is: only `ganplay pull` asks whether the Hub has a newer one.

    Args:
        retry: begin anew after a failure as soon as somebody was told of it, not only ten seconds later.
    """
    if not str(key).startswith(HUB):
        return Fetch("ready", 1.0)
    try:
        reference = Reference.parse(key)
    except ValueError as error:
        return Fetch("failed", 0.0, str(error))
    if cache.find(reference):
        return Fetch("ready", 1.0, f"{reference.repository} is on this computer.")
    return _fetches.of(reference, retry)


class _Fetches:
    """The downloads under way and those that failed lately, with the one thread that does them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Reference, Fetch] = OrderedDict()
        self._failed: dict[Reference, float] = {}  # when
        self._told: set[Reference] = set()  # those failures that somebody has seen
        self._waiting: deque[Reference] = deque()
        self._working = False

    def of(self, reference: Reference, retry: bool) -> Fetch:
        with self._lock:
            found = self._known.get(reference)
            if found is None or found.state == "ready":  # never asked for, or deleted since
                return self._begin(reference)
            if found.state == "failed":
                over = time.monotonic() - self._failed[reference] > _TOLD
                if over or (retry and reference in self._told):
                    return self._begin(reference)
                self._told.add(reference)
            return found

    def _begin(self, reference: Reference) -> Fetch:
        if len(self._waiting) >= PLACES:
            return Fetch("failed", 0.0, f"{PLACES} downloads are waiting already; try again in a minute.")
        place = len(self._waiting) + self._working
        behind = f", behind {place} other{'s' if place > 1 else ''}" if place else ""
        self._waiting.append(reference)
        self._note(reference, Fetch("waiting", 0.0, f"{reference.repository} waits to be downloaded{behind}."))
        if not self._working:
            self._working = True
            threading.Thread(target=self._work, daemon=True, name="downloads").start()
        return self._known[reference]

    def _note(self, reference: Reference, state: Fetch) -> None:
        self._known[reference] = state
        self._known.move_to_end(reference)
        self._told.discard(reference)
        if state.state == "failed":
            self._failed[reference] = time.monotonic()
        while len(self._known) > _KNOWN:
            oldest, _ = self._known.popitem(last=False)
            self._failed.pop(oldest, None)
            self._told.discard(oldest)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._working = False
                    return
                reference = self._waiting.popleft()
            outcome = self._download(reference)
            with self._lock:
                self._note(reference, outcome)

    def _download(self, reference: Reference) -> Fetch:
        def show(sentence: str, share: float) -> None:
            with self._lock:
                self._note(reference, Fetch("loading", share, sentence))

        try:
            download(reference.repository, reference.revision, show, use_token=False)
        except ValueError as error:
            return Fetch("failed", 0.0, str(error))
        except Exception as error:  # the thread must live on for the others
            return Fetch("failed", 0.0, f"{reference.repository} could not be downloaded ({type(error).__name__}).")
        return Fetch("ready", 1.0, f"{reference.repository} is on this computer.")


_fetches = _Fetches()
