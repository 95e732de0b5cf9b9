"""Digits that come with the package: 1,797 real handwritten digits of 8 x 8 pixels in 17 shades.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository (1998),
doi 10.24432/C50P49, licence CC BY 4.0; the test part, in the order and scale in which scikit-learn's `load_digits` has
it. `digits.npz` holds `images` uint8 (1797, 8, 8), 0 for paper to 16 for ink, and `labels` uint8 (1797,).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ganplay.data import datasets
from ganplay.data.images import Arrays, ImageSet, Progress

TRAINING = 1_500  # the first of them; the other 297 are the test split, written by other people


@datasets.register("digits")
@dataclass(frozen=True)
class Digits(ImageSet):
    """Small enough to travel with the code, real enough to learn from: the choice that always works."""

    title = "Digits (8 x 8 scans)"
    native = (1, 8, 8)
    class_names = tuple("0123456789")
    bundled = True

    def read(self, split: str, progress: Progress) -> Arrays:
        """Images uint8 (N, 1, 8, 8) with ink at 255, labels int64 (N,), the ten names; N is 1,500 or 297."""
        with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as stored:
            images, labels = stored["images"], stored["labels"]
        part = slice(TRAINING) if split == "train" else slice(TRAINING, None)
        shades = np.round(images[part, None] * (255 / 16)).astype(np.uint8)
        return shades, labels[part].astype(np.int64), type(self).class_names
