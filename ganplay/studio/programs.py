"""The programming interface: one documented endpoint a picture, made from the fields of its drawing.

from gradio_client import Client
Client("http://localhost:7860").predict("checkpoint:quick-digits", seed=7, count=16, api_name="/sample")
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import gradio as gr
from gradio.components import Component

from ganplay import game
from ganplay.drawings import Drawing, drawings
from ganplay.drawings.interpolate import Interpolate
from ganplay.drawings.neighbours import Neighbours
from ganplay.latent.sampling import STRIP
from ganplay.options import option_fields
from ganplay.studio import actions
from ganplay.studio.drawn import drawn
from ganplay.studio.lanes import HEAVY, SAMPLING, spoken
from ganplay.studio.tabs.game import riddle
from ganplay.studio.tabs.interpolate import COLUMNS
from ganplay.studio.tabs.neighbours import look

SOURCE = "A key from /sources, such as checkpoint:quick-digits or run:20261121-231500-quick-digits-3f2a."


def build() -> None:
    """Makes the endpoints, on inputs of their own: a program has no page."""
    gr.api(actions.list_sources, api_name="sources")
    _expose("fetch", actions.fetch, [gr.JSON(visible=False)], SAMPLING)
    for kind, lane in (("sample", SAMPLING), ("arithmetic", SAMPLING), ("classes", SAMPLING), ("directions", HEAVY)):
        _expose(kind, _picture(kind), [_image()], lane)
    _expose("interpolate", interpolate, [_image()], SAMPLING)
    _expose("animate", animate, [_image()], HEAVY)
    _expose("neighbours", _neighbours(), [_image(), gr.JSON(label="Rows", visible=False)], HEAVY)
    _expose("game_picture", game_picture, [_image()], SAMPLING)
    _expose("game_verdict", game_verdict, [gr.JSON(visible=False)], SAMPLING)


def interpolate(
    source: str, first_seed: int = 0, second_seed: int = 1, method: str = "slerp", steps: int = STRIP, seeds: str = "",
    classes: str = "", class_path: str = "linear", truncation: float = 0.0, loop: bool = False, columns: int = COLUMNS,
) -> str:  # fmt: skip
    """The way through the first samples of some seeds as one PNG file, in rows from left to right.

    Args:
        source: a key from `/sources`.
        first_seed: 0 to 2147483647, the picture at the top left.
        second_seed: 0 to 2147483647, the last picture.
        method: `lerp` (straight line) or `slerp` (great circle).
        steps: 2 to 1024 pictures from one seed to the next, both ends included.
        seeds: 2 to 6 seeds with commas, in place of the first and the second.
        classes: names with commas, one to keep or one for each seed; empty for the first class.
        class_path: `linear` or `spherical`, the way between the vectors of two classes.
        truncation: standard deviations at which the noise is cut off, 0 for none.
        loop: go back to the first seed in the end.
        columns: pictures in a row, 0 for a row for each two seeds.
    """
    way = Interpolate(
        seeds=seeds or (first_seed, second_seed), method=method, steps=steps, classes=classes, class_path=class_path,
        truncation=truncation, loop=loop, columns=columns,
    )  # fmt: skip
    return drawn(source, way).path


def animate(
    source: str, seeds: str = "0,1", method: str = "slerp", steps: int = STRIP, classes: str = "",
    class_path: str = "linear", truncation: float = 0.0, loop: bool = False, frame_ms: int = 80,
) -> str:  # fmt: skip
    """The way through the first samples of some seeds as an animated WebP file that goes round for ever.

    Args:
        source: a key from `/sources`.
        seeds: 2 to 6 seeds with commas.
        method: `lerp` (straight line) or `slerp` (great circle).
        steps: 2 to 1024 pictures from one seed to the next, both ends included.
        classes: names with commas, one to keep or one for each seed; empty for the first class.
        class_path: `linear` or `spherical`, the way between the vectors of two classes.
        truncation: standard deviations at which the noise is cut off, 0 for none.
        loop: go back to the first seed in the end; otherwise the way is walked there and back.
        frame_ms: milliseconds that a frame stays, 20 to 2000.
    """
    way = Interpolate(
        seeds=seeds, method=method, steps=steps, classes=classes, class_path=class_path, truncation=truncation,
        loop=loop, animate=True, frame_ms=frame_ms,
    )  # fmt: skip
    return drawn(source, way).path


def game_picture(source: str, seed: int = 0, round: int = 0) -> str:
    """The picture of one round of "human as discriminator" as a PNG file: real or generated?

    Args:
        source: a key from `/sources`.
        seed: 0 to 2147483647, which names the game.
        round: 0 to 19.
    """
    return riddle(source, seed, round)


def game_verdict(source: str, seed: int = 0, answers: list[bool] | None = None) -> dict[str, Any]:
    """What answers were worth, beside the discriminator's on the same pictures: an object.

    Args:
        source: a key from `/sources`.
        seed: of the game.
        answers: of the rounds from the first on, true for "real"; up to 20.
    """
    return game.verdict(source, seed, answers=answers or [])


def _neighbours() -> Callable[..., Any]:
    def action(source: str, *values: Any) -> Any:
        path, rows = look(source, _drawing(Neighbours, values))
        return path, [asdict(row) for row in rows]

    return _described(action, Neighbours, "one PNG file, and its rows: sample, indices, distances, classes")


def _picture(kind: str) -> Callable[..., Any]:
    """The action of the endpoint that draws `kind`."""
    part = drawings[kind]

    def action(source: str, *values: Any) -> str:
        return drawn(source, _drawing(part, values)).path

    return _described(action, part, "one PNG file")


def _drawing(part: type[Drawing], values: Sequence[Any]) -> Drawing:
    names = [field.name for field, _ in option_fields(part)]
    return part(**dict(zip(names, values, strict=True)))


def _described(action: Callable[..., Any], part: type[Drawing], result: str) -> Callable[..., Any]:
    """`action` with the name, the parameters and the words of a drawing: a program sees nothing else of it."""
    fields = option_fields(part)
    about = (inspect.getdoc(part) or "").split("\n\nRaises:")[0]
    lines = [f"    {field.name}: {field.metadata['option'].help}" for field, _ in fields]
    action.__doc__ = f"{about}\n\nArgs:\n    source: {SOURCE}\n" + "\n".join(lines) + f"\n\nReturns:\n    {result}"
    parameters = [inspect.Parameter("source", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str)]
    for field, annotation in fields:
        listed = typing.get_origin(annotation) is tuple  # written with commas
        default = ",".join(map(str, field.default)) if listed else field.default
        parameters.append(
            inspect.Parameter(
                field.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default,
                annotation=str if listed else annotation,
            )
        )  # fmt: skip
    action.__name__ = part.kind
    action.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    action.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return action


def _expose(name: str, action: Callable[..., Any], outputs: list[Component], lane: dict[str, Any]) -> None:
    """Makes an endpoint whose parameters are those of the action, each with its default and its help."""
    hints = typing.get_type_hints(action)
    help_texts = (
        {field.name: field.metadata["option"].help for field, _ in option_fields(drawings[name])}
        if name in drawings
        else {}
    )
    inputs = [
        _input(hints[key], parameter.default, help_texts.get(key, SOURCE if key == "source" else key))
        for key, parameter in inspect.signature(action).parameters.items()
    ]
    call = gr.Button(visible=False)
    call.click(spoken(action), inputs, outputs, api_name=name, preprocess=False, **lane)


def _input(kind: Any, default: Any, label: str) -> Component:
    """An unseen control for values of a kind; a control without a value is one that must be given."""
    value = None if default is inspect.Parameter.empty else default
    if kind is bool:
        return gr.Checkbox(value, label=label, visible=False)
    if kind in (int, float):
        return gr.Number(value, label=label, precision=0 if kind is int else None, visible=False)
    return gr.Textbox(value, label=label, visible=False) if kind is str else gr.JSON(value, label=label, visible=False)


def _image() -> gr.Image:
    return gr.Image(label="Picture", visible=False)
