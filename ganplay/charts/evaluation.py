"""Figures of evaluations: bars of single classes with their mean, and how near samples come to training samples."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt

from ganplay.charts.style import Row

REAL = "held-out real data"
REAL_COLOUR = "#7a828e"
BAR_HEIGHT = 260  # pixels, with title and axis
STRIP_FRAME, STRIP_LINE = 62, 34  # pixels of title and axis of the strip, and of each of its lines
NEAR = 0.05  # share of the held-out real samples that count as near to a training sample

Figure = Mapping[str, Any]  # one figure of an evaluation as plain data


class Bars(NamedTuple):
    """The data of a figure of single classes.

    Attributes:
        rows: one a class and model.
        means: one a model.
        classes: in label order.
        models: the labels of those that have such figures.
    """

    rows: list[Row]
    means: list[Row]
    classes: list[str]
    models: list[str]


def class_bars(metric: str, models: Sequence[tuple[str, Sequence[Figure]]]) -> Bars:
    """The figures of single classes of one metric, and their means.

    Args:
        models: (label, figures) of each.
    """
    rows, means = [], []
    for label, figures in models:
        for figure in figures:
            if figure["metric"] != metric or not _finite(figure["value"]):
                continue
            row = {"model": label, "value": figure["value"], "samples": figure["samples"]}
            if _finite(figure["real"]):
                row["real"] = figure["real"]
            if figure["group"]:
                if _finite(figure["spread"]):
                    row |= {"low": row["value"] - figure["spread"], "high": row["value"] + figure["spread"]}
                rows.append(row | {"class": figure["group"]})
            else:
                means.append(row)
    known = {model: [row["class"] for row in rows if row["model"] == model] for model, _ in models}
    known = {model: classes for model, classes in known.items() if classes}
    # A model may lack a class; the one that lacks fewest has their order.
    classes = dict.fromkeys(name for found in sorted(known.values(), key=len, reverse=True) for name in found)
    return Bars(rows, [mean for mean in means if mean["model"] in known], list(classes), list(known))


def bar_chart(data: Bars, title: str, labels: Sequence[str], colours: Sequence[str]) -> alt.LayerChart:
    """Bars of each class, a mark on each for real data in the model's place, a dashed line for each model's mean."""
    colour = alt.Color("model:N", scale=alt.Scale(domain=list(labels), range=list(colours)), legend=None)
    angle = -40 if max(map(len, data.classes), default=0) > 3 else 0
    x = alt.X("class:N", sort=data.classes, title=None, axis=alt.Axis(labelAngle=angle, ticks=False))
    offset = alt.XOffset("model:N", sort=list(labels))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=4, minExtent=34))
    tooltip = [
        alt.Tooltip("class:N"),
        alt.Tooltip("model:N"),
        alt.Tooltip("value:Q", title="generated", format=".4g"),
        alt.Tooltip("real:Q", title="real data", format=".4g"),
        alt.Tooltip("samples:Q", format=","),
    ]
    rows, means = alt.Data(values=data.rows), alt.Data(values=data.means)
    bars = alt.Chart(rows).mark_bar().encode(x=x, xOffset=offset, y=y, color=colour, tooltip=tooltip)
    spread = alt.Chart(rows).mark_rule(strokeWidth=1.8, color="#8b93a0").encode(
        x=x, xOffset=offset, y=alt.Y("low:Q", title=None), y2="high:Q"
    )  # fmt: skip
    real = (
        alt.Chart(rows)
        .mark_point(shape="diamond", filled=True, fill="#ffffff", stroke="#1f2733", strokeWidth=1, size=42, opacity=1)
        .encode(x=x, xOffset=offset, y=alt.Y("real:Q", title=None), tooltip=tooltip)
    )
    about_mean = [
        alt.Tooltip("model:N"),
        alt.Tooltip("value:Q", title="mean of the classes", format=".4g"),
        alt.Tooltip("real:Q", title="mean of real data", format=".4g"),
    ]
    mean = (
        alt.Chart(means)
        .mark_rule(strokeDash=[5, 4], strokeWidth=1.5)
        .encode(y=alt.Y("value:Q", title=None), color=colour, tooltip=about_mean)
    )
    layers = [bars, mean, real] if all("low" not in row for row in data.rows) else [bars, mean, spread, real]
    heading = alt.TitleParams(title, anchor="start", fontSize=13, fontWeight="normal", offset=8)
    return alt.layer(*layers).properties(title=heading, height=BAR_HEIGHT)


def strip_rows(lines: Sequence[tuple[str, Sequence[float]]]) -> list[Row]:
    """The data of the strip: one row a sample.

    Args:
        lines: (label, distances) of each line, from top to bottom.
    """
    return [{"line": label, "distance": value} for label, values in lines for value in values if _finite(value)]


def strip_chart(rows: Sequence[Row], title: str, labels: Sequence[str], colours: Sequence[str]) -> alt.LayerChart:
    """A tick a sample, at its distance to the nearest training sample, and a dot at the median of each line."""
    colour = alt.Color("line:N", scale=alt.Scale(domain=list(labels), range=list(colours)), legend=None)
    y = alt.Y("line:N", sort=list(labels), title=None, axis=None)
    x = alt.X("distance:Q", title=None, scale=alt.Scale(zero=True, nice=True), axis=alt.Axis(tickCount=6, grid=False))
    tooltip = [alt.Tooltip("line:N", title="of"), alt.Tooltip("distance:Q", format=".4g")]
    data = alt.Data(values=list(rows))
    ticks = alt.Chart(data).mark_tick(thickness=1.6, opacity=0.45, height=22).encode(
        x=x, y=y, color=colour, tooltip=tooltip
    )  # fmt: skip
    median = (
        alt.Chart(data)
        .mark_point(filled=True, size=90, stroke="#ffffff", strokeWidth=1.5, opacity=1)
        .encode(
            x=alt.X("median(distance):Q", title=None),
            y=y,
            color=colour,
            tooltip=[tooltip[0], alt.Tooltip("median(distance):Q", title="median", format=".4g")],
        )
    )
    heading = alt.TitleParams(title, anchor="start", fontSize=13, fontWeight="normal", offset=8)
    return alt.layer(ticks, median).properties(title=heading, height=STRIP_FRAME + STRIP_LINE * len(labels))


def copying(generated: Sequence[float], real: Sequence[float]) -> str:
    """What the distances to the nearest training samples say of copying, in one sentence with its numbers."""
    generated, real = [one for one in generated if _finite(one)], sorted(one for one in real if _finite(one))
    if len(generated) < 20 or len(real) < 20:
        return "too few samples to say anything of copies."
    limit = real[max(0, math.ceil(NEAR * len(real)) - 1)]
    share = sum(value <= limit for value in generated) / len(generated)
    medians = f"the median is {statistics.median(generated):.3g}, theirs {statistics.median(real):.3g}"
    near = (
        f"{share:.0%} come as near to a training sample as the nearest {NEAR:.0%} of held-out real samples; {medians}"
    )
    if share >= 0.5:
        return f"learnt by heart: {near}."
    return f"look for copies: {near}." if share >= 4 * NEAR else f"no sign of copies: {near}."


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
