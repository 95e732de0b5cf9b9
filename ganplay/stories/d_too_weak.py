"""A discriminator that hardly learns: both losses sit where guessing puts them, and the generator learns nothing."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis.measures import fakes, modes
from ganplay.metrics.modes import SAMPLES
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import points
from ganplay.stories.story import End

FEW, MANY = 2, 6


@stories.register("d-too-weak")
class DiscriminatorTooWeak(FailureStory):
    """D learns a thousand times more slowly than G."""

    title = "D too weak"
    question = "D learns a thousand times more slowly than G. What will the two losses do?"
    answers = (
        "G's falls to 0, for D is easily fooled",
        "they sit near ln 2 and 2 ln 2 from beginning to end",
        "they swing wildly",
    )
    answer = answers[1]
    claim = (
        f"With the slow D both losses stay where guessing puts them and at most {FEW} of the 8 modes are covered; with "
        f"a D twice as fast as G at least {MANY} are."
    )
    source = "arXiv 1406.2661, proposition 1; 1701.00160, section 5.2"
    why = """
A D that says about 1/2 to everything costs $2 \\ln 2 = 1.386$ in its own loss and $\\ln 2 = 0.693$ in G's. The same
numbers stand at the very end of a successful training, so **curves alone cannot tell a D that never learnt from a G
that is done**: samples can. What the weak D does say, a faint random slope, pushes all samples into one corner.
"""
    broken = "slow D"
    changes = {
        "slow D": {"discriminator_optimiser.learning_rate": 1e-6},
        "D twice as fast as G": {"discriminator_optimiser.learning_rate": 2e-3},
    }
    finding = "d-guesses"

    def base(self) -> Recipe:
        return points(2_000).change({"dataset.radius": 0.8, "generator.output": "tanh"})

    def measure(self, end: End) -> dict[str, float]:
        made, _ = fakes(end.state, SAMPLES, average=True)
        found = modes(made, end.recipe)
        last = end.points[-1]
        return {
            "D's loss": last["discriminator_loss"],
            "G's loss": last["generator_loss"],
            "modes": found["modes"],
            "reverse_kl": found["reverse_kl"],
        }

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers["modes"] <= FEW

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers["modes"] >= MANY
