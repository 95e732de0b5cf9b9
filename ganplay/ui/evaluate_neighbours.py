"""Samples beside their nearest training samples, as HTML with the pictures inside."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st
from PIL import Image

from ganplay.evaluations import results
from ganplay.evaluations.asks import Ask

TITLES = {
    "closest": "The generated samples that come closest to a training sample",
    "first": "The first generated samples, as they come",
    "real": "For comparison: the held-out real samples that come closest",
}
BORDER = {"closest": "#d9730d", "first": "#d9730d", "real": "#7a828e"}
SHOWN_SIDE = 64  # pixels of a tile on the page, at most


@st.cache_data(show_spinner=False, max_entries=64)
def samples(ask: Ask, name: str) -> bytes:
    """The picture of generated samples, read once for everybody who looks.

    Raises:
        ValueError: it is gone.
    """
    return results.picture(ask, name)


@st.cache_data(show_spinner=False, max_entries=64)
def cards(ask: Ask, name: str, near: Mapping[str, Any]) -> str:
    """A card for each row of a result's `neighbours`, in groups, as HTML.

    Args:
        name: of the picture of tiles.

    Raises:
        ValueError: the picture is gone or is not what `near` describes.
    """
    rows, (width, height) = near["rows"], near["tile"]
    try:
        with Image.open(io.BytesIO(results.picture(ask, name))) as opened:
            tiles = opened.convert("RGB")
    except OSError:
        raise ValueError("The picture of the neighbours cannot be read.") from None
    if tiles.height != height * len(rows) or tiles.width % width:
        raise ValueError("The picture of the neighbours is not what was written.")
    factor = max(1, SHOWN_SIDE // width)
    found: dict[str, list[str]] = {kind: [] for kind in TITLES}
    for place, row in enumerate(rows):
        parts = [
            tiles.crop((left, place * height, left + width, (place + 1) * height))
            for left in range(0, tiles.width, width)
        ]
        found[row["kind"]].append(_card(row, [_image(part, factor) for part in parts], min(width * factor, 96)))
    return "".join(
        f"<p style='margin:.9rem 0 .4rem;font-weight:600'>{TITLES[kind]}</p>"
        f"<div style='display:flex;flex-wrap:wrap;gap:10px'>{''.join(entries)}</div>"
        for kind, entries in found.items()
        if entries
    )


def _card(row: Mapping[str, Any], images: Sequence[str], side: int) -> str:
    """A sample, an arrow, and its neighbours with their distances and classes."""
    first = "real" if row["kind"] == "real" else "generated"
    outline = f"outline:2px solid {BORDER[row['kind']]};outline-offset:1px"
    cells = [_cell(images[0], first, first, side, outline)]
    for image, distance, name in zip(images[1:], row["distances"], row["classes"], strict=True):
        said = f"training sample of class {name}" if name else "training sample"
        cells.append(_cell(image, f"{said} at distance {distance:.3g}", f"{distance:.3g}", side, ""))
    return (
        "<div style='display:flex;gap:5px;align-items:flex-start;padding:6px 8px;border-radius:8px;"
        f"border:1px solid rgba(128,128,128,.28)'>{''.join(cells)}</div>"
    )


def _cell(image: str, alt: str, caption: str, side: int, style: str) -> str:
    return (
        f"<div style='text-align:center'><img src='{image}' alt='{escape(alt, quote=True)}' "
        f"width='{side}' height='{side}' style='image-rendering:pixelated;display:block;{style}'>"
        f"<span style='font-size:.74rem;opacity:.8'>{escape(caption)}</span></div>"
    )


def _image(tile: Image.Image, factor: int) -> str:
    """A tile as the address of an image that holds its own content, every pixel an equal square."""
    large = tile.resize((tile.width * factor, tile.height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    large.save(buffer, "WEBP", lossless=True)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
