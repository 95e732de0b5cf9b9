"""A deep critic whose weights are clipped hands back gradients that vanish or explode; a gradient penalty does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ganplay.recipe import Recipe
from ganplay.scenarios.depth import VARIANTS, deep_recipe, measured
from ganplay.stories import stories
from ganplay.stories.story import End, Story, Verdict

EXPLODED, VANISHED, KEPT = 100.0, 1e-6, 20.0
QUANTITY = "first layer / logit"
PENALTY, LARGE, SMALL = "gradient penalty", "clip 0.1", ("clip 0.01", "clip 0.001")


@stories.register("vanishing-clip")
class VanishingClip(Story):
    """WGAN-GP, figure 1b."""

    page = "vanishing_gradients"
    title = "Clip against gradient penalty, twelve layers deep"
    question = (
        "A critic of 12 hidden layers is kept Lipschitz by clipping its weights at 0.1, 0.01 or 0.001, or by a "
        "gradient penalty. The gradient at the logit is 1. How large is it when it arrives at the **first** layer?"
    )
    answers = (
        "about 1 with all four",
        "it vanishes with every clip",
        "it explodes with clip 0.1, vanishes with 0.01 and 0.001, and keeps its size with the penalty",
        "it explodes with the penalty",
    )
    answer = answers[2]
    claim = (
        f"Against the gradient at the logit, that at the first layer is more than {EXPLODED:g} times as large with "
        f"clip 0.1, less than {VANISHED:g} of it with clip 0.01 and 0.001, and within a factor of {KEPT:g} with the "
        "penalty."
    )
    source = "arXiv 1704.00028, section 4 and figure 1b"
    why = """
Every layer on the way back multiplies the gradient by its weights. Clipped weights end up at the edge of their box, so
each layer multiplies by about the same number, which depends on the limit and on the width of the layer: above 1 the
gradient grows exponentially with the depth, below 1 it decays. There is a limit in between that would be right, but for
another width or depth it is another one. The penalty asks for the product itself: a slope of 1 from the input to the
logit, and the layers share the work.
"""
    variants: ClassVar[str] = "control"

    def recipes(self, seed: int) -> dict[str, Recipe]:
        return {label: deep_recipe(seed, changes) for label, changes in VARIANTS[self.variants].items()}

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        ratios = first_to_last(ends)
        holds = (
            ratios.get(LARGE, 0) > EXPLODED
            and all(ratios.get(label, 1) < VANISHED for label in SMALL)
            and 1 / KEPT < ratios.get(PENALTY, 0) < KEPT
        )
        return Verdict(holds, sentence(ratios), {label: {QUANTITY: ratio} for label, ratio in ratios.items()})


def first_to_last(ends: Mapping[str, End]) -> dict[str, float]:
    """By training, the norm of the gradient at the first layer's activations over that at the logit."""
    found = {}
    for label, end in ends.items():
        norms = measured(end.recipe, end.state.generator, end.state.discriminator)
        found[label] = norms[0] / norms[-1] if norms[-1] else 0.0
    return found


def sentence(ratios: Mapping[str, float]) -> str:
    """What arrives at the first layer, training by training."""
    said = ", ".join(f"{ratio:.1e} with {label}" for label, ratio in ratios.items())
    return f"Of a gradient of 1 at the logit, this arrives at the first of the hidden layers: {said}."
