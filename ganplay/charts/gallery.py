"""Figures of bundled checkpoints: which share of each layer's gradients was small all through training."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from ganplay.charts.style import Point, Row, colour, lines, thin
from ganplay.charts.vanishing import layer_names


def with_gradients(points: Sequence[Point]) -> list[Point]:
    """The points that kept the statistics of each layer: a checkpoint has them for every second or third one."""
    return [point for point in points if point.get("gradients")]


def share_rows(points: Sequence[Point], network: str) -> list[Row]:
    """The data of the figure: for each layer and point the share of its gradients below the threshold, 0 to 1."""
    names, found = layer_names(points, network), []
    for point in thin(with_gradients(points)):
        layers = point["gradients"].get(network) or {}
        for index, name in enumerate(names):
            if name in layers and layers[name][1]:
                small, total, _ = layers[name]
                found.append({"images": point["images"], "value": small / total, "line": f"layer {index + 1}"})
    return found


def share_chart(rows: Sequence[Row], layers: int, title: str) -> alt.Chart:
    """One line a layer from 0 to 100 %, so that networks of different sizes compare."""
    labels = [f"layer {index + 1}" for index in range(layers)]
    scale = alt.Scale(domain=[0, 1])
    return lines(rows, title, labels, [colour(index) for index in range(layers)], scale=scale, numbers=".0%")
