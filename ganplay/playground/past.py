"""What a world remembers of its past: moments to go back to, and the curves. Both stay small however long it trains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganplay.tiny import Snapshot

COLUMNS = ("loss_d", "loss_g", "penalty", "accuracy_real", "accuracy_fake")
MOST_POINTS = 400  # of one curve
_FIRST_INTERVAL = 50  # iterations between two moments, at the beginning
_MOST_MOMENTS, _FEWEST_MOMENTS = 48, 4
_MOST_BYTES = 8_000_000  # of all moments together, while there are more than the fewest


@dataclass(frozen=True, eq=False)
class Moment:
    """A place in a history: whole iterations, events that have happened, and by members their nets."""

    at: int
    passed: int
    groups: tuple[tuple[tuple[int, ...], Snapshot], ...]

    def size(self) -> int:
        """Bytes, about."""
        tensors = [tensor for _, one in self.groups for tensor in (*one.weights, *one.noise)]
        slots = [value for _, one in self.groups for net in one.slots for each in net for value in each.values()]
        return sum(tensor.nbytes for tensor in (*tensors, *slots))


class Moments:
    """Evenly spread moments; when there are too many, every second one is forgotten."""

    def __init__(self) -> None:
        self._interval = _FIRST_INTERVAL
        self._kept: dict[int, Moment] = {}

    def __iter__(self):
        return iter(sorted(self._kept.values(), key=lambda moment: moment.at))

    def next(self, at: int) -> int:
        """The first place behind `at` where a moment belongs."""
        return (at // self._interval + 1) * self._interval

    def wanted(self, at: int) -> bool:
        """True when a moment belongs here and is not known."""
        return at % self._interval == 0 and at not in self._kept

    def keep(self, moment: Moment) -> None:
        self._kept[moment.at] = moment
        most = max(_FEWEST_MOMENTS, min(_MOST_MOMENTS, _MOST_BYTES // moment.size()))
        while len(self._kept) > most:
            self._interval *= 2
            self._kept = {at: one for at, one in self._kept.items() if at % self._interval == 0}

    def before(self, at: int) -> Moment:
        """The last moment at or before `at`; the beginning is always known."""
        return self._kept[max(known for known in self._kept if known <= at)]

    def cut(self, at: int) -> None:
        """Forgets what is behind `at`."""
        self._kept = {known: moment for known, moment in self._kept.items() if known <= at}


class Series:
    """Means of equally many iterations each, 400 at the most, of one member's `COLUMNS`."""

    def __init__(self) -> None:
        self._width = 1
        self._sums = np.zeros((MOST_POINTS, len(COLUMNS)))
        self._counts = np.zeros(MOST_POINTS, np.int64)
        self._covered = 0

    def add(self, start: int, values: np.ndarray) -> None:
        """Iterations `start` + 1 to `start` + T, (5, T); those that are repeated, and so are known, change nothing."""
        skipped = max(0, self._covered - start)
        values, start = values[:, skipped:], start + skipped
        if not values.shape[1]:
            return
        self._covered = start + values.shape[1]
        while self._covered > MOST_POINTS * self._width:
            self._fold()
        places = np.arange(start, self._covered) // self._width
        np.add.at(self._sums, places, values.T)
        np.add.at(self._counts, places, 1)

    def cut(self, at: int) -> None:
        """Forgets what is behind `at`, and the mean that reaches across it."""
        self._covered = min(self._covered, at)
        self._sums[at // self._width :] = 0
        self._counts[at // self._width :] = 0

    def rows(self) -> list[dict[str, float | int | None]]:
        """By time, {"at": last iteration of the mean, column: mean, None where it is not a number}."""
        places = self._counts.nonzero()[0]
        means = self._sums[places] / self._counts[places, None]
        ends = np.minimum((places + 1) * self._width, self._covered)
        return [
            {"at": int(end)} | {name: number(value) for name, value in zip(COLUMNS, row, strict=True)}
            for end, row in zip(ends, means, strict=True)
        ]

    def _fold(self) -> None:
        half = MOST_POINTS // 2
        for array in (self._sums, self._counts):
            array[:half] = array[0::2] + array[1::2]
            array[half:] = 0
        self._width *= 2


def number(value: float) -> float | None:
    """A number for JSON, with five digits; None for what is none."""
    return float(f"{value:.5g}") if np.isfinite(value) else None
