"""What the tabs share: controls beside a picture, a reason where there is none, and how to make the picture again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.components import Component

from ganplay.drawings import Drawing, Model
from ganplay.studio.controls import Fitted, as_is, follow
from ganplay.studio.drawn import drawn, open_source
from ganplay.studio.lanes import CONTROL, SAMPLING, spoken

POINTS = "This source makes points, not images. "


@dataclass(frozen=True)
class Tab:
    """A tab as the page needs it.

    Attributes:
        name: of the tab in a link.
        block: the tab itself.
        inputs: the controls whose values `enter` takes after the source's key.
        outputs: what `enter` returns or yields, in order.
        enter: fits the tab to a source and draws; for when the tab or another source is chosen.
        lane: the queue that `enter` waits in.
        seed: the slider that a link's seed goes to, if there is one.
        draw: from the source's key and the same values, what `drawn` shows; nothing is fitted.
        drawn: what `draw` returns, in order.
        shows: a hidden text for each picture, `asked` says with what.
    """

    name: str
    block: gr.Tab
    inputs: Sequence[Component]
    outputs: Sequence[Any]
    enter: Callable[..., Any]
    lane: dict[str, Any] = field(default_factory=lambda: SAMPLING)
    seed: Component | None = None
    draw: Callable[..., Any] | None = None
    drawn: Sequence[Any] = ()
    shows: Sequence[gr.Textbox] = ()


class Stage:
    """A picture with the two texts that make it again, below it and folded. Made first, rendered where it belongs."""

    def __init__(self, alternative: str, moving: bool = False) -> None:
        """`alternative` is the picture in words, for who cannot see it."""
        self.picture = gr.Image(
            interactive=False, show_label=False, buttons=["download", "fullscreen"], render=False,
            elem_classes="moving" if moving else "picture", alt_text=alternative,
        )  # fmt: skip
        self.command = _text(None, "In a terminal")  # the colours for a shell are too pale to read
        self.python = _text("python", "In Python")
        self.asked = gr.Textbox(render=False, elem_classes="unseen")  # what is not in the page tells of no change
        self.outputs = [self.picture, self.command, self.python, self.asked]

    def render(self) -> None:
        self.picture.render()
        self.asked.render()
        with gr.Accordion("Make it again", open=False, elem_classes="again"):
            self.command.render()
            self.python.render()


def _text(language: Any, label: str) -> gr.Code:
    return gr.Code(
        language=language, label=label, interactive=False, lines=1, wrap_lines=True, show_line_numbers=False,
        buttons=["copy"], render=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """The parts of a tab: a reason why there is no picture, or the controls beside the stage."""

    name: str
    block: gr.Tab
    note: gr.Markdown
    area: gr.Row
    stage: Stage

    @property
    def frame(self) -> list[Any]:
        """What says whether the tab makes sense, for `refused` and `accepted` to fill."""
        return [self.note, self.area]


@contextmanager
def scene(name: str, title: str, alternative: str, *below: Stage | Component) -> Iterator[Scene]:
    """A tab whose controls are made in the block, with more below its stage."""
    stage = Stage(alternative)
    with gr.Tab(title, id=name) as block:
        note = gr.Markdown(visible=False, elem_classes="note")
        with gr.Row(elem_classes="scene") as area:
            with gr.Column(scale=2, min_width=280):
                yield Scene(name, block, note, area, stage)
            with gr.Column(scale=5, min_width=300):
                for one in (stage, *below):
                    one.render()


def drawing_tab(
    scene: Scene,
    source: gr.Dropdown,
    values: Sequence[Component],
    make: Callable[..., Drawing],
    *,
    fit: Callable[..., Sequence[Fitted]] | None = None,
    refuse: Callable[[Model], str] = lambda model: "",
    lane: dict[str, Any] = SAMPLING,
    stale: Sequence[Any] = (),
    seed: Component | None = None,
) -> Tab:
    """Wires a tab whose picture follows its controls.

    Args:
        values: the controls.
        make: from a generator and the controls' values, the drawing that they describe.
        fit: from a generator and the values, for each control the value that fits it and the update it needs.
        refuse: why the tab makes no sense for a generator, as a sentence; empty when it does.
        stale: columns to hide with each new picture.
    """

    def picture(key: str, given: Sequence[Any], said: str) -> list[Any]:
        return [*drawn(key, make(open_source(key), *given)), said, *[gr.update(visible=False)] * len(stale)]

    @spoken
    def draw(key: str, *given: Any) -> list[Any]:
        return picture(key, given, asked(key))

    @spoken
    def enter(key: str, *given: Any) -> list[Any]:
        model = open_source(key)
        reason = refuse(model)
        if reason:
            return [*refused(reason), *[gr.skip()] * (len(outputs) - 2)]
        fitted = fit(model, *given) if fit else [as_is(value) for value in given]
        fitting = [value for value, _ in fitted]
        return [*accepted(), *picture(key, fitting, asked(key, *fitting)), *(update for _, update in fitted)]

    changing = [*scene.stage.outputs, *stale]
    follow(values, draw, [source, *values], changing, lane)
    outputs = [*scene.frame, *changing, *values]
    return Tab(scene.name, scene.block, values, outputs, enter, lane, seed, draw, changing, [scene.stage.asked])


def draws(event: Any, tab: Tab, source: gr.Dropdown, lane: dict[str, Any] = SAMPLING) -> None:
    """Draws a tab when an event of the browser's own is over."""
    event.then(tab.draw, [source, *tab.inputs], tab.drawn, **lane, **CONTROL)


def asked(key: str, *values: Any) -> str:
    """What a picture was asked for with, by which the page knows one that came too late.

    With the values of all controls when the tab was entered. Without them for the controls' own answers, which come in
    order and are too late by themselves while somebody moves a slider.
    """
    return json.dumps([key, *values])


def refused(reason: str) -> list[Any]:
    """Shows a reason instead of controls and picture."""
    return [gr.update(value=reason, visible=True), gr.update(visible=False)]


def accepted() -> list[Any]:
    """Shows controls and picture."""
    return [gr.update(visible=False), gr.update(visible=True)]
