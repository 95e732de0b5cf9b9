"""Document 000, tables 7 to 9: an auxiliary classifier GAN (arXiv 1610.09585) for 32x32 images.

Notes on the tables:

- The generator's linear layer is printed with 384 feature maps. As a 1x1 map they would end, doubled four times, at
  16x16; here they begin at a sixteenth of the image's side, which is 2x2 for 32x32. (The program that the document
  cites begins at 1x1 and takes a first 4x4 convolution to 4x4 instead.)
- The input of 110 numbers is 100 of noise and the label as a 1 among ten numbers (`conditioning` one-hot): the cited
  program writes the label over ten of its 110 numbers of noise in the same way.
- No padding is printed: with 1 for the 3x3 kernels and 2 for the 5x5 ones a stride of 2 halves or doubles exactly.
- The "Soft-Sigmoid" of the last 11 units is one sigmoid for real or fake and a softmax over ten classes. Both are
  part of the losses here, so the network ends with two linear layers, of 1 and of 10 units, and puts out logits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import nn

from ganplay.contracts import Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.discriminator import DiscriminatorPlan, ImageDiscriminator
from ganplay.models.blocks.generator import GeneratorPlan
from ganplay.models.blocks.labels import GeneratorLabels
from ganplay.models.blocks.layers import initialise_normal
from ganplay.models.blocks.stages import side_after
from ganplay.models.dcgan import DcganGenerator
from ganplay.options import option

KERNEL = 3


@generators.register("acgan")
@dataclass(frozen=True)
class AcganGenerator(DcganGenerator):
    """Table 8: a linear layer without normalisation to the first map, then doublings with 5x5 kernels."""

    kernel: ClassVar[int] = 5

    widths: tuple[int, ...] = option(
        (384, 192, 96, 48), "Feature maps, first map first.", low=1, high=2048, length=(1, 5)
    )

    def plan(self, shapes: Shapes, labels: GeneratorLabels) -> GeneratorPlan:
        return replace(super().plan(shapes, labels), begin=self.finish(self.widths[0], labels, "none"))


@discriminators.register("acgan")
@dataclass(frozen=True)
class AcganDiscriminator(ImageDiscriminator):
    """Table 7: 3x3 convolutions whose strides are 2, 1, 2, 1 ..., each with dropout, normalised from the second on."""

    widths: tuple[int, ...] = option(
        (16, 32, 64, 128, 256, 512), "Feature maps of each layer.", low=1, high=2048, length=(1, 12)
    )
    dropout: float = option(0.5, "Share of values dropped after every hidden activation.", low=0.0, high=0.9)
    std: float = option(0.02, "Standard deviation of the initial weights.", low=1e-4, high=1.0)

    def plan(self, shapes: Shapes) -> DiscriminatorPlan:
        side, stages = shapes.sample[-1], []
        for index, width in enumerate(self.widths):
            stride = 1 if index % 2 else 2
            stages.append(self.down(width, side, KERNEL, stride, norm=None if index else "none"))
            side = side_after(side, KERNEL, stride)
        return DiscriminatorPlan(tuple(stages), _linear)

    def initialise(self, network: nn.Module) -> None:
        initialise_normal(network, self.std)


def _linear(channels: int, side: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, 1))
