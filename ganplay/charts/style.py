"""What all figures share: colours that work for everybody on light and dark, thinning, the axis of images seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt

# Each has a contrast of at least 3 to the light and to the dark background, and neighbours differ in blue against
# yellow, which colour-blind readers see too.
PALETTE = ("#3182ce", "#d9730d", "#0d9f7a", "#c2569b", "#8a7a00", "#7a828e", "#6f63d2", "#c0504d")
MOST_POINTS = 250  # of one line: more can hardly be seen, and all are sent and drawn at every tick
NAME = "points"

Point = Mapping[str, Any]  # one line of metrics.jsonl
Row = dict[str, Any]


class Series(NamedTuple):
    """The curves of one run.

    Attributes:
        label: what the legend calls it.
        colour: hexadecimal, the same wherever this run appears.
        points: lines of `metrics.jsonl`, by images seen.
        judges: False for a critic, whose score has no threshold between real and generated.
    """

    label: str
    colour: str
    points: Sequence[Point]
    judges: bool = True


def colour(index: int) -> str:
    """The colour of the run at this place; they repeat after the last."""
    return PALETTE[index % len(PALETTE)]


def thin(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """At most `most` of the points, evenly spread; the first and the newest stay."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[last * step // (most - 1)] for step in range(most)]


def lines(
    rows: Sequence[Row],
    title: str,
    domain: Sequence[str],
    colours: Sequence[str],
    *,
    dashes: Mapping[str, Sequence[int]] | None = None,
    scale: alt.Scale | None = None,
    numbers: str = ".4~g",
    height: int = 260,
) -> alt.Chart:
    """Lines of `rows` with the fields images, value, line (colour) and, with `dashes`, part (pattern).

    There is no legend: the page says once, for several figures, what the colours mean, and the pointer says it too.
    The data carries a name, so that a page may send new rows for the same drawing instead of a new drawing.

    Args:
        title: of the y axis, shown above it.
        domain: the values of `line` in legend order, one colour each.
        dashes: the values of `part` with their dash patterns.
        numbers: d3 format of the y axis; without a precision of its own, 40 would be written 4e+1.
    """
    x = alt.X("images:Q", title="images seen", axis=alt.Axis(format="~s", tickCount=5, grid=False))
    scale = scale or alt.Scale(zero=False, nice=True)
    logarithmic = scale.to_dict().get("type") == "log"
    axis = alt.Axis(tickCount=4, format=numbers, grid=not logarithmic, minExtent=34)
    y = alt.Y("value:Q", title=None, scale=scale, axis=axis)
    encoding: dict[str, Any] = {
        "x": x,
        "y": y,
        "color": alt.Color("line:N", scale=alt.Scale(domain=list(domain), range=list(colours)), legend=None),
        "tooltip": [
            alt.Tooltip("line:N", title="line"),
            alt.Tooltip("images:Q", title="images seen", format=","),
            alt.Tooltip("value:Q", title=title, format=".4g"),
        ],
    }
    if dashes:
        patterns = alt.Scale(domain=list(dashes), range=[list(dash) for dash in dashes.values()])
        encoding["strokeDash"] = alt.StrokeDash("part:N", scale=patterns, legend=None)
        encoding["tooltip"].insert(1, alt.Tooltip("part:N", title="of"))
    heading = alt.TitleParams(title, anchor="start", fontSize=13, fontWeight="normal", offset=8)
    data = alt.Data(values=list(rows), name=NAME)
    return alt.Chart(data, title=heading, height=height).mark_line(strokeWidth=1.8, clip=True).encode(**encoding)
