"""Samples as pictures of a size that can be seen: every pixel becomes a square of equal pixels, none is blended."""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image
from torch import Tensor

from ganplay import pictures
from ganplay.contracts import Dataset
from ganplay.data.resident import load

GRID_COLUMNS, STRIP_COLUMNS, MOST_CLASSES = 8, 7, 16  # 21 steps in three rows of seven stay readable on a phone
_WIDTH, _LARGEST = 900, 10  # pixels a picture is enlarged towards, and the side of one enlarged pixel at most
_REAL = 1_000  # real points behind a scatter


def grid(samples: Tensor, dataset: Dataset, classes: int = 0) -> Image.Image:
    """Samples (N, *sample) as a grid of eight columns, or a square one beyond 64; points (N, 2) as a scatter.

    Args:
        classes: of samples that go through them in turn; each of up to 16 then has a column.
    """
    square = max(GRID_COLUMNS, math.ceil(math.sqrt(len(samples))))
    return _draw(samples, dataset, classes if 2 <= classes <= MOST_CLASSES else square)


def strip(samples: Tensor, dataset: Dataset) -> Image.Image:
    """Samples (N, *sample) in the order of reading, in rows of seven; points (N, 2) as a scatter."""
    return _draw(samples, dataset, STRIP_COLUMNS)


def _draw(samples: Tensor, dataset: Dataset, columns: int) -> Image.Image:
    if samples.ndim == 4:
        return enlarge(pictures.with_palette(pictures.grid(samples, columns)))  # before it is large
    scatter = pictures.scatter(samples, _real_points(dataset))
    return scatter.resize((2 * scatter.width, 2 * scatter.height), Image.Resampling.BICUBIC)  # dots, not pixels


@lru_cache(maxsize=16)
def _real_points(dataset: Dataset) -> Tensor:
    """Real points (N, 2) of a 2-D set, to be seen behind the generated ones."""
    return load(dataset, dataset.native, "test").values[:_REAL]


def enlarge(image: Image.Image) -> Image.Image:
    """The picture with each pixel repeated in both directions, so often that it becomes at most 900 pixels wide."""
    factor = max(1, min(_LARGEST, _WIDTH // image.width))
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
