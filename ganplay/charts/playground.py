"""The curves of a playground over iterations, and the value surface of a critic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt

from ganplay.charts.style import PALETTE, Row, lines, thin

# One colour a GAN: other ones than those of real points, fakes and arrows in the planes.
MEMBERS = (PALETTE[6], PALETTE[4])
SOLID, DASHED = (1, 0), (5, 4)
LEVELS = 12  # bands of a surface
SEAM = 1.08  # cells overlap a little: browsers draw a bright line where two of them just meet


class Figure(NamedTuple):
    """One figure.

    Attributes:
        parts: by name, "" for the only line: the field of the curves.
        domain: of the y axis; as the data has it by default.
        modes: True where it takes data with known modes.
        judged: True where a critic's scores say nothing.
    """

    title: str
    parts: Mapping[str, str]
    domain: tuple[float, float] | None = None
    modes: bool = False
    judged: bool = False


FIGURES: dict[str, Figure] = {
    "losses": Figure("Loss of D (solid), of G (dashed)", {"D": "loss_d", "G": "loss_g"}),
    "accuracies": Figure(
        "D is right about real (solid), fake (dashed)", {"real": "accuracy_real", "fake": "accuracy_fake"}, (0, 1),
        judged=True,
    ),
    "modes": Figure("Modes covered", {"": "modes"}, modes=True),
    "high_quality": Figure(
        "High quality: share within 3 sigma of a mode", {"": "high_quality"}, (0, 1), modes=True
    ),
    "divergence": Figure("KL (solid) and JS (dashed) divergence, nats", {"KL": "kl", "JS": "js"}),
    "reverse_kl": Figure("Reverse KL over modes, nats", {"": "reverse_kl"}, modes=True),
}  # fmt: skip


def rows(name: str, members: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> list[Row]:
    """The data of a figure, thinned.

    Args:
        members: name and curves of each GAN: rows with "at", the iteration, and what was known there.
    """
    found = []
    for label, curves in members:
        for part, field in FIGURES[name].parts.items():
            for point in thin([point for point in curves if point.get(field) is not None]):
                row = {"images": point["at"], "value": point[field], "line": label}
                found.append(row | {"part": part} if part else row)
    return found


def chart(name: str, labels: Sequence[str], modes: int = 0) -> alt.Chart:
    """A figure without data; its form depends on nothing that changes while training goes on.

    Args:
        modes: how many modes the data has, the end of the axis of covered modes.
    """
    figure = FIGURES[name]
    domain = (0, modes) if name == "modes" else figure.domain
    scale = alt.Scale(domain=list(domain)) if domain else None
    dashes = dict(zip(figure.parts, (SOLID, DASHED), strict=False)) if len(figure.parts) > 1 else None
    drawn = lines(
        [], figure.title, labels, MEMBERS[: len(labels)], dashes=dashes, scale=scale, numbers="~r", height=190
    )
    drawn.encoding.x.title = "iterations"
    drawn.encoding.tooltip[-2].title = "iteration"
    return drawn


def figures(modes: bool, judged: bool) -> list[str]:
    """The figures that say something about data with or without modes, and about a judge or a critic."""
    return [name for name, one in FIGURES.items() if (modes or not one.modes) and (judged or not one.judged)]


def surface(
    values: Sequence[Sequence[float]], extent: float, real: Sequence[Sequence[float]], title: str
) -> alt.LayerChart:
    """A critic's score over the plane in bands of equal height, on its own scale, with real points on it.

    Args:
        values: rows from low to high y, columns from low to high x, from -extent to extent.
        real: points (x, y).
    """
    low, high = min(map(min, values)), max(map(max, values))
    width = 2 * extent / (len(values) - 1)
    cells = [
        {
            "x": round(column * width - extent - width / 2, 4), "y": round(row * width - extent - width / 2, 4),
            "level": min(LEVELS - 1, int(LEVELS * (value - low) / max(high - low, 1e-12))), "score": round(value, 4),
        }
        for row, line in enumerate(values)
        for column, value in enumerate(line)
    ]  # fmt: skip
    for cell in cells:
        cell |= {"right": round(cell["x"] + SEAM * width, 4), "top": round(cell["y"] + SEAM * width, 4)}
    scale = alt.Scale(domain=[-extent, extent], nice=False)
    colours = alt.Scale(domain=[0, LEVELS - 1], range=[PALETTE[1], "#f4efe6", PALETTE[0]], interpolate="lab")
    bands = (
        alt.Chart(alt.Data(values=cells))
        .mark_rect(strokeWidth=0, clip=True)
        .encode(
            x=alt.X("x:Q", title="x₁", scale=scale), x2="right:Q", y=alt.Y("y:Q", title="x₂", scale=scale), y2="top:Q",
            color=alt.Color("level:Q", scale=colours, legend=None), tooltip=[alt.Tooltip("score:Q", title="score")],
        )
    )  # fmt: skip
    places = [{"x": round(x, 3), "y": round(y, 3)} for x, y in real]
    points = (
        alt.Chart(alt.Data(values=places)).mark_circle(size=9, color="#1f2733", opacity=0.8, clip=True)
        .encode(x=alt.X("x:Q", scale=scale), y=alt.Y("y:Q", scale=scale))
    )  # fmt: skip
    heading = alt.TitleParams(title, anchor="start", fontSize=13, fontWeight="normal", offset=8)
    return alt.layer(bands, points).properties(height=320, title=heading)
