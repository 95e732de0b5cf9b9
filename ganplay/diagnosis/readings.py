"""A run's curves as plain numbers, with the values that its own loss takes when the discriminator knows nothing."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ganplay.contracts import Critique
from ganplay.recipe import Recipe

NETWORKS = ("discriminator", "generator")
Point = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Readings:
    """The points of one run, oldest first, and its recipe."""

    recipe: Recipe
    points: tuple[Point, ...]

    @property
    def images(self) -> list[int]:
        """Images seen at each point."""
        return [point["images"] for point in self.points]

    def series(self, name: str) -> list[float]:
        """One curve; what is no number is left as nan."""
        return [_number(point.get(name)) for point in self.points]

    def late(self, name: str, share: float = 0.25) -> float:
        """The median of the last part of a curve."""
        values = self.series(name)
        return median(values[-max(1, round(len(values) * share)) :])

    @cached_property
    def measured(self) -> list[Point]:
        """The points with statistics of both networks' gradients; published curves have them at some points only."""
        return [point for point in self.points if all(point.get("gradients", {}).get(name) for name in NETWORKS)]

    def norms(self, network: str) -> list[float]:
        """At each measured point the root of the sum of the layers' squared mean norms: the whole gradient's length."""
        return [
            math.sqrt(sum(_number(layer[2]) ** 2 for layer in point["gradients"][network].values()))
            for point in self.measured
        ]

    def layer_norms(self, network: str) -> dict[str, float]:
        """By layer, the median of the mean norms over the last quarter of the measured points."""
        points = self.measured[-max(1, len(self.measured) // 4) :]
        layers = points[-1]["gradients"][network] if self.measured else {}
        return {name: median([_number(point["gradients"][network][name][2]) for point in points]) for name in layers}

    @cached_property
    def chance(self) -> tuple[float, float]:
        """Both losses, without class terms, when every logit is the loss's boundary between real and fake."""
        import torch

        at = Critique(torch.full((1,), float(self.recipe.loss.boundary)))
        loss = self.recipe.loss
        return float(loss.discriminator(at, at)), float(loss.generator(at, at))

    @property
    def span(self) -> tuple[int, int]:
        """From the first point to the last."""
        return self.images[0], self.images[-1]

    def last_part(self, share: float) -> tuple[int, int]:
        """The images between which the last part of the points lies."""
        return self.images[-max(1, round(len(self.points) * share))], self.images[-1]


def readings(points: Sequence[Point], recipe: Recipe) -> Readings:
    """The readings of curves."""
    return Readings(recipe, tuple(points))


def median(values: Sequence[float]) -> float:
    """The median of the numbers among the values, nan without any."""
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def early_and_late(values: Sequence[float]) -> tuple[float, float]:
    """The median of the first tenth of a series, and of its last quarter."""
    return median(values[: max(1, len(values) // 10)]), median(values[-max(1, len(values) // 4) :])


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) else math.nan
