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
        critics: what the figure of critics is called, whose losses have another unit; empty when all share one figure.
    """

    title: str
    parts: Mapping[str, Callable[[Point], Any]]
    dashes: Mapping[str, tuple[int, int]] | None = None
    scale: Mapping[str, Any] | None = None
    judged: bool = False
    critics: str = ""


class Part(NamedTuple):
    """One of the figures that a figure is divided into: the runs whose numbers have the same unit."""

    title: str
    height: int
    series: list[Series]


def gradient_norm(point: Point, network: str) -> float | None:
    """The norm of all layers' gradients of one network at one point; None when it is unknown or 0 (no logarithm)."""
    layers = (point.get("gradients") or {}).get(network) or {}
    norms = [layer[2] for layer in layers.values()]
    if not all(map(_finite, norms)):  # the run diverges: JSON has no word for infinity
        return None
    norm = math.hypot(*norms)
    return norm if 0 < norm < math.inf else None


def _field(name: str) -> Callable[[Point], Any]:
    return lambda point: point.get(name)


def _score(point: Point) -> float | None:
    """The score at one point; None without one, and where an unbiased estimate is not above 0 (no logarithm)."""
    score = point.get("score")
    return score if _finite(score) and score > 0 else None


def _norm(network: str) -> Callable[[Point], Any]:
    return lambda point: gradient_norm(point, network)


SOLID, DASHED = (1, 0), (5, 4)
HEIGHT, HALF = 260, 190  # pixels of a figure, and of one of two parts
FIGURES: dict[str, Figure] = {
    "discriminator_loss": Figure(
        "Loss of the discriminator", {"": _field("discriminator_loss")}, critics="Loss of the critic"
    ),
    "generator_loss": Figure(
        "Loss of the generator", {"": _field("generator_loss")}, critics="Loss of the generator, by a critic's scores"
    ),
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
    "score": Figure("Score (smaller is better), log scale", {"": _score}, scale={"type": "log", "nice": False}),
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


def parts(name: str, series: Sequence[Series]) -> list[Part]:
    """The figure called `name`, divided where runs with a critic are compared with others.

    On one scale a critic's loss of 0.001 would be a flat line beside a cross-entropy of 1.
    """
    figure = FIGURES[name]
    judges, critics = [one for one in series if one.judges], [one for one in series if not one.judges]
    if not figure.critics or not critics:
        return [Part(figure.title, HEIGHT, list(series))]
    if not judges:
        return [Part(figure.critics, HEIGHT, critics)]
    return [Part(figure.title, HALF, judges), Part(figure.critics, HALF, critics)]


def chart(name: str, part: Part) -> alt.Chart:
    """One part of the figure called `name`. Its form depends on the runs' labels and colours, never on their points."""
    figure = FIGURES[name]
    scale = alt.Scale(**figure.scale) if figure.scale else None
    labels, colours = [one.label for one in part.series], [one.colour for one in part.series]
    found = rows(name, part.series)
    return lines(found, part.title, labels, colours, dashes=figure.dashes, scale=scale, height=part.height)


def settled(points: Sequence[Point], field: str, share: float = 0.25) -> float | None:
    """Mean of a field over the newest `share` of the points: where a noisy curve has arrived."""
    newest = points[-max(1, round(share * len(points))) :]
    values = [point[field] for point in newest if _finite(point.get(field))]
    return sum(values) / len(values) if values else None


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
