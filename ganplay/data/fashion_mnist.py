"""Fashion-MNIST: 70,000 grey pictures of clothes in the format of MNIST (Xiao, Rasul, Vollgraf, arXiv 1708.07747)."""

from __future__ import annotations

from dataclasses import dataclass

from ganplay.data import datasets
from ganplay.data.hub import HubSet


@datasets.register("fashion-mnist")
@dataclass(frozen=True)
class FashionMnist(HubSet):
    """60,000 training and 10,000 test images, grey, on black."""

    title = "Fashion-MNIST (clothes)"
    native = (1, 28, 28)
    class_names = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
    repository = "zalando-datasets/fashion_mnist"
    folder = "fashion_mnist"
    column = "image"
