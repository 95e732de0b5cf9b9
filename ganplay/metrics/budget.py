"""How much of a run's time its scores may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class ScoreBudget:
    """Lets a score be computed only while scoring takes no more than a share of the time spent training.

    A score that is due is skipped, and the next one asked for again, unless what was spent so far and what the last one
    took fit into `share` of the training time plus `grace`. So at any time

        spent <= share * trained + grace + (the dearest score so far)

    where the last term is there only for scores that turn out dearer than the one before: when all cost the same, the
    excess is at most that of the first score, whose price nobody knows.

    Args:
        share: of the training time; 1 for no limit.
        grace: seconds that are always allowed, so that short runs are scored as asked.
        clock: seconds from any start.
    """

    def __init__(self, share: float = 0.1, grace: float = 2.0, clock: Callable[[], float] = time.perf_counter) -> None:
        self.share = share
        self.grace = grace
        self.spent = 0.0
        self.last = 0.0
        self._clock = clock

    def allows(self, trained: float) -> bool:
        """True when another score fits in after `trained` seconds of training since this budget was made."""
        return self.share >= 1 or self.spent + self.last <= self.share * trained + self.grace

    @contextmanager
    def paying(self) -> Iterator[None]:
        """Counts the time of the block as spent."""
        started = self._clock()
        try:
            yield
        finally:
            self.last = self._clock() - started
            self.spent += self.last
