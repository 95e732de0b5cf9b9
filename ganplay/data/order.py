"""The order in which training samples are drawn, a pure function of seed and position: nothing to save."""

from __future__ import annotations

import torch
from torch import Tensor

from ganplay.randomness import generator_for


class Order:
    """Shuffled epochs laid end to end; each sample comes once in each epoch.

    Args:
        count: number of samples.
        seed: of the shuffles.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        self.seed = seed
        self._epoch = -1
        self._permutation = torch.empty(0, dtype=torch.int64)

    def take(self, position: int, size: int) -> Tensor:
        """The indices (size,) of the samples at `position` to `position + size` in the endless sequence."""
        parts = []
        while size > 0:
            epoch, start = divmod(position, self.count)
            part = self._shuffle(epoch)[start : start + size]
            parts.append(part)
            position, size = position + len(part), size - len(part)
        return torch.cat(parts)

    def _shuffle(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            source = generator_for(self.seed, f"order of epoch {epoch}")
            self._permutation = torch.randperm(self.count, generator=source)
            self._epoch = epoch
        return self._permutation
