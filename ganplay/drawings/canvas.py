"""What the drawings share: samples as pictures at their own size, words beside them, enlargement, files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganplay import pictures
from ganplay.contracts import Dataset
from ganplay.data.resident import load

PAGE, FRAME = 900, 256  # pixels that a picture on a page, and a frame of an animation, is enlarged towards
TEXT = (214, 214, 214)  # on pictures.INK, and as grey
MOVING = {".gif": "GIF", ".webp": "WEBP", ".png": "PNG"}  # endings of files that can hold an animation
_LARGEST = 10  # side of one enlarged pixel at most
_REAL = 1_000  # real points behind a scatter


def draw(samples: Tensor, dataset: Dataset, columns: int) -> Image.Image:
    """Images (N, C, H, W) as a grid at their own size; points (N, 2) as a scatter over real ones."""
    if samples.ndim == 4:
        return pictures.grid(samples, columns)
    return pictures.scatter(samples, _real_points(dataset))


def singles(samples: Tensor, dataset: Dataset) -> list[Image.Image]:
    """Each image of (N, C, H, W) as a picture of its own, without a frame; each point of (N, 2) as a scatter."""
    if samples.ndim == 4:
        return [Image.fromarray(image) for image in pictures.to_bytes(samples)]
    real = _real_points(dataset)
    return [pictures.scatter(point.unsqueeze(0), real) for point in samples]


def enlarge(image: Image.Image, smooth: bool = False) -> Image.Image:
    """The picture with each pixel repeated in both directions, so often that it becomes at most 900 pixels wide.

    Grey pictures become such of one channel, which are quicker to send.

    Args:
        smooth: for dots and lines, which are no pixels to be seen one by one.
    """
    image = image if smooth else pictures.grey(image)  # before it is large
    return scaled(image, max(1, min(_LARGEST, PAGE // image.width)), smooth)


def scaled(image: Image.Image, factor: int, smooth: bool = False) -> Image.Image:
    """The picture `factor` times as wide and high."""
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return image if factor == 1 else image.resize((image.width * factor, image.height * factor), how)


def captioned(image: Image.Image, captions: Sequence[str], row: int) -> Image.Image:
    """A grid with a word on the left of each row.

    Args:
        row: height of a row, gap included.
    """
    margin = max(map(text_width, captions)) + 2 * pictures.GAP
    canvas = Image.new("RGB", (margin + image.width, image.height), pictures.INK)
    canvas.paste(image, (margin, 0))
    for index, caption in enumerate(captions):
        write(canvas, caption, margin // 2, index * row + (row + pictures.GAP) // 2)
    return canvas


def write(image: Image.Image, text: str, x: int, y: int) -> None:
    """Writes into the picture, centred at (x, y), in letters of whole pixels, which stay sharp when enlarged."""
    ImageDraw.Draw(image).text((x - text_width(text) // 2, y - 5), _printable(text), TEXT, _font())


def text_width(text: str) -> int:
    """Width in pixels of a text by `write`."""
    return int(_font().getlength(_printable(text)))


def file_kind(path: str | Path, moving: bool = False) -> str:
    """Pillow's name of the kind of file that the ending stands for.

    Raises:
        ValueError: none that can be written, or none that can hold an animation.
    """
    ending = Path(path).suffix.lower()
    if moving:
        if ending not in MOVING:
            raise ValueError(f"{path} is no animation file; use one of the endings {', '.join(MOVING)}.")
        return MOVING[ending]
    kind = Image.registered_extensions().get(ending)
    if kind not in Image.SAVE:
        raise ValueError(f"{path} is no picture file that can be written; use an ending such as .png or .webp.")
    return kind


def encode(frames: Sequence[Image.Image], kind: str = "WEBP", milliseconds: int = 80) -> bytes:
    """One picture, or the frames of an endless animation, as a file.

    A GIF keeps every level of grey, but at most 256 colours of a frame; the other animations keep every pixel.

    Args:
        kind: as `file_kind` names it.
        milliseconds: how long a frame stays.
    """
    settings: dict[str, Any] = {}
    if len(frames) > 1:
        frames = [pictures.grey(frame) for frame in frames] if kind == "GIF" else frames
        settings = {"save_all": True, "append_images": frames[1:], "duration": milliseconds, "loop": 0}
        settings |= {"lossless": True} if kind == "WEBP" else {}
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, **settings)
    return buffer.getvalue()


def _printable(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")  # all that Pillow's small font has


@lru_cache(maxsize=1)
def _font() -> Any:
    return ImageFont.load_default_imagefont()


@lru_cache(maxsize=16)
def _real_points(dataset: Dataset) -> Tensor:
    """Real points (N, 2) of a 2-D set, to be seen behind the generated ones."""
    return load(dataset, dataset.native, "test").values[:_REAL]
