"""Residual blocks: what goes in is added to what two or three convolutions make of it.

`ResidualUp` and `ResidualDown` are the blocks of SNGAN and the projection discriminator (arXiv 1802.05957, figure 8;
arXiv 1802.05637, figure 14), activated before each convolution. A 1x1 convolution and a resampling (nearest
neighbour up, average down) may change places without changing the sum, so the shortcuts do whichever is cheaper first.

`InvertedBottleneck` is the block of R3GAN (arXiv 2501.05441, section 4, configurations D and E): wide in the middle,
where a grouped convolution works, narrow in the stream, and without an activation behind the sum.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from ganplay.models.blocks.convolution import Conv2d
from ganplay.models.blocks.stages import Finish

LEAST_SIDE = 4  # of a map; a smaller one has no middle for a 3x3 convolution


def map_sides(side: int, halvings: int) -> tuple[int, ...]:
    """Heights of `halvings` + 1 maps from the first of a generator to its image of height `side`.

    Each is half of the next while that is a whole number of at least 4; the others repeat the last that was:
    4, 8, 16, 32 for images of 32 pixels, 7, 7, 14, 28 for 28.
    """
    sides = [side]
    for _ in range(halvings):
        last = sides[-1]
        sides.append(last if last % 2 or last // 2 < LEAST_SIDE else last // 2)
    return tuple(reversed(sides))


class ResidualUp(nn.Module):
    """Norm, activation, upsampling, 3x3 convolution, norm, activation, 3x3 convolution, beside a 1x1 shortcut.

    Args:
        grow: double the side, each value repeated 2x2; otherwise the side stays.
        first, second: norm, activation and dropout before the two convolutions, for `channels` and for `width` maps.
    """

    def __init__(self, channels: int, width: int, grow: bool, first: Finish, second: Finish) -> None:
        super().__init__()
        bias = isinstance(first.norm, nn.Identity)  # each stream ends in a normalisation, which would cancel it
        self.grow = nn.Upsample(scale_factor=2) if grow else nn.Identity()
        self.first, self.second = first, second
        self.convolution1 = Conv2d(channels, width, 3, padding=1, bias=bias)
        self.convolution2 = Conv2d(width, width, 3, padding=1, bias=bias)
        self.shortcut = Conv2d(channels, width, 1, bias=bias) if grow or channels != width else nn.Identity()

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        inner = self.convolution1(self.grow(self.first(x, code)))
        inner = self.convolution2(self.second(inner, code))
        return self.grow(self.shortcut(x)) + inner  # (N, width, H or 2 H, W or 2 W)


class ResidualDown(nn.Module):
    """Norm, activation, 3x3 convolution, norm, activation, 3x3 convolution, average pooling, beside a 1x1 shortcut.

    Args:
        shrink: halve the side by averaging 2x2 values; otherwise the side stays.
        first: norm, activation and dropout for `channels` maps; None where the image itself comes in, which an
            activation would cut off below grey.
        second: the same for `width` maps.
    """

    def __init__(self, channels: int, width: int, shrink: bool, first: Finish | None, second: Finish) -> None:
        super().__init__()
        self.shrink = nn.AvgPool2d(2) if shrink else nn.Identity()
        self.first, self.second = first or nn.Identity(), second
        self.convolution1 = Conv2d(channels, width, 3, padding=1)
        self.convolution2 = Conv2d(width, width, 3, padding=1)
        self.shortcut = Conv2d(channels, width, 1) if shrink or channels != width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.convolution2(self.second(self.convolution1(self.first(x))))
        return self.shortcut(self.shrink(x)) + self.shrink(inner)  # (N, width, H or H / 2, W or W / 2)


class InvertedBottleneck(nn.Module):
    """x + 1x1 convolution of a grouped 3x3 convolution of a 1x1 convolution of x, activated between them.

    Args:
        width: maps of the stream, in and out.
        inner: maps in the middle.
        groups: of the 3x3 convolution, each with inner / groups maps.
        first, second: norm, activation and dropout behind the first and the second convolution.
    """

    def __init__(self, width: int, inner: int, groups: int, first: Finish, second: Finish) -> None:
        super().__init__()
        bias = isinstance(first.norm, nn.Identity)
        self.widen = Conv2d(width, inner, 1, bias=bias)
        self.first = first
        self.mix = Conv2d(inner, inner, 3, padding=1, groups=groups, bias=bias)
        self.second = second
        self.narrow = Conv2d(inner, width, 1, bias=False)

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        return x + self.narrow(self.second(self.mix(self.first(self.widen(x), code)), code))


class Resample(nn.Module):
    """Bilinear interpolation to twice (2) or half (0.5) the side, or none (1), and a 1x1 convolution to another width.

    Halving between pixel centres takes each value from the middle of four, which is their average.
    """

    def __init__(self, channels: int, width: int, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.convolution = Conv2d(channels, width, 1, bias=False) if channels != width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        if self.factor > 1:  # the convolution first: it is the same and has a quarter of the places to visit
            return interpolate(self.convolution(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.convolution(avg_pool2d(x, 2) if self.factor < 1 else x)

    def extra_repr(self) -> str:
        return f"factor={self.factor}"
