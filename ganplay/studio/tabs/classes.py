"""The class grid: a row for each class, a column for each noise."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganplay.drawings import Model
from ganplay.drawings.classes import Classes
from ganplay.studio import controls
from ganplay.studio.scene import Tab, drawing_tab, draws, scene

UNCONDITIONAL = (
    "This generator is unconditional: nobody can ask it for a class, so there is no grid of classes to show. Choose a "
    "conditional one, whose description above names its classes."
)


def build(source: gr.Dropdown) -> Tab:
    """The tab "Class grid"."""
    with scene("classes", "Class grid", "A row for each class, a column for each noise") as parts:
        seed = controls.seed_slider()
        columns = gr.Slider(
            1, 16, value=8, step=1, label="Columns", info="Each is one noise, the same for all classes."
        )
        truncation = controls.truncation_slider()
        new = gr.Button("New seed", variant="primary")
    values = [seed, columns, truncation]
    tab = drawing_tab(parts, source, values, _drawing, refuse=_refuse, seed=seed)
    draws(controls.tosses(new, [seed]), tab, source)
    return tab


def _drawing(model: Model, seed: Any, columns: Any, truncation: Any) -> Classes:
    return Classes(seed=seed, columns=columns, truncation=truncation)


def _refuse(model: Model) -> str:
    return "" if controls.class_names(model) else UNCONDITIONAL
