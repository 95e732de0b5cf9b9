"""A classifier of the embedded digits that needs no training: means over 4 x 4 pixels and a least-squares layer."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, one_hot

from ganplay.data.digits import Digits
from ganplay.data.resident import load


class StandIn(nn.Module):
    """Reads images like a bundled classifier does; right for about nine digits out of ten."""

    class_names = tuple("0123456789")

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(shape=(1, 28, 28))
        digits = load(Digits(), (1, 28, 28))
        table = self._extended(self.features(digits.batch(torch.arange(len(digits)))[0]))
        self.layer = torch.linalg.lstsq(table, 20 * one_hot(digits.labels, 10).float()).solution  # (50, 10)

    def features(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, 4).flatten(1)  # (N, 1, 28, 28) -> (N, 49)

    def classify(self, features: Tensor) -> Tensor:
        return self._extended(features) @ self.layer

    @staticmethod
    def _extended(features: Tensor) -> Tensor:
        return torch.cat([features, features.new_ones(len(features), 1)], 1)


def install(monkeypatch, name: str = "mnist-classifier") -> None:
    """Lets the stand-in answer to the name of a bundled classifier, in this test alone."""
    from ganplay.classifiers import store
    from ganplay.metrics import features

    network = StandIn()
    monkeypatch.setattr(store, "names", lambda: (name,))
    monkeypatch.setattr(store, "load", lambda source: network)
    monkeypatch.setattr(features, "_loaded", type(features._loaded)())
