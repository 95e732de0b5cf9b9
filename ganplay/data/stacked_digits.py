"""Three of the embedded digits as the three colour channels of one picture: a thousand modes that can be counted.

After the stacked MNIST of arXiv 1611.02163, section 3.3.1 (also 1705.07761, section 4.2, and 1712.04086, section 4.2),
with the digits that come with the package. The label of a picture is that of its red digit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganplay.data import datasets
from ganplay.data.digits import Digits
from ganplay.data.images import Arrays, Progress

COUNTS = {"train": 20_000, "test": 2_000}
SEEDS = {"train": 1, "test": 2}
MODES = 1_000


@datasets.register("stacked-digits")
@dataclass(frozen=True)
class StackedDigits(Digits):
    """Each channel holds a digit drawn at random; the same configuration gives the same pictures every time."""

    title = "Stacked digits (three 8 x 8 scans as colours)"
    native = (3, 8, 8)

    def read(self, split: str, progress: Progress) -> Arrays:
        """Images uint8 (N, 3, 8, 8), labels int64 (N,) of the first channel, the ten names; N is 20,000 or 2,000."""
        images, labels, names = super().read(split, progress)
        chosen = np.random.default_rng(SEEDS[split]).integers(len(images), size=(COUNTS[split], 3))
        return images[chosen, 0], labels[chosen[:, 0]], names
