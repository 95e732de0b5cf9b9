"""Pictures of the checkpoints that come with the program. Home imports this: no torch."""

from __future__ import annotations

import io
from pathlib import Path

import streamlit as st
from PIL import Image

from ganplay.files import read_json
from ganplay.paths import bundled_checkpoints

MOST = 4
FEATURED = ("mnist-projection", "cifar10-flagship", "cs229-parallel", "quick-digits")  # on Home, where they are there
GAP = 2  # pixels between samples, as `ganplay.pictures` draws them, which imports torch
WIDTH = 560  # pixels a small picture is enlarged towards


def chosen() -> list[str]:
    """Names of at most four bundled checkpoints for the first page; empty when none are there."""
    known = sorted(path.parent.name for path in bundled_checkpoints().glob("*/samples.webp"))
    featured = [name for name in FEATURED if name in known]
    return (featured + [name for name in known if name not in featured])[:MOST]


def small(name: str) -> bytes:
    """The first rows of a checkpoint's samples, half as many as there are columns, as a JPEG of some 50 KB.

    Raises:
        ValueError: there is no picture that can be read.
    """
    path = bundled_checkpoints() / name / "samples.webp"
    try:
        return _small(str(path), path.stat().st_mtime_ns)
    except OSError:
        raise ValueError(f"The samples of '{name}' cannot be read.") from None


@st.cache_data(show_spinner=False, max_entries=64)
def _small(path: str, changed: int) -> bytes:
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    cell = _side(Path(path).with_name("config.json")) + GAP
    columns, left = divmod(picture.width - GAP, cell)
    height = max(1, columns // 2) * cell + GAP
    if cell > GAP and left == 0 and height < picture.height:  # a grid of images
        picture = picture.crop((0, 0, picture.width, height))
    factor = max(1, WIDTH // picture.width)
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85, subsampling=0)
    return buffer.getvalue()


def _side(config: Path) -> int:
    """Pixels of one sample's side, 0 where it is not known."""
    try:
        return int(read_json(config)["recipe"]["image_size"])
    except (KeyError, TypeError, ValueError):
        return 0
