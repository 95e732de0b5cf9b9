"""Checkpoints: one safetensors file with the whole state of a run, written atomically and checked when read.

A file that was cut off, changed or made for other networks is refused with one sentence. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ganplay.files import read_json
from ganplay.recipe import Recipe
from ganplay.state import COUNTERS, State, load_network
from ganplay.tensors import read_tensors, write_tensors

FORMAT = "ganplay-run-1"
MODEL_FORMAT = "ganplay-model-1"
AVERAGE, DISCRIMINATOR = "average/", "discriminator/"  # prefixes of what can be read and checked alone


@dataclass(frozen=True)
class LoadedGenerator:
    """A generator ready for sampling: `module` is in eval mode and records no gradients."""

    recipe: Recipe
    images: int
    module: nn.Module


def save(path: Path, state: State) -> None:
    """Writes the state to `path`; a reader sees the old file or the new one, never a part.

    Raises:
        OSError: the file cannot be written; the old one, if any, is unharmed.
    """
    tensors = state.tensors()
    metadata = {
        "format": FORMAT,
        "recipe": json.dumps(state.recipe.to_json()),
        "counters": json.dumps(state.counters()),
    }
    write_tensors(path, tensors, metadata, (AVERAGE, DISCRIMINATOR))


def load(path: Path, recipe: Recipe | None = None, device: str = "cpu") -> State:
    """The state saved at `path`, exact to the bit; or, with another `recipe`, the start of a fork.

    A fork keeps weights, counters and noise, and the moments of an optimiser whose kind did not change.

    Raises:
        ValueError: the file is missing, damaged, not a checkpoint, or does not fit the recipe.
    """
    tensors, metadata = read_tensors(path)
    saved_recipe, counters = _about(path, metadata)
    recipe = recipe or saved_recipe
    state = State(recipe, device)
    state.restore(tensors, counters, exact=recipe.hash == saved_recipe.hash)
    return state


def load_generator(path: Path, device: str = "cpu") -> LoadedGenerator:
    """The averaged generator of a run's checkpoint, or of a model folder with `config.json` and `model.safetensors`.

    Raises:
        ValueError: something is missing, damaged, or does not fit.
    """
    if path.is_dir():
        tensors, metadata = read_tensors(path / "model.safetensors")
        config = read_json(path / "config.json")
        recipe = Recipe.from_json(config.get("recipe") if isinstance(config, Mapping) else config)
        images = int(metadata.get("images", 0))
    else:
        tensors, metadata = read_tensors(path, AVERAGE)
        recipe, counters = _about(path, metadata)
        images = int(counters["images"])
    return LoadedGenerator(recipe, images, _assembled(recipe, "generator", tensors, device))


def load_discriminator(path: Path, device: str = "cpu") -> nn.Module:
    """The discriminator of a run's checkpoint, in eval mode and without gradients; model folders hold none.

    Raises:
        ValueError: something is missing, damaged, or does not fit.
    """
    tensors, metadata = read_tensors(path, DISCRIMINATOR)
    recipe, _ = _about(path, metadata)
    return _assembled(recipe, "discriminator", tensors, device)


def _assembled(recipe: Recipe, owner: str, tensors: Mapping[str, Tensor], device: str) -> nn.Module:
    """The network `owner` of a recipe with saved weights."""
    with torch.device("meta"):  # the file's tensors become the weights: nothing is initialised or allocated for it
        module = getattr(recipe, owner).build(recipe.shapes)
    weights = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    load_network(module, owner, weights, assign=True)
    return module.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)


def _about(path: Path, metadata: Mapping[str, str]) -> tuple[Recipe, dict[str, float]]:
    """The recipe and the counters in the metadata of a run's checkpoint."""
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path.name} is not a checkpoint of a run.")
    try:
        recipe, counters = json.loads(metadata["recipe"]), json.loads(metadata["counters"])
        counters = {name: float(counters[name]) if name == "seconds" else int(counters[name]) for name in COUNTERS}
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"The checkpoint {path.name} is damaged: its recipe or counters cannot be read.") from None
    return Recipe.from_json(recipe), counters
