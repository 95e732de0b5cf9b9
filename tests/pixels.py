"""Pictures as numbers, for tests that compare them."""

from __future__ import annotations

import numpy as np
from PIL import Image


def pixels(picture: Image.Image) -> np.ndarray:
    """A picture as int64 (H, W, 3)."""
    return np.asarray(picture.convert("RGB")).astype(int)


def enlarged(picture: Image.Image, shown: np.ndarray) -> np.ndarray:
    """A picture with each pixel repeated to the size of what was shown, int64 (H, W, 3)."""
    factor = shown.shape[1] // picture.width
    return pixels(picture).repeat(factor, axis=0).repeat(factor, axis=1)


def nearly(one: np.ndarray, other: np.ndarray) -> bool:
    """True for pictures that differ by a rounding at most."""
    return one.shape == other.shape and np.abs(one - other).max() <= 1
