"""Document 001, section 3.3: a DCGAN without batch norm, 128 feature maps at every block, for 28x28 digits.

The document draws the generator (noise -> 7x7 -> 14x14 -> 28x28, blocks of transposed convolutions 128 maps deep) and
says the depth stays 128 at each convolutional layer; it prints no kernel, no discriminator table, no initialisation and
no optimiser. Chosen here: 4x4 kernels with stride 2; a discriminator that mirrors the generator (28 -> 14 -> 7, then
linear); LeakyReLU 0.2 in both, which section 3.2 argues for; Glorot's initial weights, the default of the document's
TensorFlow; and a last 3x3 convolution to the image. A 7x7 one, as some examples of the time have it, sums 6,272 weights
that all step the same way at first: tried with Adam at 2e-4 it drove every pixel to -9 before the tanh within 4,000
images, where the tanh has no gradient left, and the generator painted black for good.

Its two other generators add a second way to the 14x14 and the 28x28 maps ("the addition is performed at scales 14x14
and 28x28"); the discriminator stays. With h7 the first map and B1, B2 the two doubling blocks:

- skip:      h14 = B1(h7) + U(h7),  h28 = B2(h14) + U(h14), where U upsamples by repeating pixels;
- parallel:  h14 = B1(h7) + p14,  h28 = B2(h14) + p28, where p14 = P1(h7) and p28 = P2(p14) run through a branch of
  blocks like B1 and B2 with weights of their own.

Only "an upsample" and "a transposed convolution" are printed for the red arrows. Whether the parallel branch goes on
from its own 14x14 map or from the sum is not; its own is what makes it a branch, whose "final feature maps" section 4.2
sets beside the other's.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ganplay.contracts import Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.convolution import Conv2d
from ganplay.models.blocks.discriminator import DiscriminatorPlan, ImageDiscriminator
from ganplay.models.blocks.generator import GeneratorPlan, ImageGenerator, StagedGenerator
from ganplay.models.blocks.labels import GeneratorLabels
from ganplay.models.blocks.layers import NORMS, initialise_glorot
from ganplay.options import option

WIRINGS = ("plain", "skip", "parallel")
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
    wiring: str = option(
        "plain",
        "What is added to the maps of each doubling: nothing, its input upsampled, or a parallel branch's maps.",
        choices=WIRINGS,
    )
    norm: str = option("none", "Normalisation after every layer but the last.", choices=NORMS)

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        side = _quarter(shapes, f"generator '{self.kind}'")
        stages = tuple(self.up(self.maps, side * factor, KERNEL, labels) for factor in (2, 4))
        return GeneratorPlan(self.maps, side, stages, lambda channels: Conv2d(channels, shapes.sample[0], 3, padding=1))

    def assemble(self, shapes: Shapes, labels: GeneratorLabels) -> nn.Module:
        module = {"plain": StagedGenerator, "skip": SkipGenerator, "parallel": ParallelGenerator}[self.wiring]
        return module(self, shapes, labels)

    def activation(self) -> nn.Module:
        return nn.LeakyReLU(SLOPE)

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


class Sum(nn.Module):
    """Adds two maps of one shape; a module, so that a hook can take the sum."""

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        return x + other


class SkipGenerator(StagedGenerator):
    """Adds to each stage's maps its input, upsampled.

    For the stage i, the outputs of the submodules `stages.i`, `beside.i` and `sums.i` are the block's maps, what is
    added to them, and the sum, each (N, maps, side, side).
    """

    def __init__(self, config: Cs229Generator, shapes: Shapes, labels: GeneratorLabels) -> None:
        super().__init__(config, shapes, labels)
        self.beside = nn.ModuleList(nn.Upsample(scale_factor=2) for _ in self.stages)
        self.sums = nn.ModuleList(Sum() for _ in self.stages)

    def body(self, x: Tensor, code: Tensor | None) -> Tensor:
        for index, (stage, beside, add) in enumerate(zip(self.stages, self.beside, self.sums, strict=True)):
            x = add(stage(self.labels.join_stage(x, code, index), code), beside(x))
            if index == self.attended:
                x = self.attention(x)
        return x


class ParallelGenerator(StagedGenerator):
    """Adds to each stage's maps those of a second branch, which begins at the same first map.

    The submodules `stages.i`, `beside.i` and `sums.i` put out the maps of the two branches and their sum, each
    (N, maps, side, side).
    """

    def __init__(self, config: Cs229Generator, shapes: Shapes, labels: GeneratorLabels) -> None:
        super().__init__(config, shapes, labels)
        self.beside = nn.ModuleList(stage.make(config.maps) for stage in config.plan(shapes, labels).stages)
        self.sums = nn.ModuleList(Sum() for _ in self.stages)

    def body(self, x: Tensor, code: Tensor | None) -> Tensor:
        other = x
        for index, (stage, beside, add) in enumerate(zip(self.stages, self.beside, self.sums, strict=True)):
            other = beside(other, code)
            x = add(stage(self.labels.join_stage(x, code, index), code), other)
            if index == self.attended:
                x = self.attention(x)
        return x


@discriminators.register("cs229")
@dataclass(frozen=True)
class Cs229Discriminator(ImageDiscriminator):
    """Two halving convolutions and a linear layer, without normalisation."""

    maps: int = option(128, "Feature maps of every block.", low=1, high=1024)
    norm: str = option("none", "Normalisation after the convolutions; not batch with a gradient penalty.",
                       choices=NORMS)  # fmt: skip

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        side = _quarter(shapes, f"discriminator '{self.kind}'")
        stages = tuple(self.down(self.maps, side * factor, KERNEL) for factor in (4, 2))
        return DiscriminatorPlan(stages, _linear)

    def initialise(self, network: nn.Module) -> None:
        initialise_glorot(network)


def _linear(channels: int, side: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, 1))
