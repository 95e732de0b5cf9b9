"""Stages: the rows of a document's table, each a convolution with its normalisation and activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganplay.contracts import Shapes
from ganplay.models.blocks.convolution import Conv2d, ConvTranspose2d
from ganplay.models.blocks.dropout import Dropout
from ganplay.models.blocks.labels import ConditionalBatchNorm2d


def image_side(shapes: Shapes, noun: str) -> int:
    """Height (and width) of an image sample.

    Raises:
        ValueError: the samples are points.
    """
    if len(shapes.sample) != 3:
        raise ValueError(
            f"The {noun} is convolutional and needs images; this data set has points. Use fully-connected."
        )
    return shapes.sample[-1]


@dataclass(frozen=True)
class Stage:
    """One row of a table, before anybody knows how many channels come in.

    Attributes:
        width: feature maps it makes.
        side: height (and width) of those maps.
        make: channels in -> module; the module is called with a map (a generator's also with the label's code).
    """

    width: int
    side: int
    make: Callable[[int], nn.Module]


class FromNoise(nn.Linear):
    """The first layer of a generator: a latent (N, z) to a map (N, width, side, side).

    A transposed convolution of a 1x1 map with a kernel as large as its output, which is one matrix product.
    """

    def __init__(self, latent: int, width: int, side: int, bias: bool = True) -> None:
        super().__init__(latent, width * side * side, bias=bias)
        self.width, self.side = width, side

    def forward(self, z: Tensor) -> Tensor:
        maps = super().forward(z).unflatten(1, (self.width, self.side, self.side))
        return maps.contiguous(memory_format=torch.channels_last)  # as all that follows computes


class Finish(nn.Module):
    """What follows a convolution: normalisation, activation, dropout."""

    def __init__(self, norm: nn.Module, activation: nn.Module, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = norm
        self.activation = activation
        self.dropout = Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        return self.dropout(self.activation(normalise(self.norm, x, code)))


def nothing() -> Finish:
    """What follows a layer that neither a normalisation nor an activation follows."""
    return Finish(nn.Identity(), nn.Identity())


class Up(nn.Module):
    """A transposed convolution that doubles the side, then normalisation, activation and dropout."""

    def __init__(self, channels: int, width: int, kernel: int, finish: Finish, odd: bool = False) -> None:
        super().__init__()
        self.convolution = doubling(channels, width, kernel, isinstance(finish.norm, nn.Identity), odd)
        self.finish = finish

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        return self.finish(self.convolution(x), code)


class Down(nn.Module):
    """A convolution, then normalisation, activation and dropout."""

    def __init__(
        self, channels: int, width: int, kernel: int, stride: int, finish: Finish, padding: int | None = None
    ) -> None:
        super().__init__()
        padding = (kernel - 1) // 2 if padding is None else padding
        bias = isinstance(finish.norm, nn.Identity)  # a normalisation would cancel it
        self.convolution = Conv2d(channels, width, kernel, stride=stride, padding=padding, bias=bias)
        self.finish = finish

    def forward(self, x: Tensor) -> Tensor:
        return self.finish(self.convolution(x))


def doubling(channels: int, width: int, kernel: int, bias: bool = True, odd: bool = False) -> ConvTranspose2d:
    """A transposed convolution with stride 2 whose padding makes a side of twice the length, one less when `odd`."""
    padding = (kernel - 1 + odd) // 2
    return ConvTranspose2d(
        channels, width, kernel, stride=2, padding=padding, output_padding=2 - odd + 2 * padding - kernel, bias=bias
    )


def side_after(side: int, kernel: int, stride: int, padding: int | None = None) -> int:
    """Height of the map that `Down` makes of one of height `side`."""
    padding = (kernel - 1) // 2 if padding is None else padding
    return (side + 2 * padding - kernel) // stride + 1


def normalise(norm: nn.Module, x: Tensor, code: Tensor | None) -> Tensor:
    """Applies a normalisation, giving the label to one that wants it."""
    return norm(x, code) if isinstance(norm, ConditionalBatchNorm2d) else norm(x)


class SumPool(nn.Module):
    """The sum over all places of a map: (N, C, H, W) to (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum((2, 3))


TINY_VARIANCE = 1e-8  # under the root, whose own derivative at 0 is infinite


class MinibatchDeviation(nn.Module):
    """One more map that tells how much the samples of a group differ (arXiv 1710.10196, section 3).

    The batch is split into groups of `group` samples (one group when that does not divide it, or is None); the map
    holds, for all samples of a group alike, the standard deviation over the group, averaged over channels and places.
    """

    def __init__(self, group: int | None = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        count = len(x)
        size = self.group if self.group and count % self.group == 0 else count
        grouped = x.float().unflatten(0, (size, count // size))  # members of one group lie count/size apart
        spread = (grouped.var(0, correction=0) + TINY_VARIANCE).sqrt().flatten(1).mean(1)  # (count / size,)
        maps = spread.repeat(size).view(-1, *[1] * (x.ndim - 1)).expand(-1, 1, *x.shape[2:])
        return torch.cat([x, maps.to(x.dtype)], 1)  # (N, C + 1, H, W), or (N, F + 1) of features
