"""Discriminators that see samples together, in packs or with a batch's deviation: stacked weights and autograd."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import leaky_relu

from ganplay.models.blocks.stages import TINY_VARIANCE
from ganplay.tiny.networks import Layout, Stack

COMPANY = 8  # real samples beside a point whose own logit is asked for
_CHUNK = 2_048  # samples of each net that are judged at once for a map


class TogetherPass:
    """A `networks.Pass` of such discriminators; what it says of a sample depends on the others of its batch.

    Args:
        count: samples N of each net's inputs.
        pack: samples that are judged as one.
        parts: batches of equal size that lie beside each other in the inputs, and that do not see each other.
        learns: "weights", "inputs" or "": what gradients will be asked for.
    """

    def __init__(self, stack: Stack, count: int, pack: int, parts: int = 1, learns: str = "") -> None:
        self.inputs = torch.zeros(stack.members, 2, count)
        self.input_slope = torch.zeros(stack.members, 2, count)
        self.result = torch.zeros(stack.members, 1, count)
        self._stack, self._pack, self._parts, self._learns = stack, pack, parts, learns
        self._said: tuple[Tensor, Tensor] | None = None  # what gradients are asked for, and logits with their graph

    def forward(self, result: Tensor | None = None) -> Tensor:
        """What the nets say of `inputs`, (S, 1, N); written to `result` where one is given."""
        result = self.result if result is None else result
        points, weights = self.inputs.transpose(1, 2), self._stack.weights
        with torch.set_grad_enabled(bool(self._learns)):
            if self._learns == "weights":
                weights = weights.detach().requires_grad_()
            elif self._learns == "inputs":
                points = points.detach().requires_grad_()
            batches = points.unflatten(1, (self._parts, -1))  # (S, parts, N / parts, 2)
            logits = judge(self._stack.layout, weights, batches, self._pack).flatten(1)  # (S, N)
        self._said = (weights if self._learns == "weights" else points, logits)
        result.squeeze(1).copy_(logits.detach())
        return result

    def backward(self, slope: Tensor, *, weights: bool, inputs: bool) -> None:
        """Carries d loss / d result (S, 1, N) back to the weights, whose gradients it replaces, or to the inputs."""
        wanted, logits = self._said
        (found,) = torch.autograd.grad(logits, wanted, slope.squeeze(1))
        if weights:
            self._stack.gradients.copy_(found)
        else:
            self.input_slope.copy_(found.transpose(1, 2))
        self._said = None


def judge(layout: Layout, weights: Tensor, batches: Tensor, pack: int) -> Tensor:
    """The logits (S, B, N) of B batches of points (S, B, N, 2) for each net; those of one batch see each other."""
    members, count, points = batches.shape[0], batches.shape[1], batches.shape[2]
    missing = torch.arange(-points % pack) % points
    x = torch.cat([batches, batches[:, :, missing]], 2) if len(missing) else batches
    x = x.reshape(members, -1, 2 * pack)  # (S, B N / pack, 2 pack)
    layers = layout.layers(weights)
    for layer in layers[:-1]:
        x = _activated(torch.baddbmm(layer[:, -1:], x, layer[:, :-1]), layout)
    if layout.beside:
        together = x.unflatten(1, (count, -1))  # (S, B, N / pack, F)
        spread = (together.var(2, correction=0) + TINY_VARIANCE).sqrt().mean(2)  # (S, B)
        x = torch.cat([x, spread.repeat_interleave(together.shape[2], 1).unsqueeze(2)], 2)
    logits = torch.baddbmm(layers[-1][:, -1:], x, layers[-1][:, :-1])
    return logits.view(members, count, -1).repeat_interleave(pack, 2)[:, :, :points]


@torch.no_grad()
def judge_among(layout: Layout, weights: Tensor, points: Tensor, real: Tensor, pack: int) -> Tensor:
    """What the nets say of each point (S, M, 2) when its company is real, (S, M).

    Args:
        real: the company (S, 8, 2). Without packs the point joins this batch; with packs it is the first of several,
            the rest of which are real, and the mean of their logits counts.
    """
    others = max(1, pack - 1)
    groups = real[:, : COMPANY // others * others].unflatten(1, (-1, others))  # (S, packs, others, 2)

    def part(some: Tensor) -> Tensor:
        count = some.shape[1]
        if pack == 1:
            company = real.unsqueeze(1).expand(-1, count, -1, -1)
            return judge(layout, weights, torch.cat([some.unsqueeze(2), company], 2), pack)[:, :, 0]
        first = some[:, :, None, None].expand(-1, -1, groups.shape[1], -1, -1)
        packs = torch.cat([first, groups.unsqueeze(1).expand(-1, count, -1, -1, -1)], 3)  # (S, M, packs, pack, 2)
        return judge(layout, weights, packs.flatten(2, 3), pack)[:, :, ::pack].mean(2)

    return torch.cat([part(some) for some in points.split(_CHUNK // COMPANY, 1)], 1)


def _activated(x: Tensor, layout: Layout) -> Tensor:
    if layout.activation == "leaky_relu":
        return leaky_relu(x, layout.slope)
    return {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}[layout.activation](x)
