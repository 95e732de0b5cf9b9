"""Where things live. Nothing here creates a folder: whoever writes does."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder of everything a user makes: the environment's GANPLAY_HOME, or `.ganplay` in the user's own folder."""
    chosen = os.environ.get("GANPLAY_HOME")
    return Path(chosen).expanduser().absolute() if chosen else Path.home() / ".ganplay"


def runs_folder() -> Path:
    """One folder a run."""
    return home() / "runs"


def cache_folder() -> Path:
    """Decoded arrays that can be made again; deleting it costs time, nothing else."""
    return home() / "cache"


def pictures_folder() -> Path:
    """One folder for each imported set of pictures."""
    return home() / "pictures"


def hub_folder() -> Path:
    """One model folder for each repository and revision that was downloaded; all can be downloaded again."""
    return cache_folder() / "hub"


def models_folder() -> Path:
    """Model folders of the operator's own: the environment's GANPLAY_MODELS, or `models` below the home."""
    chosen = os.environ.get("GANPLAY_MODELS")
    return Path(chosen).expanduser().absolute() if chosen else home() / "models"


def bundled_checkpoints() -> Path:
    """The pretrained checkpoints that come with the repository, beside the package."""
    return Path(__file__).resolve().parent.parent / "checkpoints"
