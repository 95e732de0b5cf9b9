"""A vanilla GAN on eight Gaussians gathers all samples in one place, which hops (arXiv 1611.02163, figure 2)."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ganplay.diagnosis.measures import fakes
from ganplay.metrics.modes import SAMPLES
from ganplay.stories import stories
from ganplay.stories.playground import VANILLA, CoverageStory
from ganplay.stories.story import End, Verdict
from ganplay.tiny import TinyGan

LOOKS, BETWEEN = 10, 100  # further looks at the collapsed generator, and iterations between two
LEAST_PLACES = 3


@stories.register("playground-collapse")
class Collapse(CoverageStory):
    """One training, and what it does in the next 1,000 iterations."""

    title = "Collapse on eight Gaussians"
    question = "The data are eight small clouds on a ring. Where will a plain GAN put its samples after a while?"
    answers = (
        "on all eight clouds",
        "on one or two clouds, for good",
        "on one place at a time, which moves from cloud to cloud",
    )
    answer = answers[2]
    claim = (
        f"With G's rate five times D's, a vanilla GAN covers at most 2 of the 8 modes, and in the {LOOKS * BETWEEN:,} "
        f"iterations after that most of its samples are nearest to at least {LEAST_PLACES} different modes in turn."
    )
    source = "arXiv 1611.02163, figure 2 and section 3.1; 1705.07761, table 1 (1 of 8 modes)"
    why = r"""
G's loss asks for one thing: that D calls its samples real. Against a D that stands still the best answer is a single
point, the one where $D$ is highest, and nothing in the loss asks for a second one. So the samples meet there. Only then
D learns that this place holds too many, marks it down, and the next cloud is the best answer. Neither ever arrives.

A discriminator that judges each sample **alone** cannot say "these are all alike". The cures let it see several at
once (packs, minibatch statistics), let G foresee D's answer (unrolling), or give D a loss that still pulls where G has
no samples (Wasserstein with a gradient penalty).

How many modes a vanilla GAN covers depends on the setting: papers print 1 of 8 and 6.3 of 8. With equal rates our own
covers all eight. Here G's rate is 0.005 and D's 0.001.
"""
    changes = {VANILLA: {}}
    most, least = 2, 0

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        verdict = super().judge(ends)
        places = {label: _places(end) for label, end in ends.items()}
        measured = {label: {**numbers, "places": places[label]} for label, numbers in verdict.measured.items()}
        said = [f"Its samples gather at {count} different modes within {LOOKS * BETWEEN:,} more iterations."
                for count in places.values()]  # fmt: skip
        hops = all(count >= LEAST_PLACES for count in places.values())
        return Verdict(verdict.holds and hops, " ".join([verdict.evidence, *said]), measured)


def _places(end: End) -> int:
    """To how many modes most samples are nearest, one after the other, while the training goes on a little."""
    engine, found = TinyGan(end.recipe, states=[end.state]), set()
    centres = torch.as_tensor(end.recipe.dataset.centres()).float()
    for _ in range(LOOKS):
        engine.advance(BETWEEN)
        made, _ = fakes(engine.state(), SAMPLES)
        found.add(int(torch.cdist(made, centres).argmin(1).mode().values))
    return len(found)
