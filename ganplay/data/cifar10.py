"""CIFAR-10: 60,000 small colour photographs (Krizhevsky, "Learning multiple layers of features", 2009)."""

from __future__ import annotations

from dataclasses import dataclass

from ganplay.data import datasets
from ganplay.data.hub import HubSet


@datasets.register("cifar10")
@dataclass(frozen=True)
class Cifar10(HubSet):
    """50,000 training and 10,000 test images, the same number of each class."""

    title = "CIFAR-10 (small photographs)"
    native = (3, 32, 32)
    class_names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    repository = "uoft-cs/cifar10"
    folder = "plain_text"
    column = "img"
