"""Samples of a seed."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from ganplay.drawings import Drawing, Model, drawings
from ganplay.drawings.canvas import draw
from ganplay.latent.noise import LARGEST_SEED, TRUNCATIONS, check_truncation, class_index, grid_size
from ganplay.latent.sampling import MOST, sample
from ganplay.options import option

TRUNCATION_HELP = f"Cut off the noise at so many standard deviations, {TRUNCATIONS[0]:g} or more; 0 for none."


@drawings.register("sample")
@dataclass(frozen=True)
class Sample(Drawing):
    """The samples of a seed as a grid, or as a scatter of points. More samples begin with the fewer ones.

    Truncation brings the noise nearer to its middle: samples become more typical and more alike.
    """

    title = "Sample"

    seed: int = option(0, "Seed of the noise.", low=0, high=LARGEST_SEED)
    count: int = option(0, "How many samples; 0 for 64, or as many of each class.", low=0, high=MOST)
    columns: int = option(0, "Pictures in a row; 0 for 8, or one for each class.", low=0, high=MOST)
    class_: str = option("", "Class that a conditional generator draws; empty goes through all of them.")
    truncation: float = option(0.0, TRUNCATION_HELP, low=0.0, high=TRUNCATIONS[1])

    def __post_init__(self) -> None:
        super().__post_init__()
        check_truncation(self.truncation)

    def samples(self, model: Model) -> Tensor:
        """The samples themselves, (count, *sample)."""
        label = class_index(model.recipe, self.class_) if self.class_ else None
        return sample(model, self.seed, self.count or grid_size(model.recipe)[0], label, self.truncation)

    def draw(self, model: Model) -> Image.Image:
        return draw(self.samples(model), model.recipe.dataset, self.columns or grid_size(model.recipe)[1])
