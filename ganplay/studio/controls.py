"""The controls that several tabs have, and how they fit a generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from ganplay.drawings import Model
from ganplay.studio.lanes import CONTROL, LOCAL, spoken

Fitted = tuple[Any, Any]  # a control's value, and the update that the control needs

LARGEST_SEED = 9_999  # that a slider reaches; programs may ask for more
NEW_SEED = f"() => Math.floor(Math.random() * {LARGEST_SEED + 1})"


def seed_slider(value: int = 0, label: str = "Seed") -> gr.Slider:
    """A slider of seeds."""
    return gr.Slider(0, LARGEST_SEED, value=value, step=1, label=label)


def truncation_slider() -> gr.Slider:
    """How far the noise may go."""
    return gr.Slider(
        0, 3, value=0, step=0.1, label="Truncation",
        info="Cuts off the noise at so many standard deviations: cleaner and more alike. 0 does not cut.",
    )  # fmt: skip


def class_list(unchosen: str) -> gr.Dropdown:
    """The class that is drawn; hidden until a conditional generator is chosen."""
    return gr.Dropdown(
        [(unchosen, "")], value="", label="Class", visible=False, filterable=False, min_width=110, scale=2
    )


def fit_class(model: Model, value: Any, unchosen: str, shown: bool = True) -> Fitted:
    """The class control for a generator: the names of its classes, or hidden when it is unconditional."""
    names = class_names(model)
    chosen = value if value in names else ""
    choices = [(unchosen, ""), *((name, name) for name in names)]
    return chosen, gr.update(choices=choices, value=chosen, visible=bool(names) and shown)


def as_is(value: Any) -> Fitted:
    """A control that fits every generator."""
    return value, gr.skip()


def class_names(model: Model) -> tuple[str, ...]:
    """The classes that a generator can be told, empty for an unconditional one."""
    recipe = model.recipe
    return recipe.dataset.class_names if recipe.generator.conditioning != "none" else ()


def is_images(model: Model) -> bool:
    """True for a generator of images, False for one of points."""
    return len(model.recipe.shapes.sample) == 3


def tosses(button: gr.Button, seeds: Sequence[Component], js: str = "") -> Any:
    """Makes a button throw new seeds into sliders; the event behind which the picture can be drawn.

    Args:
        js: what else than whole numbers to throw.
    """
    one = js or NEW_SEED
    thrown = one if len(seeds) == 1 else f"() => [{', '.join([f'({one})()'] * len(seeds))}]"
    return button.click(None, None, list(seeds), js=thrown, **LOCAL)


def downloads(label: str, pack: Callable[..., str], inputs: Sequence[Component], lane: dict[str, Any]) -> None:
    """A button that makes a file from the values of controls and downloads it in one go."""
    asked = gr.Button(label, size="md")
    place = f"download-{asked._id}"
    ready = gr.DownloadButton(elem_id=place, elem_classes="unseen")
    click = f"() => setTimeout(() => document.querySelector('#{place}').click(), 50)"  # when the page has the file
    asked.click(spoken(pack), inputs, ready, **lane, **CONTROL).success(None, js=click, **LOCAL)


def follow(controls: Sequence[Component], action: Any, inputs: Any, outputs: Any, lane: dict[str, Any]) -> None:
    """Calls `action` when a person has changed a control: a text when it is finished, all else at once.

    All of them are one event, for only of one event does Gradio keep the answers in order.
    """
    texts = [one for one in controls if isinstance(one, gr.Textbox)]
    finished = [trigger for text in texts for trigger in (text.submit, text.blur)]
    triggers = [*finished, *(one.input for one in controls if one not in texts)]
    gr.on(triggers, action, inputs, outputs, **lane, **CONTROL)
