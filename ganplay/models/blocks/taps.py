"""A convolution, its adjoint and the gradient of their weights as one matrix product for each tap of the kernel.

At the border of a map a tap of the kernel meets zeros. On small maps that is much of the work: with a kernel of 5 on
4x4 places every second factor is such a zero. Here a tap is multiplied with those places alone that it meets.

All three are parts of one sum over taps and places, of coarse place times weight times fine place. It is linear in each
of the three, so the derivatives of each part are the other two parts, to any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

Places = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Taps:
    """Which places a square kernel brings together: place a of the coarse map and a * stride + tap - padding.

    Attributes:
        coarse, fine: height and width of the maps. The fine one comes into a convolution, the coarse one out of it.
    """

    kernel: int
    stride: int
    padding: int
    coarse: tuple[int, int]
    fine: tuple[int, int]

    def pairs(self) -> Iterator[tuple[int, int, Places, Places]]:
        """Row and column of every tap that meets anything, its places of the coarse and of the fine map (N, H, W)."""
        for row, high, low in self._along(0):
            for column, left, right in self._along(1):
                yield row, column, (slice(None), high, left), (slice(None), low, right)

    def _along(self, axis: int) -> Iterator[tuple[int, slice, slice]]:
        for tap in range(self.kernel):
            offset = tap - self.padding
            first = max(0, -(offset // self.stride))
            last = min(self.coarse[axis], (self.fine[axis] - 1 - offset) // self.stride + 1)
            if first < last:
                start, end = (place * self.stride + offset for place in (first, last - 1))
                yield tap, slice(first, last), slice(start, end + 1, self.stride)


class Gather(Function):
    """A convolution: fine (N, H', W', B) and weight (A, k, k, B) to coarse (N, H, W, A)."""

    @staticmethod
    def forward(ctx: FunctionCtx, fine: Tensor, weight: Tensor, taps: Taps) -> Tensor:
        ctx.save_for_backward(fine, weight)
        ctx.taps = taps
        coarse = fine.new_zeros(len(fine), *taps.coarse, len(weight))
        for row, column, high, low in taps.pairs():
            there = fine[low]
            coarse[high] += (there.flatten(0, 2) @ weight[:, row, column].t()).unflatten(0, there.shape[:3])
        return coarse

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        fine, weight = ctx.saved_tensors
        for_fine, for_weight, _ = ctx.needs_input_grad
        return (
            Scatter.apply(gradient, weight, ctx.taps) if for_fine else None,
            Correlate.apply(gradient, fine, ctx.taps) if for_weight else None,
            None,
        )


class Scatter(Function):
    """A transposed convolution: coarse (N, H, W, A) and weight (A, k, k, B) to fine (N, H', W', B)."""

    @staticmethod
    def forward(ctx: FunctionCtx, coarse: Tensor, weight: Tensor, taps: Taps) -> Tensor:
        ctx.save_for_backward(coarse, weight)
        ctx.taps = taps
        fine = coarse.new_zeros(len(coarse), *taps.fine, weight.shape[-1])
        for row, column, high, low in taps.pairs():
            there = coarse[high]
            fine[low] += (there.flatten(0, 2) @ weight[:, row, column]).unflatten(0, there.shape[:3])
        return fine

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        coarse, weight = ctx.saved_tensors
        for_coarse, for_weight, _ = ctx.needs_input_grad
        return (
            Gather.apply(gradient, weight, ctx.taps) if for_coarse else None,
            Correlate.apply(coarse, gradient, ctx.taps) if for_weight else None,
            None,
        )


class Correlate(Function):
    """The gradient of both for their weight: coarse (N, H, W, A) and fine (N, H', W', B) to (A, k, k, B)."""

    @staticmethod
    def forward(ctx: FunctionCtx, coarse: Tensor, fine: Tensor, taps: Taps) -> Tensor:
        ctx.save_for_backward(coarse, fine)
        ctx.taps = taps
        pairs = list(taps.pairs())
        made = coarse.new_empty if len(pairs) == taps.kernel**2 else coarse.new_zeros
        weight = made(coarse.shape[-1], taps.kernel, taps.kernel, fine.shape[-1])
        for row, column, high, low in pairs:
            torch.mm(coarse[high].flatten(0, 2).t(), fine[low].flatten(0, 2), out=weight[:, row, column])
        return weight

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        coarse, fine = ctx.saved_tensors
        for_coarse, for_fine, _ = ctx.needs_input_grad
        return (
            Gather.apply(fine, gradient, ctx.taps) if for_coarse else None,
            Scatter.apply(coarse, gradient, ctx.taps) if for_fine else None,
            None,
        )
