"""Reads model folders that anybody may have made: everything is refused in one sentence before it costs memory or time.

The recipe of `config.json` is checked like any recipe. Its networks are built without memory first; what they would
take is compared with the size of the file and with what one may ask of a computer that serves others meanwhile. Only
then are weights read, which must be numbers of the right types and shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from ganplay.environment import limit
from ganplay.files import read_json
from ganplay.layout import CONFIG, CONFIG_BYTES, DISCRIMINATOR, GENERATOR, pieces
from ganplay.recipe import Recipe
from ganplay.state import load_network
from ganplay.tensors import read_pieces

MODEL_FORMAT = "ganplay-model-1"
FILES = {"generator": GENERATOR, "discriminator": DISCRIMINATOR}
MOST_WORK = 2.0  # billion multiply-adds of one sample; the largest of our recipes takes 0.4
MOST_VALUES = 2**27  # of the largest tensor in a batch of 256, half a gigabyte; of our recipes 0.34e8
_BATCH = 256  # samples that are computed at once
_HEADER = 1_000_000  # bytes of names and shapes in a safetensors file; ours have about twenty thousand
_LONGEST = 300  # characters of a sentence about somebody else's file
_LONGEST_TITLE = 120
_FLOATS = (torch.float16, torch.bfloat16, torch.float32)


@dataclass(frozen=True)
class Config:
    """What `config.json` says: the recipe, and how many real images the discriminator has seen."""

    recipe: Recipe
    images: int


def read_config(folder: Path) -> Config:
    """The content of a model folder's `config.json`.

    Raises:
        ValueError: it is missing, too large, damaged, of another format, or no recipe of ours.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise ValueError(f"There is no checkpoint {folder.name}: {CONFIG} is missing.")
    if path.stat().st_size > CONFIG_BYTES:
        raise ValueError(
            f"The {CONFIG} of {folder.name} has more than {CONFIG_BYTES:,} bytes, far more than one needs."
        )
    content = read_json(path)
    if not isinstance(content, Mapping) or content.get("format") != MODEL_FORMAT:
        said = content.get("format") if isinstance(content, Mapping) else None
        raise ValueError(f"The {CONFIG} of {folder.name} has the format {_cut(repr(said), 60)}, not '{MODEL_FORMAT}'.")
    images = content.get("images")
    if isinstance(images, bool) or not isinstance(images, int) or not 0 <= images <= 10**15:
        raise ValueError(
            f"The {CONFIG} of {folder.name} has images {_cut(repr(images), 60)}; it must be a whole number."
        )
    try:
        recipe = Recipe.from_json(content.get("recipe"))
    except ValueError as error:
        raise ValueError(_cut(f"The {CONFIG} of {folder.name} cannot be used: {error}")) from None
    if len(recipe.title) > _LONGEST_TITLE or not recipe.title.isprintable():
        raise ValueError(
            f"The title in the {CONFIG} of {folder.name} is no line of at most {_LONGEST_TITLE} characters."
        )
    return Config(recipe, images)


def read_network(folder: Path, owner: str, config: Config, device: str = "cpu") -> nn.Module:
    """The "generator" or the "discriminator" of a model folder, ready to be used.

    Raises:
        ValueError: the file is missing or damaged, has other weights than the recipe, or is too large for its own good.
    """
    paths = [folder / file for file in pieces(FILES[owner])]
    path = paths[0]
    if not path.is_file():
        raise ValueError(f"There is no {owner} in {folder.name}: it has no {path.name}.")
    network = blueprint(config.recipe, owner)
    _check_size([path for path in paths if path.is_file()], network, owner)
    check_work(config.recipe, network, owner)
    tensors, _ = read_pieces(paths)
    fill(network, owner, tensors, device)
    for name, value in network.state_dict().items():
        if not bool(value.isfinite().all()):
            raise ValueError(f"The checkpoint {path.name} of {folder.name} has values at '{name}' that are no numbers.")
    return network


