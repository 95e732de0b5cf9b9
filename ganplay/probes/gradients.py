"""What the last backward pass left in a network's gradients, layer by layer."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

THRESHOLD = 0.01  # below which document 000, figure 4, counts a gradient as vanished


class LayerGradient(NamedTuple):
    """One layer's gradient: how many of its `total` entries are smaller than the threshold, and its L2 norm."""

    small: int
    total: int
    norm: float


@torch.no_grad()
def layer_statistics(network: nn.Module, threshold: float = THRESHOLD) -> dict[str, LayerGradient]:
    """Statistics of every layer that holds weights of its own, in the order of the network.

    A layer's weight and bias count together, as in document 000, figure 4; normalisations are left out, as there.
    Layers without a gradient (before the first step) are left out too.
    """
    found = {}
    for name, layer in network.named_modules():
        if not isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            continue
        gradients = [parameter.grad for parameter in layer.parameters() if parameter.grad is not None]
        if gradients:
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            small = int((flat.abs() < threshold).sum())
            found[name] = LayerGradient(small, flat.numel(), float(flat.norm()))
    return found
