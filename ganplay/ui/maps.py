"""Feature maps and attention as pictures: blue below zero, orange above, the same on light and dark pages."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from ganplay.pictures import GAP, INK

BELOW, ABOVE = (86, 170, 255), (255, 168, 64)  # colours of the strongest values
WIDEST = 560  # pixels of a drawn grid


def strongest(values: Sequence[np.ndarray], count: int) -> list[int]:
    """The channels with the largest mean size over all of `values`, each (C, H, W), in their own order."""
    sizes = sum(np.abs(one).mean((1, 2)) for one in values)
    return sorted(np.argsort(-sizes, kind="stable")[:count].tolist())


def reach(values: Sequence[np.ndarray]) -> float:
    """The size that is drawn in the full colour: the largest but for the outermost hundredth."""
    return max(float(np.quantile(np.abs(np.concatenate([one.ravel() for one in values])), 0.99)), 1e-12)


def grid(values: np.ndarray, full: float, columns: int) -> bytes:
    """Maps (C, H, W) beside each other as PNG, with `full` and -`full` in the strongest colours.

    Raises:
        ValueError: there is no map.
    """
    count, height, width = values.shape
    if not count:
        raise ValueError("A grid of 0 feature maps was asked for; at least 1 is needed.")
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    factor = max(1, WIDEST // (columns * width))
    cell_height, cell_width = height * factor, width * factor
    canvas = np.empty((rows * (cell_height + GAP) + GAP, columns * (cell_width + GAP) + GAP, 3), np.uint8)
    canvas[:] = (128, 134, 146)
    shaded = np.kron(coloured(values / full), np.ones((1, factor, factor, 1), np.uint8))
    for index, one in enumerate(shaded):
        top, left = GAP + index // columns * (cell_height + GAP), GAP + index % columns * (cell_width + GAP)
        canvas[top : top + cell_height, left : left + cell_width] = one
    return png(canvas)


def coloured(values: np.ndarray) -> np.ndarray:
    """Values in [-1, 1] of any shape as bytes (..., 3); what lies outside is cut off."""
    share = np.sqrt(np.abs(np.clip(values, -1, 1)))[..., None]  # the root shows weak values too
    ends = np.where(values[..., None] < 0, np.array(BELOW), np.array(ABOVE))
    return np.round(np.array(INK) * (1 - share) + ends * share).astype(np.uint8)


def heat(picture: np.ndarray, weights: np.ndarray, place: tuple[int, int], side: int) -> bytes:
    """A picture (H, W, 3), darkened where attention does not look, as PNG; the place it looks from has a frame.

    Args:
        weights: (h, w), at least 0.
        place: column and row of the place, of `side` in each direction.
    """
    factor = max(1, WIDEST // 2 // picture.shape[1])
    large = np.kron(picture, np.ones((factor, factor, 1), np.uint8)).astype(float)
    share = (weights / max(float(weights.max()), 1e-12) * 255).astype(np.uint8)
    size = (large.shape[1], large.shape[0])
    mask = np.asarray(Image.fromarray(share).resize(size, Image.Resampling.NEAREST))[..., None] / 255
    glow = 0.25 * large + 0.75 * np.array(ABOVE)
    drawn = (0.3 * large) * (1 - mask) + glow * mask
    _frame(drawn, place, side)
    return png(np.round(drawn).astype(np.uint8))


def _frame(drawn: np.ndarray, place: tuple[int, int], side: int) -> None:
    cell = drawn.shape[0] / side
    left, top = (round(number * cell) for number in place)
    right, bottom = round((place[0] + 1) * cell) - 1, round((place[1] + 1) * cell) - 1
    for line in (slice(top, top + 2), slice(bottom - 1, bottom + 1)):
        drawn[line, left : right + 1] = (255, 45, 149)
    for line in (slice(left, left + 2), slice(right - 1, right + 1)):
        drawn[top : bottom + 1, line] = (255, 45, 149)


def png(pixels: np.ndarray) -> bytes:
    """Bytes (H, W, 3) as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
