"""Latent vectors: drawn for training, fixed for watching a run, seeded for sampling."""

from __future__ import annotations

import torch
from torch import Tensor

from ganplay.randomness import generator_for
from ganplay.recipe import Recipe


def draw(recipe: Recipe, count: int, source: torch.Generator) -> Tensor:
    """Latents (count, z) from the recipe's distribution: N(0, 1), or uniform in [-1, 1]."""
    size = (count, recipe.latent)
    if recipe.noise == "uniform":
        return torch.rand(size, generator=source, device=source.device) * 2 - 1
    return torch.randn(size, generator=source, device=source.device)


def fixed_noise(recipe: Recipe, count: int = 64) -> Tensor:
    """The latents (count, z) that every sample grid of a run shows; equal for runs of equal seed, latent and noise."""
    return draw(recipe, count, generator_for(recipe.seed, "fixed noise"))


def seeded(recipe: Recipe, seed: int, count: int) -> Tensor:
    """The latents (count, z) of a sampling seed; a longer draw starts with the shorter one."""
    source = generator_for(seed, "sampling")
    return torch.cat([draw(recipe, 1, source) for _ in range(count)])
