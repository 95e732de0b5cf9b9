"""Random changes of a batch that leave its labels true."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def translate(images: Tensor, most: int, random: torch.Generator) -> Tensor:
    """Moves each image by -most to most pixels along both axes; its mirror image fills what comes free.

    Args:
        images: (N, C, H, W).
        most: less than H and W.
    """
    if not most:
        return images
    count, _, height, width = images.shape
    padded = pad(images, [most] * 4, mode="reflect")
    down, right = torch.randint(2 * most + 1, (2, count, 1, 1, 1), generator=random)
    rows = down + torch.arange(height)[:, None]  # (N, 1, H, 1)
    columns = right + torch.arange(width)  # (N, 1, 1, W)
    samples, channels = torch.arange(count)[:, None, None, None], torch.arange(images.shape[1])[:, None, None]
    return padded[samples, channels, rows, columns]  # (N, C, H, W)


def flip(images: Tensor, random: torch.Generator) -> Tensor:
    """Mirrors each image (N, C, H, W) left to right with probability 1/2."""
    mirrored = torch.rand(len(images), 1, 1, 1, generator=random) < 0.5
    return torch.where(mirrored, images.flip(3), images)


def cut_out(images: Tensor, side: int, random: torch.Generator) -> Tensor:
    """Greys a square of each image, 0 in [-1, 1], its centre anywhere (arXiv 1708.04552, section 3.2)."""
    if not side:
        return images
    count, _, height, width = images.shape
    hidden = torch.ones(count, 1, height, width, dtype=torch.bool)
    for axis, length in ((2, height), (3, width)):
        first = torch.randint(length, (count, 1, 1, 1), generator=random) - side // 2
        place = torch.arange(length).view([1, 1, -1, 1] if axis == 2 else [1, 1, 1, -1])
        hidden &= (place >= first) & (place < first + side)
    return images.masked_fill(hidden, 0.0)
