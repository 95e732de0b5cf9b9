"""The failure of document 004: one model and one set of settings, which learn digits and do not learn photographs."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis import digits
from ganplay.diagnosis.measures import COMPARED, fakes
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.story import End

FAILED, REACHED = 0.2, 0.3
SHOWN = "recognised as asked for"


@stories.register("munich-failure")
class MunichFailure(FailureStory):
    """`munich-failure` with half as many maps everywhere, so that it trains in two minutes."""

    title = "Digits, but no photographs"
    question = (
        "A conditional GAN with spectral norm trains on CIFAR-10's photographs, and with the same settings on MNIST's "
        "digits. After 48,000 images of each a classifier looks for the class that G was asked for. Where is it found?"
    )
    answers = (
        "in both, for both have ten classes and as many images",
        "in the photographs, for colours give the class away",
        "in the digits; the photographs stay blots",
    )
    answer = answers[2]
    claim = (
        f"On CIFAR-10 the data's own bundled classifier finds the class asked for in at most {FAILED:.0%} of the "
        f"samples (chance is 10%), on MNIST in at least {REACHED:.0%}."
    )
    source = "document 004, section III.A and figure 6"
    why = """
Nothing in the model is wrong by itself: the norm, the loss and the projection are those of published successes. Digits
are strokes on black, so nearly every mistake is one that D can point at. Photographs vary in everything at once: there
D finds faults faster than G learns to avoid them, and what G repairs for one kind of picture it spoils for another. The
document concludes that parts which work elsewhere say little until they are tuned together, and that a score which is
watched from the beginning tells early what fails. The curves of the two runs do not: they look alike. Fork a run and
try slower rates, wider nets or more images.
"""
    broken = "CIFAR-10"
    changes = {"CIFAR-10": {}, "MNIST, the same settings": {"dataset": "mnist", "image_size": 28}}
    finding = "labels-ignored"

    def base(self) -> Recipe:
        return recipe("munich-failure").change(
            {
                "generator.first_maps": 64, "generator.widths": (64, 32, 16), "discriminator.widths": (16, 32, 64, 128),
                "stop_images": 48_000, "sample_every": 3_200,
            }
        )  # fmt: skip

    def measure(self, end: End) -> dict[str, float]:
        made, y = fakes(end.state, COMPARED, average=True)
        return {SHOWN: digits.measured(end.recipe, made, y)["recognised"]}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers[SHOWN] <= FAILED

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers[SHOWN] >= REACHED
