"""A trained generator with more feature maps that draws what it drew: how a fork gets wider layers.

As in Net2Net (Chen, Goodfellow and Shlens 2016, arXiv 1511.05641) the wider network begins as the same function, here
not by copies of old maps but by new ones that nothing old listens to: the trained weights keep their place, new maps
have the weights a new network has, and the weights that lead from new maps to old ones are 0. Their gradients are not,
so training brings the new maps in.
"""

from __future__ import annotations

from operator import gt

import torch
from torch import nn

from ganplay.contracts import Shapes

__all__ = ["widen"]

_INPUTS = {nn.Linear: 1, nn.Conv2d: 1, nn.ConvTranspose2d: 0}  # the axis of the weight that the inputs lie along
_SAMPLES = 16  # that both draw, of which no pixel may differ
_CLOSE = 1e-4  # pixels in [-1, 1] that differ by less do so by rounding


@torch.no_grad()
def widen(narrow: nn.Module, wide: nn.Module, shapes: Shapes) -> bool:
    """Sets the weights of a wider generator so that it draws what a trained one draws.

    Args:
        narrow: the trained generator, in eval mode.
        wide: another for the same shapes, as it was initialised, on the processor too; it comes back in eval mode.

    Returns:
        False where it cannot: `wide` is not the same network with more feature maps, or new maps do change what is
        drawn, as where a normalisation or attention works across maps. The weights of `wide` are of no use then.
    """
    trained, weights = narrow.state_dict(), wide.eval().state_dict()
    if set(trained) != set(weights):
        return False
    axes = {
        f"{name}.weight": axis
        for name, module in wide.named_modules()
        for kind, axis in _INPUTS.items()
        if isinstance(module, kind)
    }
    for name, old in trained.items():
        new = weights[name]
        if old.ndim != new.ndim or old.shape[2:] != new.shape[2:] or any(map(gt, old.shape, new.shape)):
            return False
        place = [slice(length) for length in old.shape]
        if name in axes:
            new[tuple(slice(None) if axis == axes[name] else part for axis, part in enumerate(place))] = 0
        new[tuple(place)] = old
    z = torch.randn(_SAMPLES, shapes.latent, generator=torch.Generator().manual_seed(0))
    y = torch.arange(_SAMPLES) % shapes.classes if shapes.classes else None
    return torch.allclose(narrow(z, y), wide(z, y), rtol=_CLOSE, atol=_CLOSE)
