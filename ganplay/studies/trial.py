"""One training of a study, as far as it has come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ganplay.runs.folder import Run

DIVERGED = "diverged"  # in the message of a run whose numbers are no longer finite


@dataclass(frozen=True)
class Trial:
    """A variant with one seed.

    Attributes:
        state: that of its run (`runs.folder.STATES`), "waiting" before there is one, "lost" when it was deleted.
        scores: (images seen, score), oldest first.
        message: one sentence about a trial that failed, else empty.
    """

    name: str
    seed: int
    state: str
    run: str | None = None
    images: int = 0
    seconds: float = 0.0
    scores: tuple[tuple[int, float], ...] = ()
    message: str = ""

    @property
    def over(self) -> bool:
        """True when nothing more comes of it: it has finished, or diverged, which it would do again."""
        return self.state == "finished" or (self.state == "failed" and DIVERGED in self.message)


def scores_of(run: Run) -> tuple[tuple[int, float], ...]:
    """(images seen, score) of a run's curves, where it was scored."""
    return tuple((point["images"], point["score"]) for point in run.metrics() if _finite(point.get("score")))


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
