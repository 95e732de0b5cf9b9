"""Film strips along directions in latent space."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from ganplay import pictures
from ganplay.data.resident import ignore
from ganplay.drawings import Drawing, Model, drawings
from ganplay.drawings.canvas import captioned
from ganplay.latent.directions import METHODS, Direction, Progress, choose, find, moved
from ganplay.latent.noise import LARGEST_SEED, class_index, seeded
from ganplay.latent.sampling import generate, same_label
from ganplay.options import option

STEPS = 7
MOST_ROWS = 10


@drawings.register("directions")
@dataclass(frozen=True)
class Directions(Drawing):
    """One sample moved along directions, a row for each: from -reach through 0 to +reach standard deviations.

    With moves, each row keeps the other directions at theirs, so that a row is the track of one slider and a picture
    on it is what that slider would give. A single step is the one picture at the moves.

    Raises:
        ValueError: the number of steps is even; or there are more moves than directions chosen.
    """

    title = "Directions"

    method: str = option("regression", "How directions are found: for attributes, by PCA or by SeFa.", choices=METHODS)
    direction: tuple[str, ...] = option(
        (), "Which ones, such as slant,size or ranks such as 1,2; empty for the first few.", length=(0, MOST_ROWS)
    )
    seed: int = option(0, "Seed of the sample.", low=0, high=LARGEST_SEED)
    class_: str = option(
        "", "Class of a conditional generator's sample and of the search; empty for its first, searched over all."
    )
    steps: int = option(STEPS, "Pictures in a row, an odd number; 1 for the one picture at the moves.", low=1, high=21)
    reach: float = option(2.0, "Standard deviations of the noise at the ends of a row.", low=0.1, high=10.0)
    moves: tuple[float, ...] = option(
        (), "Where the directions stand, in standard deviations; empty for 0.", low=-10.0, high=10.0,
        length=(0, MOST_ROWS),
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps % 2 == 0:
            raise ValueError(f"steps is {self.steps}; it must be odd, so that the sample itself is in the middle.")

    def chosen(self, model: Model, progress: Progress = ignore) -> tuple[Direction, ...]:
        """The directions of the rows, searched for when nobody did before.

        Raises:
            ValueError: one is unknown, or there are fewer than moves.
        """
        label = class_index(model.recipe, self.class_) if self.class_ else None
        directions = choose(find(model, self.method, label, progress), self.direction)
        if len(self.moves) > len(directions):
            raise ValueError(f"There are {len(self.moves)} moves for {len(directions)} directions; name as many.")
        return directions

    def samples(self, model: Model) -> Tensor:
        """The samples of the rows, (rows, steps, C, H, W); of a single step (1, 1, C, H, W)."""
        directions = self.chosen(model)
        moves = torch.tensor(self.moves + (0.0,) * (len(directions) - len(self.moves)))
        if self.steps == 1:
            places = moves.view(1, 1, -1)
        else:
            places = moves.repeat(len(directions), self.steps, 1)  # (rows, steps, directions)
            for row in range(len(directions)):
                places[row, :, row] = torch.linspace(-self.reach, self.reach, self.steps)
        z = moved(seeded(model.recipe, self.seed, 1), directions, places.flatten(0, 1))
        label = class_index(model.recipe, self.class_) if self.class_ else 0
        return generate(model, z, same_label(model, len(z), label)).unflatten(0, places.shape[:2])

    def draw(self, model: Model) -> Image.Image:
        samples = self.samples(model)
        grid = pictures.grid(samples.flatten(0, 1), self.steps)
        if self.steps == 1:
            return grid
        return captioned(grid, [direction.name for direction in self.chosen(model)], samples.shape[3] + pictures.GAP)
