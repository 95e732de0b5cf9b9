"""Sliced Wasserstein-1 distance on raw values (the sliced distance is from Rabin et al. 2011, "Wasserstein barycenter
and its application to texture mixing"; arXiv 1710.10196 uses it to score GANs).

Both sets are projected on random unit directions; in one dimension the Wasserstein-1 distance is the mean gap between
sorted values. It needs no network, works for images and points alike, and is cheap enough to watch during training. It
sees pixels, not content: it tells training from failing, not good from better.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganplay.contracts import Metric
from ganplay.metrics import metrics
from ganplay.options import option
from ganplay.randomness import generator_for


@metrics.register("sliced-wasserstein")
@dataclass(frozen=True)
class SlicedWasserstein(Metric):
    """Mean distance between sorted projections, in units of the data's own values."""

    directions: int = option(256, "Random directions to project on.", low=1, high=4096)

    title = "Sliced Wasserstein distance (raw values)"

    @torch.no_grad()
    def __call__(self, real: Tensor, fake: Tensor) -> float:
        count = min(len(real), len(fake))
        real, fake = real[:count].flatten(1).float(), fake[:count].flatten(1).float()  # (N, d)
        directions = torch.randn(real.shape[1], self.directions, generator=generator_for(0, "directions")).to(real)
        directions = directions / directions.norm(dim=0)  # (d, directions), each of length 1
        gaps = (real @ directions).sort(0).values - (fake @ directions).sort(0).values  # (N, directions)
        return float(gaps.abs().mean())
