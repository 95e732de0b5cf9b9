"""MNIST: 70,000 handwritten digits (LeCun, Bottou, Bengio, Haffner, "Gradient-based learning", 1998)."""

from __future__ import annotations

from dataclasses import dataclass

from ganplay.data import datasets
from ganplay.data.hub import HubSet


@datasets.register("mnist")
@dataclass(frozen=True)
class Mnist(HubSet):
    """60,000 training and 10,000 test images, grey, white ink on black."""

    title = "MNIST (handwritten digits)"
    native = (1, 28, 28)
    class_names = tuple("0123456789")
    repository = "ylecun/mnist"
    folder = "mnist"
    column = "image"
