"""Ways between latent vectors, and between the classes of a conditional generator.

Document 000, section 3.4, generates 21 images from Z_n = lambda R1 + (1 - lambda) R2 with "20 lambda linearly spaced
between 0 to 1", R1 and R2 from a normal distribution of sigma 0.02. Three things differ here: the ends are latents of
the distribution that the generator was trained on (0.02 is the deviation of the initial weights in the same document;
noise fifty times shorter than in training leaves next to nothing to walk between), 21 shares make 21 images, both ends
included, and the way begins at the first latent, not at the second.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

METHODS = ("lerp", "slerp")
CLASS_PATHS = {"linear": "lerp", "spherical": "slerp"}


def interpolate(start: Tensor, end: Tensor, steps: int = 21, method: str = "slerp") -> Tensor:
    """Latents (steps, z) from `start` (z,) to `end` (z,), both included.

    "lerp" is the straight line of document 000, figure 6, whose middle is shorter than a typical Gaussian vector;
    "slerp" follows the great circle and changes the length linearly (arXiv 1609.04468, section 2.1).

    Raises:
        ValueError: the method is unknown or there are fewer than two steps.
    """
    return (_shares(start, end, steps, method) @ torch.stack([start, end]).double()).to(start.dtype)


def walk(keys: Tensor, steps: int = 21, method: str = "slerp", loop: bool = False) -> Tensor:
    """Latents (segments x steps, z) from each key (K, z) to the next, each segment with both its ends.

    Args:
        loop: with one more segment, from the last key back to the first.
    """
    return torch.cat([interpolate(keys[a], keys[b], steps, method) for a, b in segments(len(keys), loop)])


def class_walk(vectors: Tensor, labels: Sequence[int], steps: int, path: str, loop: bool = False) -> Tensor:
    """Mixtures of classes (segments x steps, classes) from each label to the next, each segment with both its ends.

    A mixture's weights say how much of each class's vector goes in. With e_a and e_b the vectors of two classes, W the
    angle between them and t from 0 to 1:

    - "linear": (1 - t) e_a + t e_b.
    - "spherical": the great circle, whose length changes linearly:
      ((1 - t) |e_a| + t |e_b|) (sin((1 - t) W) e_a / |e_a| + sin(t W) e_b / |e_b|) / sin W.

    What e is for each kind of conditioning, `models.blocks.labels.class_vectors` says: the learnt code (also that from
    which linear layers make gains); gains and biases of all conditional batch norms in one vector, so that all layers
    are equally far on their way; or the 1 among 0s, where W is a right angle and the weights are cos and sin.

    Args:
        vectors: of the classes, (classes, E).
        path: one of `CLASS_PATHS`.

    Raises:
        ValueError: the path is unknown.
    """
    if path not in CLASS_PATHS:
        raise ValueError(f"There is no class path {path!r}; choose one of {', '.join(CLASS_PATHS)}.")
    mixtures = []
    for a, b in segments(len(labels), loop):
        start, end = labels[a], labels[b]
        weights = torch.zeros(steps, len(vectors))
        if start == end:
            weights[:, start] = 1.0
        else:
            weights[:, [start, end]] = _shares(vectors[start], vectors[end], steps, CLASS_PATHS[path]).float()
        mixtures.append(weights)
    return torch.cat(mixtures)


def segments(count: int, loop: bool = False) -> list[tuple[int, int]]:
    """The pairs of keys, by index, between which a way through `count` keys goes."""
    return [(index, (index + 1) % count) for index in range(count if loop else count - 1)]


def _shares(start: Tensor, end: Tensor, steps: int, method: str) -> Tensor:
    """How much of `start` (z,) and of `end` (z,) goes into each step: float64 (steps, 2)."""
    if steps < 2:
        raise ValueError(f"An interpolation of {steps} steps was asked for; at least 2 are needed.")
    if method not in METHODS:
        raise ValueError(f"There is no interpolation '{method}'; choose one of {', '.join(METHODS)}.")
    share = torch.linspace(0, 1, steps, dtype=torch.float64, device=start.device)
    shares = torch.stack([1 - share, share], 1)
    if method == "slerp":
        lengths = torch.stack([start.double().norm(), end.double().norm()])
        angle = (start.double() @ end.double() / lengths.prod()).clamp(-1, 1).arccos()
        if angle.sin() > 1e-6:  # the same, opposite or no directions have no single great circle: NaN is not above
            inner = shares[1:-1]  # the ends are what was given, to the bit
            shares[1:-1] = (inner * angle).sin() / angle.sin() / lengths * (inner @ lengths).unsqueeze(1)
    return shares
