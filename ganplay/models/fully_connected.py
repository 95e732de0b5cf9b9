"""Fully connected GANs: the first GAN's family (arXiv 1406.2661), document 001 section 3.2 and document 002 table 1.

They read and make samples of any shape, so the 2-D sets use them too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn

from ganplay.contracts import Critique, Network, Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.layers import ACTIVATIONS, OUTPUTS, Output, activation
from ganplay.options import option


def _hidden_layers(inputs: int, widths: tuple[int, ...], name: str, slope: float) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(inputs, width), activation(name, slope)]
        inputs = width
    return layers


class _Generator(nn.Module):
    def __init__(self, layers: list[nn.Module], sample: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.sample = sample

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.layers(z).unflatten(1, self.sample)  # (N, *sample)


class _Discriminator(nn.Module):
    def __init__(self, layers: list[nn.Module], features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(features, 1)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Critique:
        features = self.layers(x.flatten(1))  # (N, features)
        return Critique(self.head(features).squeeze(1), features=features)


@generators.register("fully-connected")
@dataclass(frozen=True)
class FullyConnectedGenerator(Network):
    """Noise through hidden layers to every pixel (or coordinate) at once, with PyTorch's own initial weights."""

    widths: tuple[int, ...] = option((256,), "Units of each hidden layer.", low=1, high=4096, length=(1, 12))
    activation: str = option("leaky_relu", "Activation of the hidden layers.", choices=ACTIVATIONS)
    slope: float = option(0.2, "Slope of the leaky ReLU below 0.", low=0.0, high=1.0)
    output: str = option("tanh", "Last activation; points of the 2-D sets need linear.", choices=OUTPUTS)

    def build(self, shapes: Shapes) -> nn.Module:
        layers = _hidden_layers(shapes.latent, self.widths, self.activation, self.slope)
        last = nn.Linear(self.widths[-1], math.prod(shapes.sample))
        return _Generator([*layers, last, Output(self.output)], shapes.sample)


@discriminators.register("fully-connected")
@dataclass(frozen=True)
class FullyConnectedDiscriminator(Network):
    """Every pixel (or coordinate) through hidden layers to one logit."""

    widths: tuple[int, ...] = option((256,), "Units of each hidden layer.", low=1, high=4096, length=(1, 12))
    activation: str = option("leaky_relu", "Activation of the hidden layers.", choices=ACTIVATIONS)
    slope: float = option(0.2, "Slope of the leaky ReLU below 0.", low=0.0, high=1.0)

    def build(self, shapes: Shapes) -> nn.Module:
        layers = _hidden_layers(math.prod(shapes.sample), self.widths, self.activation, self.slope)
        return _Discriminator(layers, self.widths[-1])
