"""Spiking gradients: a few bad samples in the data, found by the batch behind each spike."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.data.resident import load
from ganplay.diagnosis.motion import SPIKE, batch_of, spikes
from ganplay.diagnosis.readings import readings
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.failure_base import points
from ganplay.stories.story import End

FAR = 10.0  # distance from the middle, in radii of the ring, from which a sample counts as an outlier
MOSTLY = 0.8
HIGHEST, COUNT, BLAMED = "highest spike", "spikes", "spikes whose batch holds an outlier"


@stories.register("spiking-gradients")
class SpikingGradients(FailureStory):
    """One point in 5,000 lies fifty times too far out; the curves have a point for each round."""

    title = "Spiking gradients"
    question = (
        "One of 5,000 data points lies fifty times too far out. The least squares loss is the square of a distance. "
        "What does the discriminator's gradient do?"
    )
    answers = (
        "nothing that could be seen, for the outliers are so few",
        "it is longer all the time",
        "it spikes in the very rounds in which an outlier is in the batch",
    )
    answer = answers[2]
    claim = (
        f"With the least squares loss a gradient is {SPIKE:g} times as long as usual or more, and at least "
        f"{MOSTLY:.0%} of the batches behind such spikes hold an outlier. Without the outliers, or with the "
        "non-saturating loss, there is no such spike."
    )
    source = "document 004, figure 7 (spiking L2 norms); arXiv 1611.04076, eq. 2"
    why = """
D's score of a point that lies fifty times too far out is some fifty times too large, and the least squares loss squares
it: one sample of 128 outweighs all others, and the whole batch steps its way. The order of the samples follows from the
seed, so a spike in a round names its batch, and the batch its outlier: look at the samples behind a spike before you
change a rate. In the non-saturating loss a score, however large, adds itself and not its square, and a large score of a
real sample adds nothing at all. Document 004 suspects single batches of the generator behind its spikes; here it is
the data, and the batch can be shown.
"""
    broken = "least squares"
    changes = {
        "least squares": {},
        "without the outliers": {"dataset": "ring"},
        "non-saturating loss": {"loss": "non-saturating"},
    }
    finding = "spikes"

    def base(self) -> Recipe:
        return points(400, 1).change({"dataset": "ring-outliers", "loss": "least-squares"})

    def measure(self, end: End) -> dict[str, float]:
        run = readings(end.points, end.recipe)
        found = spikes(run)
        highest = max(spikes(run, 0.0), key=lambda spike: spike.times)
        data = load(end.recipe.dataset, end.recipe.shapes.sample).values
        blamed = [bool((data[batch_of(end.recipe, spike)].norm(dim=1) > FAR).any()) for spike in found]
        share = {BLAMED: sum(blamed) / len(blamed)} if blamed else {}
        return {HIGHEST: highest.times, COUNT: len(found), **share}

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers[COUNT] > 0 and numbers[BLAMED] >= MOSTLY

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return numbers[COUNT] == 0
