"""What a picture looks like, in numbers: the attributes that directions in latent space are found for.

Each is a pure function of images (N, C, H, W) in [-1, 1] that returns one float per image, (N,).

Grey images hold ink, bright on black, as the digits do: i = (x + 1) / 2 in [0, 1]. With the ink's centre, variances
and covariance over the image's plane, y upwards:

- boldness: width of a stroke in pixels, 2 * (sum of i) / (sum of |gradient of i|), for a stroke of length L and width w
  holds L * w ink within an outline of 2 * L. Unlike the mean ink it does not grow with the drawing. Of i only what
  exceeds a quarter counts here, stretched to [0, 1] again: the haze of a weak generator would be one wide stroke.
- slant: cov(x, y) / var(y), the shear of the drawing. A shear by s adds s; leaning to the right is positive.
- size: sqrt(var(x) + var(y)) in pixels, how far the ink lies from its centre. Enlarging multiplies it.

Colour images have red, green and blue r, g, b in [0, 1], averaged over the image:

- brightness: the luma, 0.299 r + 0.587 g + 0.114 b, in [0, 1].
- warmth and greenness: the mean colour's place in the plane whose angle is the hue. An angle cannot be regressed on (0
  and 360 degrees are one hue) and a grey image has none, so the hue is given by two coordinates: warmth,
  sqrt(3) / 2 * (r - b), towards orange (hue 30 degrees) and away from azure (210), and greenness, g - (r + b) / 2,
  towards green (120) and away from magenta (300).
- saturation: the mean distance of single pixels from grey in that plane, so that complementary colours do not cancel.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganplay.data.images import LUMA

Attribute = Callable[[Tensor], Tensor]
HAZE = 0.25  # ink that is no stroke yet
_TINY = 1e-6  # keeps what has no ink from dividing 0 by 0


def attributes(shape: tuple[int, ...]) -> dict[str, Attribute]:
    """The attributes of images of this shape (C, H, W) by name: those of ink for one channel, of colour for three.

    Raises:
        ValueError: the samples are points.
    """
    if len(shape) != 3:
        raise ValueError("Attributes are measured on images; this data set has points.")
    return GREY if shape[0] == 1 else COLOUR


def boldness(images: Tensor) -> Tensor:
    """Width of the strokes in pixels, 0 without ink."""
    ink = ((_ink(images) - HAZE) / (1 - HAZE)).clamp(min=0)
    padded = pad(ink, (1, 1, 1, 1))  # what touches an edge of the picture ends there
    right = padded[:, 1:, 1:] - padded[:, 1:, :-1]
    down = padded[:, 1:, 1:] - padded[:, :-1, 1:]
    outline = (right.square() + down.square()).sqrt().sum((1, 2))
    return 2 * ink.sum((1, 2)) / (outline + _TINY)


def slant(images: Tensor) -> Tensor:
    """The shear of the ink, positive when it leans to the right, 0 without ink."""
    _, vertical, both = _moments(_ink(images))
    return both / (vertical + _TINY)


def size(images: Tensor) -> Tensor:
    """Root of the mean squared distance of the ink from its centre, in pixels."""
    horizontal, vertical, _ = _moments(_ink(images))
    return (horizontal + vertical).sqrt()


def brightness(images: Tensor) -> Tensor:
    """Mean luma in [0, 1]."""
    red, green, blue = _colours(images)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def warmth(images: Tensor) -> Tensor:
    """How far the mean colour lies from grey towards orange, negative towards azure."""
    red, _, blue = _colours(images)
    return math.sqrt(3) / 2 * (red - blue)


def greenness(images: Tensor) -> Tensor:
    """How far the mean colour lies from grey towards green, negative towards magenta."""
    red, green, blue = _colours(images)
    return green - (red + blue) / 2


def saturation(images: Tensor) -> Tensor:
    """Mean distance of the pixels from grey, 0 to 1."""
    red, green, blue = _unit(images).unbind(1)  # (N, H, W) each
    return torch.hypot(math.sqrt(3) / 2 * (red - blue), green - (red + blue) / 2).mean((1, 2))


GREY: dict[str, Attribute] = {"boldness": boldness, "slant": slant, "size": size}
COLOUR: dict[str, Attribute] = {
    "brightness": brightness, "warmth": warmth, "greenness": greenness, "saturation": saturation,
}  # fmt: skip


def _unit(images: Tensor) -> Tensor:
    return images.float().add(1).div(2).clamp(0, 1)


def _ink(images: Tensor) -> Tensor:
    """(N, H, W) in [0, 1]."""
    return _unit(images).mean(1)


def _colours(images: Tensor) -> Tensor:
    """Mean red, green and blue, (3, N)."""
    return _unit(images).mean((2, 3)).T


def _moments(ink: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Variance of x, of y (upwards) and their covariance over the ink (N, H, W), in pixels squared, (N,) each."""
    height, width = ink.shape[1:]
    x = torch.arange(width, dtype=torch.float32, device=ink.device) - (width - 1) / 2
    y = ((height - 1) / 2 - torch.arange(height, dtype=torch.float32, device=ink.device)).unsqueeze(1)
    total = ink.sum((1, 2)) + _TINY

    def mean(values: Tensor) -> Tensor:
        return (ink * values).sum((1, 2)) / total

    middle_x, middle_y = mean(x), mean(y)
    return mean(x * x) - middle_x**2, mean(y * y) - middle_y**2, mean(x * y) - middle_x * middle_y
