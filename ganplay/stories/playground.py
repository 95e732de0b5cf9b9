"""What the stories of the 2-D playground share: a vanilla GAN that misses modes, and beside it one cure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ganplay.diagnosis.measures import fakes, modes
from ganplay.metrics.modes import SAMPLES
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.stories.story import End, Story, Verdict

VANILLA = "Vanilla GAN"
BATCH = 64


class CoverageStory(Story):
    """Trainings on a mixture, and how many of its modes each covers in the end, by `metrics.modes`.

    Attributes:
        most, least: modes that the vanilla GAN covers at most, with its last weights and with their average, and modes
            that the average of each other training covers at least.
    """

    page = "playground"
    most: ClassVar[int]
    least: ClassVar[int]

    def base(self) -> Recipe:
        return ring(2_000)

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        """Checks those of the trainings that are there."""
        found = {label: coverage(end) for label, end in ends.items()}
        holds = [
            max(numbers["modes"], numbers["modes_now"]) <= self.most
            if label == VANILLA
            else numbers["modes"] >= self.least
            for label, numbers in found.items()
        ]
        return Verdict(all(holds), " ".join(_sentence(label, numbers) for label, numbers in found.items()), found)


def ring(iterations: int) -> Recipe:
    """Eight Gaussians, radius 1 and sigma 0.01, and a generator that learns five times as fast as its discriminator.

    Nets, batch and number of rounds are far smaller than the papers', so that a training takes seconds. Unequal rates
    are what makes the vanilla GAN collapse; with equal ones `toy-ring` covers all eight modes.
    """
    return recipe("toy-ring").change(
        {
            "batch_size": BATCH, "discriminator.widths": "32,32", "generator_optimiser.learning_rate": 5e-3,
            "discriminator_optimiser.learning_rate": 1e-3, **lasting(iterations),
        }
    )  # fmt: skip


def lasting(iterations: int, critic_steps: int = 1) -> dict[str, Any]:
    """The changes that let a recipe train for so many rounds, with fifty points on its curves and no scores."""
    images = BATCH * critic_steps * iterations
    return {
        "critic_steps": critic_steps, "stop_images": images, "log_every": images // 50, "sample_every": images // 10,
        "score_every": 0,
    }  # fmt: skip


def coverage(end: End) -> dict[str, float]:
    """What the averaged generator covers at one training's end, and how many modes its last weights do (modes_now)."""
    averaged, _ = fakes(end.state, SAMPLES, average=True)
    now, _ = fakes(end.state, SAMPLES)
    return {**modes(averaged, end.recipe), "modes_now": modes(now, end.recipe)["modes"]}


def _sentence(label: str, numbers: Mapping[str, float]) -> str:
    return (
        f"{label}: {numbers['modes']:.0f} of {numbers['modes_of']:.0f} modes ({numbers['modes_now']:.0f} with the last "
        f"weights alone), {numbers['high_quality']:.0%} of the samples within three sigma, reverse KL "
        f"{numbers['reverse_kl']:.2f} nats."
    )
