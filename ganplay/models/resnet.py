"""The residual networks of SNGAN (arXiv 1802.05957, table 4: CIFAR-10), conditional as in arXiv 1802.05637.

The generator: linear to a small map, residual blocks that double it, batch norm, ReLU, 3x3 convolution, tanh. The
discriminator: residual blocks that halve the image twice and then keep an 8x8 map, ReLU, the sum over all places,
linear. Conditional batch norm and the projection are switches of the frame, spectral norm too. Chosen here:

- The papers' nets are 256 maps wide in the generator and 128 in the discriminator, 1,615 and 269 million multiply-adds
  an image. The defaults are as deep and narrow enough for a processor; `widths` brings the papers' back.
- The papers' 32 pixels come from 4 in three doublings. 28 pixels come from 7 in two: the first block then keeps its
  side.
- Conditional batch norm acts in the blocks; the one before the last convolution is plain, as in the authors' work.
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
from ganplay.models.blocks.layers import NORMS, initialise_glorot, norm2d
from ganplay.models.blocks.residual import ResidualDown, ResidualUp, map_sides
from ganplay.models.blocks.stages import Stage, SumPool, nothing
from ganplay.options import option

HALVINGS = 2  # of the discriminator, however many blocks follow


@generators.register("resnet")
@dataclass(frozen=True)
class ResnetGenerator(ImageGenerator):
    """A linear layer to the first map, then one residual block for each further width, and one convolution."""

    widths: tuple[int, ...] = option(
        (128, 64, 48, 24), "Feature maps of the first map and of each residual block.", low=1, high=1024, length=(2, 6)
    )

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        first, *rest = self.widths
        sides = map_sides(shapes.sample[-1], len(rest))
        rows = zip(rest, sides[:-1], sides[1:], strict=True)
        stages = tuple(self._block(width, before, after, labels) for width, before, after in rows)
        return GeneratorPlan(
            first, sides[0], stages, lambda channels: self._last(channels, shapes.sample[0]), begin=nothing()
        )

    def _block(self, width: int, before: int, after: int, labels: GeneratorLabels) -> Stage:
        def make(channels: int) -> nn.Module:
            return ResidualUp(
                channels, width, after > before, self.finish(channels, labels), self.finish(width, labels)
            )

        return Stage(width, after, make)

    def _last(self, channels: int, colours: int) -> nn.Module:
        convolution = Conv2d(channels, colours, 3, padding=1)
        return nn.Sequential(norm2d(self.norm, channels), self.activation(), convolution)

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


@discriminators.register("resnet")
@dataclass(frozen=True)
class ResnetDiscriminator(ImageDiscriminator):
    """One residual block for each width, of which the first two halve the image, then the sum over all places."""

    widths: tuple[int, ...] = option(
        (24, 48, 64, 64), "Feature maps of each residual block.", low=1, high=1024, length=(1, 6)
    )
    norm: str = option("none", "Normalisation in the blocks; none, layer or instance with a gradient penalty.",
                       choices=NORMS)  # fmt: skip
    slope: float = option(0.0, "Slope of the leaky ReLU below 0; 0 is the papers' ReLU.", low=0.0, high=1.0)

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        sides = map_sides(shapes.sample[-1], HALVINGS)[::-1]
        sides = sides + sides[-1:] * len(self.widths)  # the later blocks keep the side
        stages = tuple(
            self._block(width, sides[index], sides[index + 1], image=index == 0)
            for index, width in enumerate(self.widths)
        )
        return DiscriminatorPlan(stages, _linear, neck=self._neck)

    def _block(self, width: int, before: int, after: int, image: bool) -> Stage:
        def make(channels: int) -> nn.Module:
            first = None if image else self.finish(channels)
            return ResidualDown(channels, width, after < before, first, self.finish(width))

        return Stage(width, after, make)

    def _neck(self, channels: int, side: int) -> nn.Module:
        return nn.Sequential(self.finish(channels), SumPool())

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


def _linear(features: int, side: int) -> nn.Module:
    return nn.Linear(features, 1)
