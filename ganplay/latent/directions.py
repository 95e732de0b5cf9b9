"""Directions in latent space that change one thing about a sample, found in three ways.

- "pca": principal components of what the first nonlinearity of the generator puts out, over samples, brought back to
  the latents by least squares (GANSpace, arXiv 2004.02546, section 2.2, for generators without a mapping network).
- "sefa": the directions that the first layer stretches most, eigenvectors of A^T A where A is its weight, as it is
  behind a spectral norm (SeFa, arXiv 2007.06600, "unsupervised semantic factorization"). No sample is drawn. In front
  of the nonlinearity "pca" would find the very same: the covariance of A z is A A^T.
- "regression": the direction along which an attribute of `latent.attributes` changes, by ridge regression on samples.

Every direction has length 1; those of "sefa" are at right angles to each other, the others need not be. A conditional
generator is searched within one class, or over all its classes in turn with each class's mean taken away, so that no
direction stands for the difference between two classes.
"""

from __future__ import annotations

import copy
import itertools
import math
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganplay.data.resident import ignore
from ganplay.latent.attributes import attributes
from ganplay.latent.axes import factorised, principal, regressed, within
from ganplay.latent.noise import draw, typical_length
from ganplay.latent.sampling import generate, same_label, turns
from ganplay.randomness import generator_for
from ganplay.recipe import Recipe

if TYPE_CHECKING:
    from ganplay.checkpoint import LoadedGenerator

METHODS = ("regression", "pca", "sefa")
FIGURES = {  # what `Direction.figure` is
    "pca": "share of the variance behind the first nonlinearity",
    "sefa": "singular value of the first layer",
    "regression": "R² of the attribute on held-out samples",
}
SAMPLES = 1_024  # that "pca" and "regression" look at
FEW = 3  # directions of "pca" and "sefa" where nobody chooses
HELD_OUT = SAMPLES // 4  # samples that a regression is judged by
KEPT = 64  # searches whose directions are kept
_LEAST = 1e-3  # deviation of an attribute that counts as a change
_PART = 64  # samples made between two reports of progress
LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
BENDS = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid)
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class Direction:
    """One direction in latent space.

    Attributes:
        name: of the attribute, or the rank from "1" on, the strongest first.
        vector: float32 (z,) of length 1.
        spread: standard deviation of the noise along it, the unit in which sliders and strips move.
        figure: how much it means, see `FIGURES`.
    """

    name: str
    vector: Tensor
    spread: float
    figure: float


def find(
    model: LoadedGenerator, method: str = "regression", label: int | None = None, progress: Progress = ignore
) -> tuple[Direction, ...]:
    """The directions of a generator of images, always the same ones; kept for as long as its weights stay open.

    "regression" draws 1,024 samples, seconds of work; the other two run the generator's beginning only.

    Args:
        method: one of `METHODS`.
        label: the class to search within; by default a conditional generator's classes in turn.
        progress: told a sentence and the finished share, 0 to 1.

    Raises:
        ValueError: the method is unknown, the generator makes points, or its samples do not differ.
    """
    found = known(model, method, label)
    if found is None:
        progress("Waiting for another search", 0.0)
        with _searching:
            found = known(model, method, label)  # whoever was waited for may have searched the same
            if found is None:
                found = {"pca": _by_components, "sefa": _by_factors, "regression": _by_regression}[method](
                    model, label, progress
                )
                if not found:
                    raise ValueError("All samples of this generator look the same, so no direction changes anything.")
                _keep(_name(model, method, label), found)
    return found


def known(model: LoadedGenerator, method: str, label: int | None = None) -> tuple[Direction, ...] | None:
    """What `find` would give, if it was found before; None otherwise. Never computes anything.

    Raises:
        ValueError: the method is unknown, or the generator makes points.
    """
    if method not in METHODS:
        raise ValueError(f"There is no method {method!r}; choose one of {', '.join(METHODS)}.")
    if len(model.recipe.shapes.sample) != 3:
        raise ValueError("Directions are for generators of images; this one makes points, whose plane shows all.")
    with _lock:
        name = _name(model, method, label)
        if name in _found:
            _found.move_to_end(name)
        return _found.get(name)


def choose(directions: tuple[Direction, ...], names: tuple[str, ...]) -> tuple[Direction, ...]:
    """Those of the given names, in that order; without any name every attribute, or the first few ranks.

    Raises:
        ValueError: a name is unknown.
    """
    by_name = {direction.name: direction for direction in directions}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ValueError(f"There is no direction {unknown[0]!r}; choose from {', '.join(by_name)}.")
    if names:
        return tuple(by_name[name] for name in names)
    return directions[:FEW] if directions[0].name == "1" else directions


def moved(z: Tensor, directions: Sequence[Direction], moves: Tensor) -> Tensor:
    """Latents (N, z), or one (1, z) for all, moved along K directions.

    Args:
        moves: (N, K), in standard deviations of the noise along each direction.
    """
    steps = torch.stack([direction.spread * direction.vector for direction in directions])  # (K, z)
    return z + moves @ steps


