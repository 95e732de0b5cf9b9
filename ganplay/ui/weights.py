"""The networks a reader looks into: those of a model folder, of a run, or as a recipe's seed makes them.

What a page gets is plain data, computed once for all who look at the same sample of the same weights.
"""

from __future__ import annotations

import copy
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from ganplay.files import read_json
from ganplay.layout import CONFIG, GENERATOR
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.limits import cores
from ganplay.sources import RUN, Source, folder_of, has_discriminator, open_discriminator, open_source, sources

if TYPE_CHECKING:
    from torch import Tensor, nn

UNTRAINED = "untrained"
NETWORKS = ("generator", "discriminator")
turns = threading.BoundedSemaphore(cores())  # more passes at once than cores only slow each other down


class Choice(NamedTuple):
    """Weights to look into, as plain data: caches tell them apart by it.

    Attributes:
        name: of the recipe, whose untrained networks stand in for what is missing.
        key: of `ganplay.sources`, or `UNTRAINED`.
        stamp: changes when newer weights are saved under the key.
    """

    name: str
    key: str
    stamp: str


def candidates(name: str) -> dict[str, str]:
    """Every set of weights for a recipe's networks by key, as a reader calls it; the untrained ones come last."""
    wanted = recipe(name)
    found = {source.key: f"{source.title} · {source.detail}" for source in sources() if _fits(source, name, wanted)}
    return found | {UNTRAINED: "Before training: the weights that the recipe's seed draws"}


def choice(name: str, key: str) -> Choice:
    """The newest weights under a key.

    Raises:
        ValueError: there are none any more.
    """
    if key == UNTRAINED:
        return Choice(name, key, "")
    try:
        if key.startswith(RUN):
            path = next(iter(store.find(key.removeprefix(RUN)).checkpoints()))
        else:
            path = folder_of(key) / GENERATOR
        return Choice(name, key, f"{path.name}/{path.stat().st_mtime_ns}")
    except (OSError, StopIteration):
        raise ValueError("These weights are gone; choose others.") from None


def recipe_of(chosen: Choice) -> Recipe:
    """The recipe behind the weights, which may differ from the registered one in a few settings.

    Raises:
        ValueError: it cannot be read.
    """
    return recipe(chosen.name) if chosen.key == UNTRAINED else open_source(chosen.key).recipe


def has_trained(chosen: Choice, network: str) -> bool:
    """False where the weights of this network are the untrained ones: many checkpoints hold the generator alone."""
    if chosen.key == UNTRAINED:
        return False
    return network == "generator" or has_discriminator(chosen.key)


@st.cache_data(show_spinner="Looking inside …", max_entries=24)
def maps(chosen: Choice, network: str, seed: int, label: int) -> tuple[dict[str, Any], ...]:
    """The feature maps of one sample: dictionaries with name, module, parts and values, float32 (C, H, W)."""
    from ganplay.probes.feature_maps import feature_maps

    with turns:
        module, x, y = _pass(chosen, network, seed, label)
        return tuple(
            {
                "name": one.name, "module": one.module, "parts": one.parts,
                "values": one.values[0].float().contiguous().numpy(),
            }
            for one in feature_maps(module, x, y)
        )  # fmt: skip


@st.cache_data(show_spinner="Looking where it looks …", max_entries=12)
def attention(chosen: Choice, network: str, seed: int, label: int) -> dict[str, Any] | None:
    """The attention of one sample: side, gain and weights, float16 (side * side, side * side / 4); None without any."""
    from ganplay.probes.attention_maps import attention_maps

    with turns:
        module, x, y = _pass(chosen, network, seed, label)
        found = attention_maps(module, x, y)
    if not found:
        return None
    return {"side": found[0].side, "gain": found[0].gain, "weights": found[0].weights[0].half().numpy()}


@st.cache_data(show_spinner=False, max_entries=64)
def sample(chosen: Choice, seed: int, label: int) -> Any:
    """The generated picture as bytes (H, W, 3), or a scatter of points with this one among them."""
    import numpy as np

    from ganplay.pictures import draw, to_bytes

    with turns:
        module, z, y = _pass(chosen, "generator", seed, label)
        made = module(z, y)
    return to_bytes(made)[0] if made.ndim == 4 else np.asarray(draw(made))


@st.cache_data(show_spinner="Decomposing weights …", max_entries=24)
def spectra(chosen: Choice, network: str) -> tuple[dict[str, Any], ...]:
    """The singular values of every layer: dictionaries with the fields of `ganplay.probes.spectra.Spectrum`."""
    from dataclasses import asdict

    from ganplay.probes.spectra import spectra as decompose

    with turns:
        return tuple(asdict(one) for one in decompose(_network(chosen, network)))


@st.cache_data(show_spinner=False, max_entries=64)
def layer_numbers(chosen: Choice, network: str) -> dict[str, int]:
    """The number of each layer in the table of the recipe behind the weights, by the name of its module."""
    from ganplay.probes.layers import layer_tables

    return {row.name: number for number, row in enumerate(layer_tables(recipe_of(chosen))[network], 1)}


def _fits(source: Source, name: str, wanted: Recipe) -> bool:
    """True for a run of this recipe, and for anything with the same two networks."""
    try:
        if source.kind == "run":
            run = store.find(source.key.removeprefix(RUN))
            return run.info["base"] == name or _same(run.recipe_json(), wanted)
        config = read_json(folder_of(source.key) / CONFIG)
        return _same(config["recipe"], wanted)
    except (KeyError, TypeError, ValueError):
        return False


def _same(content: dict[str, Any], wanted: Recipe) -> bool:
    own = Recipe.from_json(content)  # which knows what an older recipe does not say
    return all(getattr(own, part) == getattr(wanted, part) for part in (*NETWORKS, "image_size", "latent"))


def _network(chosen: Choice, network: str) -> nn.Module:
    """A network of our own with the chosen weights; the untrained one where they hold none.

    Raises:
        ValueError: the weights cannot be read.
    """
    from ganplay.building import build_networks

    if not has_trained(chosen, network):
        generator, discriminator = build_networks(recipe_of(chosen))
        return {"generator": generator, "discriminator": discriminator}[network].eval().requires_grad_(False)
    shared = open_source(chosen.key).module if network == "generator" else open_discriminator(chosen.key)
    return copy.deepcopy(shared)  # others use it meanwhile: no hooks on theirs


def _pass(chosen: Choice, network: str, seed: int, label: int) -> tuple[nn.Module, Tensor, Tensor | None]:
    """A network with what it is given: the seed's noise, or the picture that the generator makes of it."""
    import torch

    from ganplay.latent.noise import seeded

    made = recipe_of(chosen)
    z = seeded(made, seed, 1)  # (1, z)
    y = torch.tensor([label % made.shapes.classes]) if made.shapes.classes else None
    generator = _network(chosen, "generator")
    if network == "generator":
        return generator, z, y
    with torch.no_grad():
        return _network(chosen, "discriminator"), generator(z, y).float(), y
