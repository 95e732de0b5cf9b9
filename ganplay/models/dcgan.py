"""The DCGAN family (arXiv 1511.06434): strided convolutions down, transposed convolutions up.

The defaults are document 000, tables 1 and 2 (and 4 and 5, which repeat them for the WGAN). Two notes on the tables:

- The generator's first transposed convolution sits on a 1x1 map. With the printed stride 2 and padding 1 it would make
  2x2 and the net would end at 16x16; with stride 1 and no padding it makes the 4x4 that leads to 32x32. On a 1x1 map
  that is a matrix product, and it is computed as one.
- The discriminator's last convolution (4x4, stride 2, padding 1) reads a 2x2 map. Maps of another size, which other
  image sizes lead to, are read by one convolution as large as the map.

With other widths it is the DCGAN of document 003, figures 8 and 9, module for module: 100 -> 1024-512-256-128 -> 64x64,
and 64-128-256-512 with a last 4x4 convolution over a 4x4 map. With attention, labels and spectral norm switched on it
is the SAGAN of figures 10 and 11; the recipes say how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from ganplay.contracts import Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.convolution import Conv2d
from ganplay.models.blocks.discriminator import DiscriminatorPlan, ImageDiscriminator
from ganplay.models.blocks.generator import GeneratorPlan, ImageGenerator
from ganplay.models.blocks.labels import GeneratorLabels
from ganplay.models.blocks.layers import initialise_normal
from ganplay.models.blocks.resizing import ResizedUp, resized
from ganplay.models.blocks.stages import Stage, doubling
from ganplay.options import option


@generators.register("dcgan")
@dataclass(frozen=True)
class DcganGenerator(ImageGenerator):
    """A linear layer to the first map, then one doubling for each further width and one to the image."""

    kernel: ClassVar[int] = 4

    widths: tuple[int, ...] = option(
        (1024, 512, 256), "Feature maps, first map first.", low=1, high=2048, length=(1, 5)
    )
    std: float = option(0.02, "Standard deviation of the initial weights.", low=1e-4, high=1.0)
    upsampling: str = option(
        "transposed",
        "How maps are doubled: by transposed convolutions as printed, or by repetition and ordinary ones (resize).",
        choices=("transposed", "resize"),
    )

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        side, factor = shapes.sample[-1], 2 ** len(self.widths)
        if side % factor:
            raise ValueError(
                f"image_size is {side}, which this generator cannot make: with {len(self.widths)} widths it doubles "
                f"{len(self.widths)} times, so the side must be a multiple of {factor}, such as "
                f"{max(1, side // factor) * factor} or {(side // factor + 1) * factor}."
            )
        first, *rest = self.widths
        begin = side // factor
        stages = tuple(self._doubled(width, begin * 2**index, labels) for index, width in enumerate(rest, 1))
        last = doubling if self.upsampling == "transposed" else resized
        return GeneratorPlan(first, begin, stages, lambda channels: last(channels, shapes.sample[0], self.kernel))

    def _doubled(self, width: int, side: int, labels: GeneratorLabels) -> Stage:
        if self.upsampling == "transposed":
            return self.up(width, side, self.kernel, labels)
        return Stage(width, side, lambda channels: ResizedUp(channels, width, self.kernel, self.finish(width, labels)))

    def initialise(self, network: nn.Module) -> None:
        initialise_normal(network, self.std)


@discriminators.register("dcgan")
@dataclass(frozen=True)
class DcganDiscriminator(ImageDiscriminator):
    """One halving 4x4 convolution for each width, then one convolution over what is left."""

    kernel: ClassVar[int] = 4

    widths: tuple[int, ...] = option((32, 64, 128, 256), "Feature maps of each layer.", low=1, high=2048, length=(1, 6))
    norm_first: bool = option(True, "Normalise after the first convolution too, as the document's table has it.")
    std: float = option(0.02, "Standard deviation of the initial weights.", low=1e-4, high=1.0)

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        side, halvings = shapes.sample[-1], len(self.widths)
        if side >> halvings == 0:  # a 4x4 convolution with stride 2 and padding 1 makes floor(side / 2)
            raise ValueError(
                f"image_size is {side}, too small for this discriminator: {halvings} halvings need at least "
                f"{2**halvings} pixels."
            )
        stages = tuple(
            self.down(width, side >> index, self.kernel, norm=None if index or self.norm_first else "none")
            for index, width in enumerate(self.widths)
        )
        return DiscriminatorPlan(stages, _head)

    def initialise(self, network: nn.Module) -> None:
        initialise_normal(network, self.std)


def _head(channels: int, side: int) -> nn.Module:
    """The last convolution, to a 1x1 map: both documents print it with stride 2, which acts on nothing there."""
    kernel, padding = (4, 1) if side == 2 else (side, 0)
    return Conv2d(channels, 1, kernel, stride=2, padding=padding)
