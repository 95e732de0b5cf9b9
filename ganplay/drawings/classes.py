"""The classes of a conditional generator, with the same noise for all of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image

from ganplay import pictures
from ganplay.drawings import Drawing, Model, canvas, drawings
from ganplay.drawings.sample import TRUNCATION_HELP
from ganplay.latent.noise import LARGEST_SEED, TRUNCATIONS, check_truncation, class_index, seeded
from ganplay.latent.sampling import MOST, generate
from ganplay.options import option

MOST_CLASSES = 100


@drawings.register("classes")
@dataclass(frozen=True)
class Classes(Drawing):
    """A row for each class, a column for each noise: what in a picture the class decides, and what the noise does."""

    title = "Class grid"

    seed: int = option(0, "Seed of the noise.", low=0, high=LARGEST_SEED)
    columns: int = option(8, "How many noises, each a column.", low=1, high=64)
    classes: tuple[str, ...] = option((), "Classes, each a row; empty for all of them.", length=(0, MOST_CLASSES))
    truncation: float = option(0.0, TRUNCATION_HELP, low=0.0, high=TRUNCATIONS[1])

    def __post_init__(self) -> None:
        super().__post_init__()
        check_truncation(self.truncation)

    def draw(self, model: Model) -> Image.Image:
        recipe = model.recipe
        if recipe.generator.conditioning == "none":
            raise ValueError(
                "This generator is unconditional: it draws no class that was asked for, so there is no grid."
            )
        names = self.classes or recipe.dataset.class_names
        labels = torch.tensor([class_index(recipe, name) for name in names])
        if len(names) * self.columns > MOST:
            raise ValueError(
                f"{len(names):,} classes in {self.columns} columns are {len(names) * self.columns:,} samples; at most "
                f"{MOST:,} are drawn at once."
            )
        z = seeded(recipe, self.seed, self.columns, self.truncation)
        samples = generate(model, z.repeat(len(names), 1), labels.repeat_interleave(self.columns))
        grid = canvas.draw(samples, recipe.dataset, self.columns)
        if samples.ndim == 2:
            return grid
        return canvas.captioned(grid, names, samples.shape[2] + pictures.GAP)
