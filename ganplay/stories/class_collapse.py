"""AC-GAN's collapse within a class: a generator that is paid for easily recognised digits makes one of each."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.data.resident import load
from ganplay.diagnosis.measures import COMPARED, class_similarity, fakes
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import labelled
from ganplay.stories.story import End

ALL_BUT_NONE, MORE = 0.08, 0.1
LEFT = "variety left within a class"


@stories.register("class-collapse")
class ClassCollapse(FailureStory):
    """The auxiliary classifier's cross-entropy has the weight 50."""

    title = "Collapse within a class (AC-GAN)"
    question = (
        "The classifier's cross-entropy counts fifty times as much as real or fake. How varied are the samples of one "
        "digit?"
    )
    answers = (
        "as varied as real ones",
        "more varied, for G knows the digits better",
        "hardly varied: nearly one picture of each digit",
    )
    answer = answers[2]
    claim = (
        f"1 - MS-SSIM of two samples of one digit is at most {ALL_BUT_NONE:.0%} of what it is for real digits; with a "
        f"projection instead of the classifier it is at least {MORE:.0%}."
    )
    source = "arXiv 1610.09585, section 4.2 (MS-SSIM); 1802.05637; document 004, figure 7"
    why = """
The classifier's term rewards what is easily recognised. The most recognisable 3 is one picture, and copies of it cost
nothing in this term; only the term of real or fake asks for variety, and here it is drowned out. A projection
discriminator judges picture and label together and has no such term: that is better, and not yet good, for in so short
a training most of the real variety is missing with it too. MS-SSIM compares pairs of samples of one class: 1
for equal pictures. At 16 x 16 only one of its five scales fits, so the values are not those of the papers.
"""
    broken = "class weight 50"
    changes = {
        "class weight 50": {"class_weight": 50.0},
        "projection": {"discriminator.conditioning": "projection"},
    }
    finding = "alike-within-classes"

    def base(self) -> Recipe:
        return labelled(400)

    def measure(self, end: End) -> dict[str, float]:
        made, y = fakes(end.state, COMPARED, average=True)
        real = load(end.recipe.dataset, end.recipe.shapes.sample)
        found = class_similarity(made, y, real, end.recipe.shapes.classes)
        left = (1 - found["ms_ssim"]) / (1 - found["ms_ssim_real"])
        return {"MS-SSIM": found["ms_ssim"], "MS-SSIM of real digits": found["ms_ssim_real"], LEFT: left}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers[LEFT] <= ALL_BUT_NONE

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers[LEFT] >= MORE
