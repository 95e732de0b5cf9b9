"""Paths between latent vectors."""

from __future__ import annotations

import torch
from torch import Tensor

METHODS = ("lerp", "slerp")


def interpolate(start: Tensor, end: Tensor, steps: int = 21, method: str = "slerp") -> Tensor:
    """Latents (steps, z) from `start` (z,) to `end` (z,), both included.

    "lerp" is the straight line of document 000, figure 6, whose middle is shorter than a typical Gaussian vector;
    "slerp" follows the great circle and changes the length linearly (arXiv 1609.04468, section 2.1).

    Raises:
        ValueError: the method is unknown or there are fewer than two steps.
    """
    if steps < 2:
        raise ValueError(f"An interpolation of {steps} steps was asked for; at least 2 are needed.")
    if method not in METHODS:
        raise ValueError(f"There is no interpolation '{method}'; choose one of {', '.join(METHODS)}.")
    share = torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device).unsqueeze(1)  # (steps, 1)
    line = torch.lerp(start, end, share)
    if method == "lerp":
        return line
    lengths = torch.lerp(start.norm(), end.norm(), share)  # (steps, 1)
    angle = torch.dot(start / start.norm(), end / end.norm()).clamp(-1, 1).arccos()
    if angle.sin().abs() < 1e-6:  # the same or opposite directions have no single great circle
        return line
    direction = (
        ((1 - share) * angle).sin() * start / start.norm() + (share * angle).sin() * end / end.norm()
    ) / angle.sin()
    return direction * lengths
