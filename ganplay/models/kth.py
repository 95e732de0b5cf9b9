"""Document 002, tables 2 and 3: the intermediate model and the complete DCGAN. (Table 1 is `fully_connected`.)

What the tables leave open, and what was chosen:

- "5 x 5 upconv" with stride 2 doubles a map, "5 x 5 conv" with stride 2 halves it, as TensorFlow's padding "same" has
  it; odd sides are rounded up going down and come out again going up (28 -> 14 -> 7 -> 4 and back).
- "FC. height*width*depth*8" is as many numbers as 128 maps for each colour channel at a quarter of the side. Its batch
  norm is taken over each of these maps, as in the DCGAN.
- "FC. height/8*width/8*1024" is as many numbers as 1024 maps at an eighth of the side. Where the side does not divide
  by 8, the numbers stay as many and take another shape, as the table's footnote allows: 28 / 8 is rounded up to 4, and
  the 12,544 numbers of a side of 28 are 784 maps of 4 x 4.
- Four upconvolutions with stride 2 would make twice the wanted side. By the same footnote strides may change: the first
  upconvolution has stride 1, the other three double.
- Where a row lists ReLU before batchnorm, the normalisation comes first all the same, as in the DCGAN paper.
- Table 3 prints no batch norm, but section 2.2 says that it was implemented, for most layers. Without it the generator
  collapsed in trials (MNIST, a quarter of the widths, two seeds): after 12,000 images every noise gave the same picture
  and D was right about all. So it is on; `norm` switches it off.
- Slopes are the DCGAN paper's 0.2, initial weights Glorot's, the default of the document's TensorFlow.

The last upconvolution's sigmoid or tanh, and dropout, are switches of every network here (section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ganplay.contracts import Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.convolution import ConvTranspose2d
from ganplay.models.blocks.discriminator import DiscriminatorPlan, ImageDiscriminator
from ganplay.models.blocks.generator import GeneratorPlan, ImageGenerator
from ganplay.models.blocks.labels import GeneratorLabels
from ganplay.models.blocks.layers import initialise_glorot
from ganplay.models.blocks.stages import Finish, Stage, doubling, side_after
from ganplay.options import option

KERNEL = 5
HALVINGS = 3  # table 3 begins at an eighth of the side


class Level(nn.Module):
    """A transposed convolution with stride 1, then normalisation, activation and dropout: the side stays."""

    def __init__(self, channels: int, width: int, finish: Finish) -> None:
        super().__init__()
        bias = isinstance(finish.norm, nn.Identity)
        self.convolution = ConvTranspose2d(channels, width, KERNEL, padding=KERNEL // 2, bias=bias)
        self.finish = finish

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        return self.finish(self.convolution(x), code)


@dataclass(frozen=True)
class _Generator(ImageGenerator):
    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)

    def table(self, shapes: Shapes, labels: GeneratorLabels, widths: tuple[int, ...]) -> GeneratorPlan:
        """A fully connected layer to the first map, then one upconvolution for each further width and one to the image.

        The last three upconvolutions, or all where there are fewer, double; any before them have stride 1. The first
        layer has as many units as `widths[0]` maps of the exact side, 3.5 for 28; where that is rounded up, the maps
        are fewer.
        """
        side = shapes.sample[-1]
        sides = [side]
        for _ in range(min(len(widths), HALVINGS)):
            sides.insert(0, (sides[0] + 1) // 2)
        levels = len(widths) + 1 - len(sides)
        first, *rest = widths
        exact = side / 2 ** (len(sides) - 1)
        maps = max(1, round(first * (exact / sides[0]) ** 2))
        stages = tuple(
            self.level(width, sides[0], labels)
            if index < levels
            else self.up(width, sides[index - levels + 1], KERNEL, labels)
            for index, width in enumerate(rest)
        )
        odd = side % 2 == 1
        return GeneratorPlan(
            maps, sides[0], stages, lambda channels: doubling(channels, shapes.sample[0], KERNEL, odd=odd)
        )

    def level(self, width: int, side: int, labels: GeneratorLabels) -> Stage:
        """A stage that makes `width` maps of the height `side` that it is given."""
        return Stage(width, side, lambda channels: Level(channels, width, self.finish(width, labels)))


@generators.register("kth-intermediate")
@dataclass(frozen=True)
class KthIntermediateGenerator(_Generator):
    """Table 2: a fully connected layer to a quarter of the side, two upconvolutions."""

    widths: tuple[int, ...] = option(
        (128, 64), "Feature maps, first map first; the first number counts for each colour channel.", low=1, high=1024,
        length=(1, 3),
    )  # fmt: skip

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        first, *rest = self.widths
        return self.table(shapes, labels, (first * shapes.sample[0], *rest))


@generators.register("kth-dcgan")
@dataclass(frozen=True)
class KthDcganGenerator(_Generator):
    """Table 3: a fully connected layer to an eighth of the side, four upconvolutions of which the last three double."""

    widths: tuple[int, ...] = option(
        (1024, 512, 256, 128),
        "Feature maps, first map first; fewer in the first where 8 does not divide the side (784 of 1024 at 28).",
        low=1, high=2048, length=(1, 5),
    )  # fmt: skip

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        return self.table(shapes, labels, self.widths)


@dataclass(frozen=True)
class _Discriminator(ImageDiscriminator):
    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)

    def halvings(self, side: int, widths: tuple[int, ...]) -> tuple[Stage, ...]:
        """One halving convolution for each width, normalised from the second on."""
        stages = []
        for index, width in enumerate(widths):
            stages.append(self.down(width, side, KERNEL, norm=None if index else "none"))
            side = side_after(side, KERNEL, 2)
        return tuple(stages)


@discriminators.register("kth-intermediate")
@dataclass(frozen=True)
class KthIntermediateDiscriminator(_Discriminator):
    """Table 2: two halving convolutions and two fully connected layers."""

    widths: tuple[int, ...] = option((64, 128), "Feature maps of the convolutions.", low=1, high=1024, length=(1, 6))
    units: int = option(128, "Units of the fully connected layer.", low=1, high=4096)

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        return DiscriminatorPlan(self.halvings(shapes.sample[-1], self.widths), _linear, self._connect, self.units)

    def _connect(self, channels: int, side: int) -> nn.Module:
        norm = _norm1d(self.norm, self.units)
        linear = nn.Linear(channels * side * side, self.units, bias=isinstance(norm, nn.Identity))
        return nn.Sequential(nn.Flatten(), linear, Finish(norm, self.activation(), self.dropout))


@discriminators.register("kth-dcgan")
@dataclass(frozen=True)
class KthDcganDiscriminator(_Discriminator):
    """Table 3: four halving convolutions and one unit on what is left."""

    widths: tuple[int, ...] = option(
        (64, 128, 256, 512), "Feature maps of each layer.", low=1, high=2048, length=(1, 6)
    )

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        return DiscriminatorPlan(self.halvings(shapes.sample[-1], self.widths), _linear)


def _linear(channels: int, side: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, 1))


def _norm1d(name: str, units: int) -> nn.Module:
    """A normalisation of (N, F) features; an instance norm would leave nothing of single values, so it is none here."""
    return {
        "batch": lambda: nn.BatchNorm1d(units),
        "layer": lambda: nn.LayerNorm(units),
    }.get(name, nn.Identity)()
