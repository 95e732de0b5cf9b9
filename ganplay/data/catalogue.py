"""What there is to train on, and what of it works now without a network. Nothing is downloaded or decoded here."""

from __future__ import annotations

from typing import Any

from ganplay.data import datasets
from ganplay.data.images import ImageSet
from ganplay.paths import cache_folder


def describe() -> list[dict[str, Any]]:
    """One entry for each registered dataset, those that come with the package first.

    Keys: `kind`, `title`, `native` (C, H, W) or (2,), `class_names` in label order, `bundled`, `prepared` (shapes whose
    training split is decoded already, such as "1x32x32"), and `available`: True when it is bundled, imported, in the
    cache of the Hugging Face Hub, or prepared at some shape (its other shapes then need the network).
    """
    return sorted(map(_entry, datasets), key=lambda entry: (not entry["bundled"], len(entry["native"]) == 1))


def _entry(kind: str) -> dict[str, Any]:
    dataset = datasets[kind]()
    prepared = sorted({file.name.split(".")[-3] for file in cache_folder().glob(f"{kind}.*.train.npy")})
    return {
        "kind": kind,
        "title": dataset.title,
        "native": dataset.native,
        "class_names": dataset.class_names,
        "bundled": dataset.bundled,
        "prepared": prepared,
        "available": dataset.bundled or bool(prepared) or (isinstance(dataset, ImageSet) and dataset.available()),
    }
