"""The DCGAN family (arXiv 1511.06434): strided convolutions down, transposed convolutions up.

The defaults are document 000, tables 1 and 2 (and 4 and 5, which repeat them for the WGAN). Two notes on the tables:

- The generator's first transposed convolution sits on a 1x1 map. With the printed stride 2 and padding 1 it would make
  2x2 and the net would end at 16x16; with stride 1 and no padding it makes the 4x4 that leads to 32x32. On a 1x1 map
  that is a matrix product, and it is computed as one.
- The discriminator's last convolution (4x4, stride 2, padding 1) reads a 2x2 map. Maps of another size, which other
  image sizes lead to, are read by one convolution as large as the map.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from ganplay.contracts import Critique, Network, Shapes
from ganplay.models import discriminators, generators
from ganplay.models.blocks.layers import NORMS, OUTPUTS, Output, initialise_normal, norm2d
from ganplay.options import option


def image_side(shapes: Shapes, noun: str) -> int:
    """Height (and width) of an image sample.

    Raises:
        ValueError: the samples are points.
    """
    if len(shapes.sample) != 3:
        raise ValueError(
            f"The {noun} is convolutional and needs images; this data set has points. Use fully-connected."
        )
    return shapes.sample[-1]


class _Generator(nn.Module):
    def __init__(self, config: DcganGenerator, shapes: Shapes, side: int) -> None:
        super().__init__()
        first, *widths = config.widths
        bias = config.norm == "none"  # a normalisation would cancel it
        self.side = side
        self.project = nn.Linear(shapes.latent, first * side * side, bias=bias)
        self.begin = nn.Sequential(norm2d(config.norm, first), nn.ReLU())
        blocks: list[nn.Module] = []
        for width in widths:
            up = nn.ConvTranspose2d(first, width, 4, stride=2, padding=1, bias=bias)
            blocks.append(nn.Sequential(up, norm2d(config.norm, width), nn.ReLU()))
            first = width
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.ConvTranspose2d(first, shapes.sample[0], 4, stride=2, padding=1)
        self.output = Output(config.output)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        x = self.project(z).unflatten(1, (-1, self.side, self.side))  # (N, first, side, side)
        return self.output(self.last(self.blocks(self.begin(x))))  # (N, C, H, W)


class _Discriminator(nn.Module):
    def __init__(self, config: DcganDiscriminator, shapes: Shapes, side: int) -> None:
        super().__init__()
        inputs = shapes.sample[0]
        blocks: list[nn.Module] = []
        for index, width in enumerate(config.widths):
            norm = config.norm if index or config.norm_first else "none"
            down = nn.Conv2d(inputs, width, 4, stride=2, padding=1, bias=norm == "none")
            blocks.append(nn.Sequential(down, norm2d(norm, width), nn.LeakyReLU(config.slope)))
            inputs = width
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Conv2d(inputs, 1, 4, stride=2, padding=1) if side == 2 else nn.Conv2d(inputs, 1, side)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Critique:
        features = self.blocks(x)  # (N, last width, side, side)
        return Critique(self.head(features).flatten(), features=features.flatten(1))


@generators.register("dcgan")
@dataclass(frozen=True)
class DcganGenerator(Network):
    """A linear layer to the first map, then one doubling for each further width and one to the image."""

    widths: tuple[int, ...] = option(
        (1024, 512, 256), "Feature maps, first map first.", low=1, high=2048, length=(1, 5)
    )
    norm: str = option("batch", "Normalisation after every layer but the last.", choices=NORMS)
    output: str = option("tanh", "Last activation.", choices=OUTPUTS[:2])
    std: float = option(0.02, "Standard deviation of the initial weights.", low=1e-4, high=1.0)

    def build(self, shapes: Shapes) -> nn.Module:
        side, factor = image_side(shapes, "generator 'dcgan'"), 2 ** len(self.widths)
        if side % factor:
            raise ValueError(
                f"image_size is {side}, which this generator cannot make: with {len(self.widths)} widths it doubles "
                f"{len(self.widths)} times, so the side must be a multiple of {factor}, such as "
                f"{max(1, side // factor) * factor} or {(side // factor + 1) * factor}."
            )
        network = _Generator(self, shapes, side // factor)
        initialise_normal(network, self.std)
        return network


@discriminators.register("dcgan")
@dataclass(frozen=True)
class DcganDiscriminator(Network):
    """One halving 4x4 convolution for each width, then one convolution over what is left."""

    widths: tuple[int, ...] = option((32, 64, 128, 256), "Feature maps of each layer.", low=1, high=2048, length=(1, 6))
    norm: str = option("batch", "Normalisation after the convolutions; none or layer with a gradient penalty.",
                       choices=NORMS)  # fmt: skip
    norm_first: bool = option(True, "Normalise after the first convolution too, as the document's table has it.")
    slope: float = option(0.2, "Slope of the leaky ReLU below 0.", low=0.0, high=1.0)
    std: float = option(0.02, "Standard deviation of the initial weights.", low=1e-4, high=1.0)

    def build(self, shapes: Shapes) -> nn.Module:
        side = image_side(shapes, "discriminator 'dcgan'")
        left = side >> len(self.widths)  # a 4x4 convolution with stride 2 and padding 1 makes floor(side / 2)
        if left == 0:
            raise ValueError(
                f"image_size is {side}, too small for this discriminator: {len(self.widths)} halvings need at least "
                f"{2 ** len(self.widths)} pixels."
            )
        network = _Discriminator(self, shapes, left)
        initialise_normal(network, self.std)
        return network
