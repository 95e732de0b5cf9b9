"""Samples and strips of a loaded generator, in fp32, with a limit on how many are computed at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganplay.latent.interpolation import interpolate
from ganplay.latent.noise import fixed_labels, seeded
from ganplay.runs.limits import cores

if TYPE_CHECKING:
    from ganplay.checkpoint import LoadedGenerator

MOST = 1024  # samples of one call
LARGEST_SEED = 2**31 - 1
STRIP = 21  # the number of steps in document 000's figures
_BATCH = 256  # bounds the memory of one forward pass

# More forward passes at once than there are cores only slow each other down (30 viewers waited 8.7 s instead of 0.2).
turns = threading.BoundedSemaphore(cores())


def sample(loaded: LoadedGenerator, seed: int, count: int, label: int | None = None) -> Tensor:
    """The samples (count, *sample) of a seed; images are float32 in [-1, 1]. More samples begin with the fewer ones.

    Args:
        label: the class that a conditional generator draws; by default it goes through all of them.

    Raises:
        ValueError: the seed, the count or the label is not allowed.
    """
    _check(count, "The number of samples", 1, MOST)
    _check(seed, "The seed", 0, LARGEST_SEED)
    return generate(loaded, seeded(loaded.recipe, seed, count), _labels(loaded, count, label))


def strip(
    loaded: LoadedGenerator, seed_a: int, seed_b: int, steps: int = STRIP, method: str = "slerp", label: int = 0
) -> Tensor:
    """The samples (steps, *sample) on the way from the first sample of one seed to that of another, both included.

    Args:
        method: "lerp" or "slerp", see `ganplay.latent.interpolation`.
        label: the class that a conditional generator keeps all the way.

    Raises:
        ValueError: a seed, the number of steps or the method is not allowed.
    """
    _check(steps, "The number of steps", 2, MOST)
    _check(seed_a, "The first seed", 0, LARGEST_SEED)
    _check(seed_b, "The second seed", 0, LARGEST_SEED)
    start, end = (seeded(loaded.recipe, seed, 1)[0] for seed in (seed_a, seed_b))  # (z,) each
    return generate(loaded, interpolate(start, end, steps, method), _labels(loaded, steps, label))


@torch.no_grad()
def generate(loaded: LoadedGenerator, z: Tensor, y: Tensor | None = None) -> Tensor:
    """The samples (N, *sample) of latents (N, z), and of labels (N,) where the generator is conditional, on the CPU."""
    device = next(loaded.module.parameters()).device
    made = []
    for index, part in enumerate(z.split(_BATCH)):
        labels = None if y is None else y[index * _BATCH :][: len(part)].to(device)
        with turns:
            made.append(loaded.module(part.to(device), labels).float().cpu())
    return torch.cat(made)


def _labels(loaded: LoadedGenerator, count: int, label: int | None) -> Tensor | None:
    classes = loaded.recipe.shapes.classes
    if classes == 0 or label is None:
        return fixed_labels(loaded.recipe, count)
    _check(label, "The class", 0, classes - 1)
    return torch.full((count,), label)


def _check(value: object, name: str, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {str(value)[:40]}; it must be a whole number, {low:,} to {high:,}.")
