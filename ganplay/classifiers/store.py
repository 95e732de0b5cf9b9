"""Classifiers on disk: a folder in the layout of a repository on the Hugging Face Hub.

`config.json` (format, network, training, the weights' checksum) and `model.safetensors` (weights in half precision) are
what `load` reads; `ganplay.classifiers.report` adds a card and the measured figures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganplay import paths
from ganplay.classifiers.network import Classifier, ClassifierConfig
from ganplay.files import read_json, write_atomically
from ganplay.tensors import read_tensors, write_tensors

FORMAT = "ganplay-classifier-1"
CONFIG, WEIGHTS = "config.json", "model.safetensors"


def names() -> tuple[str, ...]:
    """The classifiers that come with the repository, sorted."""
    found = paths.bundled_checkpoints().glob(f"*/{CONFIG}")
    return tuple(sorted(path.parent.name for path in found if _is_classifier(path)))


def load(source: str | Path) -> Classifier:
    """A classifier in eval mode and fp32 whose weights ask for no gradient.

    Args:
        source: one of `names()`, or the path of a folder by `save`. Text is never taken for a path.

    Raises:
        ValueError: there is no such classifier, or its files are damaged.
    """
    if isinstance(source, str):
        if source not in names():
            known = ", ".join(names()) or "none in this installation"
            raise ValueError(f"There is no classifier {source[:80]!r}; there is {known}.")
        source = paths.bundled_checkpoints() / source
    config = read_json(source / CONFIG)
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ValueError(f"The folder '{source}' holds no classifier: its {CONFIG} lacks the format '{FORMAT}'.")
    tensors, about = read_tensors(source / WEIGHTS)
    weights = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    if about["checksum"] != config.get("checksum"):
        raise ValueError(f"The classifier in '{source}' is damaged: {CONFIG} belongs to other weights.")
    try:
        network = ClassifierConfig(**config["network"])
        with torch.device("meta"):  # the file's tensors become the weights: nothing is initialised for it
            classifier = network.build()
        classifier.load_state_dict(weights, assign=True)
    except (KeyError, TypeError, RuntimeError):  # fields or weights that are missing, unknown or of another shape
        raise ValueError(f"The classifier in '{source}' is damaged: {CONFIG} and {WEIGHTS} do not agree.") from None
    return classifier.to(memory_format=torch.channels_last).eval().requires_grad_(False)


def save(folder: Path, classifier: Classifier, training: Mapping[str, Any]) -> None:
    """Writes a classifier, weights in float16 and batch norm in float32; `config.json` comes last.

    Args:
        training: the settings it was trained with, as JSON values.

    Raises:
        OSError: it cannot be written.
    """
    tensors = {name: _stored(value) for name, value in classifier.state_dict().items()}
    write_tensors(folder / WEIGHTS, tensors, {"format": FORMAT})
    checksum = read_tensors(folder / WEIGHTS)[1]["checksum"]
    network = classifier.config.values()
    config = {"format": FORMAT, "network": network, "training": dict(training), "checksum": checksum}
    write_atomically(folder / CONFIG, json.dumps(config, indent=1) + "\n")


def _stored(value: Tensor) -> Tensor:
    return value.half() if value.ndim > 1 else value


def _is_classifier(path: Path) -> bool:
    try:
        config = read_json(path)
    except ValueError:
        return False
    return isinstance(config, dict) and config.get("format") == FORMAT
