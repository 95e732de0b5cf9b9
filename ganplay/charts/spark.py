"""A curve so small that it has no axis: where it went, beside many others."""

from __future__ import annotations

from collections.abc import Sequence

MARGIN = 2.0  # pixels, so that a line's width stays inside


def sparkline(lines: Sequence[tuple[str, Sequence[float]]], width: int = 160, height: int = 36) -> str:
    """SVG of lines (colour, values) on one common scale; an empty text when none has two values."""
    drawn = [(colour, values) for colour, values in lines if len(values) > 1]
    if not drawn:
        return ""
    every = [value for _, values in drawn for value in values]
    low, span = min(every), (max(every) - min(every)) or 1.0
    paths = "".join(
        f'<polyline points="{_points(values, low, span, width, height)}" fill="none" stroke="{colour}" '
        'stroke-width="1.6" stroke-linejoin="round"/>'
        for colour, values in drawn
    )
    box = f'viewBox="0 0 {width} {height}" preserveAspectRatio="none"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{paths}</svg>'


def _points(values: Sequence[float], low: float, span: float, width: int, height: int) -> str:
    step = (width - 2 * MARGIN) / (len(values) - 1)
    tall = height - 2 * MARGIN
    return " ".join(
        f"{MARGIN + place * step:.1f},{MARGIN + tall * (1 - (value - low) / span):.1f}"
        for place, value in enumerate(values)
    )
