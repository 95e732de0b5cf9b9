"""Checkpoints: one safetensors file with the whole state of a run, written atomically and checked when read.

A file that was cut off, changed or made for other networks is refused with one sentence. Nothing is ever unpickled.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from ganplay.model_folder import MODEL_FORMAT, blueprint, fill, read_config, read_network
from ganplay.recipe import Recipe
from ganplay.state import COUNTERS, State
from ganplay.tensors import below, read_tensors, write_tensors
from ganplay.widening import widen

__all__ = ["MODEL_FORMAT", "LoadedGenerator", "load", "load_discriminator", "load_generator", "save"]

FORMAT = "ganplay-run-1"
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

    A fork keeps weights, counters and noise, and the moments of an optimiser whose kind and network did not change. Its
    generator may have wider layers, if it draws the same with them (`ganplay.widening`).

    Raises:
        ValueError: the file is missing, damaged, not a checkpoint, or does not fit the recipe.
    """
    tensors, metadata = read_tensors(path)
    saved_recipe, counters = _about(path, metadata)
    recipe = recipe or saved_recipe
    state = State(recipe, device)
    if recipe.generator != saved_recipe.generator and recipe.shapes == saved_recipe.shapes:
        tensors = _widened(tensors, saved_recipe, state)
    state.restore(tensors, counters, exact=recipe.hash == saved_recipe.hash)
    return state


def _widened(tensors: dict[str, Tensor], recipe: Recipe, state: State) -> dict[str, Tensor]:
    """The tensors of a run of another recipe, with the generator's and its average's for the networks of `state`."""
    found = dict(tensors)
    for owner in ("generator", "average"):
        narrow = fill(blueprint(recipe, "generator"), owner, below(tensors, f"{owner}/"))
        wide = copy.deepcopy(getattr(state, owner)).cpu()
        if widen(narrow, wide, recipe.shapes):
            found |= {f"{owner}/{name}": value for name, value in wide.state_dict().items()}
    return found


def load_generator(path: Path, device: str = "cpu") -> LoadedGenerator:
    """The averaged generator of a run's checkpoint, or of a model folder with `config.json` and `model.safetensors`.

    Raises:
        ValueError: something is missing, damaged, or does not fit.
    """
    if path.is_dir():
        config = read_config(path)
        return LoadedGenerator(config.recipe, config.images, read_network(path, "generator", config, device))
    tensors, metadata = read_tensors(path, AVERAGE)
    recipe, counters = _about(path, metadata)
    return LoadedGenerator(
        recipe, int(counters["images"]), fill(blueprint(recipe, "generator"), "generator", tensors, device)
    )


def load_discriminator(path: Path, device: str = "cpu") -> nn.Module:
    """The discriminator of a run's checkpoint, or of a model folder that has one, in eval mode and without gradients.

    Raises:
        ValueError: something is missing, damaged, or does not fit.
    """
    if path.is_dir():
        return read_network(path, "discriminator", read_config(path), device)
    tensors, metadata = read_tensors(path, DISCRIMINATOR)
    recipe, _ = _about(path, metadata)
    return fill(blueprint(recipe, "discriminator"), "discriminator", tensors, device)


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
