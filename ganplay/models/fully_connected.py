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
from ganplay.models.blocks.stages import MinibatchDeviation
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
        self.pack = config.pack
        self.layers = nn.Sequential(*_hidden_layers(config.pack * inputs, config))
        self.deviation = MinibatchDeviation(None) if config.minibatch_deviation else None
        self.head = nn.Linear(width + config.minibatch_deviation, 1)
        self.projection = Projection(shapes.classes, width) if how == "projection" else None
        self.classify = nn.Linear(width, shapes.classes) if how == "auxiliary" else None

    def forward(self, x: Tensor, y: Tensor | None = None) -> Critique:
        x = x.flatten(1)
        if self.embed is not None:
            x = torch.cat([x, self.embed(needed(y, "discriminator"))], 1)
        features = self.layers(_packed(x, self.pack))  # (N / pack, last width)
        logits = self.head(features if self.deviation is None else self.deviation(features)).squeeze(1)
        features, logits = (_unpacked(said, self.pack, len(x)) for said in (features, logits))
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
    """Every pixel (or coordinate) through hidden layers to one logit.

    Two of its options let it see what no single sample shows, that all are alike. A pack (PacGAN, arXiv 1712.04086,
    section 3) is judged as one: consecutive samples enter side by side, and each of them gets the pack's logit; those
    that are missing in the last one are the batch's first. The minibatch deviation (arXiv 1710.10196, section 3, over
    the whole batch) stands beside the last features.
    """

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
    pack: int = option(1, "Samples that are judged together, as one pack (PacGAN); 1 for each alone.", low=1, high=8)
    minibatch_deviation: bool = option(False, "Show the last layer how much the samples of a batch differ.")

    def build(self, shapes: Shapes) -> nn.Module:
        if self.pack > 1 and self.conditioning == "auxiliary":
            raise ValueError(
                f"discriminator.pack is {self.pack}, and an auxiliary classifier names single samples; choose pack 1 "
                "or another conditioning."
            )
        network = _Discriminator(self, shapes)
        if self.spectral_norm:
            add_spectral_norm(network)
        return network


def _packed(x: Tensor, size: int) -> Tensor:
    """Samples (N, F) as packs (ceil(N / size), size * F)."""
    if size == 1:
        return x
    missing = torch.arange(-len(x) % size, device=x.device) % len(x)
    return torch.cat([x, x[missing]]).view(-1, size * x.shape[1])


def _unpacked(said: Tensor, size: int, count: int) -> Tensor:
    """What is said of packs, for each of `count` samples."""
    return said if size == 1 else said.repeat_interleave(size, 0)[:count]


def _hidden_layers(inputs: int, config: FullyConnectedGenerator | FullyConnectedDiscriminator) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in config.widths:
        layers += [nn.Linear(inputs, width), activation(config.activation, config.slope)]
        if config.dropout:
            layers.append(Dropout(config.dropout))
        inputs = width
    return layers
