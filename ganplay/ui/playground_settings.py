"""The settings of a playground: data and noise for all its GANs, and what each does its own way.

What can change in mid-run does: the canvas goes on with it. What would be another network starts over, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ganplay.data import catalogue, datasets
from ganplay.recipe import Recipe
from ganplay.ui import forms

COMMON = ("latent", "noise", "batch_size", "seed")
TABS = {
    "Layers and units": ("generator", "discriminator"),
    "Loss and penalties": ("loss", "penalties"),
    "Optimisers and updates": ("generator_optimiser", "discriminator_optimiser", "critic_steps", "generator_steps"),
}
REST = "Tricks"
# What only pictures, classes or run folders need, and what the engine for points has not.
HIDDEN = {
    "dataset", *COMMON, "metric", "title", "image_size", "channels", "fakes", "class_weight", "augment", "ema_decay",
    "precision", "stop_images", "stop_seconds", "stop_score", "log_every", "sample_every", "score_every", "score_share",
    "instance_noise_images", "decay_images",
}  # fmt: skip
FIXED = {"conditioning", "label_width", "spectral_norm", "dropout", "output"}
RESTARTING = "Another number of layers or units, another noise length or another seed **starts over** at iteration 0. "


def form(recipes: Sequence[Recipe], names: Sequence[str], key: str) -> list[Recipe]:
    """Draws the settings of all GANs; the recipes that they say.

    Args:
        recipes: what the form shows at first.
        key: another one is a fresh form.

    Raises:
        ValueError: a value is not allowed, or the values do not go together.
    """
    st.caption(RESTARTING + "All the rest changes in mid-run; time travel leads back to before a change.")
    common = _common(recipes[0], key)
    chosen = [recipe.change(common) for recipe in recipes]
    for index, place in enumerate(st.columns(len(recipes)) if len(recipes) > 1 else [st.container()]):
        with place:
            if len(recipes) > 1:
                st.markdown(f"**{names[index]}**")
            chosen[index] = chosen[index].change(_own(chosen[index], index, f"{key}:{index}"))
    return chosen


def point_sets() -> dict[str, str]:
    """The data sets in the plane: name and title."""
    return {entry["kind"]: entry["title"] for entry in catalogue.describe() if datasets[entry["kind"]].native == (2,)}


def _common(recipe: Recipe, key: str) -> dict[str, Any]:
    """Draws data and noise; the values by path."""
    titles = point_sets()
    kinds = list(titles)
    left, right = st.columns([1, 2])
    with left:
        kind = st.selectbox(
            "Data", kinds, kinds.index(recipe.dataset.kind), key=f"{key}:data", format_func=titles.get,
            help="Your own drawing is made with the button beside the plane; a heart is there until then.",
        )  # fmt: skip
    changes: dict[str, Any] = {"dataset": kind}
    shown = recipe.change(changes)
    fields = [s.path for s in shown.settings() if s.path.startswith("dataset.") and s.type is not str]
    with right:
        kept = {s.path: s.value for s in shown.settings() if s.path.startswith("dataset.")}
        changes |= kept | forms.setting_inputs(shown, lambda path: path in fields, f"{key}:{kind}")
    return changes | forms.setting_inputs(recipe, lambda path: path in COMMON, key)


def _own(recipe: Recipe, whose: int, key: str) -> dict[str, Any]:
    """Draws what one GAN has for itself; the values that differ from the recipe, by path. Tabs outlive a fresh form."""
    changes: dict[str, Any] = {}
    for title, tab in zip([*TABS, REST], st.tabs([*TABS, REST], key=f"playground:tabs:{whose}"), strict=True):
        with tab:
            for slot in TABS.get(title, ("",)):
                if slot in ("generator", "discriminator"):
                    st.markdown(f"**{slot.capitalize()}**")
                changes |= forms.setting_inputs(recipe, lambda path, slot=slot: _is_own(path, slot), key)
    return changes


def _is_own(path: str, slot: str) -> bool:
    """True for a setting of this slot, or without one for what no tab has, that a GAN may have for itself."""
    first, _, field = path.partition(".")
    if slot:
        return first == slot and path not in ("generator", "discriminator") and field not in FIXED
    return first not in HIDDEN and not any(first in members for members in TABS.values())
