"""Latent vectors: drawn for training, fixed for watching a run, seeded for sampling."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganplay.randomness import generator_for
from ganplay.recipe import Recipe

LARGEST_SEED = 2**31 - 1
TRUNCATIONS = (0.1, 3.0)  # thresholds that a picture may ask for, in standard deviations
_EDGE = 2.0  # where the truncated normal is cut off


def draw(recipe: Recipe, count: int, source: torch.Generator) -> Tensor:
    """Latents (count, z) from the recipe's distribution: N(0, 1), the same cut off at +-2, or uniform in [-1, 1]."""
    size = (count, recipe.latent)
    if recipe.noise == "uniform":
        return torch.rand(size, generator=source, device=source.device) * 2 - 1
    if recipe.noise == "truncated":  # arXiv 1809.11096, section 3.1
        # By the inverse of the distribution function: drawing again what falls outside would have to look at each draw.
        uniform = torch.rand(size, generator=source, device=source.device) * 2 - 1
        return (torch.erfinv(uniform * _within(_EDGE)) * 2**0.5).clamp(-_EDGE, _EDGE)
    return torch.randn(size, generator=source, device=source.device)


def truncate(z: Tensor, noise: str, threshold: float) -> Tensor:
    """Latents (N, z) of the distribution `noise` as draws of the same one, cut off at +-`threshold` deviations.

    The truncation of arXiv 1809.11096, section 3.1, which draws a value again while it lies outside. Here each value
    keeps its rank instead: v -> F_t^-1(F(v)), with F the distribution function of the noise and F_t that of the cut
    noise. The draws follow the same law, and one seed's pictures change continuously with the threshold.

    - gaussian: F_t^-1(F(v)) = sqrt(2) erfinv(erf(v / sqrt(2)) erf(t / sqrt(2))).
    - truncated (a normal cut off at 2 already): the same, beginning at F of that; thresholds of 2 or more change
      nothing.
    - uniform in [-1, 1], of deviation 1 / sqrt(3): uniform in [-t / sqrt(3), t / sqrt(3)], so v t / sqrt(3);
      thresholds of sqrt(3) or more change nothing.

    Args:
        threshold: in deviations of the (uncut) normal or uniform distribution; 0 for no truncation, z itself.

    Raises:
        ValueError: the threshold is neither 0 nor in `TRUNCATIONS`.
    """
    check_truncation(threshold)
    widest = {"uniform": 3**0.5, "truncated": _EDGE}.get(noise, math.inf)
    if threshold == 0 or threshold >= widest:
        return z
    if noise == "uniform":
        return z * (threshold / widest)
    ranks = torch.erf(z.double() / 2**0.5) * (_within(threshold) / _within(widest))  # 2 F - 1, from -1 to 1
    return (torch.erfinv(ranks) * 2**0.5).to(z.dtype).clamp(-threshold, threshold)


def check_truncation(threshold: float) -> None:
    """Raises ValueError when the threshold is neither 0 nor in `TRUNCATIONS`."""
    low, high = TRUNCATIONS
    if isinstance(threshold, bool) or not (threshold == 0 or low <= threshold <= high):
        raise ValueError(f"The truncation is {threshold:g}; it must be 0 for none, or {low:g} to {high:g} deviations.")


def typical_length(recipe: Recipe) -> float:
    """The root of the mean squared length of the recipe's latents: sqrt(z) times the deviation of one value."""
    if recipe.noise == "uniform":
        variance = 1 / 3
    elif recipe.noise == "truncated":  # of a standard normal between the cuts
        density = math.exp(-(_EDGE**2) / 2) / math.sqrt(2 * math.pi)
        variance = 1 - 2 * _EDGE * density / _within(_EDGE)
    else:
        variance = 1.0
    return math.sqrt(recipe.latent * variance)


def _within(edge: float) -> float:
    """The share of a standard normal distribution between -edge and edge."""
    return math.erf(edge / 2**0.5)


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
    if recipe.generator.conditioning == "none":
        raise ValueError(f"The class {name!r} was asked for, but this generator is unconditional.")
    names, wanted = recipe.dataset.class_names, name.strip()  # of a list such as "cat, dog"
    if wanted not in names:
        raise ValueError(f"There is no class {wanted!r}; choose one of {', '.join(names)}.")
    return names.index(wanted)


def grid_size(recipe: Recipe) -> tuple[int, int]:
    """How many samples a picture shows, and in how many columns: 64 in 8, or a column for each of up to 16 classes."""
    classes = recipe.shapes.classes
    return (classes * (64 // classes), classes) if 2 <= classes <= 16 else (64, 8)


def seeded(recipe: Recipe, seed: int, count: int, truncation: float = 0.0) -> Tensor:
    """The latents (count, z) of a sampling seed, see `truncate`; a longer draw starts with the shorter one."""
    source = generator_for(seed, "sampling")
    return truncate(torch.cat([draw(recipe, 1, source) for _ in range(count)]), recipe.noise, truncation)
