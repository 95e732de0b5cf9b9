"""Twelve layers of sigmoids hand back almost no gradient; rectified units do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ganplay.recipe import Recipe
from ganplay.scenarios.depth import VARIANTS, deep_recipe
from ganplay.stories import stories
from ganplay.stories.story import End, Story, Verdict
from ganplay.stories.vanishing_clip import QUANTITY, first_to_last, sentence

VANISHED, KEPT = 1e-6, 0.05
SIGMOID = "sigmoid"


@stories.register("vanishing-activation")
class VanishingActivation(Story):
    """The same deep critic with three activations."""

    page = "vanishing_gradients"
    title = "Sigmoid, ReLU and LeakyReLU, twelve layers deep"
    question = "The critic with the gradient penalty: which hidden activation loses the gradient on its way back?"
    answers = ("LeakyReLU", "ReLU", "sigmoid", "none of them")
    answer = answers[2]
    claim = (
        f"Against the gradient at the logit, that at the first layer is less than {VANISHED:g} of it with sigmoids and "
        f"more than {KEPT:g} with ReLU and LeakyReLU."
    )
    source = "arXiv 1511.06434 (LeakyReLU in D); document 000, tables 1 and 2"
    why = r"""
The derivative of a sigmoid is at most 1/4, and twelve of them in a row at most $4^{-12} = 6 \cdot 10^{-8}$, times what
the weights do. The penalty asks for a slope of 1 at the input, but the way it would have to tell the first layers so is
the same way on which every gradient dies. A rectified unit that is on has derivative 1, and one that leaks never has 0.
Between the two the difference is small here: a ReLU that is off passes nothing, but enough of its neighbours are on.
"""
    variants: ClassVar[str] = "activation"

    def recipes(self, seed: int) -> dict[str, Recipe]:
        return {label: deep_recipe(seed, changes) for label, changes in VARIANTS[self.variants].items()}

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        ratios = first_to_last(ends)
        rectified = [ratio for label, ratio in ratios.items() if label != SIGMOID]
        holds = ratios.get(SIGMOID, 1) < VANISHED and bool(rectified) and min(rectified) > KEPT
        return Verdict(holds, sentence(ratios), {label: {QUANTITY: ratio} for label, ratio in ratios.items()})
