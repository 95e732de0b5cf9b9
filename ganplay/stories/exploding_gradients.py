"""A Wasserstein critic that nothing keeps Lipschitz: scores and gradients grow without end."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis.readings import readings
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory, gradients
from ganplay.stories.failure_base import points
from ganplay.stories.story import End

GROWN, LARGE, SANE = 20.0, 100.0, 20.0


@stories.register("exploding-gradients")
class ExplodingGradients(FailureStory):
    """The Wasserstein loss without a penalty, against a clip and a gradient penalty."""

    title = "Exploding gradients"
    question = "A Wasserstein critic is trained without a clip and without a penalty. What happens to its scores?"
    answers = ("they settle at the distance between data and samples", "they fall to 0", "they grow and grow")
    answer = answers[2]
    claim = (
        f"Without a penalty the gradient into G grows {GROWN:g}-fold or more and ends longer than {LARGE:g}; with a "
        f"clip or a gradient penalty it ends shorter than {SANE:g}."
    )
    source = "arXiv 1701.07875, section 3 and algorithm 1; 1704.00028, section 4"
    why = """
The critic's loss is the mean score of fakes minus that of real samples. Multiply all scores by ten and the loss is ten
times as good: there is no best critic unless its slope is bounded. Then the loss estimates the Wasserstein distance.
The clip bounds the weights and thereby the slope, crudely; the gradient penalty asks for a slope of 1 where it matters.
"""
    broken = "no constraint"
    changes = {
        "no constraint": {},
        "clip at 0.1": {"penalties": ["weight-clip"], "penalties.weight-clip.limit": 0.1},
        "gradient penalty": {"penalties": ["gradient-penalty"]},
    }
    finding = "explodes"

    def base(self) -> Recipe:
        return points(1_500, 15).change({"loss": "wasserstein", "discriminator_optimiser.learning_rate": 5e-3})

    def measure(self, end: End) -> dict[str, float]:
        early, late = gradients(end)
        loss = readings(end.points, end.recipe).late("generator_loss")
        return {"gradient into G at first": early, "gradient into G at the end": late, "G's loss": loss}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        late = numbers["gradient into G at the end"]
        return late >= LARGE and late >= GROWN * numbers["gradient into G at first"]

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers["gradient into G at the end"] <= SANE
