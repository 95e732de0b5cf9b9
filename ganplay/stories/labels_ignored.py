"""A conditional GAN whose labels nobody checks: the generator makes digits, but not the ones it is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis import digits
from ganplay.diagnosis.measures import COMPARED, fakes
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import labelled
from ganplay.stories.story import End

IGNORED, HEEDED = 0.2, 0.5


@stories.register("labels-ignored")
class LabelsIgnored(FailureStory):
    """The auxiliary classifier's cross-entropy has the weight 0 in both losses."""

    title = "Labels ignored"
    question = (
        "G is told which digit to make, and D has a classifier whose cross-entropy has the weight 0. How often does G "
        "make the digit that it is asked for?"
    )
    answers = ("nearly always, for it is told", "about half of the time", "about as often as by chance, one in ten")
    answer = answers[2]
    claim = (
        f"With weight 0 a separate classifier finds the digit asked for in at most {IGNORED:.0%} of the samples; with "
        f"weight 1 in at least {HEEDED:.0%}."
    )
    source = "arXiv 1411.1784; 1610.09585, section 3; document 000, eq. 3 and 4"
    why = """
A label is just another input. Unless somebody checks that the sample fits it, G is free to use it as more noise: a
digit that looks real earns the same whatever was asked for. In an AC-GAN the check is the classifier's cross-entropy,
in other conditional GANs D itself, which is told the label and sees real pairs of picture and label to compare with.
"""
    broken = "class weight 0"
    changes = {"class weight 0": {"class_weight": 0.0}, "class weight 1": {}}
    finding = "labels-ignored"

    def base(self) -> Recipe:
        return labelled(400)

    def measure(self, end: End) -> dict[str, float]:
        made, y = fakes(end.state, COMPARED, average=True)
        return {"recognised as asked for": digits.measured(end.recipe, made, y)["recognised"]}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers["recognised as asked for"] <= IGNORED

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers["recognised as asked for"] >= HEEDED
