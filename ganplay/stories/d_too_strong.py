"""A discriminator that separates perfectly under the minimax loss leaves the generator without a gradient."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ganplay.diagnosis.measures import fakes
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory, gradients
from ganplay.stories.failure_base import points
from ganplay.stories.story import End

FADED, ALIVE, NEARER = 1e-4, 1e-2, 0.5
RADIUS = 4.0


@stories.register("d-too-strong")
class DiscriminatorTooStrong(FailureStory):
    """The ring lies far from the first samples, and D learns fast and often."""

    title = "D too strong"
    question = (
        "The data lie far from G's first samples, D is trained five times for each update of G with a high rate, and G "
        "minimises log(1 - D). What becomes of G's gradient?"
    )
    answers = ("it grows, for G is so far off", "it stays about the same", "it all but vanishes")
    answer = answers[2]
    claim = (
        f"Under the minimax loss the gradient into G ends shorter than {FADED:g}. With the non-saturating loss, or "
        f"with a D as slow as G, it ends longer than {ALIVE:g}, and samples half as far from the nearest mode or less."
    )
    source = "arXiv 1406.2661, section 3; 1701.04862, theorem 2.4; 1701.00160, section 3.2.3"
    why = """
With logits $l$ the minimax generator minimises $\\log(1 - D) = -\\mathrm{softplus}(l)$, whose slope is
$-\\mathrm{sigmoid}(l)$. A D that is certain of a fake says $l = -15$, and the slope is 0.0000003: G learns nothing,
just when it is worst. The non-saturating loss $-\\log D = \\mathrm{softplus}(-l)$ has the slope
$-\\mathrm{sigmoid}(-l)$, which is nearly -1 there. It does not cure everything: look at how few modes the strong D
lets it find. A D that learns as slowly as G never becomes certain.
"""
    broken = "minimax loss"
    changes = {
        "minimax loss": {"discriminator_optimiser.learning_rate": 1e-2, "generator_optimiser.learning_rate": 1e-4},
        "non-saturating loss": {
            "loss": "non-saturating", "discriminator_optimiser.learning_rate": 1e-2,
            "generator_optimiser.learning_rate": 1e-4,
        },
        "D as slow as G": {"critic_steps": 1, "stop_images": 128_000, "log_every": 1_280, "sample_every": 6_400},
    }  # fmt: skip
    finding = "d-separates"

    def base(self) -> Recipe:
        return points(600, 10, 5).change({"dataset.radius": RADIUS, "loss": "minimax"})

    def measure(self, end: End) -> dict[str, float]:
        early, late = gradients(end)
        last = end.points[-1]
        return {
            "gradient into G at first": early,
            "gradient into G at the end": late,
            "accuracy of D": (last["accuracy_real"] + last["accuracy_fake"]) / 2,
            "distance to the nearest mode": distance(end),
        }

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers["gradient into G at the end"] <= FADED

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        name = "distance to the nearest mode"
        return numbers["gradient into G at the end"] >= ALIVE and numbers[name] <= NEARER * broken[name]


def distance(end: End) -> float:
    """The mean distance of samples to the nearest centre."""
    made, _ = fakes(end.state, 2_500)
    centres = torch.as_tensor(end.recipe.dataset.centres(), dtype=made.dtype)
    return float(torch.cdist(made, centres).min(1).values.mean())
