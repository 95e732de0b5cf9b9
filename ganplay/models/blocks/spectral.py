"""Spectral norm (arXiv 1802.05957; document 004, eq. 4 to 7): each weight divided by its largest singular value."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import _SpectralNorm
from torch.nn.utils.parametrize import register_parametrization

from ganplay.models.blocks.labels import Projection


class SpectralNorm(_SpectralNorm):
    """PyTorch's own, which `torch.nn.utils.parametrizations.spectral_norm` would register, but for two things.

    The power iteration is always fp32: autocast would run it in bf16 on a graphics card and leave its vectors so. On
    the meta device, where networks are built for their shapes alone, it does nothing: it would take a second and more.
    """

    def _power_method(self, weight_mat: Tensor, n_power_iterations: int) -> None:
        if not weight_mat.is_meta:
            super()._power_method(weight_mat, n_power_iterations)

    def forward(self, weight: Tensor) -> Tensor:
        with torch.autocast("cpu" if weight.is_meta else weight.device.type, enabled=False):
            return super().forward(weight)


def add_spectral_norm(network: nn.Module) -> None:
    """Wraps the weights of all linear layers, convolutions and projections of a network that is initialised already.

    An initialisation afterwards would be ignored without a word. The largest singular value is followed by one step of
    power iteration at each access in train mode, and stays as it is in eval mode. Embeddings that only carry a label
    into the network are left alone: they are no linear maps of a signal.
    """
    for module in list(network.modules()):
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            _wrap(module)
        elif isinstance(module, Projection):
            _wrap(module.embed)


def _wrap(layer: nn.Module) -> None:
    rows = 1 if isinstance(layer, nn.ConvTranspose2d) else 0  # the dimension of the weight that counts the outputs
    register_parametrization(layer, "weight", SpectralNorm(layer.weight, dim=rows))
