"""What the studio does, as plain functions from the values of its controls to pictures and sentences.

The same functions are its programming interface. They open sources by key only, never by path.
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
from gradio.utils import get_upload_folder
from PIL import Image

from ganplay import pictures, sources
from ganplay.latent import sampling
from ganplay.studio import drawing

Result = TypeVar("Result")

EMPTY = (
    "### There is nothing to sample yet\n"
    "Start a run on the page *Train side by side*, or type `python -m ganplay train --recipe quick-digits` in a "
    "terminal. It appears here as soon as it has saved its first checkpoint: press *Refresh* then."
)


def spoken(action: Callable[..., Result]) -> Callable[..., Result]:
    """`action` with a user's mistake shown as one sentence, in the browser and to a program."""

    @functools.wraps(action)
    def wrapped(*values: Any) -> Result:
        try:
            return action(*values)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return wrapped


@spoken
def list_sources() -> list[dict[str, str]]:
    """Everything that can be sampled now: a list of objects with key, title, kind and detail.

    The key is what `/sample` and `/interpolate` take as `source`.
    """
    return [asdict(source) for source in sources.sources()]


@spoken
def sample(source: str, seed: int, count: int) -> str:
    """The samples of a seed as one PNG file: a grid of eight columns (square beyond 64), or a scatter for a 2-D set.

    The samples of a conditional generator go through its classes in turn, one column each.

    Args:
        source: a key from `/sources`, such as `run:20261121-231500-quick-digits-3f2a`.
        seed: 0 to 2147483647. The same seed and weights give the same picture.
        count: 1 to 1024 samples. More samples begin with the fewer ones.
    """
    loaded = _open(source)
    samples = sampling.sample(loaded, _whole(seed), _whole(count))
    return _file(drawing.grid(samples, loaded.recipe.dataset, loaded.recipe.shapes.classes), "samples.png")


@spoken
def interpolate(source: str, first_seed: int, second_seed: int, method: str, steps: int) -> str:
    """The way between the first samples of two seeds as one PNG file, in rows of seven from left to right.

    Args:
        source: a key from `/sources`.
        first_seed: 0 to 2147483647, the picture at the top left.
        second_seed: 0 to 2147483647, the last picture.
        method: `lerp` (straight line) or `slerp` (great circle).
        steps: 2 to 1024 pictures, both ends included.
    """
    loaded = _open(source)
    samples = sampling.strip(loaded, _whole(first_seed), _whole(second_seed), _whole(steps), method)
    return _file(drawing.strip(samples, loaded.recipe.dataset), "interpolation.png")


def choices() -> list[tuple[str, str]]:
    """Label and key of each source, for a list to choose from."""
    return [(f"{source.title} ({source.detail})", source.key) for source in sources.sources()]


def describe(source: str) -> str:
    """One line about the weights that a source has at the moment."""
    loaded = sources.open_source(source)
    recipe, shape = loaded.recipe, loaded.recipe.shapes.sample
    kind, made = ("points", "Points") if len(shape) == 1 else ("images", f"Images of {shape[1]} x {shape[2]} pixels")
    weights = sum(parameter.numel() for parameter in loaded.module.parameters())
    legend = " Orange is generated, grey is real." if kind == "points" else ""
    return (
        f"{made} after *{recipe.dataset.title}*: {recipe.latent} {recipe.noise} random numbers go through "
        f"{weights:,} weights that were trained on {loaded.images:,} {kind}.{legend}"
    )


def _file(picture: Image.Image, name: str) -> str:
    """The path of the picture as a PNG file among those that Gradio serves, and deletes when they are old.

    Gradio itself would write equal pictures to one file in place: of many viewers of one seed, some saw it empty.
    """
    content = pictures.png(picture)
    path = Path(get_upload_folder()) / hashlib.sha256(content).hexdigest() / name
    try:
        os.utime(path)  # it is there: as good as new
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{secrets.token_hex(8)}.png")
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    return str(path)


def _open(source: str) -> Any:
    if not source:
        raise ValueError("No checkpoint or run is chosen; choose one from the list.")
    return sources.open_source(source)


def _whole(value: Any) -> Any:
    """A number from a control as an int where it is one; the rest is for the library to refuse."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return "empty" if value is None else value
