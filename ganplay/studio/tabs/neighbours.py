"""Samples beside their nearest training images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from ganplay import pictures
from ganplay.drawings import Model, canvas
from ganplay.drawings.neighbours import BLIND, Neighbours, Row, waiting
from ganplay.sources import short
from ganplay.studio import controls, files
from ganplay.studio.drawn import open_source
from ganplay.studio.lanes import HEAVY, spoken, told
from ganplay.studio.scene import POINTS, Tab, accepted, asked, draws, refused, scene

MOST = 10  # samples and neighbours that the sliders reach


def build(source: gr.Dropdown) -> Tab:
    """The tab "Neighbours"."""
    alternative = "Samples on the left, their nearest training images on the right"
    distances = gr.Markdown(elem_classes="distances", render=False)
    with scene("neighbours", "Neighbours", alternative, distances) as parts:
        seed = controls.seed_slider()
        count = gr.Slider(1, MOST, value=5, step=1, label="How many samples")
        nearest = gr.Slider(1, MOST, value=5, step=1, label="Training images beside each")
        features = gr.Radio([("pixels", "pixels")], value="pixels", label="Compare")
        class_ = controls.class_list("all in turn")
        new = gr.Button("New seed", variant="primary")
    values = [seed, count, nearest, features, class_]
    shown = [*parts.stage.outputs, distances]
    outputs = [*parts.frame, *shown, features, class_]
    pictured = [parts.stage.asked]
    tab = Tab("neighbours", parts.block, values, outputs, _enter, HEAVY, seed, spoken(_draw), shown, pictured)
    controls.follow(values, tab.draw, [source, *values], shown, HEAVY)
    draws(controls.tosses(new, [seed]), tab, source, HEAVY)
    return tab


def _draw(source: str, seed: Any, count: Any, nearest: Any, features: Any, class_: Any) -> list[Any]:
    drawing = Neighbours(seed=seed, count=count, nearest=nearest, features=features, class_=class_)
    path, rows = look(source, drawing)
    name = short(source)
    return [path, drawing.command(name), drawing.python(name), asked(source), _table(rows, BLIND[drawing.features])]


def look(source: str, drawing: Neighbours) -> tuple[str, list[Row]]:
    """The path of the picture, and the same as numbers.

    Raises:
        ValueError: there is none, or it would keep all others waiting for minutes.
    """
    model = open_source(source)
    slow = waiting(model, drawing.features) if drawing.features != "pixels" else ""
    if slow:
        raise ValueError(f"{slow} Do that with `{drawing.command(short(source))}`; it is quick here afterwards.")
    rows, image = drawing.find(model)
    return files.keep(pictures.png(canvas.enlarge(image)), drawing.file), rows


def _table(rows: list[Row], caution: str) -> str:
    named = any(name for row in rows for name in row.classes)
    lines = ["| row | nearest distance |" + (" class |" if named else ""), "|---|---|" + "---|" * named]
    for row in rows:
        lines.append(f"| {row.sample + 1} | {row.distances[0]:.2f} |" + (f" {row.classes[0]} |" if named else ""))
    return "\n".join([*lines, "", caution])


def _enter(source: str, seed: Any, count: Any, nearest: Any, features: Any, class_: Any) -> Iterator[list[Any]]:
    """Prepares the training images where that was never done, says how far it is, and shows the neighbours."""
    model = open_source(source)
    unchanged = [gr.skip()] * 7
    if not controls.is_images(model):
        yield [
            *refused(POINTS + "Real points lie everywhere between its samples; their nearest say nothing."),
            *unchanged,
        ]
        return
    try:
        first = waiting(model)
    except ValueError as error:
        yield [*refused(str(error)), *unchanged]
        return
    if first:
        yield [gr.update(value=first, visible=True), gr.skip(), *unchanged]
        for sentence, share in told(lambda report: Neighbours().find(model, report)):
            yield [gr.update(value=f"{sentence} ({share:.0%})", visible=True), gr.skip(), *unchanged]
    features, choice = _fit_features(model, features)
    chosen, classes = controls.fit_class(model, class_, "all in turn")
    picture, command, python, _, table = _draw(source, seed, count, nearest, features, chosen)
    said = asked(source, seed, count, nearest, features, chosen)
    yield [*accepted(), picture, command, python, said, table, choice, classes]


def _fit_features(model: Model, features: Any) -> controls.Fitted:
    """Pixels always; the classifier's view where it is there at once, for its minutes would keep all others waiting."""
    try:
        reason = waiting(model, "classifier")
    except ValueError as error:
        reason = str(error)
    if reason:
        return "pixels", gr.update(choices=[("pixels", "pixels")], value="pixels", info=reason)
    choices = [("pixels", "pixels"), ("what a classifier sees", "classifier")]
    return features, gr.update(choices=choices, value=features, info="")
