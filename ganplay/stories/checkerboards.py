"""Checkerboards: transposed convolutions with a stride of 2 begin with a pattern of period 2 all over the picture."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ganplay.data.resident import load
from ganplay.diagnosis.measures import COMPARED, checkerboard, fakes
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import tiny_digits
from ganplay.stories.story import End

VISIBLE, HIDDEN = 0.02, 0.01
ROUNDS = 50
SHARE, REAL = "power at the highest frequency", "the same in real digits"


@stories.register("checkerboards")
class Checkerboards(FailureStory):
    """The first 3,200 images of a training, with maps doubled in two ways."""

    title = "Checkerboards"
    question = (
        "A young generator doubles its maps by transposed convolutions with a stride of 2. How much of its pictures' "
        "power lies at the highest frequency, a change of sign from pixel to pixel?"
    )
    answers = ("as little as in real digits", "about twice as much", "more than ten times as much")
    answer = answers[2]
    claim = (
        f"After {ROUNDS} rounds more than {VISIBLE:.0%} of the power lies there with transposed convolutions, and less "
        f"than {HIDDEN:.0%} when maps are doubled by repetition before ordinary convolutions."
    )
    source = "doi 10.23915/distill.00003 (Odena, Dumoulin, Olah 2016)"
    why = """
With a stride of 2 the even and the odd pixels of the larger map are made by different weights, and where the kernel is
odd by different numbers of them. With random weights the four kinds of pixels have nothing to do with each other: a
checkerboard. Repeating each value and convolving with stride 1 treats all pixels alike. In this small training it is
a matter of time: D sees the pattern, and with transposed convolutions G unlearns it, slowly. Train the broken one on
and look at the spectrum again.
"""
    broken = "transposed convolutions"
    changes = {"transposed convolutions": {}, "repetition, then convolution": {"generator.upsampling": "resize"}}
    finding = "checkerboard"

    def base(self) -> Recipe:
        return tiny_digits(ROUNDS).change(
            {
                "image_size": 16, "generator.widths": (32, 16), "discriminator.widths": (16, 32), "log_every": 128,
                "sample_every": 640, "ema_decay": 0.9,
            }
        )  # fmt: skip

    def measure(self, end: End) -> dict[str, float]:
        made, _ = fakes(end.state, COMPARED, average=True)
        real = load(end.recipe.dataset, end.recipe.shapes.sample)
        found = checkerboard(made, real.batch(torch.arange(COMPARED))[0])
        return {SHARE: found["checkerboard"], REAL: found["checkerboard_real"]}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers[SHARE] >= VISIBLE and numbers[SHARE] >= 10 * numbers[REAL]

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers[SHARE] <= HIDDEN
