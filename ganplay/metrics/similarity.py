"""Multi-scale structural similarity of pairs of images (Wang, Simoncelli, Bovik, Asilomar 2003): variety in a class.

    MS-SSIM(x, y) = l_M(x, y)^(w_M)  prod_{j=1..M} (c s)_j(x, y)^(w_j)

with a Gaussian window of 11 pixels (sigma 1.5), K_1 = 0.01, K_2 = 0.03 and, between scales, means over 2 x 2 pixels.
Pairs of a collapsed class look alike: their mean comes close to 1 (arXiv 1610.09585, section 4.2; document 004).

The published measure has five scales, for which an image needs 176 pixels. Small images get as many scales as the
window fits into: one from 11 pixels on, two from 22 (28 and 32 pixels), three from 44 (64 pixels); the weights of these
scales are divided by their sum. Values of different sizes are therefore no values of the same measure.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from ganplay.randomness import generator_for

WINDOW, SIGMA = 11, 1.5
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
K1, K2 = 0.01, 0.03
PAIRS = 200  # of one class
CHUNK = 256


def scales(side: int) -> int:
    """How many scales the window fits into, 0 for images that are too small."""
    return next((count for count in range(len(WEIGHTS), 0, -1) if side >> (count - 1) >= WINDOW), 0)


def ms_ssim(first: Tensor, second: Tensor) -> Tensor:
    """MS-SSIM (N,) of pairs of images (N, C, H, W) in [-1, 1]: at most 1, the mean over channels.

    Raises:
        ValueError: the images have fewer than 11 pixels on a side.
    """
    count = scales(min(first.shape[2:]))
    if count == 0:
        raise ValueError(
            f"MS-SSIM needs images of {WINDOW} pixels or more on a side; these are {tuple(first.shape[2:])}."
        )
    weights = torch.tensor(WEIGHTS[:count], dtype=torch.float64)
    weights = (weights / weights.sum()).tolist()
    x, y = (first.double() + 1) / 2, (second.double() + 1) / 2  # a range of 1
    value = x.new_ones(x.shape[:2])  # (N, C)
    for scale, weight in enumerate(weights):
        luminance, structure = _compare(x, y)  # (N, C, h, w) each
        last = scale == count - 1
        term = (luminance * structure if last else structure).mean((2, 3))
        value = value * term.clamp(min=0) ** weight  # a negative term has no power
        if not last:
            x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
    return value.mean(1)


def class_similarities(images: Tensor, labels: Tensor, classes: list[int], seed: int = 0) -> list[tuple[float, float]]:
    """Mean MS-SSIM of random pairs within each class, and the standard error of that mean.

    Args:
        images: uint8 or float (n, C, H, W); bytes from 0 to 255, or values in [-1, 1].
        labels: int64 (n,).
        classes: the labels to look at, each with four samples or more.
    """
    found = []
    for label in classes:
        places = (labels == label).nonzero().squeeze(1)
        order = places[torch.randperm(len(places), generator=generator_for(seed, f"pairs {label}"))]
        half = min(len(order) // 2, PAIRS)  # no sample is in two pairs
        parts = zip(order[:half].split(CHUNK), order[half : 2 * half].split(CHUNK), strict=True)
        values = torch.cat([ms_ssim(_pictures(images[a]), _pictures(images[b])) for a, b in parts])
        found.append((float(values.mean()), float(values.std() / len(values) ** 0.5)))
    return found


def _pictures(images: Tensor) -> Tensor:
    return images.double() / 127.5 - 1 if images.dtype == torch.uint8 else images


def _compare(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance l and contrast-structure c s (N, C, h, w) at every place that the window fits into."""
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + K1**2) / (mean_x**2 + mean_y**2 + K1**2)
    return luminance, (2 * covariance + K2**2) / (variance_x + variance_y + K2**2)


def _blur(x: Tensor) -> Tensor:
    channels = x.shape[1]
    places = torch.arange(WINDOW, dtype=x.dtype) - WINDOW // 2
    window = torch.exp(-(places**2) / (2 * SIGMA**2))
    window = (window / window.sum()).expand(channels, 1, 1, WINDOW)
    return conv2d(conv2d(x, window, groups=channels), window.transpose(2, 3), groups=channels)
