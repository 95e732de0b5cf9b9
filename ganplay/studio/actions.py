"""What the studio says about its sources, as plain functions. They open sources by key only, never by path."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from ganplay import sources
from ganplay.hub import fetch as hub_fetch
from ganplay.hub.reference import HUB
from ganplay.studio import controls
from ganplay.studio.drawn import open_source

EMPTY = (
    "### There is nothing to sample yet\n"
    "Start a run on the page *Train side by side*, or type `python -m ganplay train --recipe quick-digits` in a "
    "terminal. It appears here as soon as it has saved its first checkpoint: press *Refresh* then."
)
_KINDS = {"checkpoint": "bundled", "run": "run", "folder": "folder", "hub": "Hub"}


def list_sources() -> list[dict[str, str]]:
    """Everything that can be drawn from now: a list of objects with key, title, kind and detail.

    The key is what every other endpoint takes as `source`.
    """
    return [asdict(source) for source in sources.sources()]


def fetch(source: str) -> dict[str, Any]:
    """How far a model of the Hugging Face Hub is on its way here; the first call begins the download.

    Ask again until state is "ready", which then makes it one of `/sources`, or "failed".

    Args:
        source: `hub:OWNER/NAME` or `hub:OWNER/NAME@REVISION`.

    Returns:
        an object with state ("waiting", "loading", "ready" or "failed"), progress (0 to 1) and message.
    """
    return hub_fetch(str(source))._asdict()


def hub_key(repository: str | None, revision: str | None) -> str:
    """The key of what a person typed into the two boxes.

    Raises:
        ValueError: no repository was typed.
    """
    name, version = (repository or "").strip().removeprefix(HUB), (revision or "").strip()
    if not name:
        raise ValueError("No repository is given; write OWNER/NAME as it stands in its address on huggingface.co.")
    return f"{HUB}{name}" + (f"@{version}" if version and version != "main" and "@" not in name else "")


def choices() -> list[tuple[str, str]]:
    """Label and key of each source, for a list to choose from; runs of equal label say their ids too."""
    labels = {
        source.key: f"{_name(source)}{source.title} ({_KINDS.get(source.kind, source.kind)}: {source.detail})"
        for source in sources.sources()
    }
    often = Counter(labels.values())
    return [(label if often[label] == 1 else f"{label} {sources.short(key)}", key) for key, label in labels.items()]


def _name(source: sources.Source) -> str:
    """What commands call it, which of a run is less than its label."""
    return "" if source.kind == "run" else f"{sources.short(source.key)} · "


def describe(source: str) -> str:
    """One line about the weights that a source has at the moment."""
    loaded = open_source(source)
    recipe, shape = loaded.recipe, loaded.recipe.shapes.sample
    kind, made = ("points", "Points") if len(shape) == 1 else ("images", f"Images of {shape[1]} x {shape[2]} pixels")
    weights = sum(parameter.numel() for parameter in loaded.module.parameters())
    names = controls.class_names(loaded)
    classes = f" It can be told a class: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}." if names else ""
    judge = "Its discriminator is here too." if sources.has_discriminator(source) else "Its discriminator is not here."
    legend = " Orange is generated, grey is real." if kind == "points" else ""
    return (
        f"{made} after *{recipe.dataset.title}*: {recipe.latent} {recipe.noise} random numbers go through "
        f"{weights:,} weights that were trained on {loaded.images:,} {kind}.{classes} {judge}{legend}"
    )
