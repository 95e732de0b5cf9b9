"""A form from a recipe's own metadata: a part that is registered anywhere appears here without a change."""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Collection, Iterator
from typing import Any

import streamlit as st

from ganplay.recipe import MANY, SLOTS, Recipe, Setting

# What comes before the first dot of a path decides its section; a setting nobody placed goes to "Training".
SECTIONS: dict[str, tuple[str, ...]] = {
    "Data": ("dataset", "image_size", "channels"),
    "Generator": ("generator", "latent", "noise", "ema_decay"),
    "Discriminator": ("discriminator",),
    "Loss and penalties": ("loss", "penalties", "class_weight"),
    "Tricks": ("unroll", "flip_labels", "instance_noise", "instance_noise_images", "augment"),
    "Optimisers": ("generator_optimiser", "discriminator_optimiser", "decay_images"),
    "Training": ("batch_size", "critic_steps", "generator_steps", "seed", "precision"),
    "Watching": ("title", "log_every", "sample_every", "score_every", "score_share", "metric"),
}
REST = "Training"
LABELS = {
    "dataset": "Pictures or points to learn",
    "dataset.points": "Drawing, as text",
    "image_size": "Image size (pixels)",
    "channels": "Colour channels",
    "latent": "Length of the noise z",
    "noise": "Distribution of the noise z",
    "ema_decay": "Average of the generator (EMA decay)",
    "generator_optimiser": "Generator's optimiser",
    "discriminator_optimiser": "Discriminator's optimiser",
    "decay_images": "Learning rates fall to 0 over the last images",
    "critic_steps": "Discriminator steps a round",
    "generator_steps": "Generator steps a round",
    "stop_images": "Stop after images",
    "stop_seconds": "Stop after seconds",
    "stop_score": "Stop at score",
    "log_every": "Images between points of the curves",
    "sample_every": "Images between pictures",
    "score_every": "Images between scores",
    "score_share": "Share of the time for scores",
    "unroll": "Further updates of D that G looks through (unrolling)",
    "pack": "Samples judged together (PacGAN)",
    "class_weight": "Weight of the class term",
    "flip_labels": "Share of flipped labels",
    "instance_noise": "Noise on what D sees (instance noise)",
    "instance_noise_images": "Images until that noise has faded",
    "augment": "Changes of what D sees (DiffAugment)",
    "label_width": "Length of the label's code",
    "label_stage": "Stage that the label joins",
    "attention": "Self-attention at side",
    "minibatch_deviation": "Minibatch standard deviation",
    "beta1": "Beta 1",
    "beta2": "Beta 2",
    "std": "Spread of the initial weights",
}
COLUMNS = 3


def label(path: str) -> str:
    """What a reader calls a setting."""
    name = path.rsplit(".", 1)[-1]
    if path.startswith(f"{MANY}.") and path.count(".") == 2:
        return f"{_words(path.split('.')[1])}: {_words(name).lower()}"
    return LABELS.get(path) or LABELS.get(name) or _words(name)


def section_of(path: str) -> str:
    """The section that a setting belongs to."""
    first = path.split(".", 1)[0]
    return next((title for title, members in SECTIONS.items() if first in members), REST)


def settings_form(recipe: Recipe, key: str, skip: Collection[str] = ()) -> dict[str, Any]:
    """Draws all settings of a recipe in tabs.

    Args:
        recipe: what the form shows at first.
        key: prefix of the widgets' keys; another prefix is a fresh form.
        skip: first parts of the paths that are chosen elsewhere.

    Returns:
        the values that differ from `recipe`, by path. They may be refused by `Recipe.change`.
    """
    titles = [title for title in SECTIONS if any(_shown(s, title, skip) for s in recipe.settings())]
    changes: dict[str, Any] = {}
    for title, tab in zip(titles, st.tabs(titles, key=f"{key}:tabs"), strict=True):
        with tab:
            changes |= _section(recipe, title, key, skip)
    return changes


