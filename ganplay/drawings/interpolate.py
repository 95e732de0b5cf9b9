"""The way between samples, as a strip or an animation."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image
from torch import Tensor

from ganplay.drawings import Drawing, Model, canvas, drawings
from ganplay.drawings.sample import TRUNCATION_HELP
from ganplay.latent.interpolation import CLASS_PATHS, METHODS
from ganplay.latent.noise import LARGEST_SEED, TRUNCATIONS, check_truncation, class_index
from ganplay.latent.sampling import MOST, STRIP, strip
from ganplay.options import option

MOST_KEYS = 6


@drawings.register("interpolate")
@dataclass(frozen=True)
class Interpolate(Drawing):
    """The way through the first samples of 2 to 6 seeds (document 000, figure 6), read row by row.

    Each segment, from one seed to the next, shows both its ends, so that a row of its own is complete. The animation
    shows each sample once, there and back, or around where the way is a loop.
    """

    title = "Interpolate"

    seeds: tuple[int, ...] = option((0, 1), "Seeds of 2 to 6 samples to go through.", low=0, high=LARGEST_SEED,
                                    length=(2, MOST_KEYS))  # fmt: skip
    steps: int = option(STRIP, "Pictures of each segment, both ends included.", low=2, high=MOST)
    method: str = option("slerp", "Way between the noise: a great circle (slerp) or a straight line (lerp).",
                         choices=METHODS)  # fmt: skip
    classes: tuple[str, ...] = option(
        (), "Classes of a conditional generator: one to keep, or one for each seed; empty for the first.",
        length=(0, MOST_KEYS),
    )  # fmt: skip
    class_path: str = option("linear", "Way between the vectors of two classes: a line, or a great circle.",
                             choices=tuple(CLASS_PATHS))  # fmt: skip
    truncation: float = option(0.0, TRUNCATION_HELP, low=0.0, high=TRUNCATIONS[1])
    loop: bool = option(False, "Go back to the first seed in the end.")
    columns: int = option(0, "Pictures in a row; 0 for a row for each segment.", low=0, high=MOST)
    animate: bool = option(False, "An animation instead of a strip.")
    frame_ms: int = option(80, "Milliseconds that a frame of the animation stays.", low=20, high=2000)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_truncation(self.truncation)
        if len(self.classes) not in (0, 1, len(self.seeds)):
            raise ValueError(
                f"classes has {len(self.classes)} entries; give none, one to keep, or one for each of the "
                f"{len(self.seeds)} seeds."
            )

    def samples(self, model: Model) -> Tensor:
        """The samples of all segments one after the other, (segments x steps, *sample)."""
        labels = [class_index(model.recipe, name) for name in self.classes] or [0]
        return strip(
            model, self.seeds, self.steps, self.method, labels,
            class_path=self.class_path, loop=self.loop, truncation=self.truncation,
        )  # fmt: skip

    def draw(self, model: Model) -> Image.Image:
        return canvas.draw(self.samples(model), model.recipe.dataset, self.columns or self.steps)

    def frames(self, model: Model) -> list[Image.Image]:
        samples = self.samples(model)
        again = range(self.steps, len(samples), self.steps)  # a segment begins where the one before it ended
        kept = [index for index in range(len(samples)) if index not in again]
        made = canvas.singles(samples[kept], model.recipe.dataset)
        made = [canvas.scaled(frame, max(1, canvas.FRAME // frame.width), smooth=samples.ndim == 2) for frame in made]
        return made[:-1] if self.loop else made + made[-2:0:-1]
