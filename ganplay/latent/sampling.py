"""Samples of a loaded generator, in fp32, with a limit on how many are computed at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ganplay.contracts import Network, Shapes
from ganplay.latent.interpolation import class_walk, segments, walk
from ganplay.latent.noise import LARGEST_SEED, fixed_labels, seeded
from ganplay.models.blocks.labels import class_vectors
from ganplay.runs.limits import cores

if TYPE_CHECKING:
    from ganplay.checkpoint import LoadedGenerator

MOST = 1024  # samples of one call
STRIP = 21  # the number of steps in document 000's figures
_LARGEST_BATCH, _MEMORY = 256, 256 * 2**20  # samples and bytes of one forward pass, beside the weights
_ALIVE = 4  # tensors as large as the largest that a forward pass holds at once: in, out, a skip, a work space

# More forward passes at once than there are cores only slow each other down (30 viewers waited 8.7 s instead of 0.2).
turns = threading.BoundedSemaphore(cores())


def sample(loaded: LoadedGenerator, seed: int, count: int, label: int | None = None, truncation: float = 0.0) -> Tensor:
    """The samples (count, *sample) of a seed; images are float32 in [-1, 1]. More samples begin with the fewer ones.

    Args:
        label: the class that a conditional generator draws; by default it goes through all of them.
        truncation: see `ganplay.latent.noise.truncate`; 0 for none.

    Raises:
        ValueError: the seed, the count, the label or the truncation is not allowed.
    """
    _check(count, "The number of samples", 1, MOST)
    _check(seed, "The seed", 0, LARGEST_SEED)
    return generate(loaded, seeded(loaded.recipe, seed, count, truncation), same_label(loaded, count, label))


def strip(
    loaded: LoadedGenerator,
    seeds: Sequence[int],
    steps: int = STRIP,
    method: str = "slerp",
    labels: Sequence[int] = (0,),
    *,
    class_path: str = "linear",
    loop: bool = False,
    truncation: float = 0.0,
) -> Tensor:
    """The samples (segments x steps, *sample) on the way through the first samples of some seeds.

    Each segment, from one seed to the next, has `steps` samples with both its ends.

    Args:
        method: "lerp" or "slerp", see `ganplay.latent.interpolation.interpolate`.
        labels: of a conditional generator, one class to keep all the way, or one for each seed.
        class_path: "linear" or "spherical", see `ganplay.latent.interpolation.class_walk`.
        loop: go back to the first seed in the end.
        truncation: of the seeds' noise, see `ganplay.latent.noise.truncate`; 0 for none.

    Raises:
        ValueError: a seed, a label, the number of steps, a method or the truncation is not allowed.
    """
    _check(steps, "The number of steps", 2, MOST)
    _check(len(seeds), "The number of seeds", 2, MOST)
    for seed in seeds:
        _check(seed, "A seed", 0, LARGEST_SEED)
    ways = len(segments(len(seeds), loop))
    if ways * steps > MOST:
        raise ValueError(
            f"{ways} segments of {steps:,} steps are {ways * steps:,} pictures; at most {MOST:,} are drawn at once."
        )
    keys = torch.cat([seeded(loaded.recipe, seed, 1, truncation) for seed in seeds])  # (seeds, z)
    z = walk(keys, steps, method, loop)
    if len(labels) not in (1, len(seeds)):
        raise ValueError(f"There are {len(labels)} labels for {len(seeds)} seeds; give one, or one for each seed.")
    classes = loaded.recipe.shapes.classes
    if classes == 0 or len(set(labels)) == 1:
        return generate(loaded, z, same_label(loaded, len(z), labels[0]))
    for label in labels:
        _check(label, "The class", 0, classes - 1)
    vectors = class_vectors(loaded.module, classes).cpu()
    return generate(loaded, z, class_walk(vectors, labels, steps, class_path, loop))


@torch.no_grad()
def generate(loaded: LoadedGenerator, z: Tensor, y: Tensor | None = None) -> Tensor:
    """The samples (N, *sample) of latents (N, z) on the CPU, in batches that need a few hundred MB at the most.

    Args:
        y: where the generator is conditional, labels int64 (N,) or mixtures of classes float (N, classes).
    """
    device = next(loaded.module.parameters()).device
    size = batch(loaded.recipe.generator, loaded.recipe.shapes)
    labels = [None] * len(z) if y is None else y.split(size)
    made = []
    for part, label in zip(z.split(size), labels, strict=False):
        with turns:
            made.append(loaded.module(part.to(device), None if label is None else label.to(device)).float().cpu())
    return torch.cat(made)


@lru_cache(maxsize=64)
def batch(generator: Network, shapes: Shapes) -> int:
    """How many samples a forward pass may make within the memory that sampling grants itself, 1 to 256."""
    one, two = (_sizes(generator, shapes, count) for count in (1, 2))
    largest = max(more - less for less, more in zip(one, two, strict=True))  # of one sample; weights do not grow
    return max(1, min(_LARGEST_BATCH, _MEMORY // (_ALIVE * largest)))


@torch.no_grad()
def _sizes(generator: Network, shapes: Shapes, count: int) -> list[int]:
    """Bytes of each tensor that a forward pass of `count` samples makes, in order; nothing is allocated or computed."""
    with torch.device("meta"):
        module = generator.build(shapes).eval()
        y = torch.zeros(count, dtype=torch.int64) if shapes.classes else None
        with _Sizes() as made:
            module(torch.empty(count, shapes.latent), y)
    return made.sizes


class _Sizes(TorchFunctionMode):
    """Notes the bytes of every tensor that a function of torch returns in this thread."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        if isinstance(made, Tensor):
            self.sizes.append(made.numel() * made.element_size())
        return made


def same_label(loaded: LoadedGenerator, count: int, label: int | None) -> Tensor | None:
    """Labels (count,) of one class, or by default of all classes in turn; None where the generator knows none."""
    classes = loaded.recipe.shapes.classes
    if classes == 0 or label is None:
        return fixed_labels(loaded.recipe, count)
    _check(label, "The class", 0, classes - 1)
    return torch.full((count,), label)


def _check(value: object, name: str, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} is {str(value)[:40]}; it must be a whole number, {low:,} to {high:,}.")