def setting_inputs(recipe: Recipe, paths: Callable[[str], bool], key: str) -> dict[str, Any]:
    """Draws the settings whose path `paths` accepts: first the choices of parts, then the fields of what was chosen."""
    cells = _cells()
    changes = _changed([s for s in recipe.settings() if paths(s.path) and s.path in SLOTS], key, cells)
    chosen = recipe.change(changes)
    fields = [s for s in chosen.settings() if paths(s.path) and s.path not in SLOTS]
    return changes | _changed(fields, f"{key}:{_kinds(chosen)}", cells)


def _section(recipe: Recipe, title: str, key: str, skip: Collection[str]) -> dict[str, Any]:
    shown = {s.path for s in recipe.settings() if _shown(s, title, skip)}
    slots = [s.path for s in recipe.settings() if s.path in shown and s.path in SLOTS]
    changes: dict[str, Any] = {}
    for slot in slots:  # one part below the other: the choice, then its own fields
        changes |= setting_inputs(recipe, lambda path, slot=slot: path.split(".", 1)[0] == slot, key)
    rest = [s for s in recipe.settings() if s.path in shown and s.path.split(".", 1)[0] not in SLOTS]
    return changes | _changed(rest, key, _cells())


def _shown(setting: Setting, title: str, skip: Collection[str]) -> bool:
    return section_of(setting.path) == title and setting.path.split(".", 1)[0] not in skip


def _kinds(recipe: Recipe) -> str:
    """The chosen parts: their fields' widgets must not outlive them."""
    return ",".join(str(setting.value) for setting in recipe.settings() if setting.path in SLOTS)


def _cells() -> Iterator[Any]:
    """Places in rows of columns, left to right."""
    while True:
        yield from st.columns(COLUMNS)


def _changed(settings: list[Setting], key: str, cells: Iterator[Any]) -> dict[str, Any]:
    """Draws settings, one a cell; the values that differ from what they were."""
    changes = {}
    for setting in settings:
        with next(cells):
            value = _widget(setting, f"{key}:{setting.path}")
            if value is not None and value != setting.value:
                changes[setting.path] = value
    return changes


def _widget(setting: Setting, key: str) -> Any:
    """The widget for one setting; its value, None when the field is empty."""
    name, option, value = label(setting.path), setting.option, setting.value
    allowed = option.range_text() if not option.choices else ""
    help = option.help + (f" Allowed: {allowed}." if allowed else "")
    if typing.get_origin(setting.type) is tuple:
        if option.choices:
            return tuple(st.multiselect(name, option.choices, list(value), key=key, help=help, placeholder="none"))
        text = st.text_input(name, ",".join(map(str, value)), key=key, help=f"{help} Several are written with commas.")
        return _entries(text, setting)
    if option.choices:
        return st.selectbox(name, option.choices, option.choices.index(value), key=key, help=help)
    if setting.type is bool:
        return st.toggle(name, value, key=key, help=help)
    if setting.type is str:
        return st.text_input(name, value, key=key, help=help, max_chars=80 if setting.path == "title" else 1_000)
    return _number(setting, name, key, help)


def _number(setting: Setting, name: str, key: str, help: str) -> Any:
    kind, value = setting.type, setting.value
    bounds = {"min_value": setting.option.low, "max_value": setting.option.high}
    given = {bound: kind(limit) for bound, limit in bounds.items() if limit is not None}
    if kind is int:
        step = max(1, 10 ** (len(str(abs(value))) - 2))
        return st.number_input(name, value=value, step=step, key=key, help=help, **given)
    step = 10.0 ** math.floor(math.log10(abs(value))) if value else 1.0
    return st.number_input(name, value=value, step=min(step, 1.0), format="%.6g", key=key, help=help, **given)


def _entries(text: str, setting: Setting) -> Any:
    """Text with commas as the setting's own values where it can be read; as it is where not, for the sentence."""
    kind = typing.get_args(setting.type)[0]
    try:
        return tuple(kind(entry.strip()) for entry in text.split(",") if entry.strip())
    except ValueError:
        return text


def _words(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()
