"""Random changes of what the discriminator sees, differentiable, so that the generator learns through them.

DiffAugment (arXiv 2006.10738): the same kinds of change for real and fake samples, in the discriminator's step and in
the generator's, so that D cannot learn single pictures by heart and G does not learn to draw the changes. Instance
noise (arXiv 1610.04490) blurs both distributions until they overlap.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

AUGMENTATIONS = ("color", "translation", "cutout")
SHIFT = 1 / 8  # of the side: the furthest translation
HOLE = 1 / 2  # of the side: the cutout's


def augment(x: Tensor, kinds: tuple[str, ...], random: Generator) -> Tensor:
    """Images (N, C, H, W), each changed by its own random numbers; points and an empty `kinds` stay as they are."""
    if x.ndim != 4:
        return x
    for kind in kinds:
        x = _CHANGES[kind](x, random)
    return x


def add_noise(x: Tensor, deviation: float, random: Generator) -> Tensor:
    """Samples of any shape with independent normal noise on every value."""
    return x + deviation * torch.randn(x.shape, generator=random, device=x.device) if deviation else x


def noise_deviation(start: float, fade_images: int, images: int) -> float:
    """The deviation of instance noise after `images` images: falls from `start` in a straight line, if it fades."""
    return start * max(0.0, 1 - images / fade_images) if fade_images else start


def _uniform(x: Tensor, random: Generator) -> Tensor:
    return torch.rand(len(x), 1, 1, 1, generator=random, device=x.device)


def _color(x: Tensor, random: Generator) -> Tensor:
    """Brightness shifted by up to 1/2, saturation scaled by 0 to 2 (of colour images), contrast by 1/2 to 3/2."""
    x = x + _uniform(x, random) - 0.5
    if x.shape[1] == 3:
        grey = x.mean(1, keepdim=True)
        x = (x - grey) * (2 * _uniform(x, random)) + grey
    mean = x.mean((1, 2, 3), keepdim=True)
    return (x - mean) * (_uniform(x, random) + 0.5) + mean


def _translation(x: Tensor, random: Generator) -> Tensor:
    """Moved by up to an eighth of the side in both directions; what comes in is grey 0."""
    count, _, height, width = x.shape
    most = int(height * SHIFT + 0.5)
    rows, columns = (torch.randint(0, 2 * most + 1, (count, 1, 1), generator=random, device=x.device) for _ in "yx")
    padded = pad(x, [most] * 4).permute(0, 2, 3, 1)  # (N, H + 2 most, W + 2 most, C)
    down = torch.arange(height, device=x.device).view(1, -1, 1) + rows
    across = torch.arange(width, device=x.device).view(1, 1, -1) + columns
    sample = torch.arange(count, device=x.device).view(-1, 1, 1)
    return padded[sample, down, across].permute(0, 3, 1, 2)


def _cutout(x: Tensor, random: Generator) -> Tensor:
    """A square of half the side is grey 0; it may reach over the border."""
    count, _, height, width = x.shape
    hole = int(height * HOLE + 0.5)
    top, left = (
        torch.randint(0, side + (1 - hole % 2), (count, 1), generator=random, device=x.device) - hole // 2
        for side in (height, width)
    )
    rows, columns = torch.arange(height, device=x.device), torch.arange(width, device=x.device)
    inside_rows = (rows >= top) & (rows < top + hole)  # (N, H)
    inside_columns = (columns >= left) & (columns < left + hole)  # (N, W)
    return x * ~(inside_rows[:, None, :, None] & inside_columns[:, None, None, :])


_CHANGES = {"color": _color, "translation": _translation, "cutout": _cutout}
