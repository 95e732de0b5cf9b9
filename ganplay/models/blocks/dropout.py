"""Dropout with a cheap mask: torch draws a random number for each value, here one of 64 bits serves four."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

_BITS = 15  # of a random number; the share of dropped values is right to 1 / 2^15
_LANES = {torch.bfloat16: torch.int16, torch.float16: torch.int16, torch.float32: torch.int32}


class Dropout(nn.Dropout):
    """`torch.nn.Dropout`, several times faster on a processor; it draws from torch's global stream too."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not 0 < self.p < 1 or x.device.type != "cpu" or x.dtype not in _LANES:
            return super().forward(x)
        return _Masked.apply(x, _mask(x, self.p), 1 / (1 - self.p))


def _mask(x: Tensor, p: float) -> Tensor:
    """Integers of x's width and layout, all bits set with probability 1 - p, none with p."""
    count = x.numel()
    words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    drawn = words.view(torch.int16)[:count]  # uniform in [-2^15, 2^15)
    first_kept = round(p * 2**_BITS) - 2 ** (_BITS - 1)
    kept = drawn.bitwise_right_shift_(1).sub_(first_kept).bitwise_right_shift_(_BITS).bitwise_not_()
    order = sorted(range(x.ndim), key=lambda axis: -x.stride(axis))  # as x lies in memory
    laid_out = kept.view([x.shape[axis] for axis in order])
    return laid_out.permute([order.index(axis) for axis in range(x.ndim)]).to(_LANES[x.dtype])


class _Masked(Function):
    """x where the mask's bits are set, times a factor; 0 elsewhere. Its own adjoint."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, mask: Tensor, factor: float) -> Tensor:
        ctx.save_for_backward(mask)
        ctx.factor = factor
        return x.view(mask.dtype).bitwise_and(mask).view(x.dtype) * factor

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None]:
        (mask,) = ctx.saved_tensors
        return _Masked.apply(gradient, mask, ctx.factor), None, None
