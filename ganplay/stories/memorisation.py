"""A discriminator that has only a hundred pictures learns them by heart, and takes unseen real ones for fakes."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.data.resident import load
from ganplay.diagnosis.measures import COMPARED, copies, fakes, judged
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import tiny_digits
from ganplay.stories.story import End

GAP, SMALLER = 0.5, 0.35
SEEN, UNSEEN = "D calls real, seen", "D calls real, unseen"


@stories.register("memorisation")
class Memorisation(FailureStory):
    """One hundred digits, each seen some four hundred times."""

    title = "A hundred pictures by heart"
    question = (
        "D is trained on 100 real digits. Then it is shown real digits that it has never seen. How many of them does "
        "it call real?"
    )
    answers = ("as many as of those it was trained on", "more", "far fewer")
    answer = answers[2]
    claim = (
        f"The share of training digits that D calls real exceeds that of unseen ones by {GAP:.0%} or more; with all "
        f"1,500 digits, or with random changes of all that D sees (DiffAugment), by less than {SMALLER:.0%}."
    )
    source = "arXiv 2006.10738 (DiffAugment), section 3; 2006.06676, section 2"
    why = """
With few pictures it is easier to know each of them than to know what digits look like. Such a D punishes G for
every digit that is not one of the hundred, good ones too, and the way out for G is to copy. Random shifts and cut-outs
of everything that D sees make the hundred many, and because fakes are changed in the same way G does not learn to make
shifted digits. The distance to the nearest training digit tells whether G copies already: 100 % is as far as unseen
real digits lie, 0 % is a copy.
"""
    broken = "100 digits"
    changes = {
        "100 digits": {"dataset": "few-digits", "dataset.count": 100},
        "100 digits, changed at random": {
            "dataset": "few-digits", "dataset.count": 100, "augment": ("translation", "cutout"),
        },
        "1,500 digits": {},
    }  # fmt: skip
    finding = "memorised"

    def base(self) -> Recipe:
        return tiny_digits(600)

    def measure(self, end: End) -> dict[str, float]:
        real = load(end.recipe.dataset, end.recipe.shapes.sample)
        found = judged(end.state, real)
        made, _ = fakes(end.state, COMPARED, average=True)
        return {
            SEEN: found["called_real_seen"],
            UNSEEN: found["called_real_unseen"],
            "distance to training digits": copies(made, real, end.recipe)["distance_to_training"],
        }

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers[SEEN] - numbers[UNSEEN] >= GAP

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers[SEEN] - numbers[UNSEEN] < SMALLER
