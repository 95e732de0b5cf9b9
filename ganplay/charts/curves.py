"""The curves of training: both losses, what the discriminator gets right, how strong the gradients are, the score."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import altair as alt

from ganplay.charts.style import Point, Row, Series, lines, thin


class Figure(NamedTuple):
    """What one figure shows.

    Attributes:
        parts: the lines of one run by name, "" for the only one, each with how to read it from a point.
        dashes: the pattern of each part.
        judged: True leaves the critics out.
    """

    title: str
    parts: Mapping[str, Callable[[Point], Any]]
    dashes: Mapping[str, tuple[int, int]] | None = None
    scale: Mapping[str, Any] | None = None
    judged: bool = False


def gradient_norm(point: Point, network: str) -> float | None:
    """The norm of all layers' gradients of one network at one point; None when it is unknown or 0 (no logarithm)."""
    layers = (point.get("gradients") or {}).get(network) or {}
    norm = math.sqrt(sum(layer[2] ** 2 for layer in layers.values()))
    return norm if 0 < norm < math.inf else None


def _field(name: str) -> Callable[[Point], Any]:
    return lambda point: point.get(name)


def _norm(network: str) -> Callable[[Point], Any]:
    return lambda point: gradient_norm(point, network)


SOLID, DASHED = (1, 0), (5, 4)
FIGURES: dict[str, Figure] = {
    "discriminator_loss": Figure("Loss of the discriminator", {"": _field("discriminator_loss")}),
    "generator_loss": Figure("Loss of the generator", {"": _field("generator_loss")}),
    "accuracy": Figure(
        "D is right about real (solid), fake (dashed)",
        {"real": _field("accuracy_real"), "fake": _field("accuracy_fake")},
        {"real": SOLID, "fake": DASHED},
        {"domain": [0, 1]},
        judged=True,
    ),
    "gradient_norm": Figure(
        "Gradient norm of D (solid), G (dashed), log scale",
        {"discriminator": _norm("discriminator"), "generator": _norm("generator")},
        {"discriminator": SOLID, "generator": DASHED},
        {"type": "log", "nice": False},
    ),
    "score": Figure("Score (smaller is better)", {"": _field("score")}),
}


def rows(name: str, series: Sequence[Series]) -> list[Row]:
    """The data of the figure called `name`: a row for each number of each run, thinned."""
    figure, found = FIGURES[name], []
    for one in series:
        if figure.judged and not one.judges:
            continue
        for point in thin(one.points):
            for part, read in figure.parts.items():
                value = read(point)
                if _finite(value):
                    row = {"images": point["images"], "value": value, "line": one.label}
                    found.append(row | {"part": part} if part else row)
    return found


def chart(name: str, series: Sequence[Series]) -> alt.Chart:
    """The figure called `name`. Its form depends on the labels and colours of the runs, never on their points."""
    figure = FIGURES[name]
    scale = alt.Scale(**figure.scale) if figure.scale else None
    labels, colours = [one.label for one in series], [one.colour for one in series]
    return lines(rows(name, series), figure.title, labels, colours, dashes=figure.dashes, scale=scale)


def settled(points: Sequence[Point], field: str, share: float = 0.25) -> float | None:
    """Mean of a field over the newest `share` of the points: where a noisy curve has arrived."""
    newest = points[-max(1, round(share * len(points))) :]
    values = [point[field] for point in newest if _finite(point.get(field))]
    return sum(values) / len(values) if values else None


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
