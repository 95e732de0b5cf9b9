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
ROUNDS, BATCH = 1_500, 512  # fewer samples blur the period
SHARE, SWING, UNEVEN = "variance at one frequency", "swing of the losses", "reverse KL over modes"


@stories.register("oscillation")
class Oscillation(FailureStory):
    """A clipped Wasserstein critic and a generator with much momentum, on two Gaussians."""

    title = "Oscillation"
    question = (
        "Two Gaussians, a clipped critic and a generator, both with much momentum (Adam's beta1 is 0.9). What will the "
        "losses do in the second half of the training?"
    )
    answers = (
        "settle",
        "wander at random",
        "swing with one period, as the samples jump from one Gaussian to the other",
    )
    answer = answers[2]
    claim = (
        f"At least {PEAK:.0%} of the variance of a loss lies at one frequency, with a standard deviation of {WIDE:g} "
        f"or more. With R1 in place of the clip, or a faster critic and no momentum, none does, and samples lie on "
        f"both Gaussians (reverse KL at most {BOTH:g})."
    )
    source = "arXiv 1801.04406, section 2; 1802.10551 (negative momentum), section 4; 1701.00160, section 8.2"
    why = """
The critic raises its scores where samples are missing, the generator goes there, the critic notices late and marks the
place down, and so on. The two are like the Dirac-GAN: each is a quarter turn behind the other. Momentum makes it worse,
for both keep moving in a direction that was right a while ago. R1 damps the swing even so: where the samples have
arrived it wants the critic flat, and a flat critic pushes nobody on. A critic that is quicker than the generator marks
places down before all samples have moved.
"""
    broken = "momentum"
    changes = {
        "momentum": {},
        "momentum, R1": {"penalties": ("r1",)},
        "no momentum, faster critic": {
            "generator_optimiser.beta1": 0.0, "discriminator_optimiser.beta1": 0.0,
            "discriminator_optimiser.learning_rate": 2.5e-3,
        },
    }  # fmt: skip
    finding = "oscillates"

    def base(self) -> Recipe:
        images = BATCH * ROUNDS
        return points(ROUNDS).change(
            {
                "dataset": "two-gaussians", "loss": "wasserstein", "penalties": "weight-clip",
                "batch_size": BATCH, "stop_images": images, "log_every": images // 200, "sample_every": images // 20,
                "generator_optimiser.learning_rate": 5e-4, "generator_optimiser.beta1": 0.9,
                "discriminator_optimiser.learning_rate": 5e-4, "discriminator_optimiser.beta1": 0.9,
            }
        ).change({"penalties.weight-clip.limit": 0.1})  # fmt: skip

    def measure(self, end: End) -> dict[str, float]:
        share, deviation, _ = losses_swing(readings(end.points, end.recipe))
        made, _ = fakes(end.state, SAMPLES)
        return {SHARE: share, SWING: deviation, UNEVEN: modes(made, end.recipe)["reverse_kl"]}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers[SHARE] >= PEAK and numbers[SWING] >= WIDE

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return not self.fails(numbers) and numbers[UNEVEN] <= BOTH