def blueprint(recipe: Recipe, owner: str) -> nn.Module:
    """A network of a recipe without memory: it has shapes and names, but no values.

    Raises:
        ValueError: the network cannot be built for these samples.
    """
    with torch.device("meta"):
        try:
            return getattr(recipe, owner).build(recipe.shapes)
        except RuntimeError as error:
            raise ValueError(_cut(f"The {owner} of this recipe cannot be built: {_first_line(error)}")) from None


def fill(network: nn.Module, owner: str, tensors: Mapping[str, Tensor], device: str = "cpu") -> nn.Module:
    """Lets saved tensors become the weights of a blueprint, in float32, in eval mode and without gradients.

    Raises:
        ValueError: a name, a shape or a type differs.
    """
    weights = {name: value.float() if value.dtype in _FLOATS else value for name, value in tensors.items()}
    for name, own in network.state_dict().items():
        if name in weights and weights[name].dtype != own.dtype:
            raise ValueError(f"The checkpoint has '{name}' as {weights[name].dtype}, the {owner} needs {own.dtype}.")
    load_network(network, owner, weights, assign=True)
    return network.to(device, memory_format=torch.channels_last).eval().requires_grad_(False)


def check_work(recipe: Recipe, network: nn.Module, owner: str) -> None:
    """Refuses a network that would keep or fill a computer, by running it without values.

    Args:
        network: as `blueprint` made it.

    Raises:
        ValueError: a sample takes more arithmetic than GANPLAY_MODEL_WORK allows, a batch too much memory, or the
            network does not work.
    """
    inputs = (recipe.latent,) if owner == "generator" else recipe.shapes.sample
    largest, work = _Largest(), FlopCounterMode(display=False)
    try:
        with torch.device("meta"), torch.no_grad(), work, largest:
            y = torch.zeros(_BATCH, dtype=torch.int64) if recipe.conditional else None
            network.eval()(torch.empty(_BATCH, *inputs), y)
    except (RuntimeError, ValueError, IndexError) as error:
        raise ValueError(_cut(f"The {owner} of this recipe does not work: {_first_line(error)}")) from None
    billions, allowed = work.get_total_flops() / 2e9 / _BATCH, limit("GANPLAY_MODEL_WORK", MOST_WORK, "billions")
    if billions > allowed:
        raise ValueError(
            f"The {owner} of this model takes {billions:,.1f} billion multiply-adds a sample; at most {allowed:g} are "
            "allowed for a model folder (GANPLAY_MODEL_WORK)."
        )
    if largest.values > MOST_VALUES:
        raise ValueError(
            f"The {owner} of this model needs maps of {largest.values * 4 / 1e9:,.1f} GB for {_BATCH} samples; at most "
            f"{MOST_VALUES * 4 / 1e9:,.1f} are allowed for a model folder."
        )


class _Largest(TorchDispatchMode):
    """Notes how many values the largest tensor has that any operation makes while this is active."""

    values = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        made = function(*args, **(kwargs or {}))
        counts = [tensor.numel() for tensor in tree_leaves(made) if isinstance(tensor, Tensor)]
        self.values = max([self.values, *counts])
        return made


def _check_size(paths: Sequence[Path], network: nn.Module, owner: str) -> None:
    """Compares the size of the files of weights with what the network needs, before anything of them is read."""
    values = sum(value.numel() for value in network.state_dict().values())
    size = sum(path.stat().st_size for path in paths)
    if not 2 * values <= size <= 8 * values + _HEADER:  # from half precision to whole numbers of 64 bits
        raise ValueError(
            f"The {owner} of this recipe has {values:,} weights, which do not fit the {size:,} bytes of "
            f"{paths[0].name}."
        )
    for path in paths:
        with path.open("rb") as file:
            if int.from_bytes(file.read(8), "little") > _HEADER:
                raise ValueError(f"The checkpoint {path.name} is damaged or incomplete and cannot be read.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."


def _cut(text: str, most: int = _LONGEST) -> str:
    """One line of bounded length, whatever somebody else wrote into it; the end says what is allowed, and stays."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most // 2]} … {line[-most // 2 :]}"