def _by_components(model: LoadedGenerator, label: int | None, progress: Progress) -> tuple[Direction, ...]:
    z, y, groups = _latents(model, label)
    progress("Looking behind the first nonlinearity", 0.1)
    values = _finite(torch.cat([_reached(model.module, BENDS, *part) for part in _parts(z, y)]))
    progress("Taking components", 0.4)
    vectors, shares = principal(within(values, groups), within(z, groups))
    progress("Done", 1.0)
    return _named(model.recipe, _ranks(vectors), vectors, shares)


def _by_factors(model: LoadedGenerator, label: int | None, progress: Progress) -> tuple[Direction, ...]:
    size = model.recipe.latent
    z = torch.cat([torch.zeros(1, size), torch.eye(size)])
    layer = _finite(_reached(model.module, LAYERS, z, same_label(model, len(z), label or 0)))
    vectors, values = factorised((layer[1:] - layer[:1]).T)
    progress("Done", 1.0)
    return _named(model.recipe, _ranks(vectors), vectors, values)


def _by_regression(model: LoadedGenerator, label: int | None, progress: Progress) -> tuple[Direction, ...]:
    z, y, groups = _latents(model, label)
    measures = attributes(model.recipe.shapes.sample)
    rows: list[Tensor] = []
    for part in _parts(z, y):
        images = generate(model, *part)
        rows.append(torch.stack([measure(images) for measure in measures.values()], 1))
        progress(f"Measuring {SAMPLES:,} samples", min(1.0, len(rows) * _PART / SAMPLES))
    values = _finite(torch.cat(rows))
    varying = within(values, groups).std(0) > _LEAST  # (A,)
    vectors, scores = regressed(z, values[:, varying], groups, HELD_OUT)
    names = [name for name, varies in zip(measures, varying, strict=True) if varies]
    return _named(model.recipe, names, vectors, scores)


def _named(recipe: Recipe, names: Sequence[str], vectors: Tensor, figures: Tensor) -> tuple[Direction, ...]:
    spread = typical_length(recipe) / math.sqrt(recipe.latent)  # the same along every direction
    return tuple(map(Direction, names, vectors, itertools.repeat(spread), figures.tolist()))


def _ranks(vectors: Tensor) -> list[str]:
    return [str(rank) for rank in range(1, len(vectors) + 1)]


def _latents(model: LoadedGenerator, label: int | None) -> tuple[Tensor, Tensor | None, Tensor]:
    """The latents (N, z) of a search, their labels (N,) or None, and the groups (N,) that means are taken in."""
    z = draw(model.recipe, SAMPLES, generator_for(0, "directions"))
    y = same_label(model, SAMPLES, label)
    return z, y, torch.zeros(SAMPLES, dtype=torch.int64) if y is None else y


def _parts(z: Tensor, y: Tensor | None) -> list[tuple[Tensor, Tensor | None]]:
    parts = [slice(start, start + _PART) for start in range(0, len(z), _PART)]
    return [(z[part], None if y is None else y[part]) for part in parts]


def _finite(values: Tensor) -> Tensor:
    if not torch.isfinite(values).all():
        raise ValueError("The generator makes no finite numbers: its training diverged.")
    return values


class _ReachedError(Exception):
    """Ends a forward pass, and carries what the layer put out that was to be reached."""


@torch.no_grad()
def _reached(module: nn.Module, kinds: tuple[type, ...], z: Tensor, y: Tensor | None) -> Tensor:
    """What the first layer of these kinds that sees the latents (N, z) makes of them, (N, F); the output without one.

    Nothing behind it is computed. The hooks are on a copy that shares the weights: others use the module meanwhile.
    """
    tensors = itertools.chain(module.parameters(), module.buffers())
    watched = copy.deepcopy(module, {id(tensor): tensor for tensor in tensors})

    def stop(layer: nn.Module, given: tuple[Any, ...], made: Tensor) -> None:
        if bool((given[0] != given[0][:1]).any()):  # not what a label alone decides
            raise _ReachedError(made.flatten(1).float().cpu())

    for layer in watched.modules():
        if isinstance(layer, kinds):
            layer.register_forward_hook(stop)
    device = next(module.parameters()).device
    try:
        with turns:
            return watched(z.to(device), None if y is None else y.to(device)).flatten(1).float().cpu()
    except _ReachedError as reached:
        return reached.args[0]


# What was found, the search used last at the end. A name holds its module weakly: one that is gone is never met again.
_found: OrderedDict[tuple[Any, ...], tuple[Direction, ...]] = OrderedDict()
_lock = threading.Lock()
_searching = threading.Lock()  # one search at a time, so that thirty viewers of one model search once


def _name(model: LoadedGenerator, method: str, label: int | None) -> tuple[Any, ...]:
    return weakref.ref(model.module), method, label


def _keep(name: tuple[Any, ...], found: tuple[Direction, ...]) -> None:
    with _lock:
        _found[name] = found
        while len(_found) > KEPT:
            _found.popitem(last=False)
