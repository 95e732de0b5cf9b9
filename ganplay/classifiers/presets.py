"""Which classifier each data set gets, and how it learns, unless somebody says otherwise."""

from __future__ import annotations

from typing import Any

from ganplay.classifiers.network import ClassifierConfig
from ganplay.classifiers.training import TrainingConfig
from ganplay.data import datasets

NETWORKS: dict[str, dict[str, Any]] = {"cifar10": {"stem": 24, "widths": (64, 192, 256)}}
TRAININGS: dict[str, dict[str, Any]] = {
    "cifar10": {"epochs": 18, "translation": 4, "flip": True},
    "digits": {"epochs": 60, "batch_size": 64, "translation": 1},
    "fashion-mnist": {"epochs": 15, "flip": True},
    "mnist": {"epochs": 15},
}


def network_for(kind: str) -> ClassifierConfig:
    """The classifier for a data set at its own size.

    Raises:
        ValueError: there is no such data set, or it has no images or no classes.
    """
    dataset = datasets[kind]
    if len(dataset.native) != 3 or not dataset.class_names:
        able = [name for name in datasets if len(datasets[name].native) == 3 and datasets[name].class_names]
        raise ValueError(f"A classifier needs images with classes, and {kind} has none; choose {', '.join(able)}.")
    names, values = dataset.class_names, NETWORKS.get(kind, {})
    return ClassifierConfig(dataset=kind, shape=dataset.native, class_names=names, **values)


def training_for(kind: str) -> TrainingConfig:
    """The training for a data set."""
    return TrainingConfig(**TRAININGS.get(kind, {}))
