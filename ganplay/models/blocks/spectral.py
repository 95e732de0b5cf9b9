"""Spectral norm (arXiv 1802.05957; document 004, eq. 4 to 7): each weight divided by its largest singular value."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ganplay.models.blocks.labels import Projection


def add_spectral_norm(network: nn.Module) -> None:
    """Wraps the weights of all linear layers, convolutions and projections of a network that is initialised already.

    An initialisation afterwards would be ignored without a word. The largest singular value is followed by one step of
    power iteration at each access in train mode, and stays as it is in eval mode. Embeddings that only carry a label
    into the network are left alone: they are no linear maps of a signal.
    """
    for module in list(network.modules()):
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            spectral_norm(module)
        elif isinstance(module, Projection):
            spectral_norm(module.embed)
