"""What a clipped critic and a penalised one see of three sets: figure 1 of the WGAN-GP paper (arXiv 1704.00028)."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.scenarios.value_surface import Surface, value_surfaces
from ganplay.stories import stories
from ganplay.stories.story import End, Story, Verdict

CLIPPED, PENALISED = "Weight clipping", "Gradient penalty"
FACTOR = 1.1


@stories.register("playground-value-surfaces")
class ValueSurfaces(Story):
    """Six critics against real points + N(0, 1); nothing else is trained."""

    page = "playground"
    title = "Value surfaces: clip against penalty"
    question = "G is fixed at real points + noise. Which critic's map shows where the small clouds are?"
    answers = ("the one with clipped weights", "the one with a gradient penalty", "both alike")
    answer = answers[1]
    claim = (
        "On 8 Gaussians, 25 Gaussians and the Swiss roll, the critic with the gradient penalty sees at least "
        f"{FACTOR:g} times as much fine detail as the one with clipped weights: how much lower it is 0.3 beside the "
        "data, as a share of what its steepest slope allows."
    )
    source = "arXiv 1704.00028, section 3.1 and figure 1"
    why = r"""
Both critics should be as high as possible on the data and as low as possible beside them, with slopes of at most 1.
Clipping enforces that by bounding each **weight**: most weights end at the two limits, and what such a net can draw is
hardly more than a pyramid over the middle of the data. The penalty bounds the **slope** itself and leaves the weights
free, so its surface has ridges where the clouds are. That is what G would later climb.

The paper trains nets of 512 units for $10^5$ steps; these have 64 units and 2,000 steps, so their ridges are blunter.
"""

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        raise ValueError("The value surfaces are computed, not trained as runs; ask `verify` for them.")

    def verify(self, seed: int) -> Verdict:
        return verdict(value_surfaces(seed))


def verdict(surfaces: Mapping[str, Mapping[str, Surface]]) -> Verdict:
    """What finished surfaces, by set and by critic, say of the claim."""
    measured = {
        f"{name}, {how.lower()}": {"detail": surface.detail, "steepest": surface.steepest}
        for name, found in surfaces.items()
        for how, surface in found.items()
    }
    holds = [found[PENALISED].detail >= FACTOR * found[CLIPPED].detail for found in surfaces.values()]
    said = [
        f"{name}: {found[PENALISED].detail:.0%} of the possible detail with the penalty, {found[CLIPPED].detail:.0%} "
        "with clipped weights."
        for name, found in surfaces.items()
    ]
    return Verdict(all(holds), " ".join(said), measured)
