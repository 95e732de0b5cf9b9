"""What backward passes leave in a network's gradients, layer by layer: how much of it has vanished, how long it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

THRESHOLD = 0.01  # below which document 000, figure 4, counts a gradient as vanished
_PIECE = 2**18  # entries looked at together on a processor: a megabyte, which its cache holds from pass to pass
_LARGE_PIECE = 2**24  # the same on a GPU, where each call costs more than the memory; float32 still counts it exactly


class LayerGradient(NamedTuple):
    """One layer's gradient: how many of its `total` entries are smaller than the threshold, and its L2 norm."""

    small: int
    total: int
    norm: float


class LayerGradients(NamedTuple):
    """One layer's gradients over many steps: mean count of small entries of `total`, mean and largest L2 norm."""

    small: float
    total: int
    norm: float
    largest: float


class GradientMeter:
    """Gathers every layer's statistics from step to step on the network's own device.

    `update` reads each gradient once from memory and waits for nothing; only `read` and `gathered` wait for the device.
    A layer's weight and bias count together, as in document 000, figure 4; normalisations are left out, as there.

    Args:
        threshold: the size below which an entry counts as small.
    """

    def __init__(self, network: nn.Module, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._layers = {
            name: list(layer.parameters())
            for name, layer in network.named_modules()
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))
        }
        device = next((weights[0].device for weights in self._layers.values()), torch.device("cpu"))
        self._scratch = torch.empty(_PIECE if device.type == "cpu" else _LARGE_PIECE, device=device)
        self._gathered = torch.zeros(3, len(self._layers), dtype=torch.float64, device=device)
        self._steps = [0] * len(self._layers)  # with a gradient
        self._totals = [sum(weight.numel() for weight in weights) for weights in self._layers.values()]
        self._owners: tuple[list[int], Tensor] = [], torch.empty(0, dtype=torch.int64, device=device)

    @torch.no_grad()
    def update(self) -> None:
        """Adds the gradients of this moment. Layers without one (before the first step) are left out."""
        owners, counts, squares = [], [], []
        for group in self._groups():
            sizes = [sum(map(len, pieces)) for pieces in group.values()]
            pieces = [piece for found in group.values() for piece in found]
            flat = self._scratch[: sum(sizes)]
            torch.abs(pieces[0], out=flat) if len(pieces) == 1 else torch.cat(pieces, out=flat).abs_()
            parts = flat.split(sizes)
            squares += [part.dot(part) for part in parts]
            flat.lt_(self._threshold)  # a float for each truth: sums of bytes are slower
            counts += [part.sum() for part in parts]
            owners += group
        if not owners:
            return
        if owners != self._owners[0]:  # made once: a list that goes to a GPU waits for it
            self._owners = owners, torch.tensor(owners, device=self._scratch.device)
        entries = torch.stack(counts + squares).double().view(2, -1)  # (2, parts)
        layers = entries.new_zeros(2, len(self._layers)).index_add_(1, self._owners[1], entries)
        layers[1].sqrt_()
        self._gathered[:2] += layers
        torch.maximum(self._gathered[2], layers[1], out=self._gathered[2])

    def _groups(self) -> list[dict[int, list[Tensor]]]:
        """All gradients as vectors by layer, in groups that fit the scratch: small layers together, large ones cut."""
        most, room = len(self._scratch), 0
        groups: list[dict[int, list[Tensor]]] = []
        for index, weights in enumerate(self._layers.values()):
            gradients = [_flat(weight.grad) for weight in weights if weight.grad is not None]
            if gradients:
                self._steps[index] += 1
                self._totals[index] = sum(map(len, gradients))
            for gradient in gradients:
                for piece in gradient.split(most) if len(gradient) > most else (gradient,):
                    if len(piece) > room:
                        groups.append({})
                        room = most
                    groups[-1].setdefault(index, []).append(piece)
                    room -= len(piece)
        return groups

    def read(self) -> dict[str, LayerGradients]:
        """The statistics since the last `reset`, in the order of the network; a layer without any is left out."""
        found = {}
        rows = zip(self._layers, self._steps, self._totals, *self._gathered.tolist(), strict=True)
        for name, steps, total, small, norm, largest in rows:
            if steps:
                found[name] = LayerGradients(small / steps, total, norm / steps, largest)
        return found

    def reset(self) -> None:
        """Forgets everything."""
        self._steps = [0] * len(self._steps)
        self._gathered.zero_()

    def gathered(self) -> list[float]:
        """All that `restore` needs, as plain numbers."""
        return [*map(float, self._steps), *self._gathered.flatten().tolist()]

    def restore(self, numbers: Sequence[float]) -> None:
        """Goes on from what another meter of such a network had `gathered`."""
        count = len(self._steps)
        self._steps = [int(number) for number in numbers[:count]]
        self._gathered.copy_(torch.tensor(numbers[count:], dtype=torch.float64).view(3, count))

    def __len__(self) -> int:
        """How many numbers `gathered` gives."""
        return 4 * len(self._steps)


def layer_statistics(network: nn.Module, threshold: float = THRESHOLD) -> dict[str, LayerGradient]:
    """Statistics of what the last backward pass left, of every layer that holds weights of its own.

    The layers are in the order of the network. Those without a gradient (before the first step) are left out.
    """
    meter = GradientMeter(network, threshold)
    meter.update()
    return {name: LayerGradient(round(one.small), one.total, one.norm) for name, one in meter.read().items()}


def _flat(gradient: Tensor) -> Tensor:
    """All entries in the order in which they lie in memory: no copy where they lie densely, as in channels_last."""
    if not gradient.is_contiguous():
        gradient = gradient.permute(sorted(range(gradient.ndim), key=gradient.stride, reverse=True))
    return gradient.reshape(-1)
