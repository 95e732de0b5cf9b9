"""Fully connected GANs: the first GAN's family (arXiv 1406.2661), document 001 section 3.2 and document 002 table 1.

They read and make samples of any shape, so the 2-D sets use them too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganplay.contracts import Critique, Network, Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.dropout import Dropout
from ganplay.models.blocks.labels import ClassTable, Projection, needed
from ganplay.models.blocks.layers import ACTIVATIONS, OUTPUTS, Output, activation
from ganplay.models.blocks.spectral import add_spectral_norm
from ganplay.options import option


class _Generator(nn.Module):
    def __init__(self, config: FullyConnectedGenerator, shapes: Shapes) -> None:
        super().__init__()
        conditional = config.conditioning == "concat"
        self.embed = ClassTable(shapes.classes, config.label_width) if conditional else None
        inputs = shapes.latent + (config.label_width if conditional else 0)
        hidden = _hidden_layers(inputs, config)
        self.layers = nn.Sequential(*hidden, nn.Linear(config.widths[-1], math.prod(shapes.sample)))
        self.output = Output(config.output)
        self.sample = shapes.sample

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        if self.embed is not None:
            z = torch.cat([z, self.embed(needed(y, "generator"))], 1)
        return self.output(self.layers(z)).unflatten(1, self.sample)  # (N, *sample)


class _Discriminator(nn.Module):
    def __init__(self, config: FullyConnectedDiscriminator, shapes: Shapes) -> None:
        super().__init__()
        how, width = config.conditioning, config.widths[-1]
        self.embed = nn.Embedding(shapes.classes, config.label_width) if how == "concat" else None
        inputs = math.prod(shapes.sample) + (config.label_width if how == "concat" else 0)
        self.layers = nn.Sequential(*_hidden_layers(inputs, config))
        self.head = nn.Linear(width, 1)
        self.projection = Projection(shapes.classes, width) if how == "projection" else None
        self.classify = nn.Linear(width, shapes.classes) if how == "auxiliary" else None

    def forward(self, x: Tensor, y: Tensor | None = None) -> Critique:
        x = x.flatten(1)
        if self.embed is not None:
            x = torch.cat([x, self.embed(needed(y, "discriminator"))], 1)
        features = self.layers(x)  # (N, last width)
        logits = self.head(features).squeeze(1)
        if self.projection is not None:
            logits = logits + self.projection(features, needed(y, "discriminator"))
        return Critique(logits, None if self.classify is None else self.classify(features), features)


@generators.register("fully-connected")
@dataclass(frozen=True)
class FullyConnectedGenerator(Network):
    """Noise through hidden layers to every pixel (or coordinate) at once, with PyTorch's own initial weights."""

    widths: tuple[int, ...] = option((256,), "Units of each hidden layer.", low=1, high=4096, length=(1, 12))
    activation: str = option("leaky_relu", "Activation of the hidden layers.", choices=ACTIVATIONS)
    slope: float = option(0.2, "Slope of the leaky ReLU below 0.", low=0.0, high=1.0)
    output: str = option("tanh", "Last activation; points of the 2-D sets need linear.", choices=OUTPUTS)
    conditioning: str = option("none", "How the class label joins: not, or beside the noise.",
                               choices=("none", "concat"))  # fmt: skip
    label_width: int = option(16, "Length of the label's code with concat.", low=1, high=1024)
    spectral_norm: bool = option(False, "Divide every weight by its largest singular value.")
    dropout: float = option(0.0, "Share of values dropped after every hidden activation.", low=0.0, high=0.9)

    def build(self, shapes: Shapes) -> nn.Module:
        network = _Generator(self, shapes)
        if self.spectral_norm:
            add_spectral_norm(network)
        return network


@discriminators.register("fully-connected")
@dataclass(frozen=True)
class FullyConnectedDiscriminator(Network):
    """Every pixel (or coordinate) through hidden layers to one logit."""

    widths: tuple[int, ...] = option((256,), "Units of each hidden layer.", low=1, high=4096, length=(1, 12))
    activation: str = option("leaky_relu", "Activation of the hidden layers.", choices=ACTIVATIONS)
    slope: float = option(0.2, "Slope of the leaky ReLU below 0.", low=0.0, high=1.0)
    conditioning: str = option(
        "none",
        "How the class label joins: beside the sample, as a projection on the features, or as the target of an "
        "auxiliary classifier.",
        choices=("none", "concat", "projection", "auxiliary"),
    )
    label_width: int = option(16, "Length of the label's code with concat.", low=1, high=1024)
    spectral_norm: bool = option(False, "Divide every weight by its largest singular value.")
    dropout: float = option(0.0, "Share of values dropped after every hidden activation.", low=0.0, high=0.9)

    def build(self, shapes: Shapes) -> nn.Module:
        network = _Discriminator(self, shapes)
        if self.spectral_norm:
            add_spectral_norm(network)
        return network


def _hidden_layers(inputs: int, config: FullyConnectedGenerator | FullyConnectedDiscriminator) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in config.widths:
        layers += [nn.Linear(inputs, width), activation(config.activation, config.slope)]
        if config.dropout:
            layers.append(Dropout(config.dropout))
        inputs = width
    return layers
