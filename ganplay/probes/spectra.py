"""Singular values of every layer's weight: how much it can stretch a signal, and what spectral norm makes of it.

A weight is read as the matrix that spectral norm reads (arXiv 1802.05957, section 2.1): one row for each value a linear
layer puts out, one for each feature map of a convolution, with all that goes into it in the columns. For a linear layer
these are the singular values of the map itself. For a convolution they are not, since a weight is used at many places:
the map itself stretches at most by the kernel's side times the largest of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ganplay.models.blocks.labels import ConditionalBatchNorm2d, Projection

WIDEST = 1_024  # rows or columns, whichever are fewer; a larger matrix would take seconds
_COLUMNS = 4_096


@dataclass(frozen=True)
class Spectrum:
    """The singular values of one layer.

    Attributes:
        name: of the module.
        shape: rows and columns of the matrix.
        values: of the weight that the layer works with, largest first; empty for a matrix too wide to decompose.
        raw: the largest one of the weight before spectral norm divides it; the same where there is none.
        normalised: True where spectral norm divides the weight.
    """

    name: str
    shape: tuple[int, int]
    values: tuple[float, ...]
    raw: float
    normalised: bool


@torch.no_grad()
def spectra(network: nn.Module) -> tuple[Spectrum, ...]:
    """The singular values of all linear layers, convolutions and projections, in the order of the network.

    A convolution inside self-attention counts alone; gains that come from a label are left out. In eval mode spectral
    norm divides by the value that its power iteration has reached, so the largest value of the result is near 1, not
    exactly 1.
    """
    training = network.training
    network.eval()
    try:
        return tuple(_spectrum(name, layer) for name, layer in _weighted(network))
    finally:
        network.train(training)


def matrix(layer: nn.Module, weight: Tensor) -> Tensor:
    """A layer's weight as the matrix (out, rest) that spectral norm sees; a transposed convolution has `out` second."""
    return (weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight).flatten(1)


def _weighted(network: nn.Module) -> list[tuple[str, nn.Module]]:
    gains = {part for norm in network.modules() if isinstance(norm, ConditionalBatchNorm2d) for part in norm.modules()}
    found = []
    for name, module in network.named_modules():
        if isinstance(module, Projection):
            found.append((name, module.embed))
        elif isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)) and module not in gains:
            found.append((name, module))
    return found


def _spectrum(name: str, layer: nn.Module) -> Spectrum:
    normalised = is_parametrized(layer, "weight")
    weight = matrix(layer, layer.weight)
    rows, columns = weight.shape
    if min(rows, columns) > WIDEST:
        return Spectrum(name, (rows, columns), (), 0.0, normalised)
    values = singular_values(weight)
    raw = float(values[0])
    if normalised:
        raw = float(singular_values(matrix(layer, layer.parametrizations.weight.original))[0])
    return Spectrum(name, (rows, columns), tuple(values.tolist()), raw, normalised)


def singular_values(weight: Tensor) -> Tensor:
    """All singular values of a matrix (rows, columns), largest first, in double precision.

    They are the roots of the eigenvalues of W W^T, whose side is the shorter one: for the wide matrices of convolutions
    that takes a tenth of the time of a decomposition of W, and doubles leave eight digits after the square.
    """
    short = weight if weight.shape[0] <= weight.shape[1] else weight.T
    product = torch.zeros(len(short), len(short), dtype=torch.float64)
    for part in short.split(_COLUMNS, 1):  # in parts, so that no copy of the whole is made
        product += part.double() @ part.double().T
    return torch.linalg.eigvalsh(product).clamp(min=0).sqrt().flip(0)
