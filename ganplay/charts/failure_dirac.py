"""The Dirac-GAN in three figures: the field and the paths in it, the distance from rest, and the eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from ganplay.charts.style import PALETTE, Row, thin

GREY = PALETTE[5]
SIDE = 300  # pixels of the plane, in both directions
DRAWN = 500  # places of a path that are drawn at most
ROOM = 1.25  # of the plane beyond the farthest place that is shown
FARTHEST = 3.0  # times the start's distance that is still shown: what flies off leaves the figure
SMALLEST = 1e-40  # radius at which the log scale ends
_GRID = alt.Axis(grid=True, gridOpacity=0.35, tickCount=5)

Place = Sequence[float]


def reach(paths: Mapping[str, Sequence[Place]]) -> float:
    """Half the side of the plane that shows all paths, or as much of them as is worth showing."""
    start = max(math.hypot(*path[0]) for path in paths.values())
    far = max(math.hypot(*place) for path in paths.values() for place in path if all(map(math.isfinite, place)))
    return ROOM * max(min(far, FARTHEST * start), 1e-3)


def arrow_rows(places: Sequence[Place], directions: Sequence[Place]) -> list[Row]:
    """A row for each arrow of the field: its place, its angle clockwise from up, and its strength from 0 to 1."""
    lengths = [math.hypot(*one) for one in directions]
    longest = max((length for length in lengths if math.isfinite(length)), default=0.0)
    return [
        {
            "theta": x, "psi": y, "angle": round(math.degrees(math.atan2(dx, dy)) % 360, 1),
            "strength": round(length / longest, 4), "pull": float(f"{length:.4g}"),
        }
        for (x, y), (dx, dy), length in zip(places, directions, lengths, strict=True)
        if longest and math.isfinite(length) and length > 1e-9 * longest
    ]  # fmt: skip


def path_rows(paths: Mapping[str, Sequence[Place]]) -> list[Row]:
    """A row for each step of each path that is still a number, thinned; the place, the radius and the step."""
    found = []
    for name, path in paths.items():
        steps = [{"step": step, "theta": x, "psi": y} for step, (x, y) in enumerate(path) if _finite(x, y)]
        for row in thin(steps, DRAWN):
            radius = math.hypot(row["theta"], row["psi"])
            rounded = {key: float(f"{row[key]:.5g}") for key in ("theta", "psi")}
            found.append({"line": name, "step": row["step"], "radius": max(radius, SMALLEST)} | rounded)
    return found


def plane(
    arrows: Sequence[Row], paths: Sequence[Row], names: Sequence[str], colours: Sequence[str], half: float
) -> alt.LayerChart:
    """Arrows of the field, the paths over them, the start as a ring and the place of rest as a cross.

    Args:
        arrows: of `arrow_rows`.
        paths: of `path_rows`.
        names: the values of `line`, one colour each.
        half: half the side of the plane, of `reach`.
    """
    scale = alt.Scale(domain=[-half, half], nice=False)
    x = alt.X("theta:Q", title="θ, the generator's point", scale=scale, axis=_GRID)
    y = alt.Y("psi:Q", title="ψ, the discriminator's slope", scale=scale, axis=_GRID)
    field = (
        alt.Chart(alt.Data(values=list(arrows)))
        .mark_point(shape="arrow", filled=True, size=110, color=GREY, clip=True)
        .encode(
            x=x,
            y=y,
            angle=alt.Angle("angle:Q", scale=alt.Scale(domain=[0, 360], range=[0, 360])),
            opacity=alt.Opacity("strength:Q", scale=alt.Scale(domain=[0, 1], range=[0.25, 0.9]), legend=None),
            tooltip=[alt.Tooltip("pull:Q", title="pull", format=".3g")],
        )
    )
    hue = _hue(names, colours)
    lines = alt.Chart(alt.Data(values=list(paths)))
    drawn = lines.mark_line(strokeWidth=1.8, clip=True, opacity=0.95).encode(
        x=x, y=y, order=alt.Order("step:Q"), color=hue, tooltip=_tooltip()
    )
    ends = [row for row in paths if row["step"] == max(one["step"] for one in paths if one["line"] == row["line"])]
    last = alt.Chart(alt.Data(values=ends)).mark_point(size=90, filled=True, opacity=1, clip=True)
    last = last.encode(x=x, y=y, color=hue, tooltip=_tooltip())
    start = alt.Chart(alt.Data(values=[row for row in paths if row["step"] == 0][:1]))
    ring = start.mark_point(size=150, strokeWidth=2.5, color=GREY, opacity=1).encode(x=x, y=y)
    rest = alt.Chart(alt.Data(values=[{"theta": 0, "psi": 0}]))
    cross = rest.mark_point(shape="cross", size=110, filled=True, color=GREY, opacity=1).encode(x=x, y=y)
    title = _heading("Where both are drawn to (arrows), and where they go")
    return alt.layer(field, drawn, ring, cross, last).properties(title=title, width=SIDE, height=SIDE)


def radii(paths: Sequence[Row], names: Sequence[str], colours: Sequence[str]) -> alt.Chart:
    """The distance from (0, 0) over the steps, on a log scale."""
    values = [row["radius"] for row in paths]
    low, high = min(values, default=0.1), max(values, default=1.0)
    scale = alt.Scale(type="log", domain=[min(low / 1.5, high / 10), high * 1.5], nice=False)
    axis = alt.Axis(format=".0e" if low < 1e-3 else "~g", tickCount=5, grid=False)
    return (
        alt.Chart(alt.Data(values=list(paths)), title=_heading("Distance from (0, 0), log scale"), height=SIDE)
        .mark_line(strokeWidth=1.8, clip=True)
        .encode(
            x=alt.X("step:Q", title="steps of the generator", axis=alt.Axis(grid=False, tickCount=5)),
            y=alt.Y("radius:Q", title="distance", scale=scale, axis=axis),
            color=_hue(names, colours),
            tooltip=_tooltip(),
        )
    )


def eigenvalue_rows(games: Mapping[str, Sequence[complex]], chosen: str) -> list[Row]:
    """A row for each finite eigenvalue of each game.

    Args:
        chosen: the game that is drawn over the others.
    """
    return [
        {
            "game": name, "real": round(value.real, 5), "imaginary": round(value.imag, 5),
            "what": "chosen" if name == chosen else "other",
        }
        for name, values in games.items()
        for value in values
        if _finite(value.real, value.imag)
    ]  # fmt: skip


def eigenvalues(rows: Sequence[Row], step: float) -> alt.LayerChart:
    """Eigenvalues in the complex plane; left of the dashed circle's edge a simultaneous step of this size shrinks.

    Args:
        rows: of `eigenvalue_rows`.
        step: the step size h: inside the circle around -1/h of radius 1/h, |1 + h times the eigenvalue| is below 1.
    """
    high = ROOM * max([1.0, *(abs(row["imaginary"]) for row in rows)])
    right = max([0.5, *(row["real"] for row in rows)]) * ROOM
    left = -max([1.0, *(-row["real"] for row in rows)]) * ROOM
    x = alt.X("real:Q", title="real part", scale=alt.Scale(domain=[left, right], nice=False), axis=_GRID)
    y = alt.Y("imaginary:Q", title="imaginary part", scale=alt.Scale(domain=[-high, high], nice=False), axis=_GRID)
    turns = [math.tau * place / 720 for place in range(721)]
    circle = [
        {"real": (math.cos(turn) - 1) / step, "imaginary": math.sin(turn) / step, "order": place}
        for place, turn in enumerate(turns)
    ]
    edge = alt.Chart(alt.Data(values=circle)).mark_line(color=GREY, strokeDash=[5, 4], clip=True)
    zero = alt.Chart(alt.Data(values=[{"real": 0}])).mark_rule(color=GREY, strokeWidth=1).encode(x=x)
    dots = alt.Chart(alt.Data(values=list(rows))).mark_point(filled=True, clip=True)
    tooltip = [
        alt.Tooltip("game:N", title="game"),
        alt.Tooltip("real:Q", title="real part"),
        alt.Tooltip("imaginary:Q", title="imaginary part"),
    ]
    kinds = ["other", "chosen"]
    drawn = dots.encode(
        x=x,
        y=y,
        color=alt.Color("what:N", scale=alt.Scale(domain=kinds, range=[GREY, PALETTE[1]]), legend=None),
        size=alt.Size("what:N", scale=alt.Scale(domain=kinds, range=[55, 170]), legend=None),
        opacity=alt.Opacity("what:N", scale=alt.Scale(domain=kinds, range=[0.6, 1]), legend=None),
        tooltip=tooltip,
    )
    title = _heading("Eigenvalues at (0, 0): this game, and the others")
    return alt.layer(zero, edge.encode(x=x, y=y, order="order:Q"), drawn).properties(
        title=title, width=SIDE, height=SIDE
    )


def _hue(names: Sequence[str], colours: Sequence[str]) -> alt.Color:
    return alt.Color("line:N", scale=alt.Scale(domain=list(names), range=list(colours)), legend=None)


def _tooltip() -> list[Any]:
    return [
        alt.Tooltip("line:N", title="order"),
        alt.Tooltip("step:Q", title="step"),
        alt.Tooltip("theta:Q", title="θ", format=".3g"),
        alt.Tooltip("psi:Q", title="ψ", format=".3g"),
        alt.Tooltip("radius:Q", title="distance", format=".3g"),
    ]


def _heading(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", fontSize=13, fontWeight="normal", offset=8)


def _finite(*values: float) -> bool:
    return all(map(math.isfinite, values))
