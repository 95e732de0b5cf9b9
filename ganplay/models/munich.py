"""Document 004: the hypermodel of tables I and II, whose ranges are the options here, and SNGAN's plain networks.

What the tables print is followed row by row: linear to a 4x4 map of 10 to 512 feature maps without anything behind it,
three doublings, a 3x3 convolution, tanh; in the discriminator three halvings. What they leave open, or cannot mean:

- Table II ends in the generator's last row ("Conv. 3, Tanh"), copied: a discriminator that makes an image in [-1, 1]
  has no logit. Its caption calls the last layer variable. Here the last map is summed over its places, as the
  projection wants it (section II.D), and a linear layer makes the logit; `pooled` false reads the whole map instead.
- "Deconv." in the discriminator's rows: convolutions, as the text says of it.
- The tables print no normalisation; the text gives the generator batch norm, plain or conditional, and the
  discriminator none, or spectral norm.
- Each row has its own range of kernels and slopes. Kernels are chosen for each row, the slope for each network.
- Images of 28 pixels: 4 -> 7 -> 14 -> 28, the first doubling one short, and 28 -> 14 -> 7 -> 4 (3 with kernels of 4).
- No initialisation is printed: Glorot's.

SNGAN's plain discriminator (arXiv 1802.05957, table 3) stands here for section III.A, which trains a model "in a
similar fashion" and prints no table; the generator of the same table is the hypermodel's with other widths.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ganplay.contracts import Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.convolution import Conv2d
from ganplay.models.blocks.discriminator import DiscriminatorPlan, ImageDiscriminator
from ganplay.models.blocks.generator import GeneratorPlan, ImageGenerator
from ganplay.models.blocks.labels import GeneratorLabels
from ganplay.models.blocks.layers import NORMS, initialise_glorot
from ganplay.models.blocks.stages import Stage, SumPool, nothing, side_after
from ganplay.options import option


@generators.register("munich")
@dataclass(frozen=True)
class MunichGenerator(ImageGenerator):
    """Table I: linear to a 4x4 map, three doublings, a 3x3 convolution to the image."""

    first_maps: int = option(256, "Feature maps of the first map (table I: 10 to 512).", low=1, high=1024)
    widths: tuple[int, ...] = option((512, 256, 128), "Feature maps of each doubling.", low=1, high=1024, length=(3, 3))
    kernels: tuple[int, ...] = option((4, 4, 4), "Kernel of each doubling.", low=3, high=5, length=(3, 3))
    slope: float = option(0.1, "Slope of the leaky ReLU below 0 (table I: 0 to 0.3).", low=0.0, high=1.0)

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        image = shapes.sample[-1]
        first, *sides = (-(-image // factor) for factor in (8, 4, 2, 1))  # rounded up
        rows = zip(self.widths, sides, self.kernels, strict=True)
        stages = tuple(self.up(width, side, kernel, labels) for width, side, kernel in rows)
        return GeneratorPlan(
            self.first_maps, first, stages, lambda channels: Conv2d(channels, shapes.sample[0], 3, padding=1),
            begin=nothing(),
        )  # fmt: skip

    def activation(self) -> nn.Module:
        return nn.LeakyReLU(self.slope)

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


@discriminators.register("munich")
@dataclass(frozen=True)
class MunichDiscriminator(ImageDiscriminator):
    """Table II: three halvings, then the prediction layer that the table leaves open."""

    widths: tuple[int, ...] = option((128, 256, 512), "Feature maps of each halving.", low=1, high=1024, length=(3, 3))
    kernels: tuple[int, ...] = option((4, 4, 4), "Kernel of each halving.", low=3, high=5, length=(3, 3))
    slope: float = option(0.1, "Slope of the leaky ReLU below 0 (table II: 0 to 0.3).", low=0.0, high=1.0)
    pooled: bool = option(True, "Sum the last map over its places before the prediction layer.")
    norm: str = option("none", "Normalisation after the convolutions; none, layer or instance with a gradient penalty.",
                       choices=NORMS)  # fmt: skip

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        rows = [(width, kernel, 2) for width, kernel in zip(self.widths, self.kernels, strict=True)]
        return _table(self, shapes, rows)

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


@discriminators.register("sngan")
@dataclass(frozen=True)
class SnganDiscriminator(ImageDiscriminator):
    """arXiv 1802.05957, table 3: 3x3 convolutions, with a 4x4 one that halves between two of them, then linear."""

    widths: tuple[int, ...] = option(
        (64, 128, 256, 512), "Feature maps of each 3x3 convolution.", low=1, high=1024, length=(2, 5)
    )
    slope: float = option(0.1, "Slope of the leaky ReLU below 0.", low=0.0, high=1.0)
    pooled: bool = option(True, "Sum the last map over its places before the last layer, as the projection wants it.")
    norm: str = option("none", "Normalisation after the convolutions; none, layer or instance with a gradient penalty.",
                       choices=NORMS)  # fmt: skip

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        *halved, last = self.widths
        rows = [row for width in halved for row in ((width, 3, 1), (width, 4, 2))]
        return _table(self, shapes, [*rows, (last, 3, 1)])

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


def _table(
    config: MunichDiscriminator | SnganDiscriminator, shapes: Shapes, rows: list[tuple[int, int, int]]
) -> DiscriminatorPlan:
    """The plan of rows (feature maps, kernel, stride)."""
    side, stages = shapes.sample[-1], list[Stage]()
    for width, kernel, stride in rows:
        if side < stride:
            raise ValueError(
                f"image_size is {shapes.sample[-1]}, too small for this discriminator: a map of {side} pixel cannot be "
                f"halved; use at least {2 ** sum(stride == 2 for _, _, stride in rows)} pixels."
            )
        stages.append(config.down(width, side, kernel, stride))
        side = side_after(side, kernel, stride)
    if config.pooled:
        return DiscriminatorPlan(tuple(stages), _one_logit, neck=lambda channels, side: SumPool())
    return DiscriminatorPlan(tuple(stages), _one_logit)


def _one_logit(channels: int, side: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, 1))
