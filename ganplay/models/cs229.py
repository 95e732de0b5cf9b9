"""Document 001, section 3.3: a DCGAN without batch norm, 128 feature maps at every block, for 28x28 digits.

The document draws the generator (noise -> 7x7 -> 14x14 -> 28x28, blocks of transposed convolutions 128 maps deep) and
says the depth stays 128 at each convolutional layer; it prints no kernel, no discriminator table, no initialisation and
no optimiser. Chosen here: 4x4 kernels with stride 2; a discriminator that mirrors the generator (28 -> 14 -> 7, then
linear); LeakyReLU 0.2 in both, which section 3.2 argues for; Glorot's initial weights, the default of the document's
TensorFlow; and a last 3x3 convolution to the image. A 7x7 one, as some examples of the time have it, sums 6,272 weights
that all step the same way at first: tried with Adam at 2e-4 it drove every pixel to -9 before the tanh within 4,000
images, where the tanh has no gradient left, and the generator painted black for good.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganplay.contracts import Critique, Network, Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.layers import OUTPUTS, Output, initialise_glorot
from ganplay.models.dcgan import image_side
from ganplay.options import option

SLOPE = 0.2


def _quarter(shapes: Shapes, noun: str) -> int:
    side = image_side(shapes, noun)
    if side % 4:
        raise ValueError(
            f"image_size is {side}, which the {noun} cannot work with: it scales by two twice, so the side must be a "
            f"multiple of 4, such as {side // 4 * 4} or {side // 4 * 4 + 4}."
        )
    return side // 4


class _Generator(nn.Module):
    def __init__(self, config: Cs229Generator, shapes: Shapes, side: int) -> None:
        super().__init__()
        maps = config.maps
        self.side = side
        self.project = nn.Linear(shapes.latent, maps * side * side)
        self.up = nn.ModuleList(nn.ConvTranspose2d(maps, maps, 4, stride=2, padding=1) for _ in range(2))
        self.last = nn.Conv2d(maps, shapes.sample[0], 3, padding=1)
        self.output = Output(config.output)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        x = leaky_relu(self.project(z), SLOPE).unflatten(1, (-1, self.side, self.side))  # (N, maps, 7, 7)
        for up in self.up:
            x = leaky_relu(up(x), SLOPE)  # (N, maps, 14, 14), then (N, maps, 28, 28)
        return self.output(self.last(x))


class _Discriminator(nn.Module):
    def __init__(self, config: Cs229Discriminator, shapes: Shapes, side: int) -> None:
        super().__init__()
        maps = config.maps
        self.down = nn.ModuleList(
            nn.Conv2d(inputs, maps, 4, stride=2, padding=1) for inputs in (shapes.sample[0], maps)
        )
        self.head = nn.Linear(maps * side * side, 1)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Critique:
        for down in self.down:
            x = leaky_relu(down(x), SLOPE)  # (N, maps, 14, 14), then (N, maps, 7, 7)
        features = x.flatten(1)
        return Critique(self.head(features).squeeze(1), features=features)


@generators.register("cs229")
@dataclass(frozen=True)
class Cs229Generator(Network):
    """Linear to a map a quarter of the image's side, two doublings, one convolution to the image."""

    maps: int = option(128, "Feature maps of every block.", low=1, high=1024)
    output: str = option("tanh", "Last activation.", choices=OUTPUTS[:2])

    def build(self, shapes: Shapes) -> nn.Module:
        network = _Generator(self, shapes, _quarter(shapes, "generator 'cs229'"))
        initialise_glorot(network)
        return network


@discriminators.register("cs229")
@dataclass(frozen=True)
class Cs229Discriminator(Network):
    """Two halving convolutions and a linear layer, without normalisation."""

    maps: int = option(128, "Feature maps of every block.", low=1, high=1024)

    def build(self, shapes: Shapes) -> nn.Module:
        network = _Discriminator(self, shapes, _quarter(shapes, "discriminator 'cs229'"))
        initialise_glorot(network)
        return network
