"""Noise and data of stacked nets, the very numbers that `ganplay.trainer` would give each of them, many batches a call.

A member's noise comes from its own generator in the order of its updates. Drawing ahead gives the same numbers as
drawing each batch when it is needed, as long as nothing else draws from that generator and a batch is a multiple of
the 16 values that PyTorch makes at once; elsewhere each batch is drawn by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from ganplay.data.order import Order
from ganplay.data.resident import Samples
from ganplay.latent.noise import draw
from ganplay.recipe import Recipe

AHEAD = 64  # batches drawn at once
VALUES = 2**17  # of one member, at most, so that what is drawn ahead stays in the cache
BLOCK = 16  # values that the normal distribution's sampler makes together


class Noise:
    """Latents for all members.

    Args:
        recipes: one a member; they agree in batch_size and latent.
        states: of each member's generator.
        shared: True when something else draws from the generators too.

    Attributes:
        generators: one a member, for whatever else is random; usable when `shared`.
    """

    def __init__(self, recipes: Sequence[Recipe], states: Sequence[Tensor], shared: bool) -> None:
        self._recipes = tuple(recipes)
        self._count = recipes[0].batch_size
        values = self._count * recipes[0].latent
        self._ahead = 1 if shared or values % BLOCK else max(1, min(AHEAD, VALUES // values))
        self.generators = [Generator() for _ in recipes]
        for generator, state in zip(self.generators, states, strict=True):
            generator.set_state(state)
        self._before = list(states)
        self._waiting: list[Tensor] = []

    def take(self) -> Tensor:
        """The next batch (S, z, N)."""
        if not self._waiting:
            if self._ahead > 1:
                self._before = [generator.get_state() for generator in self.generators]
            count = self._count * self._ahead
            drawn = [draw(r, count, g) for r, g in zip(self._recipes, self.generators, strict=True)]
            self._waiting = _batches(drawn, self._ahead)[::-1]
        return self._waiting.pop()

    def states(self) -> list[Tensor]:
        """The generators' states as if nothing had been drawn ahead."""
        if not self._waiting:
            return [generator.get_state() for generator in self.generators]
        used, found = self._count * (self._ahead - len(self._waiting)), []
        for recipe, before in zip(self._recipes, self._before, strict=True):
            generator = Generator()
            generator.set_state(before)
            draw(recipe, used, generator)
            found.append(generator.get_state())
        return found


class Data:
    """Real batches for all members, each in the order of its own seed.

    Args:
        recipes: one a member; they agree in batch_size.
        samples: one a member; points (K, 2).
    """

    def __init__(self, recipes: Sequence[Recipe], samples: Sequence[Samples]) -> None:
        self._orders = [Order(len(known), recipe.seed) for recipe, known in zip(recipes, samples, strict=True)]
        self._samples = tuple(samples)
        self._count = recipes[0].batch_size
        self._ahead = max(1, min(AHEAD, VALUES // (2 * self._count)))
        self._from = 0
        self._batches: list[Tensor] = []

    def take(self, position: int) -> Tensor:
        """The batch (S, 2, N) that begins at this place of the endless order; places are multiples of N apart."""
        index, rest = divmod(position - self._from, self._count)
        if rest or not 0 <= index < len(self._batches):
            count = self._count * self._ahead
            taken = [
                known.values.index_select(0, order.take(position, count))
                for known, order in zip(self._samples, self._orders, strict=True)
            ]
            self._batches = _batches(taken, self._ahead)
            self._from, index = position, 0
        return self._batches[index]


def _batches(values: Sequence[Tensor], count: int) -> list[Tensor]:
    """Each member's values (count * N, F) as so many batches for all members, (S, F, N)."""
    stacked = torch.stack([each.unflatten(0, (count, -1)).transpose(1, 2) for each in values], 1)
    return list(stacked.unbind(0))
