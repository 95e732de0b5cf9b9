"""Equally shaped fully connected nets side by side: stacked weights, one matrix product a layer for all of them.

A batch is stored feature by feature, (features + 1, N), with a last row of ones, and a layer's biases beside its
weights, so that one product computes W x + b and one product both gradients. Every buffer is allocated once: on nets
this small the cost is calls, not arithmetic. Measured against samples as rows, against separate biases and against
autograd, this was the fastest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_Change = Callable[[Tensor], Tensor]
_Bend = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Layout:
    """The shape that all nets of a stack share.

    Attributes:
        sizes: width of the input, of each hidden layer and of the output.
        activation: of the hidden layers, with its slope below 0 where it has one.
        output: "linear", "tanh", or "sigmoid", which is stretched to [-1, 1].
        beside: numbers that the last layer reads beside the last hidden one; such nets have no passes of their own.
    """

    sizes: tuple[int, ...]
    activation: str
    slope: float
    output: str = "linear"
    beside: int = 0

    @property
    def length(self) -> int:
        """Weights and biases of one net, P."""
        return sum((inputs + 1) * outputs for inputs, outputs in self._pairs())

    @property
    def products(self) -> int:
        """Multiply-adds of one sample's forward pass; the biases are not counted."""
        return sum(inputs * outputs for inputs, outputs in self._pairs())

    def layers(self, flat: Tensor) -> list[Tensor]:
        """Views of the rows of `flat` (S, P): a matrix (S, inputs + 1, outputs) for each layer, biases last."""
        found, start = [], 0
        for inputs, outputs in self._pairs():
            part = flat.narrow(1, start, (inputs + 1) * outputs)
            start += part.shape[1]
            # In memory the longer side is the inner one: several times faster for layers with one or two outputs
            wide = outputs >= inputs
            matrix = part.unflatten(1, (inputs + 1, outputs) if wide else (outputs, inputs + 1))
            found.append(matrix if wide else matrix.transpose(1, 2))
        return found

    def parameters(self, row: Tensor) -> list[Tensor]:
        """Views of one net's row (P,) in PyTorch's order: weight (outputs, inputs), bias (outputs,)."""
        found = []
        for layer in self.layers(row.unsqueeze(0)):
            found += [layer[0, :-1].t(), layer[0, -1]]
        return found

    def _pairs(self) -> list[tuple[int, int]]:
        *inputs, last = self.sizes[:-1]
        return list(zip([*inputs, last + self.beside], self.sizes[1:], strict=True))


