"""The status of a run while a worker has it: what a reader sees between two points of the curves."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ganplay.runs.folder import Run, Status

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

TICK = 0.5  # seconds between two statuses
SHARE = 20.0  # a status that took t seconds to write is followed by 20 t without one
FRESH = 0.3  # weight of the newest interval in the rate


class Reporter:
    """Writes `status.json`, at most every half second, and passes each status on.

    Args:
        on_tick: called with every status written, in the worker's own thread.
    """

    def __init__(self, run: Run, on_tick: Callable[[Status], None] | None) -> None:
        self.run = run
        self.status = run.written_status()
        self.note = ""
        self._on_tick = on_tick
        self._next = 0.0
        self._mark: tuple[float, int] | None = None  # (clock, images) of the last status while training

    def start(self, message: str) -> None:
        """The run is taken."""
        self._write(replace(self.status.at_rest("starting", message), progress=0.0))

    def prepare(self, message: str, share: float) -> None:
        """A stretch of work before the first step."""
        if time.monotonic() >= self._next:
            self._write(replace(self.status, message=message, progress=min(max(float(share), 0.0), 1.0)))

    def train(self, images: int, seconds: float, recipe: Recipe) -> None:
        """A step was made."""
        now = time.monotonic()
        if self._mark is not None and now < self._next:
            return
        rate = self.status.rate
        if self._mark is not None and images > self._mark[1]:
            latest = (images - self._mark[1]) / max(now - self._mark[0], 1e-9)
            rate = latest if not rate else (1 - FRESH) * rate + FRESH * latest
        self._mark = now, images
        message = self.note or f"Training: {images:,} of {recipe.stop_images:,} images seen."
        left = _left(images, seconds, rate, recipe)
        self._write(Status("running", images, round(seconds, 3), round(rate, 1), left, message))

    def end(self, state: str, message: str, images: int | None = None, seconds: float | None = None) -> Status:
        """The last status of this worker. Cannot fail: without it the free lock says that the run is interrupted."""
        status = self.status.at_rest(state, message)
        if images is not None and seconds is not None:
            status = replace(status, images=images, seconds=round(seconds, 3))
        self.status = replace(status, updated=time.time())
        with suppress(OSError):
            self.status = self.run.force_status(status)
        if self._on_tick:
            self._on_tick(self.status)
        return self.status

    def _write(self, status: Status) -> None:
        started = time.monotonic()
        self.status = self.run.write_status(status)
        now = time.monotonic()
        self._next = now + max(TICK, SHARE * (now - started))
        if self._on_tick:
            self._on_tick(self.status)


def _left(images: int, seconds: float, rate: float, recipe: Recipe) -> float | None:
    limits = [(recipe.stop_images - images) / rate] if rate > 0 else []
    if recipe.stop_seconds:
        limits.append(recipe.stop_seconds - seconds)
    return round(max(min(limits), 0.0), 1) if limits else None
