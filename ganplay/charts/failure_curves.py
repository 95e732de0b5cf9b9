"""The curves of one run with the place of a finding marked, and the norm of each layer's gradient with its spikes."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from ganplay.charts import curves
from ganplay.charts.style import MOST_POINTS, PALETTE, Point, Row, Series, colour, lines

LINE = PALETTE[0]
SHADES = {"trouble": "#e5484d", "doubt": "#d9730d", "fine": "#0d9f7a"}  # of the place of a finding
LABEL = "this run"
NETWORKS = ("discriminator", "generator")

Span = tuple[int, int, str]  # images between which a finding shows, and its severity


def shown(points: Sequence[Point], judges: bool) -> list[str]:
    """The figures that these points fill."""
    series = [Series(LABEL, LINE, points, judges)]
    return [name for name in curves.FIGURES if curves.rows(name, series)]


def marked(name: str, points: Sequence[Point], judges: bool, span: Span | None) -> alt.LayerChart | alt.Chart:
    """The figure called `name` for one run; where a finding shows, the ground is coloured.

    Args:
        name: one of `shown`.
        span: None marks nothing. A span of one moment is drawn as a line.
    """
    (part,) = curves.parts(name, [Series(LABEL, LINE, points, judges)])
    drawn = curves.chart(name, part)
    return drawn if span is None else alt.layer(_ground(span), drawn)


def layer_rows(points: Sequence[Point], network: str) -> list[Row]:
    """The largest norm of each layer's gradient since the point before, by layer: a spike of one step shows in it."""
    names = [name for point in points for name in (point.get("largest_gradients") or {}).get(network) or {}]
    places = {name: index for index, name in enumerate(dict.fromkeys(names))}
    several = -(-len(points) // MOST_POINTS) or 1  # points that share one place: the largest of them is drawn
    found: dict[tuple[int, str], Row] = {}
    for number, point in enumerate(points):
        for name, value in ((point.get("largest_gradients") or {}).get(network) or {}).items():
            if isinstance(value, (int, float)) and value > 0:
                row = {"images": point["images"], "value": value, "line": f"layer {places[name] + 1}"}
                best = found.setdefault((number // several, name), row)
                if value > best["value"]:
                    found[number // several, name] = row
    return list(found.values())


def layers(rows: Sequence[Row], network: str, spikes: Sequence[int] = ()) -> alt.LayerChart | alt.Chart:
    """One line a layer on a log scale, and a dashed line at each spike.

    Args:
        rows: of `layer_rows`.
        spikes: images seen at each spike.
    """
    names = sorted({row["line"] for row in rows}, key=lambda name: int(name.split()[-1]))
    title = f"{network.capitalize()}: largest gradient norm by layer, log scale"
    scale = alt.Scale(type="log", nice=False)
    drawn = lines(rows, title, names, [colour(place) for place in range(len(names))], scale=scale)
    if not spikes:
        return drawn
    data = alt.Data(values=[{"images": images} for images in spikes])
    rules = alt.Chart(data).mark_rule(color=SHADES["trouble"], strokeDash=[4, 3], strokeWidth=1.2)
    return alt.layer(rules.encode(x="images:Q", tooltip=[alt.Tooltip("images:Q", title="spike at images")]), drawn)


def _ground(span: Span) -> alt.Chart:
    first, last, severity = span
    data = alt.Chart(alt.Data(values=[{"images": first, "end": last}]))
    if first == last:
        return data.mark_rule(color=SHADES[severity], strokeWidth=2).encode(x="images:Q")
    return data.mark_rect(color=SHADES[severity], opacity=0.16).encode(x="images:Q", x2="end:Q")
