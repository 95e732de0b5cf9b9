"""Samples of a seed: how many, how truncated, which class, as a grid to download whole or in single pictures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import gradio as gr
from PIL import Image

from ganplay import pictures
from ganplay.drawings import Model
from ganplay.drawings.sample import Sample
from ganplay.latent.noise import grid_size
from ganplay.studio import controls, files
from ganplay.studio.controls import Fitted, as_is, class_names
from ganplay.studio.drawn import open_source
from ganplay.studio.lanes import SAMPLING
from ganplay.studio.scene import Tab, drawing_tab, draws, scene

MOST = 256  # that the slider reaches; programs may ask for more
_COUNTS = {classes * (64 // classes) for classes in range(1, 17)}  # that fill a grid of some number of classes


def build(source: gr.Dropdown) -> Tab:
    """The tab "Sample"."""
    with scene("sample", "Sample", "Samples of the chosen seed") as parts:
        seed = controls.seed_slider()
        count = gr.Slider(1, MOST, value=64, step=1, label="How many samples")
        truncation = controls.truncation_slider()
        class_ = controls.class_list("all in turn")
        new = gr.Button("New seed", variant="primary")
        values = [seed, count, truncation, class_]
        controls.downloads("All pictures as a ZIP file", archive, [source, *values], SAMPLING)
    tab = drawing_tab(parts, source, values, drawing, fit=_fit, seed=seed)
    draws(controls.tosses(new, [seed]), tab, source)
    return tab


def drawing(model: Model, seed: Any, count: Any, truncation: Any, class_: Any) -> Sample:
    """The drawing of the controls' values. Beyond 64 pictures of no class the grid grows in both directions."""
    plain = Sample(seed=seed, count=count, class_=class_, truncation=truncation)
    in_turn = bool(class_names(model)) and not class_
    return plain if in_turn or plain.count <= 64 else replace(plain, columns=math.ceil(math.sqrt(plain.count)))


def archive(source: str, *values: Any) -> str:
    """The path of a ZIP file with every sample as a picture of its own, at its own size.

    Raises:
        ValueError: the source makes points.
    """
    model = open_source(source)
    if not controls.is_images(model):
        raise ValueError("This source makes points; only images can be downloaded one by one.")
    chosen = drawing(model, *values)
    names = class_names(model)
    made = {}
    for index, image in enumerate(pictures.to_bytes(chosen.samples(model))):
        label = chosen.class_ or (names[index % len(names)] if names else "")
        made[f"seed-{chosen.seed}-{index:04}{'-' if label else ''}{label}.png"] = Image.fromarray(image)
    return files.archive(made, f"samples-seed-{chosen.seed}.zip")


def _fit(model: Model, seed: Any, count: Any, truncation: Any, class_: Any) -> list[Fitted]:
    full = grid_size(model.recipe)[0]
    filled = (full, full) if count in _COUNTS else as_is(count)
    return [as_is(seed), filled, as_is(truncation), controls.fit_class(model, class_, "all in turn")]
