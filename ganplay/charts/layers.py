"""Bars of what each layer of a network costs, and the singular values of each layer's weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ganplay.charts.style import PALETTE, Row

COLOURS = {"generator": PALETTE[1], "discriminator": PALETTE[0]}  # as in the drawing on Home
BAR = 25  # pixels of one layer
FRAME = 30  # pixels of the heading
_AXIS = alt.Axis(labelLimit=160, labelOverlap=False, ticks=False, domain=False)
MOST_VALUES = 120  # of one layer's singular values: more cannot be told apart


def cost_rows(labels: Sequence[str], counts: Sequence[int]) -> list[Row]:
    """The data of one figure of bars: a row for each layer, with its share of the whole."""
    whole = sum(counts) or 1
    return [
        {"line": label, "value": count, "share": count / whole, "text": short(count)}
        for label, count in zip(labels, counts, strict=True)
    ]


def bars(rows: Sequence[Row], title: str, network: str) -> alt.LayerChart:
    """One bar for each layer, in order of execution from top to bottom, with its number at the end."""
    most = max((row["value"] for row in rows), default=1) or 1
    # The bars end at three quarters of the width, so that the number behind the longest one has room.
    scale = alt.Scale(domain=[0, most / 0.76], nice=False)
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("line:N", sort=None, title=None, axis=_AXIS),
        x=alt.X("value:Q", title=None, scale=scale, axis=None),
        tooltip=[
            alt.Tooltip("line:N", title="layer"),
            alt.Tooltip("value:Q", title=title, format=","),
            alt.Tooltip("share:Q", title="of the network", format=".1%"),
        ],
    )
    drawn = base.mark_bar(color=COLOURS[network], height={"band": 0.7})
    numbers = base.mark_text(align="left", dx=4, color="#7a828e").encode(text="text:N")
    return alt.layer(drawn, numbers).properties(title=_heading(title), height=FRAME + BAR * len(rows))


def spectrum_rows(labels: Sequence[str], spectra: Sequence[Mapping[str, Any]]) -> list[Row]:
    """The data of the figure of singular values: a row for each value, thinned, and the largest one marked.

    Args:
        spectra: each with `values` (largest first), `raw` and `normalised`, as `ganplay.probes.spectra` gives them.
    """
    found = []
    for label, one in zip(labels, spectra, strict=True):
        values = [value for value in one["values"] if value > 0]
        step = max(1, len(values) // MOST_VALUES)
        kept = [*values[::step], *values[-1:]]
        found += [{"line": label, "value": value, "what": "singular value"} for value in kept]
        if values:
            found.append({"line": label, "value": values[0], "what": "largest"})
        if one["normalised"] and one["raw"] > 0:
            found.append({"line": label, "value": one["raw"], "what": "largest before spectral norm"})
    return found


def spectrum(rows: Sequence[Row], labels: Sequence[str], title: str, network: str) -> alt.LayerChart:
    """A stroke for each singular value on a log scale, a dot for the largest, a ring for it before spectral norm."""
    base = alt.Chart(alt.Data(values=list(rows))).encode(
        y=alt.Y("line:N", sort=list(labels), title=None, axis=_AXIS),
        x=alt.X(
            "value:Q", title="singular value (log scale)", scale=alt.Scale(type="log", nice=False, padding=12),
            axis=alt.Axis(format="~g", tickCount=5, grid=True),
        ),
        tooltip=[
            alt.Tooltip("line:N", title="layer"), alt.Tooltip("what:N", title="which"),
            alt.Tooltip("value:Q", title="value", format=".4g"),
        ],
    )  # fmt: skip
    shade = COLOURS[network]
    strokes = base.transform_filter("datum.what == 'singular value'").mark_tick(
        color=shade, opacity=0.65, thickness=1.2, height={"band": 0.55}
    )
    dots = base.transform_filter("datum.what == 'largest'").mark_point(color=shade, filled=True, size=75, opacity=1)
    rings = base.transform_filter("datum.what == 'largest before spectral norm'").mark_point(
        color="#7a828e", filled=False, size=95, strokeWidth=2, opacity=1
    )
    return alt.layer(strokes, rings, dots).properties(title=_heading(title), height=FRAME + 30 + BAR * len(labels))


def short(count: int) -> str:
    """A count as "273 M", "1.6 M", "4.4 k" or "512"."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {letter}"
    return str(count)


def _heading(title: str) -> alt.TitleParams:
    return alt.TitleParams(title, anchor="start", fontSize=13, fontWeight="normal", offset=8)
