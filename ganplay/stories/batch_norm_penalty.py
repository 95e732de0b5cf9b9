"""Batch norm in a critic with a gradient penalty: the penalty holds something else at 1 than it means."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.scenarios.batch_penalty import trained_slopes
from ganplay.stories import stories
from ganplay.stories.story import End, Story, Verdict

APART, EQUAL = 1.02, 1.001
NORMS = {"batch norm": "batch", "layer norm": "layer"}
RATIO = "own slope / seen by the penalty"


@stories.register("batch-norm-penalty")
class BatchNormPenalty(Story):
    """Two small critics between digits and noise; recipes with both are refused, so nothing is trained as a run."""

    page = "failure_modes"
    title = "Batch norm with a gradient penalty"
    question = (
        "A gradient penalty pushes a critic's slope at each sample to 1. With batch norm in the critic, is what the "
        "penalty measures still the slope of that sample's own score?"
    )
    answers = ("yes", "no: the sample's own slope is larger", "no: the sample's own slope is smaller")
    answer = answers[1]
    claim = (
        f"With batch norm a sample's own slope is more than {APART:g} times what the penalty measures; with layer norm "
        "the two are equal."
    )
    source = "arXiv 1704.00028, section 4 (no critic batch normalization)"
    why = """
The penalty differentiates the sum of the batch's scores by each sample. Batch norm subtracts the batch's mean, so what
one sample gains the others lose, and part of each slope cancels in the sum. The penalty is content, yet single scores
are steeper than it says, by a factor that depends on the batch. Layer norm looks at one sample at a time: nothing
cancels. That is why a recipe with both is refused here.
"""

    def verify(self, seed: int) -> Verdict:
        found = {label: trained_slopes(norm, seed) for label, norm in NORMS.items()}
        measured = {
            label: {"seen by the penalty": one.seen, "own slope": one.own, RATIO: one.own / one.seen}
            for label, one in found.items()
        }
        holds = measured["batch norm"][RATIO] >= APART and measured["layer norm"][RATIO] <= EQUAL
        said = "; ".join(
            f"with {label} the penalty measures {one.seen:.3f} where a sample's own slope is {one.own:.3f}"
            for label, one in found.items()
        )
        return Verdict(holds, f"{said.capitalize()}.", measured)

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        return self.verify(next(iter(ends.values())).recipe.seed if ends else 0)
