"""One picture file to one square of pixels, whatever camera, format or transparency it comes from."""

from __future__ import annotations

import io
import re
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SIDE = 64  # largest side that is kept
SMALLEST = 8  # pixels of the short side
PIXELS = 40_000_000
SCANS = 100  # of one JPEG; a progressive one has about ten, and each may take as long as the whole picture
MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])")  # of a JPEG, those that stand before a length
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")  # none that runs another program
FORMAT_WORDS = "PNG, JPEG, WebP, GIF, BMP or TIFF"


def decode(content: bytes) -> np.ndarray:
    """The middle square of a picture, at most 64 pixels wide, upright, on white where it is transparent.

    Returns:
        uint8 (S, S, 3), S the short side or 64 if that is smaller.

    Raises:
        ValueError: the reason why it cannot be used, without a capital and full stop, to stand behind a file's name.
    """
    return pixels(open_picture(content))


def open_picture(content: bytes) -> Image.Image:
    """A picture of which only the header is read; its `size` is what `pixels` will decode.

    Raises:
        ValueError: as for `decode`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is below Pillow's
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
        width, height = picture.size
        if width * height > PIXELS:
            raise ValueError(_too_large(width * height / 1e6))
        if min(width, height) < SMALLEST:
            raise ValueError(f"{width} x {height} pixels; at least {SMALLEST} x {SMALLEST} are needed")
        if content.startswith(b"\xff\xd8") and _scans(content) > SCANS:
            raise ValueError(f"more than {SCANS} scans, far more than a JPEG needs")
        picture.draft(None, (2 * SIDE, 2 * SIDE))  # lets JPEG decode at a fraction of the size, never below 128
        return picture
    except UnidentifiedImageError:
        raise ValueError(f"not a picture ({FORMAT_WORDS})") from None
    except Image.DecompressionBombError:
        raise ValueError(_too_large(None)) from None
    except ValueError:
        raise
    except Exception as error:  # damaged headers raise anything from SyntaxError to struct.error
        raise ValueError(_broken(error)) from None


def pixels(picture: Image.Image) -> np.ndarray:
    """The square of an opened picture, which is closed; returns and raises as `decode`."""
    try:
        with picture:
            return _square(_colour(_upright(picture)), min(SIDE, *picture.size))
    except Exception as error:
        raise ValueError(_broken(error)) from None


def _scans(content: bytes) -> int:
    """How often a JPEG goes over its pixels, counted from marker to marker up to its end."""
    place, scans = 2, 0
    while found := MARKER.search(content, place):
        if found[1] == b"\xd9":
            break
        scans += found[1] == b"\xda"
        place = found.end() + int.from_bytes(content[found.end() : found.end() + 2])
    return scans


def _upright(picture: Image.Image) -> Image.Image:
    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # a damaged note about the camera does not spoil the picture
        return picture


def _colour(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Grey of 16 bits, 65,535 becoming 255; numbers of any other range are stretched from darkest to lightest."""
    values = np.asarray(picture).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise ValueError("it has values that are not numbers")
    if picture.mode == "F" or low < 0 or high > 65_535:
        values = (values - low) * (65_535 / max(high - low, 1e-12))
    return Image.fromarray(np.round(values / 257).clip(0, 255).astype(np.uint8))


def _square(picture: Image.Image, side: int) -> np.ndarray:
    short = min(picture.size)
    left, top = (picture.width - short) / 2, (picture.height - short) / 2
    box = (left // 1, top // 1, left // 1 + short, top // 1 + short)
    return np.asarray(picture.resize((side, side), Image.Resampling.BICUBIC, box=box))


def _too_large(megapixels: float | None) -> str:
    size = "far more" if megapixels is None else f"{megapixels:,.0f}"
    return f"{size} megapixels; up to {PIXELS / 1e6:.0f} are allowed"


def _broken(error: Exception) -> str:
    return f"broken ({str(error).strip().rstrip('.')[:100] or type(error).__name__})"
