"""Directions in latent space: a few sliders, each with its film strip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from ganplay.drawings.directions import Directions
from ganplay.latent.directions import FIGURES, choose, find, known
from ganplay.latent.noise import class_index
from ganplay.studio import controls
from ganplay.studio.drawn import drawn, open_source
from ganplay.studio.lanes import HEAVY, LOCAL, SAMPLING, spoken, told
from ganplay.studio.scene import POINTS, Stage, Tab, accepted, asked, draws, refused, scene

MOST, REACH = 6, 3.0  # sliders, and the standard deviations that they reach
WAYS = [("attributes", "regression"), ("principal components (PCA)", "pca"), ("factorisation (SeFa)", "sefa")]
ABOUT = "A slider moves the sample along its direction; its film strip shows the way, the others as they stand."


def build(source: gr.Dropdown) -> Tab:
    """The tab "Directions"."""
    now = Stage("The sample where the sliders stand")
    alternative = "A film strip for each direction, the sample in the middle"
    with scene("directions", "Directions", alternative, now) as parts:
        gr.Markdown(ABOUT)
        method = gr.Radio(WAYS, value="regression", label="Directions found by")
        class_ = controls.class_list("the first, searched over all")
        seed = controls.seed_slider()
        moves = [
            gr.Slider(-REACH, REACH, value=0, step=0.1, label=f"Direction {place + 1}", visible=False)
            for place in range(MOST)
        ]
        with gr.Row():
            reset = gr.Button("Reset", size="md", min_width=100)
            new = gr.Button("New seed", variant="primary", size="md", min_width=100)
    values = [method, class_, seed, *moves]
    shown = [*now.outputs, *parts.stage.outputs]
    outputs = [*parts.frame, *shown, class_, *moves]
    pictured = [now.asked, parts.stage.asked]
    tab = Tab("directions", parts.block, values, outputs, _enter, HEAVY, seed, spoken(_draw), shown, pictured)

    controls.follow([seed, *moves], tab.draw, [source, *values], shown, SAMPLING)
    controls.follow([method, class_], spoken(_enter), [source, *values], outputs, HEAVY)  # both search anew
    back = reset.click(None, None, moves, js=f"() => Array({MOST}).fill(0)", **LOCAL)
    for event in (back, controls.tosses(new, [seed])):
        draws(event, tab, source)
    return tab


def _draw(source: str, method: str, class_: str, seed: Any, *moves: Any) -> list[Any]:
    """What the sliders show: the sample as they stand, and the strips around it."""
    moved = tuple(moves)
    while moved and not moved[-1]:
        moved = moved[:-1]
    strips = Directions(method=method, class_=class_, seed=seed, moves=moved)
    single = Directions(method=method, class_=class_, seed=seed, moves=moved, steps=1)
    return [*drawn(source, single), asked(source), *drawn(source, strips), asked(source)]


def _enter(source: str, method: str, class_: str, seed: Any, *moves: Any) -> Iterator[list[Any]]:
    """Searches the directions, says how far it is, and shows them with all sliders in the middle."""
    model = open_source(source)
    unchanged = [gr.skip()] * (8 + 1 + MOST)
    if not controls.is_images(model):
        yield [*refused(POINTS + "The plane of points has no boldness or hue for a direction to change."), *unchanged]
        return
    chosen, update = controls.fit_class(model, class_, "the first, searched over all")
    label = class_index(model.recipe, chosen) if chosen else None
    if known(model, method, label) is None:
        yield [gr.update(value="Looking for directions …", visible=True), gr.skip(), *unchanged]
        for sentence, share in told(lambda report: find(model, method, label, report)):
            yield [gr.update(value=f"{sentence} ({share:.0%})", visible=True), gr.skip(), *unchanged]
    found = choose(find(model, method, label), ())[:MOST]
    sliders = [
        gr.update(label=_name(direction.name), info=f"{FIGURES[method]}: {direction.figure:.2g}", value=0, visible=True)
        for direction in found
    ]
    sliders += [gr.update(value=0, visible=False)] * (MOST - len(found))
    *pictures, _ = _draw(source, method, chosen, seed)
    said = asked(source, method, chosen, seed, *[0] * MOST)
    yield [*accepted(), *pictures, said, update, *sliders]


def _name(name: str) -> str:
    return f"Direction {name}" if name.isdecimal() else name.capitalize()
