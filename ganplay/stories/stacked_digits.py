"""Mode collapse on stacked digits: a thousand modes, counted by a classifier, and a discriminator that is too sure."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis import digits
from ganplay.diagnosis.measures import COMPARED, fakes
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import tiny_digits
from ganplay.stories.story import End

FEW, MANY = 30, 60
MODES = "modes in 512 samples"


@stories.register("stacked-digits")
class StackedDigits(FailureStory):
    """Three digits as the three colours of a picture, with and without R1."""

    title = "Mode collapse on stacked digits"
    question = (
        "Each picture holds three digits, one in each colour: 1,000 combinations. 512 real pictures show about 400 of "
        "them. How many do 512 samples show of a GAN whose D is soon certain?"
    )
    answers = ("about 400", "about 200", "a few dozen at most")
    answer = answers[2]
    claim = (
        f"Without a penalty 512 samples show at most {FEW} of the 1,000 combinations that a classifier can read; with "
        f"R1 at least {MANY}."
    )
    source = "arXiv 1611.02163, section 3.3.1; 1712.04086, section 4.2; 1801.04406, section 4.1"
    why = """
Nobody can see a missing combination in a grid of pictures, so a classifier reads every channel of every sample and
counts. 512 samples of a perfect generator would show 1000 (1 - 0.999^512) = 401 combinations. The papers count with
26,000 samples of 28 x 28 pixels, so their numbers are others: what can be compared is broken against cured. A D that is
certain rewards the few combinations that fool it best; R1 keeps its slope small, so that near misses still earn.
"""
    broken = "no penalty"
    changes = {"no penalty": {}, "R1": {"penalties": ("r1",)}}
    finding = "collapsed"
    goes = False  # with R1 too fewer modes are there than in real pictures

    def base(self) -> Recipe:
        return tiny_digits(300).change({"dataset": "stacked-digits", "latent": 64})

    def measure(self, end: End) -> dict[str, float]:
        made, _ = fakes(end.state, COMPARED, average=True)
        return {MODES: digits.measured(end.recipe, made, None)["modes"]}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers[MODES] <= FEW

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers[MODES] >= MANY
