"""The slope of a discriminator at single samples: what the gradient penalties are made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganplay.contracts import Critique

TINY = 1e-12  # inside the root: the root's own derivative at 0 is infinite


def squared_slope(discriminator: Callable[..., Critique], x: Tensor, y: Tensor | None) -> Tensor:
    """Squared length of d logit / d sample at each sample, (N,), which the weights can be differentiated through.

    The gradient of the summed logits is each sample's own gradient only while no logit depends on another sample:
    no batch norm. The network runs eagerly, for a compiled one has no second derivative.

    Args:
        x: samples (N, *sample); they are not changed, and nothing behind them gets a gradient.
        y: labels (N,) for the discriminator, or None.
    """
    x = x.detach().requires_grad_(True)
    logits = discriminator(x, y).logits
    (gradient,) = torch.autograd.grad(logits.sum(), x, create_graph=True)  # (N, *sample)
    return gradient.flatten(1).square().sum(1)  # (N,)


def slope(discriminator: Callable[..., Critique], x: Tensor, y: Tensor | None) -> Tensor:
    """Length of d logit / d sample at each sample, (N,), with a finite derivative even where it is 0."""
    return (squared_slope(discriminator, x, y) + TINY).sqrt()
