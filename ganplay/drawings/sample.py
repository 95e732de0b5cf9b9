"""Samples of a seed."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from ganplay.drawings import Drawing, Model, drawings
from ganplay.drawings.canvas import draw
from ganplay.latent.noise import class_index, grid_size
from ganplay.latent.sampling import LARGEST_SEED, MOST, sample
from ganplay.options import option


@drawings.register("sample")
@dataclass(frozen=True)
class Sample(Drawing):
    """The samples of a seed as a grid, or as a scatter of points. More samples begin with the fewer ones."""

    title = "Sample"

    seed: int = option(0, "Seed of the noise.", low=0, high=LARGEST_SEED)
    count: int = option(0, "How many samples; 0 for 64, or as many of each class.", low=0, high=MOST)
    columns: int = option(0, "Pictures in a row; 0 for 8, or one for each class.", low=0, high=MOST)
    class_: str = option("", "Class that a conditional generator draws; empty goes through all of them.")

    def draw(self, model: Model) -> Image.Image:
        count, columns = grid_size(model.recipe)
        label = class_index(model.recipe, self.class_) if self.class_ else None
        samples = sample(model, self.seed, self.count or count, label)
        return draw(samples, model.recipe.dataset, self.columns or columns)
