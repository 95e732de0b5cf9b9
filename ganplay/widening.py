"""A trained generator with more feature maps that draws what it drew: how a fork gets wider layers.

As in Net2Net (Chen, Goodfellow and Shlens 2016, arXiv 1511.05641) the wider network begins as the same function, here
not by copies of old maps but by new ones that nothing old listens to: the trained weights keep their place, new maps
have the weights a new network has, and the weights that lead from new maps to old ones are 0. Their gradients are not,
so training brings the new maps in.
"""

from __future__ import annotations

import copy
from operator import gt

import torch
from torch import Tensor, nn

from ganplay.contracts import Shapes

__all__ = ["widened"]

_INPUTS = {nn.Linear: 1, nn.Conv2d: 1, nn.ConvTranspose2d: 0}  # the axis of the weight that the inputs lie along
_CLOSE = 1e-4  # pixels in [-1, 1] that differ by less do so by rounding


@torch.no_grad()
def widened(narrow: nn.Module, wide: nn.Module, shapes: Shapes) -> dict[str, Tensor] | None:
    """The weights with which a wider generator draws what a trained one draws.

    Args:
        narrow: the trained generator, in eval mode.
        wide: another for the same shapes, as it was initialised; it is not changed.

    Returns:
        a state dict for `wide`, or None where there is none: it is not the same network with more feature maps, or
        new maps do change what is drawn, as where a normalisation or attention works across maps.
    """
    trained, weights = narrow.state_dict(), wide.state_dict()
    axes = {
        f"{name}.weight": axis
        for name, module in wide.named_modules()
        for kind, axis in _INPUTS.items()
        if isinstance(module, kind)
    }
    if set(trained) != set(weights):
        return None
    for name, old in trained.items():
        new = weights[name] = weights[name].clone()
        if old.ndim != new.ndim or old.shape[2:] != new.shape[2:] or any(map(gt, old.shape, new.shape)):
            return None
        place = [slice(length) for length in old.shape]
        if name in axes:
            new[tuple(slice(None) if axis == axes[name] else part for axis, part in enumerate(place))] = 0
        new[tuple(place)] = old
    grown = copy.deepcopy(wide).eval()
    grown.load_state_dict(weights)
    z = torch.randn(2 * max(shapes.classes, 1), shapes.latent, generator=torch.Generator().manual_seed(0))
    y = torch.arange(len(z)) % shapes.classes if shapes.classes else None
    return weights if torch.allclose(narrow(z, y), grown(z, y), rtol=_CLOSE, atol=_CLOSE) else None
