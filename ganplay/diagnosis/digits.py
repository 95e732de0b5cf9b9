"""What the bundled classifiers say of samples: the class that was asked for, and stacked digits' modes."""

from __future__ import annotations

import torch
from torch import Tensor

from ganplay.data.stacked_digits import MODES
from ganplay.metrics.features import describe, feature_set, loaded
from ganplay.recipe import Recipe

READERS = {
    "digits": "digits-classifier",
    "few-digits": "digits-classifier",
    "stacked-digits": "digits-classifier",
    "mnist": "mnist-classifier",
    "cifar10": "cifar10-classifier",
}
BATCH = 256


def measured(recipe: Recipe, made: Tensor, y: Tensor | None) -> dict[str, float]:
    """The share of samples recognised as the class asked for, or the modes of stacked digits; empty for other data."""
    reader = READERS.get(recipe.dataset.kind)
    if reader is None or not feature_set(reader).available() or getattr(recipe.dataset, "classes", ()):
        return {}
    if recipe.dataset.kind == "stacked-digits":
        return {"modes": len(modes(made).unique()), "modes_of": MODES, "modes_samples": len(made)}
    if y is None:
        return {}
    return {"recognised": float((classes(made, reader) == y).float().mean()), "classes": recipe.shapes.classes}


def classes(images: Tensor, reader: str = "digits-classifier") -> Tensor:
    """The class (N,) that a classifier sees in each image (N, 1, H, W)."""
    return describe(loaded(reader), images.split(BATCH), len(images)).logits.argmax(1)


def modes(images: Tensor) -> Tensor:
    """The number from 0 to 999 (N,) that the three channels of each image (N, 3, H, W) show."""
    seen = classes(images.flatten(0, 1).unsqueeze(1)).view(-1, 3)
    return seen @ torch.tensor([100, 10, 1])
