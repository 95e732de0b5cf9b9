"""Gradients of each layer over images seen: how many are smaller than 0.01 (document 000, figure 4), and how long."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from ganplay.charts.style import NAME, Point, Row, colour, lines, thin

EDGE = 0.2  # share of the points at either end that the growth is measured between
FEWEST = 10  # points below which a growth says nothing
CELLS = 60  # of a heat map along the time
FULL = 0.95  # share of small gradients above which a count has no room to grow
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


def heat_rows(points: Sequence[Point], network: str) -> list[Row]:
    """The data of the heat map: for each layer and stretch of time the L2 norm of the mean step's gradient.

    Norms that are 0 or no numbers have no place on a log scale and are left out.
    """
    names = layer_names(points, network)
    kept = thin([point for point in points if (point.get("gradients") or {}).get(network)], CELLS)
    found = []
    for place, point in enumerate(kept):
        begin = kept[place - 1]["images"] if place else 0
        for index, name in enumerate(names):
            norm = point["gradients"][network].get(name, (0, 0, None))[2]
            if norm is not None and 0 < norm < math.inf:
                found.append({"from": begin, "images": point["images"], "layer": index + 1, "value": norm})
    return found


def heat_map(data: Sequence[Row], layers: int, title: str, bounds: tuple[float, float]) -> alt.Chart:
    """One row a layer, the first at the top, time to the right, the norm as a colour on a log scale.

    Args:
        data: as `heat_rows` gives it.
        bounds: norms of the darkest and the brightest colour, the same for figures beside each other.
    """
    scale = alt.Scale(type="log", domain=list(bounds), scheme="viridis", clamp=True)
    legend = alt.Legend(orient="bottom", title="L2 norm of the layer's gradient", format="~e", gradientLength=200)
    heading = alt.TitleParams(title, anchor="start", fontSize=13, fontWeight="normal", offset=8)
    height = 34 * layers + 280  # axis and legend included
    form = alt.Chart(alt.Data(values=list(data), name=NAME), title=heading, height=height)
    return form.mark_rect().encode(
        x=alt.X("from:Q", title="images seen", axis=alt.Axis(format="~s", tickCount=5, grid=False)),
        x2="images:Q",
        y=alt.Y("layer:O", title="layer", scale=alt.Scale(domain=list(range(1, layers + 1)))),
        color=alt.Color("value:Q", scale=scale, legend=legend),
        tooltip=[
            alt.Tooltip("layer:O", title="layer"),
            alt.Tooltip("images:Q", title="images seen", format=","),
            alt.Tooltip("value:Q", title="L2 norm", format=".3g"),
        ],
    )


def decades(data: Sequence[Row]) -> tuple[float, float]:
    """The powers of ten around all values of heat maps, at least one apart."""
    values = [row["value"] for row in data]
    if not values:
        return 0.1, 1.0
    low = math.floor(math.log10(min(values)))
    return 10.0**low, 10.0 ** max(low + 1, math.ceil(math.log10(max(values))))


def growth(points: Sequence[Point], network: str) -> list[Growth]:
    """How each layer's count changed from the first to the newest fifth of the points that have one.

    A layer with fewer than `FEWEST` of them is left out.
    """
    found = []
    for index, name in enumerate(layer_names(points, network)):
        counts = [
            layers[name]
            for point in points
            if name in (layers := (point.get("gradients") or {}).get(network) or {})
        ]  # fmt: skip
        if len(counts) >= FEWEST:
            width = max(1, round(EDGE * len(counts)))
            first = sum(count[0] for count in counts[:width]) / width
            last = sum(count[0] for count in counts[-width:]) / width
            found.append(Growth(name, index + 1, first, last, counts[-1][1]))
    return found


def share(part: float) -> str:
    """How many entries a smallest share of them means, in words that never say more than the number does."""
    return "all entries" if part == 1 else f"at least {math.floor(100 * part)}% of the entries"


def sentence(label: str, network: str, found: Sequence[Growth]) -> str:
    """What one run shows of one network, in words and with its own numbers."""
    if not found:
        return f"**{label}**: too few points yet to compare the beginning of training with its end."
    worst = max(found, key=lambda layer: layer.factor)
    least = min(found, key=lambda layer: layer.factor)
    if worst.factor < FLAT and least.factor > 1 / FLAT:
        what = f"stays about flat in every layer of the {network} (at most × {worst.factor:.2f})"
        full = min(layer.first / layer.total for layer in found)
        if full > FULL:
            what += f", but it had no room to grow: {share(full)} of each layer are small from the beginning"
    elif worst.factor >= FLAT:
        grown = sum(layer.factor >= FLAT for layer in found)
        what = (
            f"grows in {grown} of {len(found)} layers of the {network}, most in layer {worst.number}: "
            f"× {worst.factor:.2g}, from {worst.first:,.0f} to {worst.last:,.0f} of {worst.total:,}"
        )
    else:
        what = f"shrinks in the {network}, most in layer {least.number}: × {least.factor:.2g}"
    return f"**{label}**: the count {what}."
