"""Samples as pictures: grids of images and scatter plots of points."""

from __future__ import annotations

import io
import math
import zlib

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

GAP = 2  # pixels between the images of a grid
INK = (22, 22, 22)  # behind grids and scatters, in the light and the dark theme; grey, so that grey grids stay grey
REAL, FAKE = (120, 132, 150), (255, 159, 64)
SCATTER_SIDE, SCATTER_REACH = 320, 1.5
DOT, EDGE = 1.5, 6  # pixels: a dot's radius, and how near to the edge it may come (pages round the corners)


def to_bytes(samples: Tensor) -> np.ndarray:
    """Images (N, C, H, W) in [-1, 1] as uint8 (N, H, W, 3); grey ones get three equal channels."""
    scaled = samples.detach().float().clamp(-1, 1).add(1).mul(127.5).round().byte().cpu()
    return scaled.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy()


def grid(samples: Tensor, columns: int = 8) -> Image.Image:
    """A grid of images (N, C, H, W) at their own size, rows from left to right.

    Raises:
        ValueError: there is no image.
    """
    if len(samples) == 0:
        raise ValueError("A grid of 0 images was asked for; at least 1 is needed.")
    images = to_bytes(samples)
    count, height, width, _ = images.shape
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    cells = np.empty((rows * columns, height + GAP, width + GAP, 3), np.uint8)  # each with the gaps before it
    cells[:] = INK
    cells[:count, GAP:, GAP:] = images
    down, across = rows * (height + GAP), columns * (width + GAP)
    canvas = np.empty((down + GAP, across + GAP, 3), np.uint8)
    canvas[down:] = canvas[:, across:] = INK
    canvas[:down, :across] = (
        cells.reshape(rows, columns, height + GAP, width + GAP, 3).swapaxes(1, 2).reshape(down, across, 3)
    )
    return Image.fromarray(canvas)


def grey(picture: Image.Image) -> Image.Image:
    """The same pixels in a third of the bytes where all of them are grey; any other picture comes back as it is."""
    if picture.mode != "RGB":
        return picture
    red, green, blue = picture.split()
    same = red.tobytes() == green.tobytes() == blue.tobytes()
    return red if same else picture


def png(picture: Image.Image) -> bytes:
    """A picture as a PNG file, made in a fraction of the time of Pillow's own setting."""
    buffer = io.BytesIO()
    grey(picture).save(buffer, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def scatter(points: Tensor, real: Tensor | None = None, reach: float | None = None) -> Image.Image:
    """Points (N, 2) as dots, over real points in grey; those outside lie on the picture's edge, where they are seen.

    Args:
        reach: the picture shows [-reach, reach] in both axes; by default wide enough for the real points.
    """
    if reach is None:
        reach = SCATTER_REACH if real is None else max(0.5, 1.2 * float(real.abs().max()))
    image = Image.new("RGB", (SCATTER_SIDE, SCATTER_SIDE), INK)
    pen = ImageDraw.Draw(image)
    for dots, colour in ((real, REAL), (points, FAKE)):
        if dots is not None:
            for x, y in _place(dots, reach).tolist():
                pen.ellipse((x - DOT, y - DOT, x + DOT, y + DOT), fill=colour)
    return image


def _place(points: Tensor, reach: float) -> Tensor:
    """Pixel coordinates (N, 2) of points (N, 2), y upwards; nothing lies nearer to the picture's edge than `EDGE`."""
    flipped = points.detach().float().cpu() * points.new_tensor([1.0, -1.0]).cpu()
    return ((flipped / reach + 1) / 2 * SCATTER_SIDE).clamp(EDGE, SCATTER_SIDE - EDGE)


def draw(samples: Tensor, real: Tensor | None = None, columns: int = 8) -> Image.Image:
    """A grid of images or a scatter of points, by the shape of `samples`."""
    return grid(samples, columns) if samples.ndim == 4 else scatter(samples, real)
