"""The line figures of "Vanishing gradients": Gaussians on a line, losses over logits, frozen generators, depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

from ganplay.charts.style import NAME, Row, colour

if TYPE_CHECKING:
    from ganplay.scenarios.logits import Curve

FLOOR = 1e-30  # below this, norms are drawn at the edge: 32-bit numbers end soon after
Series = Mapping[str, tuple[Sequence[float], Sequence[float | None]]]  # by line: x and values


def rows(series: Series, least: float | None = None) -> list[Row]:
    """The data of `figure`: fields line, x and value. What is no finite number is left out.

    Args:
        least: smallest value, for a log scale; what lies below is drawn there.
    """
    found = []
    for line, (places, values) in series.items():
        for x, value in zip(places, values, strict=True):
            if value is not None and math.isfinite(value):
                found.append({"line": line, "x": x, "value": value if least is None else max(value, least)})
    return found


def figure(
    data: Sequence[Row],
    title: str,
    x_title: str,
    lines: Sequence[str],
    *,
    log: bool = False,
    domain: tuple[float, float] | None = None,
    x_domain: tuple[float, float] | None = None,
    colours: Sequence[str] = (),
    dashes: Sequence[Sequence[int]] = (),
    points: bool = False,
    numbers: str = "",
    height: int = 260,
) -> alt.Chart:
    """Lines over any x. The heading names the y axis; the page says what the colours mean.

    Args:
        data: as `rows` gives it.
        lines: in the order of the legend.
        colours, dashes: one for each line; by default those of the palette, and solid.
        numbers: d3 format of the y axis.
    """
    limits = {"domain": list(domain)} if domain else {"zero": False, "nice": True}
    scale = alt.Scale(type="log", **limits) if log else alt.Scale(**limits)
    x_scale = alt.Scale(domain=list(x_domain), nice=False) if x_domain else alt.Scale(zero=False, nice=False)
    shades = list(colours) or [colour(index) for index in range(len(lines))]
    axis = alt.Axis(tickCount=5, format=numbers or ("~e" if log else ".4~g"), grid=not log, minExtent=40)
    encoding: dict[str, Any] = {
        "x": alt.X("x:Q", title=x_title, scale=x_scale, axis=alt.Axis(grid=False, tickCount=8)),
        "y": alt.Y("value:Q", title=None, scale=scale, axis=axis),
        "color": alt.Color("line:N", scale=alt.Scale(domain=list(lines), range=shades), legend=None),
        "tooltip": [
            alt.Tooltip("line:N", title="line"),
            alt.Tooltip("x:Q", title=x_title, format=".4~g"),
            alt.Tooltip("value:Q", title=title, format=".3~g"),
        ],
    }
    if dashes:
        patterns = alt.Scale(domain=list(lines), range=[list(dash) for dash in dashes])
        encoding["strokeDash"] = alt.StrokeDash("line:N", scale=patterns, legend=None)
    heading = alt.TitleParams(title, anchor="start", fontSize=13, fontWeight="normal", offset=8)
    chart = alt.Chart(alt.Data(values=list(data), name=NAME), title=heading, height=height)
    return chart.mark_line(strokeWidth=2, clip=True, point=points).encode(**encoding)


def joined(curves: Sequence[Curve]) -> list[tuple[str, Curve]]:
    """The different curves, each under the names of all losses that have just this gradient everywhere."""
    groups: list[tuple[list[str], Curve]] = []
    for one in curves:
        for names, other in groups:
            if all(math.isclose(a, b, abs_tol=1e-12) for a, b in zip(one.slopes, other.slopes, strict=True)):
                names.append(one.kind)
                break
        else:
            groups.append(([one.kind], one))
    return [(" = ".join(names), one) for names, one in groups]


def geometric(seeds: Sequence[Sequence[float]]) -> list[float]:
    """The geometric mean over seeds of each layer's norms; what has underflowed counts as `FLOOR`."""
    logs = [[math.log(max(value, FLOOR)) for value in norms] for norms in seeds]
    return [math.exp(sum(layer) / len(layer)) for layer in zip(*logs, strict=True)]
