"""The points of curves, gathered in memory in the form in which a run writes them to `metrics.jsonl`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganplay.building import build_networks
from ganplay.probes.gradients import THRESHOLD, LayerGradients
from ganplay.recipe import Recipe

AVERAGED = ("discriminator_loss", "generator_loss", "penalty", "accuracy_real", "accuracy_fake")
LOSSES = 3  # the first of them, which must stay finite
NETWORKS = ("discriminator", "generator")

Layers = Mapping[str, Mapping[str, LayerGradients]]  # by network, then by layer
Points = list[dict[str, Any]]


class Curve:
    """The points of one training: means over the rounds since the point before."""

    def __init__(self) -> None:
        self.points: Points = []
        self.finite = True
        self._sums, self._rounds = torch.zeros(len(AVERAGED)), 0
        self._before = 0, 0.0  # images and seconds of the last point

    def add(self, values: Tensor) -> None:
        """One round's numbers (5,), in the order of AVERAGED."""
        self._sums += values
        self._rounds += 1

    def close(self, images: int, round: int, seconds: float, layers: Layers, score: float | None = None) -> None:
        """Makes a point of what was gathered, or none from the moment on when a loss is no finite number."""
        means = dict(zip(AVERAGED, (self._sums / max(self._rounds, 1)).tolist(), strict=True))
        self.finite = self.finite and all(math.isfinite(means[name]) for name in AVERAGED[:LOSSES])
        if self.finite and self._rounds:
            before, elapsed = self._before
            self.points.append(
                {
                    "images": images,
                    "round": round,
                    "seconds": seconds,
                    **means,
                    "rate": (images - before) / max(seconds - elapsed, 1e-9),
                    "score": score,
                    "gradients": {
                        network: {layer: [one.small, one.total, _finite(one.norm)] for layer, one in found.items()}
                        for network, found in layers.items()
                    },
                    "largest_gradients": {
                        network: {layer: _finite(one.largest) for layer, one in found.items()}
                        for network, found in layers.items()
                    },
                }
            )
        self._sums, self._rounds, self._before = torch.zeros(len(AVERAGED)), 0, (images, seconds)


class StackMeter:
    """Gradient statistics of many nets that advance together, as `GradientMeter` has them for one.

    Args:
        recipe: of one of the nets, for the names of the layers.
    """

    def __init__(self, recipe: Recipe) -> None:
        generator, discriminator = build_networks(recipe)
        self._names = {"discriminator": _linear_layers(discriminator), "generator": _linear_layers(generator)}
        self.reset()

    def reset(self) -> None:
        """Forgets everything."""
        self._steps, self._small, self._norms, self._largest = 0, 0.0, 0.0, 0.0

    def update(self, gradients: Mapping[str, Sequence[Tensor]]) -> None:
        """Adds the gradients of this moment: by network, (S, p) for each layer."""
        layers = [layer for network in NETWORKS for layer in gradients[network]]
        norms = torch.stack([torch.linalg.vector_norm(layer, dim=1) for layer in layers])  # (layers, S)
        self._small = self._small + torch.stack([(layer.abs() < THRESHOLD).sum(1) for layer in layers])
        self._norms = self._norms + norms.double()
        self._largest = norms if self._steps == 0 else torch.maximum(self._largest, norms)
        self._totals = [layer.shape[1] for layer in layers]
        self._steps += 1

    def read(self, member: int) -> dict[str, dict[str, LayerGradients]]:
        """The statistics of one net since the last `reset`."""
        tables = (self._small / self._steps, self._norms / self._steps, self._largest)
        rows = zip(*(table[:, member].tolist() for table in tables), self._totals, strict=True)
        return {
            network: {
                name: LayerGradients(small, total, norm, largest)
                for name, (small, norm, largest, total) in zip(names, rows, strict=False)
            }
            for network, names in self._names.items()
        }


def _linear_layers(network: nn.Module) -> list[str]:
    return [name for name, layer in network.named_modules() if isinstance(layer, nn.Linear)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
