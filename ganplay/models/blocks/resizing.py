"""Doubling by repetition and an ordinary convolution, instead of a transposed one (Odena, Dumoulin, Olah 2016).

A transposed convolution with stride 2 uses different weights for even and odd pixels, and covers them unevenly where
its kernel is odd: a checkerboard that training has to unlearn. Repeating each value and convolving with stride 1 treats
all pixels alike. (distill.pub, doi 10.23915/distill.00003)
"""

from __future__ import annotations

from torch import Tensor, nn

from ganplay.models.blocks.convolution import Conv2d
from ganplay.models.blocks.stages import Finish


class ResizedUp(nn.Module):
    """`resized`, then normalisation, activation and dropout."""

    def __init__(self, channels: int, width: int, kernel: int, finish: Finish) -> None:
        super().__init__()
        self.resized = resized(channels, width, kernel, isinstance(finish.norm, nn.Identity))
        self.finish = finish

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        return self.finish(self.resized(x), code)


def resized(channels: int, width: int, kernel: int, bias: bool = True) -> nn.Sequential:
    """Each value repeated 2x2, then a convolution that keeps the side; an even kernel is made one smaller."""
    kernel -= 1 - kernel % 2
    return nn.Sequential(nn.Upsample(scale_factor=2), Conv2d(channels, width, kernel, padding=kernel // 2, bias=bias))
