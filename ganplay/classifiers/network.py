"""A small convolutional classifier for small images, whose last maps serve as features.

A ResNet-9 in the manner of D. Page ("How to train your ResNet", 2018), with a first stage as narrow as that of
airbench94 (arXiv 2404.00498): a 3x3 stem, then for each width one convolution that halves the map by max pooling and
one residual convolution, all with batch norm and GELU; a global average; a linear head with scaled logits. Images of
other sizes than those it was trained on work too, but its features mean the most at its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganplay.options import Checked, option

LOGIT_SCALE = 0.125  # a head of full scale is confident before the features are any good


@dataclass(frozen=True)
class ClassifierConfig(Checked):
    """What a classifier reads and how wide it is.

    Raises:
        ValueError: a value is out of range, or the images are too small for so many widths.
    """

    dataset: str = option("mnist", "The data set whose classes it tells apart.")
    shape: tuple[int, ...] = option((1, 28, 28), "Channels, height, width.", low=1, high=1024, length=(3, 3))
    class_names: tuple[str, ...] = option(tuple("0123456789"), "In label order.", length=(2, 1000))
    stem: int = option(16, "Feature maps of the first convolution.", low=1, high=512)
    widths: tuple[int, ...] = option((32, 64, 128), "Feature maps of each stage.", low=1, high=1024, length=(1, 5))

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.shape[1:]) < self.smallest:
            raise ValueError(
                f"shape is {'x'.join(map(str, self.shape))}; with {len(self.widths)} widths the height and the width "
                f"must be {self.smallest} or more."
            )

    @property
    def smallest(self) -> int:
        """The least height and width of an image: each stage halves it, and one pixel is left."""
        return 2 ** len(self.widths)

    def build(self) -> Classifier:
        """A classifier with fresh weights, drawn from torch's global generator."""
        return Classifier(self)


class Classifier(nn.Module):
    """Logits and features of images.

    Attributes:
        config: how it was built.
        class_names: the names of its logits.
        width: F, the number of features.
    """

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.class_names = config.class_names
        self.width = config.widths[-1]
        self.stem = _layer(config.shape[0], config.stem, pool=False)
        inputs = [config.stem, *config.widths[:-1]]
        self.stages = nn.Sequential(*(_Stage(*pair) for pair in zip(inputs, config.widths, strict=True)))
        self.head = nn.Linear(self.width, len(config.class_names))

    def features(self, x: Tensor) -> Tensor:
        """The last maps (N, F), averaged over their positions.

        Args:
            x: images (N, C, H, W) in [-1, 1].

        Raises:
            ValueError: their shape is not one that this classifier reads.
        """
        channels, smallest = self.config.shape[0], self.config.smallest
        if x.ndim != 4 or x.shape[1] != channels or min(x.shape[2:]) < smallest:
            raise ValueError(
                f"The classifier was given samples of shape {tuple(x.shape)}; "
                f"it reads images (N, {channels}, H, W) of at least {smallest} pixels."
            )
        x = x.contiguous(memory_format=torch.channels_last)
        return self.stages(self.stem(x)).mean((2, 3))  # (N, F, h, w) -> (N, F)

    def classify(self, features: Tensor) -> Tensor:
        """Logits (N, classes) of `features` (N, F), for those who need both and compute the features once."""
        return self.head(features) * LOGIT_SCALE

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of images (N, C, H, W) in [-1, 1]."""
        return self.classify(self.features(x))


class _Stage(nn.Module):
    """(N, inputs, H, W) -> (N, width, H // 2, W // 2)."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.halve = _layer(inputs, width, pool=True)
        self.refine = _layer(width, width, pool=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.halve(x)
        return x + self.refine(x)


def _layer(inputs: int, outputs: int, pool: bool) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)  # batch norm would cancel a bias
    # Pooled before it is normalised: a quarter of the work.
    pooling = [nn.MaxPool2d(2)] if pool else []
    return nn.Sequential(convolution, *pooling, nn.BatchNorm2d(outputs), nn.GELU())
