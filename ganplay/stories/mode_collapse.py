"""Mode collapse on a ring of eight Gaussians: a generator that runs ahead of its discriminator sits in one place."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis.measures import fakes, modes
from ganplay.metrics.modes import SAMPLES
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import points
from ganplay.stories.story import End

COLLAPSED, COVERED = 2, 5
FAST = 5e-3


@stories.register("mode-collapse")
class ModeCollapse(FailureStory):
    """The generator learns five times as fast as the discriminator."""

    title = "Mode collapse on eight Gaussians"
    question = "G learns five times as fast as D. How many of the eight Gaussians will its samples reach?"
    answers = ("all eight", "about half of them", "one or two at most")
    answer = answers[2]
    claim = (
        f"With G five times as fast as D at most {COLLAPSED} of the 8 modes are covered by 2,500 samples (within three "
        f"standard deviations of their centre); with a faster D, or five updates of D for one of G, at least {COVERED}."
    )
    source = "arXiv 1406.2661, section 3; 1611.02163, section 3.1; 1706.08500 (two rates)"
    why = """
Against a discriminator that stands still, the best answer of the generator is to put **all** samples on the one point
that D likes best. Nothing in its loss asks for variety: that comes only from D noticing the pile and marking it down.
A G that learns faster than D has piled up its samples before D can object; D then marks that place down, the pile hops
to the next one, and so on. A D that keeps up, by a rate as high as G's or by more updates, makes piles unprofitable.

The papers count 1 to 7 modes for a plain GAN on this ring, each in a setting of its own: here it is the ratio of the
rates that decides.
"""
    broken = "G five times as fast"
    changes = {
        "G five times as fast": {"generator_optimiser.learning_rate": FAST},
        "D as fast": {"generator_optimiser.learning_rate": FAST, "discriminator_optimiser.learning_rate": FAST},
        "five updates of D": {
            "generator_optimiser.learning_rate": FAST, "critic_steps": 5, "stop_images": 1_280_000,
            "log_every": 12_800, "sample_every": 64_000,
        },
    }  # fmt: skip
    finding = "collapsed"

    def base(self) -> Recipe:
        return points(2_000)

    def measure(self, end: End) -> dict[str, float]:
        made, _ = fakes(end.state, SAMPLES, average=True)
        found = modes(made, end.recipe)
        return {name: found[name] for name in ("modes", "high_quality", "reverse_kl")}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers["modes"] <= COLLAPSED

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers["modes"] >= COVERED
