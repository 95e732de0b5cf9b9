"""What a page draws of a tiny GAN at one moment: points, heat map, warped grid, made in under a millisecond."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganplay.latent.noise import fixed_noise
from ganplay.tiny.engine import TinyGan


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of S nets.

    Attributes:
        fakes: (S, M, 2), always of the same latents.
        heat: (S, side, side), the discriminators' logits; rows from low to high y, columns from low to high x.
        warped: (S, K, K, 2), where the generators put a grid of latents; (S, K, 2) of a line where z has one value.
    """

    fakes: Tensor
    heat: Tensor
    warped: Tensor


class View:
    """The fixed places at which frames look.

    Args:
        extent: half the width of the plane that is shown.
        points: number M of fakes.
        side: points along each side of the heat map.
        lines: K of the grid of latents.
        average: True to show the averaged generators.
    """

    def __init__(
        self,
        gan: TinyGan,
        extent: float = 2.0,
        *,
        points: int = 500,
        side: int = 41,
        lines: int = 21,
        average: bool = False,
    ) -> None:
        recipe = gan.recipes[0]
        self._gan, self._side, self._lines, self._average = gan, side, lines, average
        self._latents = torch.stack([fixed_noise(each, points) for each in gan.recipes])
        axis = torch.linspace(-extent, extent, side)
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        self.plane = torch.stack([x, y], 2).reshape(-1, 2)  # (side * side, 2)
        edge = 1.0 if recipe.noise == "uniform" else 2.0  # two standard deviations hold 95 % of each value
        axis = torch.linspace(-edge, edge, lines)
        axes = torch.meshgrid(*[axis] * min(recipe.latent, 2), indexing="ij")
        self.grid = torch.zeros(lines ** len(axes), recipe.latent)  # all further values of z at their mean
        for index, values in enumerate(axes):
            self.grid[:, index] = values.reshape(-1)
        self._shape = (lines,) * len(axes)

    def frame(self) -> Frame:
        """The present moment."""
        warped = self._gan.fakes(self.grid, average=self._average)
        return Frame(
            self._gan.fakes(self._latents, average=self._average),
            self._gan.heat(self.plane).unflatten(1, (self._side, self._side)),
            warped.unflatten(1, self._shape),
        )
