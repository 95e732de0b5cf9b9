"""The way between 2 to 6 samples: as a strip, and as an animation that goes round for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from ganplay.drawings import Model, canvas
from ganplay.drawings.interpolate import MOST_KEYS, Interpolate
from ganplay.latent.sampling import STRIP
from ganplay.studio import controls, files
from ganplay.studio.controls import Fitted, as_is
from ganplay.studio.drawn import drawn, open_source
from ganplay.studio.lanes import CONTROL, HEAVY, SAMPLING, spoken
from ganplay.studio.scene import Stage, Tab, asked, drawing_tab, draws, scene

COLUMNS = 7  # 21 steps in three rows of seven stay readable on a phone


def build(source: gr.Dropdown) -> Tab:
    """The tab "Interpolate"."""
    moving = Stage("The way as an animation", moving=True)
    with scene("interpolate", "Interpolate", "Pictures on the way, in rows of seven from left to right") as parts:
        numbers = list(range(2, MOST_KEYS + 1))
        keys = gr.Radio(numbers, value=2, label="Key pictures", info=f"{STRIP} steps from one to the next.")
        seeds, classes = _keys()
        method = gr.Radio(
            [("great circle (slerp)", "slerp"), ("straight line (lerp)", "lerp")], value="slerp", label="Way"
        )
        class_path = gr.Radio(
            [("line", "linear"), ("great circle", "spherical")], value="linear", label="Way between classes",
            info="Of the vectors that stand for classes inside the generator.", visible=False,
        )  # fmt: skip
        truncation = controls.truncation_slider()
        loop = gr.Checkbox(False, label="Back to the first in the end")
        new = gr.Button("New seeds", variant="primary")
        values = [keys, *seeds, *classes, method, class_path, truncation, loop]
        animate = gr.Button("Animate", size="md")
        with gr.Column(visible=False) as stale:
            moving.render()
            controls.downloads("The animation as a GIF file", _gif, [source, *values], HEAVY)
    tab = drawing_tab(parts, source, values, drawing, fit=_fit, stale=[stale])
    draws(controls.tosses(new, seeds), tab, source)
    keys.input(_visible, [source, keys], [*seeds, *classes], **SAMPLING, **CONTROL)
    animate.click(spoken(_animate), [source, *values], [stale, *moving.outputs], **HEAVY, **CONTROL)
    return replace(tab, shows=[*tab.shows, moving.asked])


def _keys() -> tuple[list[gr.Slider], list[gr.Dropdown]]:
    """A seed and a class for each key picture."""
    seeds, classes = [], []
    for place in range(MOST_KEYS):
        with gr.Row(elem_classes="key"):
            slider = gr.Slider(
                0, controls.LARGEST_SEED, value=place, step=1, label=f"Seed {place + 1}", visible=place < 2, scale=3,
                min_width=150,
            )  # fmt: skip
            seeds.append(slider)
            classes.append(controls.class_list("first"))
    return seeds, classes


def drawing(model: Model, keys: Any, *values: Any) -> Interpolate:
    """The strip that the controls describe."""
    seeds, classes = values[:MOST_KEYS][:keys], values[MOST_KEYS : 2 * MOST_KEYS][:keys]
    method, class_path, truncation, loop = values[2 * MOST_KEYS :]
    names = controls.class_names(model)
    asked = tuple(name or names[0] for name in classes) if names and any(classes) else ()
    same = len(set(asked)) == 1
    return Interpolate(
        seeds=seeds, method=method, classes=asked[:1] if same else asked, truncation=truncation, loop=loop,
        class_path="linear" if same or not asked else class_path, columns=COLUMNS,
    )  # fmt: skip


def moves(strip: Interpolate) -> Interpolate:
    """The same way as an animation."""
    return replace(strip, columns=0, animate=True)


def _animate(source: str, *values: Any) -> list[Any]:
    return [gr.update(visible=True), *drawn(source, moves(drawing(open_source(source), *values))), asked(source)]


def _gif(source: str, *values: Any) -> str:
    model = open_source(source)
    moving = moves(drawing(model, *values))
    return files.keep(canvas.encode(moving.frames(model), "GIF", moving.frame_ms), "interpolate.gif")


def _fit(model: Model, keys: Any, *values: Any) -> list[Fitted]:
    seeds, classes = values[:MOST_KEYS], values[MOST_KEYS : 2 * MOST_KEYS]
    method, class_path, truncation, loop = values[2 * MOST_KEYS :]
    fitted = [controls.fit_class(model, name, "first", place < keys) for place, name in enumerate(classes)]
    path = class_path, gr.update(visible=bool(controls.class_names(model)))
    return [as_is(keys), *map(as_is, seeds), *fitted, as_is(method), path, as_is(truncation), as_is(loop)]


def _visible(source: str, keys: Any) -> list[Any]:
    named = bool(controls.class_names(open_source(source)))
    shown = [place < keys for place in range(MOST_KEYS)]
    return [*(gr.update(visible=show) for show in shown), *(gr.update(visible=show and named) for show in shown)]
