"""Convolutions that become matrix products where that is faster: small maps with many channels.

Libraries for convolutions slide along rows of a map. Where a row has 4 or 8 places, most of a processor's vectors and
tiles stay empty, and bringing wide weights into the library's own order costs more than the arithmetic. The same
arithmetic is matrix products with the weights as they lie in memory (channels last).

Where arithmetic is dear, in fp32, each tap of the kernel is a product, with no more places than it meets (`taps`).
Results differ from torch's by rounding. In bf16 sums over taps would be rounded at each, and arithmetic is cheap: there
it is one product over all places of all samples, between a copy of the map in patches and the weights. The transposed
convolution is the adjoint: product first, then overlapping patches are added up.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import FunctionCtx
from torch.nn.functional import conv_transpose2d, pad

from ganplay.models.blocks.taps import Gather, Scatter, Taps

# Products win where channels in x channels out reach both numbers: the second alone, and the first times places^2 of
# the coarser map; ten times that, over stride^2, for a convolution, whose patches are a larger copy. Measured with AMX,
# in fp32 as one product, and by taps with AVX2 (`python -m ganplay bench convolution`); where off, only time is lost.
WORTH = {torch.bfloat16: (10, 8_000), torch.float32: (100, 32_768)}
PATCHES = 10
WHOLE = {torch.bfloat16}  # types in which all taps are one product


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d` that computes small maps of many channels as matrix products."""

    def forward(self, x: Tensor) -> Tensor:
        x = _in_computing_type(x)
        (stride, _), (padding, _), (kernel, _) = self.stride, self.padding, self.kernel_size
        height, width = ((side + 2 * padding - kernel) // stride + 1 for side in x.shape[-2:])
        if not (_plain(self, x) and worth(self, x.dtype, max(height, width), PATCHES / stride**2)):
            return super().forward(x)
        if x.dtype not in WHOLE:
            taps = Taps(kernel, stride, padding, (height, width), tuple(x.shape[-2:]))
            made = Gather.apply(x.permute(0, 2, 3, 1), self.weight.permute(0, 2, 3, 1), taps).permute(0, 3, 1, 2)
            return _biased(self, made)
        patches = _Unfold.apply(x.permute(0, 2, 3, 1), kernel, stride, padding)
        weight = self.weight.permute(0, 2, 3, 1).flatten(1)  # (D, k * k * C)
        made = _Product.apply(patches.flatten(0, 2).flatten(1), weight.to(x.dtype).t())
        return _biased(self, made.unflatten(0, patches.shape[:3]).permute(0, 3, 1, 2))  # (N, D, H', W')


class ConvTranspose2d(nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d` that computes small maps of many channels as matrix products."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        x = _in_computing_type(x)
        (stride, _), (padding, _), (kernel, _) = self.stride, self.padding, self.kernel_size
        extra = self.output_padding[0]
        fits = output_size is None and self.output_padding[1] == extra
        if not (fits and _plain(self, x) and worth(self, x.dtype, max(x.shape[-2:]), 1)):
            return self._stock(x, output_size)
        height, width = (stride * (side - 1) + kernel - 2 * padding + extra for side in x.shape[-2:])
        flat, weight = x.permute(0, 2, 3, 1), self.weight.permute(0, 2, 3, 1)  # (N, H, W, C), (C, k, k, D)
        if x.dtype not in WHOLE:
            taps = Taps(kernel, stride, padding, tuple(x.shape[-2:]), (height, width))
            return _biased(self, Scatter.apply(flat, weight, taps).permute(0, 3, 1, 2))
        product = _Product.apply(flat.flatten(0, 2), weight.flatten(1).to(x.dtype))
        patches = product.view(*flat.shape[:3], kernel, kernel, -1)
        made = _Fold.apply(patches, stride, padding, height, width)
        return _biased(self, made.permute(0, 3, 1, 2))  # (N, D, H', W')

    def _stock(self, x: Tensor, output_size: list[int] | None) -> Tensor:
        """torch's own, but for the bias, whose gradient takes longer there than those of weight and input together."""
        extra = self._output_padding(
            x, output_size, list(self.stride), list(self.padding), list(self.kernel_size), 2, list(self.dilation)
        )
        made = conv_transpose2d(x, self.weight, None, self.stride, self.padding, extra, self.groups, self.dilation)
        return _biased(self, made)


def _biased(layer: Conv2d | ConvTranspose2d, made: Tensor) -> Tensor:
    return made if layer.bias is None else made + layer.bias.to(made.dtype).view(-1, 1, 1)


def _in_computing_type(x: Tensor) -> Tensor:
    """x as autocast would hand it to a convolution, so that patches are copied in the smaller type."""
    return x.to(torch.get_autocast_dtype("cpu")) if x.is_cpu and torch.is_autocast_enabled("cpu") else x


def _plain(layer: Conv2d | ConvTranspose2d, x: Tensor) -> bool:
    """True for what the products can do: a processor's batch, square kernels, zeros around, nothing in between."""
    square = all(len(set(sizes)) == 1 for sizes in (layer.kernel_size, layer.stride, layer.padding))
    simple = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
    return x.is_cpu and x.ndim == 4 and square and simple


def worth(layer: Conv2d | ConvTranspose2d, kind: torch.dtype, side: int, factor: float) -> bool:
    """True where a product is taken for faster: for a layer whose coarser map has `side` places, in a type.

    Args:
        factor: how much larger the copy in patches is, against a transposed convolution's.
    """
    if kind not in WORTH:
        return False
    per_places, least = WORTH[kind]
    return layer.in_channels * layer.out_channels >= max(least, factor * per_places * side**4)


class _Product(Function):
    """x (M, K) times weight (K, N), in rows or in columns.

    As torch's own, but for the weight's gradient: a left side in rows makes that product up to 1.7 times faster, and
    the gradient lies in memory as the weight does.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        for_x = gradient @ weight.t() if ctx.needs_input_grad[0] else None
        if not ctx.needs_input_grad[1]:
            return for_x, None
        if weight.is_contiguous():
            return for_x, x.t().contiguous() @ gradient
        return for_x, (gradient.t().contiguous() @ x).t()


class _Unfold(Function):
    """A map (N, H, W, C), zeros around it, to its patches (N, H', W', k, k, C), `stride` apart; adjoint to `_Fold`."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
        ctx.stride, ctx.padding, ctx.sides = stride, padding, x.shape[1:3]
        x = pad(x, (0, 0, *(padding,) * 4))
        return x.unfold(1, kernel, stride).unfold(2, kernel, stride).permute(0, 1, 2, 4, 5, 3).contiguous()

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _Fold.apply(gradient, ctx.stride, ctx.padding, *ctx.sides), None, None, None


class _Fold(Function):
    """Patches (N, H', W', k, k, C) added up at their places, `stride` apart, less the padding: (N, H, W, C)."""

    @staticmethod
    def forward(ctx: FunctionCtx, patches: Tensor, stride: int, padding: int, height: int, width: int) -> Tensor:
        ctx.kernel, ctx.stride, ctx.padding = patches.shape[3], stride, padding
        rows = _overlapped(patches.unbind(3), stride, 1, padding, height)  # (N, H, W', k, C)
        return _overlapped(rows.unbind(3), stride, 2, padding, width)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        return _Unfold.apply(gradient, ctx.kernel, ctx.stride, ctx.padding), None, None, None, None


def _overlapped(pieces: Sequence[Tensor], stride: int, axis: int, start: int, length: int) -> Tensor:
    """The sum of all pieces, where index a of piece i comes to stand at i + a * stride, from `start` on."""
    shape = list(pieces[0].shape)
    count, shape[axis] = shape[axis], length
    total = pieces[0].new_empty(shape)
    whole = (slice(None),) * axis
    covered = count * stride - start if len(pieces) >= stride else 0  # from here on not every place gets a copy
    total[*whole, max(0, covered) :].zero_()
    for index, piece in enumerate(pieces):
        first = max(0, -(-(start - index) // stride))  # of the places inside
        last = min(count, -(-(start + length - index) // stride))
        there = total[*whole, index + first * stride - start :: stride].narrow(axis, 0, last - first)
        there.copy_(piece[*whole, first:last]) if index < stride else there.add_(piece[*whole, first:last])
    return total
