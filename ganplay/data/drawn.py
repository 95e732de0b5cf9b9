"""A set of points that somebody has drawn, short enough for a link: two bytes a point in url-safe base64."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ganplay.data import datasets
from ganplay.data.points import Drawn, PointSet
from ganplay.options import option

EXTENT = 2.0  # half the width of the square that is drawn on
MOST = 256  # points of a drawing
_TEXT = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_LEVELS = 255  # steps of a coordinate, so that a point moves by less than 0.008
_HEART = "JIskojB0MLZDYEPCWUxZxG07bbx5K3mufyF_oYAdgCGAnIChhiuGrpI7krymTKbEvGC8ws90z7bbi9ui"


def write_drawing(points: Iterable[tuple[float, float]]) -> str:
    """Points as the text of `DrawnPoints.points`: rounded to the steps, each once, left to right.

    Args:
        points: pairs (x, y); those outside [-2, 2] move to the edge.

    Raises:
        ValueError: there are none, more than 256 different ones, or some are not numbers.
    """
    pairs = np.array(list(points), dtype=np.float64).reshape(-1, 2)
    if not np.isfinite(pairs).all():
        raise ValueError("The drawing has a point that is not a number; draw it again.")
    steps = np.rint((pairs.clip(-EXTENT, EXTENT) + EXTENT) / (2 * EXTENT) * _LEVELS).astype(np.uint8)
    steps = np.unique(steps, axis=0)
    _check_count(len(steps))
    return base64.urlsafe_b64encode(steps.tobytes()).decode("ascii").rstrip("=")


def read_drawing(text: str) -> np.ndarray:
    """The points (K, 2) of a text that `write_drawing` made, float64 in [-2, 2].

    Raises:
        ValueError: it is no such text, or holds no points or more than 256.
    """
    if len(text) > 3 * MOST:
        raise ValueError(f"The drawing is a text of {len(text):,} characters; {MOST} points need at most {3 * MOST}.")
    if not _TEXT.fullmatch(text):
        raise ValueError(
            f"The drawing is {_shortened(text)!r}; it must be url-safe base64, that is letters, digits, - and _."
        )
    bare = text.rstrip("=")
    count, rest = divmod(len(bare) * 6 // 8, 2)  # bytes in pairs
    if rest or len(bare) % 4 == 1:
        raise ValueError(f"The drawing is cut off: {len(bare)} characters are no whole number of points.")
    _check_count(count)
    raw = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    return np.frombuffer(raw, np.uint8).reshape(-1, 2) / _LEVELS * (2 * EXTENT) - EXTENT


def _check_count(count: int) -> None:
    if not 1 <= count <= MOST:
        raise ValueError(f"The drawing has {count} points; 1 to {MOST} are allowed.")


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


@datasets.register("drawn")
@dataclass(frozen=True)
class DrawnPoints(PointSet):
    """A drawing: x = p_k + sigma n with a random k, the points p_k being those of the text, all equally likely."""

    points: str = option(_HEART, "The drawing: up to 256 points in [-2, 2], as the text that the playground makes.")
    sigma: float = option(0.05, "Standard deviation of the noise around each point.", low=0.0, high=10.0)

    title = "Your own drawing"

    def __post_init__(self) -> None:
        super().__post_init__()
        read_drawing(self.points)

    def places(self) -> np.ndarray:
        """The points p_k that were drawn, float64 (K, 2)."""
        return read_drawing(self.points)

    def draw(self, random: np.random.Generator, count: int) -> Drawn:
        places = self.places()
        chosen = random.integers(len(places), size=count)
        return places[chosen] + self.sigma * random.standard_normal((count, 2)), np.zeros(count)
