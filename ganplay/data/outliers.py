"""A ring of Gaussians with a few points that do not belong there: what one bad sample does to a batch's gradient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganplay.data import datasets
from ganplay.data.points import Drawn, Ring
from ganplay.options import option


@datasets.register("ring-outliers")
@dataclass(frozen=True)
class RingWithOutliers(Ring):
    """The ring, of whose points one in many lies `times` as far out, as a unit mixed up in a table would put it."""

    one_in: int = option(5_000, "Of how many points one is an outlier, on average.", low=2, high=50_000)
    times: float = option(50.0, "How many times as far from the middle it lies.", low=1.0, high=1_000.0)

    title = "Ring with outliers"

    def draw(self, random: np.random.Generator, count: int) -> Drawn:
        points, labels = super().draw(random, count)
        outliers = random.random(count) < 1 / self.one_in
        points[outliers] *= self.times
        return points, labels
