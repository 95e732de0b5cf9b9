"""Figures of a feature study: scores over images seen with the range of the seeds, and differences to the base."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import altair as alt

from ganplay.charts.style import PALETTE, Row

BASE_COLOUR, SWITCH_COLOUR, REAL_COLOUR = "#7a828e", PALETTE[0], PALETTE[2]
BETTER, WORSE, WITHIN = PALETTE[0], PALETTE[1], "#7a828e"
BIG, SMALL = 300, 150  # pixels of a figure
ROW, FRAME = 30, 84  # pixels of a line of the differences, and of their title and axis
SIGNED = "datum.value == 0 ? '0' : format(datum.value, '+,~f')"  # as d3 writes numbers without an exponent
LONGEST = 34  # letters of a line's name on a phone

Curve = Sequence[tuple[int, float]]  # (images seen, score)


class Differences(NamedTuple):
    """One line of the figure of differences.

    Attributes:
        values: by seed.
        verdict: the colour's meaning: "better", "worse" or "within the spread".
    """

    title: str
    values: Sequence[float]
    mean: float
    spread: float
    verdict: str


def curve_rows(
    base: Mapping[int, Curve], switch: Mapping[int, Curve], title: str, real: float | None, seeds: bool = True
) -> list[Row]:
    """The data of `curves`: for both lines their seeds, mean and range at each moment, and the real data's score.

    A mean is there only where every seed of the line has a score, so that no seed's end looks like a jump.

    Args:
        base, switch: the curve of each seed.
        title: what the pointer says of the switch.
        seeds: whether single seeds are drawn too.
    """
    found: list[Row] = []
    marks: set[int] = set()
    for line, name, by_seed in (("base", "base", base), ("switch", title, switch)):
        known = [dict(curve) for curve in by_seed.values()]
        for seed, curve in by_seed.items() if seeds else ():
            found += [
                {"kind": "seed", "line": line, "name": name, "seed": f"{line} {seed}", "images": images, "value": value}
                for images, value in curve
                if value > 0
            ]
        shared = sorted(set.intersection(*map(set, known))) if known else []
        for images in shared:
            values = [curve[images] for curve in known]
            if min(values) > 0:  # the scale is logarithmic
                found.append({
                    "kind": "mean", "line": line, "name": name, "images": images, "low": min(values),
                    "value": math.fsum(values) / len(values), "high": max(values), "seeds": len(values),
                })  # fmt: skip
            marks.add(images)
    if real is not None and real > 0 and marks:
        found += [{"kind": "real", "line": "real", "name": "real data", "images": images, "value": real} for images in
                  (min(marks), max(marks))]  # fmt: skip
    return found


def domain(lines: Mapping[str, Mapping[int, Curve]], real: float | None) -> tuple[float, float]:
    """Lowest and highest value of all lines, so that several figures share one scale."""
    values = [value for seeds in lines.values() for curve in seeds.values() for _, value in curve if value > 0]
    values += [real] if real else []
    return (min(values), max(values)) if values else (1.0, 10.0)


def curves(title: str, score: str, height: int = BIG, limits: tuple[float, float] | None = None) -> alt.LayerChart:
    """A line at the mean of the seeds, a band from the lowest to the highest, thin lines for seeds, real data dashed.

    Its form does not depend on the data, which a page sends as rows of `curve_rows`.

    Args:
        score: title of the y axis.
        limits: of the y axis, which is logarithmic.
    """
    scale = alt.Scale(type="log", nice=False, padding=6, **({"domain": list(limits)} if limits else {}))
    colour = alt.Color(
        "line:N", legend=None,
        scale=alt.Scale(domain=["base", "switch", "real"], range=[BASE_COLOUR, SWITCH_COLOUR, REAL_COLOUR]),
    )  # fmt: skip
    x = alt.X("images:Q", title="images seen", axis=alt.Axis(format="~s", tickCount=4, grid=False))
    y = alt.Y("value:Q", title=score, scale=scale, axis=alt.Axis(format="~s", tickCount=4, minExtent=30, grid=False))
    about = [
        alt.Tooltip("name:N", title="line"), alt.Tooltip("images:Q", title="images seen", format=","),
        alt.Tooltip("value:Q", title=score, format=".4g"),
    ]  # fmt: skip
    base = alt.Chart(alt.Data(values=[])).encode(x=x, color=colour)
    layers = [
        base.transform_filter("datum.kind == 'mean'")
        .mark_area(opacity=0.2, clip=True)
        .encode(y=alt.Y("low:Q", title=score, scale=scale), y2="high:Q"),
        base.transform_filter("datum.kind == 'mean'")
        .mark_line(strokeWidth=2.2, point=alt.OverlayMarkDef(size=18), clip=True)
        .encode(
            y=y, tooltip=[*about, alt.Tooltip("low:Q", title="lowest seed", format=".4g"),
                          alt.Tooltip("high:Q", title="highest seed", format=".4g"), alt.Tooltip("seeds:Q")]
        ),
        base.transform_filter("datum.kind == 'real'")
        .mark_line(strokeDash=[5, 4], strokeWidth=1.6, clip=True)
        .encode(y=y, tooltip=about),
    ]  # fmt: skip
    thin = base.transform_filter("datum.kind == 'seed'").mark_line(strokeWidth=0.8, opacity=0.55, clip=True)
    layers.insert(1, thin.encode(y=y, detail="seed:N"))
    return alt.layer(*layers).properties(title=_heading(title), height=height)


def difference_rows(lines: Sequence[Differences]) -> list[Row]:
    """The data of `differences`: a row for each seed and one for each mean."""
    found: list[Row] = [{"kind": "zero", "value": 0.0}] if lines else []
    for one in lines:
        name = short(one.title)
        found += [{"kind": "seed", "line": name, "value": value, "verdict": one.verdict} for value in one.values]
        found.append({
            "kind": "mean", "line": name, "value": one.mean, "low": one.mean - one.spread,
            "high": one.mean + one.spread, "verdict": one.verdict,
        })  # fmt: skip
    return found


def extent(lines: Sequence[Differences]) -> tuple[float, float]:
    """A typical spread and the largest difference, as powers of ten: what `differences` chooses its scale by."""
    spreads = sorted(one.spread for one in lines if one.spread > 0)
    values = [abs(value) for one in lines for value in one.values] + [abs(one.mean) + one.spread for one in lines]
    most = max(values, default=0.0) or 1.0
    middle = spreads[len(spreads) // 2] if spreads else most
    return 10.0 ** math.floor(math.log10(middle)), 10.0 ** math.ceil(math.log10(most))


def differences(titles: Sequence[str], extent: tuple[float, float], title: str, axis: str) -> alt.LayerChart:
    """A line for each switch, in this order: small dots for seeds, a large one at their mean, a bar of its spread.

    The scale is linear around 0 and logarithmic outside, for one switch that ruins everything must not hide the others.
    A value left of 0 is better than the base. Its form does not depend on the data.

    Args:
        extent: as the function of that name gives it: where the scale turns, and beyond which there is nothing.
    """
    turn, most = extent
    steps = [turn * 10**power for power in range(round(math.log10(most / turn)) + 1)]
    ticks = sorted([0.0, *steps, *(-step for step in steps)])
    names = [short(one) for one in titles]
    y = alt.Y("line:N", sort=names, title=None, scale=alt.Scale(domain=names),
              axis=alt.Axis(labelLimit=170, ticks=False, domain=False, labelFontSize=11, grid=True))  # fmt: skip
    scale = alt.Scale(domain=["better", "worse", "within the spread"], range=[BETTER, WORSE, WITHIN])
    colour = alt.Color("verdict:N", scale=scale, legend=None)
    x = alt.X(
        "value:Q", title=axis, scale=alt.Scale(type="symlog", constant=turn, nice=False, padding=8),
        axis=alt.Axis(values=ticks, labelExpr=SIGNED, grid=False, labelOverlap="greedy", labelFlush=True),
    )  # fmt: skip
    about = [alt.Tooltip("line:N", title="switch"), alt.Tooltip("value:Q", title="difference", format="+.3g")]
    data = alt.Data(values=[])
    base = alt.Chart(data).encode(y=y, color=colour)
    zero = (
        alt.Chart(data)
        .transform_filter("datum.kind == 'zero'")
        .mark_rule(color=BASE_COLOUR, strokeDash=[5, 4])
        .encode(x=x)
    )
    means = base.transform_filter("datum.kind == 'mean'")
    bars = means.mark_rule(strokeWidth=2.4).encode(x=_like(x, "low:Q"), x2="high:Q")
    dots = means.mark_point(filled=True, size=95, opacity=1).encode(x=x, tooltip=about)
    seeds = base.transform_filter("datum.kind == 'seed'").mark_point(filled=True, size=22, opacity=0.6)
    return alt.layer(zero, seeds.encode(x=x, tooltip=about), bars, dots).properties(
        title=_heading(title), height=FRAME + ROW * len(names)
    )


def _like(x: alt.X, field: str) -> alt.X:
    """The same axis for another field."""
    copied = x.copy()
    copied["shorthand"] = field
    return copied


def short(title: str) -> str:
    """A name that leaves room for the figure on a phone."""
    return title if len(title) <= LONGEST else title[: LONGEST - 1].rstrip() + "…"


def _heading(title: str) -> alt.TitleParams:
    return alt.TitleParams(title, anchor="start", fontSize=13, fontWeight="normal", offset=8)
