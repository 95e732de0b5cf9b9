"""Arithmetic in latent space: an editor for the terms of a weighted sum."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ganplay.drawings import Model
from ganplay.drawings.arithmetic import Arithmetic
from ganplay.studio import controls
from ganplay.studio.controls import Fitted, as_is
from ganplay.studio.scene import Tab, drawing_tab, draws, scene

_TERMS = ((1, "0/1/2"), (-1, "3/4/5"), (1, "6/7/8"), (1, ""))  # the drawing's own, and room for one more
_NEW = f"() => [0, 1, 2].map({controls.NEW_SEED}).join('/')"
ABOUT = (
    "Each term is a weight times the average noise of its seeds, written `3/4/5`. The picture of a sum is drawn from "
    "the sum of the noise, not of the pixels. A term without seeds is left out."
)


def build(source: gr.Dropdown) -> Tab:
    """The tab "Arithmetic"."""
    with scene("arithmetic", "Arithmetic", "The terms with their samples, and the sample of their sum") as parts:
        gr.Markdown(ABOUT)
        weights, seeds = [], []
        for place, (weight, text) in enumerate(_TERMS, 1):
            with gr.Row(elem_classes="term"):
                weights.append(gr.Number(weight, label=f"Weight {place}", step=0.5, min_width=80, scale=1))
                seeds.append(gr.Textbox(text, label=f"Seeds {place}", min_width=120, scale=2, max_length=200))
        normalise = gr.Radio(
            [("as it is", "none"), ("of typical noise", "length")], value="none", label="Length of the sum",
            info="A sum of three is longer than any noise that the generator has seen.",
        )  # fmt: skip
        class_ = controls.class_list("the first")
        new = gr.Button("New seeds", variant="primary")
    values = [*weights, *seeds, normalise, class_]
    tab = drawing_tab(parts, source, values, drawing, fit=_fit)
    draws(controls.tosses(new, seeds[:3], _NEW), tab, source)
    return tab


def drawing(model: Model, *values: Any) -> Arithmetic:
    """The drawing of the editor's values: all weights, all seeds, then the rest.

    Raises:
        ValueError: no term has seeds, or one is wrong.
    """
    *terms, normalise, class_ = values
    count = len(_TERMS)
    pairs = zip(terms[:count], terms[count:], strict=True)
    chosen = tuple(f"{0 if weight is None else weight}:{seeds.strip()}" for weight, seeds in pairs if seeds.strip())
    if not chosen:
        raise ValueError("No term has seeds; write some, such as 3/4/5.")
    return Arithmetic(terms=chosen, normalise=normalise, class_=class_)


def _fit(model: Model, *values: Any) -> list[Fitted]:
    return [*map(as_is, values[:-1]), controls.fit_class(model, values[-1], "the first")]
