"""Optimisers by name, with the defaults GAN papers use.

Each updates all weights in as few passes over memory as torch has for it: one ("fused") for Adam and SGD, a few for
RMSprop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from ganplay.contracts import Optimiser
from ganplay.options import option
from ganplay.registry import Registry

optimisers = Registry("optimiser", __name__)


@optimisers.register("adam")
@dataclass(frozen=True)
class Adam(Optimiser):
    """Adam (arXiv 1412.6980) with the beta1 = 0.5 of the DCGAN paper (arXiv 1511.06434)."""

    learning_rate: float = option(2e-4, "Step size.", low=1e-8, high=1.0)
    beta1: float = option(0.5, "Memory of the gradient's mean.", low=0.0, high=0.9999)
    beta2: float = option(0.999, "Memory of the gradient's square.", low=0.0, high=0.99999)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, self.learning_rate, (self.beta1, self.beta2), fused=True)


@optimisers.register("rmsprop")
@dataclass(frozen=True)
class RMSprop(Optimiser):
    """RMSprop without momentum, as the WGAN paper trains its critic (arXiv 1701.07875)."""

    learning_rate: float = option(5e-5, "Step size.", low=1e-8, high=1.0)
    alpha: float = option(0.99, "Memory of the gradient's square.", low=0.0, high=0.99999)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, self.learning_rate, self.alpha, foreach=True)


@optimisers.register("sgd")
@dataclass(frozen=True)
class SGD(Optimiser):
    """Stochastic gradient descent, the algorithm of the original GAN (arXiv 1406.2661, algorithm 1)."""

    learning_rate: float = option(0.01, "Step size.", low=1e-8, high=10.0)
    momentum: float = option(0.0, "Share of the last step that is kept.", low=0.0, high=0.9999)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters, self.learning_rate, self.momentum, fused=True)
