"""Latent vectors: drawn for training, fixed for watching a run, seeded for sampling."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganplay.randomness import generator_for
from ganplay.recipe import Recipe

_EDGE = 2.0  # where the truncated normal is cut off
_WITHIN = math.erf(_EDGE / 2**0.5)  # share of a normal distribution between the two cuts


def draw(recipe: Recipe, count: int, source: torch.Generator) -> Tensor:
    """Latents (count, z) from the recipe's distribution: N(0, 1), the same cut off at +-2, or uniform in [-1, 1]."""
    size = (count, recipe.latent)
    if recipe.noise == "uniform":
        return torch.rand(size, generator=source, device=source.device) * 2 - 1
    if recipe.noise == "truncated":  # arXiv 1809.11096, section 3.1
        # By the inverse of the distribution function: drawing again what falls outside would have to look at each draw.
        uniform = torch.rand(size, generator=source, device=source.device) * 2 - 1
        return (torch.erfinv(uniform * _WITHIN) * 2**0.5).clamp(-_EDGE, _EDGE)
    return torch.randn(size, generator=source, device=source.device)


def fixed_noise(recipe: Recipe, count: int = 64) -> Tensor:
    """The latents (count, z) that every sample grid of a run shows; equal for runs of equal seed, latent and noise."""
    return draw(recipe, count, generator_for(recipe.seed, "fixed noise"))


def fixed_labels(recipe: Recipe, count: int) -> Tensor | None:
    """Labels (count,) that go through the classes again and again; None for an unconditional recipe."""
    classes = recipe.shapes.classes
    return torch.arange(count) % classes if classes else None


def class_index(recipe: Recipe, name: str) -> int:
    """The label of the class called `name`.

    Raises:
        ValueError: the generator is unconditional, or its data have no such class.
    """
    if recipe.shapes.classes == 0:
        raise ValueError(f"The class {name!r} was asked for, but this generator is unconditional.")
    names = recipe.dataset.class_names
    if name not in names:
        raise ValueError(f"There is no class {name!r}; choose one of {', '.join(names)}.")
    return names.index(name)


def grid_size(recipe: Recipe) -> tuple[int, int]:
    """How many samples a picture shows, and in how many columns: 64 in 8, or a column for each of up to 16 classes."""
    classes = recipe.shapes.classes
    return (classes * (64 // classes), classes) if 2 <= classes <= 16 else (64, 8)


def seeded(recipe: Recipe, seed: int, count: int) -> Tensor:
    """The latents (count, z) of a sampling seed; a longer draw starts with the shorter one."""
    source = generator_for(seed, "sampling")
    return torch.cat([draw(recipe, 1, source) for _ in range(count)])
