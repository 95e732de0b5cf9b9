"""ganplay: the GANs of five documents as recipes that train, break and can be sampled.

The names below import torch when they are first used, not before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganplay.checkpoint import LoadedGenerator
    from ganplay.hub.model import GanModel
    from ganplay.latent.noise import seeded
    from ganplay.recipe import Recipe
    from ganplay.trainer import train

__version__ = "0.1.0"
__all__ = ["GanModel", "Recipe", "load", "seeded", "train"]

_HOMES = {
    "GanModel": ("ganplay.hub.model", "GanModel"),
    "Recipe": ("ganplay.recipe", "Recipe"),
    "seeded": ("ganplay.latent.noise", "seeded"),
    "train": ("ganplay.trainer", "train"),
}


def load(source: str) -> LoadedGenerator:
    """A generator to sample from: a bundled checkpoint's name, a run's id, a path, or `hub:owner/name[@revision]`.

    A path is that of a checkpoint file or a model folder. What is not on this computer is downloaded from the Hub.

    Raises:
        ValueError: there is no such thing, or it cannot be had or read.
    """
    from ganplay.sources import resolve

    return resolve(source, allow_paths=True)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ganplay' has no attribute '{name}'")
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