class Stack:
    """S nets of one layout.

    Attributes:
        weights, gradients: (S, P), one net a row.
    """

    def __init__(self, layout: Layout, members: int) -> None:
        self.layout = layout
        self.members = members
        self.weights = torch.zeros(members, layout.length)
        self.gradients = torch.zeros(members, layout.length)

    def bind(self, member: int, network: nn.Module) -> None:
        """Lets a network of this layout use the memory of one member: what moves the one moves the other."""
        views = iter(self.layout.parameters(self.weights[member]))
        for module in network.modules():
            if isinstance(module, nn.Linear):
                module.weight, module.bias = nn.Parameter(next(views)), nn.Parameter(next(views))

    @torch.no_grad()
    def __call__(self, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """What every net makes of x (S, M, inputs), or of (M, inputs) for all of them: (S, M, outputs).

        Args:
            weights: (S, P) to use instead of the stack's own.
        """
        layers = self.layout.layers(self.weights if weights is None else weights)
        change, _ = _activation(self.layout)
        x = x.expand(self.members, *x.shape[-2:])
        for index, layer in enumerate(layers):
            x = torch.baddbmm(layer[:, -1:], x, layer[:, :-1])
            if index < len(layers) - 1:
                change(x)
        return _finish(x, self.layout.output)


class Pass:
    """Forward and backward passes of a stack over batches of one size, in buffers of its own.

    The backward pass is written out: autograd would cost several times as much as the arithmetic.

    Args:
        count: samples N of each net's batch.
        learns: False for a pass that never asks for a gradient.

    Attributes:
        inputs: (S, inputs, N); whoever wants a forward pass writes the samples here.
        result: (S, outputs, N) of the last forward pass.
        input_slope: d loss / d inputs (S, inputs, N) of the last backward pass that was asked for it.
    """

    def __init__(self, stack: Stack, count: int, learns: bool = True) -> None:
        layout = stack.layout
        signals = [torch.ones(stack.members, size + 1, count) for size in layout.sizes[:-1]]
        values = [signal[:, :-1] for signal in signals]  # without the ones
        self.inputs = values[0]
        self.result = torch.empty(stack.members, layout.sizes[-1], count)
        self._output = layout.output
        self._change, self._bend = _activation(layout)
        layers = layout.layers(stack.weights)
        weights = [layer.transpose(1, 2) for layer in layers]
        self._hidden = list(zip(weights, signals, values[1:], strict=False))
        self._last = weights[-1], signals[-1]
        if not learns:
            return
        slopes = [torch.zeros_like(value) for value in values]  # of the loss, at the values
        self.input_slope = slopes[0]
        learnt = [
            _product(signal, layer) for signal, layer in zip(signals, layout.layers(stack.gradients), strict=True)
        ]
        back = [layer[:, :-1] for layer in layers]
        self._back = list(zip(learnt, back, slopes, values, strict=True))[::-1]

    def forward(self, result: Tensor | None = None) -> Tensor:
        """What the nets make of `inputs`; written to `result` (S, outputs, N) where one is given."""
        for weights, signal, values in self._hidden:
            torch.bmm(weights, signal, out=values)
            self._change(values)
        result = self.result if result is None else result
        torch.bmm(*self._last, out=result)
        return _finish(result, self._output)

    def backward(self, slope: Tensor, *, weights: bool, inputs: bool) -> None:
        """Carries d loss / d result (S, outputs, N) of the last forward pass back to the weights, the inputs or both.

        The weights' gradients replace those of the stack.
        """
        if self._output != "linear":
            slope = _unfinish(slope, self.result, self._output)
        remaining = len(self._back)
        for learn, back, before, values in self._back:
            remaining -= 1
            if weights:
                learn(slope)
            if remaining or inputs:
                torch.bmm(back, slope, out=before)
            if remaining:
                self._bend(before, values)
            slope = before


def _product(signal: Tensor, gradient: Tensor) -> Callable[[Tensor], object]:
    """A function that writes a layer's gradient from its slope (S, outputs, N).

    Args:
        signal: (S, inputs + 1, N), what the layer saw.
        gradient: (S, inputs + 1, outputs).
    """
    if gradient.stride(2) == 1:
        return lambda slope: torch.bmm(signal, slope.transpose(1, 2), out=gradient)
    signal, gradient = signal.transpose(1, 2), gradient.transpose(1, 2)
    return lambda slope: torch.bmm(slope, signal, out=gradient)


def _activation(layout: Layout) -> tuple[_Change, _Bend]:
    """The activation in place, and its derivative in place: (slope behind it, what it made) -> slope before it."""
    ops, steepness = torch.ops.aten, layout.slope
    if layout.activation == "leaky_relu":
        change, bend = torch._C._nn.leaky_relu_, ops.leaky_relu_backward.grad_input
        return lambda x: change(x, steepness), lambda d, x: bend(d, x, steepness, True, grad_input=d)
    if layout.activation == "relu":
        bend = ops.threshold_backward.grad_input
        return torch.relu_, lambda d, x: bend(d, x, 0, grad_input=d)
    if layout.activation == "tanh":
        bend = ops.tanh_backward.grad_input
        return torch.tanh_, lambda d, x: bend(d, x, grad_input=d)
    bend = ops.sigmoid_backward.grad_input
    return torch.sigmoid_, lambda d, x: bend(d, x, grad_input=d)


def _finish(x: Tensor, output: str) -> Tensor:
    """A generator's last activation, in place."""
    if output == "tanh":
        return x.tanh_()
    return x.sigmoid_().mul_(2).sub_(1) if output == "sigmoid" else x


def _unfinish(slope: Tensor, result: Tensor, output: str) -> Tensor:
    """The slope in front of the last activation: tanh' = 1 - y^2, and (2 sigmoid - 1)' = (1 - y^2) / 2."""
    return slope * (1 - result.square()) / (1 if output == "tanh" else 2)
