"""A generator and a critic that chase each other between two Gaussians and never arrive."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis.measures import fakes, modes
from ganplay.diagnosis.motion import PEAK, losses_swing
from ganplay.diagnosis.readings import readings
from ganplay.metrics.modes import SAMPLES
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import points
from ganplay.stories.story import End

WIDE, BOTH = 0.1, 0.2
SHARE, SWING, UNEVEN = "variance at one frequency", "swing of the losses", "reverse KL over modes"


@stories.register("oscillation")
class Oscillation(FailureStory):
    """A clipped Wasserstein critic and a generator with equal rates and momentum, on two Gaussians."""

    title = "Oscillation"
    question = (
        "Two Gaussians, a clipped critic and a generator with equal learning rates and momentum (beta1 0.5). What will "
        "the losses do in the second half of the training?"
    )
    answers = (
        "settle",
        "wander at random",
        "swing with one period, as the samples jump from one Gaussian to the other",
    )
    answer = answers[2]
    claim = (
        f"At least {PEAK:.0%} of the variance of a loss lies at one frequency, with a standard deviation of {WIDE:g} "
        f"or more. Without momentum, with a faster critic or the non-saturating loss, none does, and samples lie on "
        f"both Gaussians (reverse KL at most {BOTH:g})."
    )
    source = "arXiv 1801.04406, section 2; 1802.10551 (negative momentum), section 4; 1701.00160, section 8.2"
    why = """
The critic raises its scores where samples are missing, the generator goes there, the critic notices late and marks the
place down, and so on. The two are like the Dirac-GAN: each is a quarter turn behind the other. Momentum makes it worse,
for both keep moving in a direction that was right a while ago. A critic that is quicker than the generator marks
places down before all samples have moved, and the swing dies.
"""
    broken = "equal rates, momentum"
    changes = {
        "equal rates, momentum": {},
        "faster critic, no momentum": {
            "generator_optimiser.beta1": 0.0, "discriminator_optimiser.beta1": 0.0,
            "discriminator_optimiser.learning_rate": 5e-3,
        },
        "non-saturating loss, no momentum": {
            "loss": "non-saturating", "penalties": (), "generator_optimiser.beta1": 0.0,
            "discriminator_optimiser.beta1": 0.0,
        },
    }  # fmt: skip
    finding = "oscillates"

    def base(self) -> Recipe:
        made = points(1_000, 5).change({"dataset": "two-gaussians", "loss": "wasserstein", "penalties": "weight-clip"})
        return made.change({"penalties.weight-clip.limit": 0.1})

    def measure(self, end: End) -> dict[str, float]:
        share, deviation, _ = losses_swing(readings(end.points, end.recipe))
        made, _ = fakes(end.state, SAMPLES)
        return {SHARE: share, SWING: deviation, UNEVEN: modes(made, end.recipe)["reverse_kl"]}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers[SHARE] >= PEAK and numbers[SWING] >= WIDE

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return not self.fails(numbers) and numbers[UNEVEN] <= BOTH
