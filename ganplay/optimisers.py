"""Optimisers by name, with the defaults GAN papers use.

Each updates all weights in as few passes over memory as torch has for it: one ("fused") for Adam and SGD, a few for
RMSprop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganplay.contracts import Optimiser
from ganplay.options import option
from ganplay.registry import Registry

optimisers = Registry("optimiser", __name__)

EPSILON = 1e-8  # torch's own, of Adam and RMSprop
_TINY = 1e-30  # under a root, whose own derivative at 0 is infinite
Memory = Mapping[str, Tensor]
Moved = tuple[list[Tensor], list[dict[str, Tensor]]]


class AdamInPlace(torch.optim.Adam):
    """torch's Adam, which hands weights that lie pixel by pixel ("channels last") over in the order in which they lie.

    The fused update of torch wants a gradient in the usual order of its axes and makes a copy of any other, which takes
    longer than the update. With the axes named in the order of memory nothing is copied. The results are the same bits.
    """

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> bool:
        found = super()._init_group(group, *lists)
        of_weights = lists[:4]  # weights, gradients, both moments; then come the steps
        for index, together in enumerate(zip(*of_weights, strict=True)):
            if all(one.ndim == 4 and one.is_contiguous(memory_format=torch.channels_last) for one in together):
                for kind in of_weights:
                    kind[index] = kind[index].permute(0, 2, 3, 1)
        return found


@optimisers.register("adam")
@dataclass(frozen=True)
class Adam(Optimiser):
    """Adam (arXiv 1412.6980) with the beta1 = 0.5 of the DCGAN paper (arXiv 1511.06434)."""

    learning_rate: float = option(2e-4, "Step size.", low=1e-8, high=1.0)
    beta1: float = option(0.5, "Memory of the gradient's mean.", low=0.0, high=0.9999)
    beta2: float = option(0.999, "Memory of the gradient's square.", low=0.0, high=0.99999)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return AdamInPlace(parameters, self.learning_rate, (self.beta1, self.beta2), fused=True)

    def moved(self, weights: Sequence[Tensor], gradients: Sequence[Tensor], memory: Sequence[Memory]) -> Moved:
        found, kept = [], []
        for weight, gradient, known in zip(weights, gradients, memory, strict=True):
            count = known.get("step", torch.zeros(())) + 1
            mean = known.get("exp_avg", 0.0) * self.beta1 + (1 - self.beta1) * gradient
            square = known.get("exp_avg_sq", 0.0) * self.beta2 + (1 - self.beta2) * gradient.square()
            size = ((square + _TINY).sqrt() / (1 - self.beta2**count).sqrt()) + EPSILON
            found.append(weight - self.learning_rate / (1 - self.beta1**count) * mean / size)
            kept.append({"step": count, "exp_avg": mean, "exp_avg_sq": square})
        return found, kept


@optimisers.register("rmsprop")
@dataclass(frozen=True)
class RMSprop(Optimiser):
    """RMSprop without momentum, as the WGAN paper trains its critic (arXiv 1701.07875)."""

    learning_rate: float = option(5e-5, "Step size.", low=1e-8, high=1.0)
    alpha: float = option(0.99, "Memory of the gradient's square.", low=0.0, high=0.99999)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, self.learning_rate, self.alpha, foreach=True)

    def moved(self, weights: Sequence[Tensor], gradients: Sequence[Tensor], memory: Sequence[Memory]) -> Moved:
        found, kept = [], []
        for weight, gradient, known in zip(weights, gradients, memory, strict=True):
            square = known.get("square_avg", 0.0) * self.alpha + (1 - self.alpha) * gradient.square()
            found.append(weight - self.learning_rate * gradient / ((square + _TINY).sqrt() + EPSILON))
            kept.append({"square_avg": square})
        return found, kept


@optimisers.register("sgd")
@dataclass(frozen=True)
class SGD(Optimiser):
    """Stochastic gradient descent, the algorithm of the original GAN (arXiv 1406.2661, algorithm 1)."""

    learning_rate: float = option(0.01, "Step size.", low=1e-8, high=10.0)
    momentum: float = option(0.0, "Share of the last step that is kept.", low=0.0, high=0.9999)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, self.learning_rate, self.momentum, fused=True)

    def moved(self, weights: Sequence[Tensor], gradients: Sequence[Tensor], memory: Sequence[Memory]) -> Moved:
        found, kept = [], []
        for weight, gradient, known in zip(weights, gradients, memory, strict=True):
            before = known.get("momentum_buffer")
            step = gradient if before is None else self.momentum * before + gradient
            found.append(weight - self.learning_rate * step)
            kept.append({"momentum_buffer": step} if self.momentum else {})
        return found, kept
