"""Document 000, figure 4: how many gradients of each layer are smaller than 0.01, over images seen, on a log scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from ganplay.charts.style import Point, Row, colour, lines, thin

EDGE = 0.2  # share of the points at either end that the growth is measured between
FEWEST = 10  # points below which a growth says nothing
FLAT = 1.25  # growth below which (and above whose inverse) a count stays about the same


class Growth(NamedTuple):
    """One layer's count of small gradients, at the beginning, at the end, and of how many.

    Attributes:
        name: the layer's, as the network calls it.
        number: 1 for the layer next to the network's input.
    """

    name: str
    number: int
    first: float
    last: float
    total: int

    @property
    def factor(self) -> float:
        """How often the end contains the beginning; 1 is added to both, because a count may be 0."""
        return (self.last + 1) / (self.first + 1)


def layer_names(points: Sequence[Point], network: str) -> list[str]:
    """The layers of a network in its order."""
    for point in reversed(points):
        layers = (point.get("gradients") or {}).get(network)
        if layers:
            return list(layers)
    return []


def rows(points: Sequence[Point], network: str) -> list[Row]:
    """The data of the figure: for each layer and point 1 + the number of gradients below the threshold."""
    names = layer_names(points, network)
    found = []
    for point in thin(points):
        layers = (point.get("gradients") or {}).get(network) or {}
        for index, name in enumerate(names):
            if name in layers:
                found.append({"images": point["images"], "value": layers[name][0] + 1, "line": f"layer {index + 1}"})
    return found


def chart(data: Sequence[Row], layers: int, title: str, most: int) -> alt.Chart:
    """One line a layer on a log scale. Its form does not depend on the data.

    Args:
        data: as `rows` gives it.
        most: end of the y axis, the same for figures beside each other so that they compare.
    """
    labels = [f"layer {index + 1}" for index in range(layers)]
    scale = alt.Scale(type="log", domain=[1, max(10, most)])
    return lines(data, title, labels, [colour(index) for index in range(layers)], scale=scale, numbers="~s")


def largest_layer(points: Sequence[Point], network: str) -> int:
    """Number of gradients of a network's largest layer, 0 when there is none."""
    for point in reversed(points):
        layers = (point.get("gradients") or {}).get(network)
        if layers:
            return max(total for _, total, _ in layers.values())
    return 0


def growth(points: Sequence[Point], network: str) -> list[Growth]:
    """How each layer's count changed from the first to the newest fifth of the points; empty with too few points."""
    if len(points) < FEWEST:
        return []
    width = max(1, round(EDGE * len(points)))
    found = []
    for index, name in enumerate(layer_names(points, network)):
        counts = [
            layers[name]
            for point in points
            if name in (layers := (point.get("gradients") or {}).get(network) or {})
        ]  # fmt: skip
        if len(counts) >= FEWEST:
            first = sum(count[0] for count in counts[:width]) / width
            last = sum(count[0] for count in counts[-width:]) / width
            found.append(Growth(name, index + 1, first, last, counts[-1][1]))
    return found


def sentence(label: str, network: str, found: Sequence[Growth]) -> str:
    """What one run shows of one network, in words and with its own numbers."""
    if not found:
        return f"**{label}**: too few points yet to compare the beginning of training with its end."
    worst = max(found, key=lambda layer: layer.factor)
    least = min(found, key=lambda layer: layer.factor)
    if worst.factor < FLAT and least.factor > 1 / FLAT:
        what = f"stays about flat in every layer of the {network} (at most × {worst.factor:.2f})"
    elif worst.factor >= FLAT:
        grown = sum(layer.factor >= FLAT for layer in found)
        what = (
            f"grows in {grown} of {len(found)} layers of the {network}, most in layer {worst.number}: "
            f"× {worst.factor:.2g}, from {worst.first:,.0f} to {worst.last:,.0f} of {worst.total:,}"
        )
    else:
        what = f"shrinks in the {network}, most in layer {least.number}: × {least.factor:.2g}"
    return f"**{label}**: the count {what}."
