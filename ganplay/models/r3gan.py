"""R3GAN's networks (arXiv 2501.05441, section 4, configuration E): residual streams without normalisation.

Both nets are stages of one kind, the discriminator the generator backwards: bilinear resampling with a 1x1 convolution
where the width changes, then blocks of 1x1, grouped 3x3 and 1x1 convolutions, wide in the middle. No normalisation, no
noise maps, no tricks: the loss (relativistic pairs with R1 and R2) keeps the training stable, and initialisation after
Fixup (arXiv 1901.09321) keeps the signals alive: in a net of L blocks the last convolution of each starts at 0, so that
the block starts as the identity, and the other two are scaled by L ** -0.25.

Chosen here: the paper's nets for 32x32 hold tens of millions of weights; the defaults are as wide as two cores can
train. The first map is a linear layer's, the discriminator's last map is read by one convolution per channel as large
as the map. The generator ends in tanh like all generators of this package. Images of 28 pixels go through maps of 28,
14 and 7 pixels. Labels: `concat` in the generator puts an embedding beside the noise, `projection` in the discriminator
multiplies one with the features; that is the paper's class-conditional form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from ganplay.contracts import Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.convolution import Conv2d
from ganplay.models.blocks.discriminator import DiscriminatorPlan, ImageDiscriminator
from ganplay.models.blocks.generator import GeneratorPlan, ImageGenerator
from ganplay.models.blocks.labels import GeneratorLabels
from ganplay.models.blocks.layers import NORMS
from ganplay.models.blocks.residual import InvertedBottleneck, Resample, map_sides
from ganplay.models.blocks.stages import Finish, Stage, nothing
from ganplay.options import option

EXPANSION = 2  # maps in the middle of a block for each one in the stream
SLOPE = 0.2


class R3ganStage(nn.Module):
    """Resampling, then blocks: (N, channels, H, W) to (N, width, factor H, factor W)."""

    def __init__(self, channels: int, width: int, factor: float, blocks: list[InvertedBottleneck]) -> None:
        super().__init__()
        self.resample = Resample(channels, width, factor)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        x = self.resample(x)
        for block in self.blocks:
            x = block(x, code)
        return x


@generators.register("r3gan")
@dataclass(frozen=True)
class R3ganGenerator(ImageGenerator):
    """A linear layer to the first map, one stage of blocks for each width, a 1x1 convolution to the image."""

    widths: tuple[int, ...] = option(
        (128, 96, 48, 24), "Feature maps of each stage, smallest map first.", low=1, high=1024, length=(1, 5)
    )
    blocks: int = option(1, "Blocks of each stage.", low=1, high=8)
    group: int = option(16, "Feature maps that a grouped convolution works on together.", low=1, high=256)
    norm: str = option("none", "Normalisation inside the blocks.", choices=NORMS)

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        sides = map_sides(shapes.sample[-1], len(self.widths) - 1)
        stages = _stages(self.widths, sides, self.blocks, self.group, lambda inner: self.finish(inner, labels))
        return GeneratorPlan(
            self.widths[0], sides[0], stages, lambda channels: Conv2d(channels, shapes.sample[0], 1),
            begin=nothing(),
        )  # fmt: skip

    def activation(self) -> nn.Module:
        return nn.LeakyReLU(SLOPE)

    def initialise(self, network: nn.Module) -> None:
        initialise_fixup(network, silent=not self.spectral_norm)


@discriminators.register("r3gan")
@dataclass(frozen=True)
class R3ganDiscriminator(ImageDiscriminator):
    """One stage of blocks for each width, one convolution per channel over the last map, one linear layer."""

    widths: tuple[int, ...] = option(
        (16, 32, 64, 128), "Feature maps of each stage, largest map first.", low=1, high=1024, length=(1, 5)
    )
    blocks: int = option(1, "Blocks of each stage.", low=1, high=8)
    group: int = option(16, "Feature maps that a grouped convolution works on together.", low=1, high=256)
    norm: str = option("none", "Normalisation inside the blocks; none, layer or instance with a gradient penalty.",
                       choices=NORMS)  # fmt: skip

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        sides = map_sides(shapes.sample[-1], len(self.widths) - 1)[::-1]
        stages = _stages(self.widths, sides, self.blocks, self.group, self.finish)
        return DiscriminatorPlan(stages, _linear, neck=_whole_map)

    def initialise(self, network: nn.Module) -> None:
        initialise_fixup(network, silent=not self.spectral_norm)


def initialise_fixup(network: nn.Module, silent: bool = True) -> None:
    """He's initial weights with the scales of Fixup (arXiv 1901.09321, section 3); biases 0.

    Args:
        silent: begin with blocks that add nothing; not possible where a weight is divided by its largest singular
            value, which then would be 0.
    """
    blocks = [module for module in network.modules() if isinstance(module, InvertedBottleneck)]
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for block in blocks:
        for layer in (block.widen, block.mix):
            nn.init.kaiming_normal_(layer.weight, SLOPE)
            layer.weight.data *= len(blocks) ** -0.25
        if silent:
            nn.init.zeros_(block.narrow.weight)


def _stages(
    widths: tuple[int, ...], sides: tuple[int, ...], blocks: int, group: int, finish: Callable[[int], Finish]
) -> tuple[Stage, ...]:
    rows = zip(widths, (sides[0], *sides[:-1]), sides, strict=True)
    return tuple(_stage(width, before, after, blocks, group, finish) for width, before, after in rows)


def _stage(width: int, before: int, after: int, blocks: int, group: int, finish: Callable[[int], Finish]) -> Stage:
    inner = EXPANSION * width
    groups = max(count for count in range(1, max(1, inner // group) + 1) if inner % count == 0)

    def make(channels: int) -> nn.Module:
        inside = [InvertedBottleneck(width, inner, groups, finish(inner), finish(inner)) for _ in range(blocks)]
        return R3ganStage(channels, width, after / before, inside)

    return Stage(width, after, make)


def _whole_map(channels: int, side: int) -> nn.Module:
    """One number of each channel's map: (N, C, side, side) to (N, C)."""
    return nn.Sequential(Conv2d(channels, channels, side, groups=channels, bias=False), nn.Flatten())


def _linear(features: int, side: int) -> nn.Module:
    return nn.Linear(features, 1)
