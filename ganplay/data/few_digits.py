"""The first few of the embedded digits, to see what a discriminator does that can learn them by heart."""

from __future__ import annotations

from dataclasses import dataclass

from ganplay.data import datasets
from ganplay.data.digits import TRAINING, Digits
from ganplay.data.images import Arrays, Progress
from ganplay.options import option


@datasets.register("few-digits")
@dataclass(frozen=True)
class FewDigits(Digits):
    """Training on the first `count` of the embedded digits; the test split stays as it is."""

    count: int = option(100, "Digits to train on.", low=10, high=TRAINING)

    title = "A few digits (8 x 8 scans)"

    def content(self) -> str:
        return f"first-{self.count}"

    def read(self, split: str, progress: Progress) -> Arrays:
        images, labels, names = super().read(split, progress)
        return (images[: self.count], labels[: self.count], names) if split == "train" else (images, labels, names)
