"""What the drawings share: samples as a picture at their own size, and the picture enlarged to be seen."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image
from torch import Tensor

from ganplay import pictures
from ganplay.contracts import Dataset
from ganplay.data.resident import load

_REAL = 1_000  # real points behind a scatter


def draw(samples: Tensor, dataset: Dataset, columns: int) -> Image.Image:
    """Images (N, C, H, W) as a grid at their own size; points (N, 2) as a scatter over real ones."""
    if samples.ndim == 4:
        return pictures.grid(samples, columns)
    return pictures.scatter(samples, _real_points(dataset))


@lru_cache(maxsize=16)
def _real_points(dataset: Dataset) -> Tensor:
    """Real points (N, 2) of a 2-D set, to be seen behind the generated ones."""
    return load(dataset, dataset.native, "test").values[:_REAL]
