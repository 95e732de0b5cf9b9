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

from torch import nn

from ganplay.contracts import Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.discriminator import DiscriminatorPlan, ImageDiscriminator
from ganplay.models.blocks.generator import GeneratorPlan, ImageGenerator
from ganplay.models.blocks.labels import GeneratorLabels
from ganplay.models.blocks.layers import NORMS, initialise_glorot
from ganplay.options import option

SLOPE = 0.2
KERNEL = 4


def _quarter(shapes: Shapes, noun: str) -> int:
    side = shapes.sample[-1]
    if side % 4:
        raise ValueError(
            f"image_size is {side}, which the {noun} cannot work with: it scales by two twice, so the side must be a "
            f"multiple of 4, such as {side // 4 * 4} or {side // 4 * 4 + 4}."
        )
    return side // 4


@generators.register("cs229")
@dataclass(frozen=True)
class Cs229Generator(ImageGenerator):
    """Linear to a map a quarter of the image's side, two doublings, one convolution to the image."""

    maps: int = option(128, "Feature maps of every block.", low=1, high=1024)
    norm: str = option("none", "Normalisation after every layer but the last.", choices=NORMS)

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        side = _quarter(shapes, f"generator '{self.kind}'")
        stages = tuple(self.up(self.maps, side * factor, KERNEL, labels) for factor in (2, 4))
        return GeneratorPlan(
            self.maps, side, stages, lambda channels: nn.Conv2d(channels, shapes.sample[0], 3, padding=1)
        )

    def activation(self) -> nn.Module:
        return nn.LeakyReLU(SLOPE)

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


@discriminators.register("cs229")
@dataclass(frozen=True)
class Cs229Discriminator(ImageDiscriminator):
    """Two halving convolutions and a linear layer, without normalisation."""

    maps: int = option(128, "Feature maps of every block.", low=1, high=1024)
    norm: str = option("none", "Normalisation after the convolutions; none, layer or instance with a gradient penalty.",
                       choices=NORMS)  # fmt: skip

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        side = _quarter(shapes, f"discriminator '{self.kind}'")
        stages = tuple(self.down(self.maps, side * factor, KERNEL) for factor in (4, 2))
        return DiscriminatorPlan(stages, _linear)

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


def _linear(channels: int, side: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, 1))
