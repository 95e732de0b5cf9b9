"""Weight clipping in a deep critic: too small and gradients vanish layer by layer, too large and they explode."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis.readings import readings
from ganplay.recipe import Recipe
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory, gradients
from ganplay.stories.failure_base import points
from ganplay.stories.story import End

NOTHING, FLOOD, LOW, HIGH = 1e-6, 1e3, 0.1, 50.0


class _Clip(FailureStory):
    """A critic of six layers of 64 units with weights clipped at some limit, against the gradient penalty."""

    source = "arXiv 1701.07875, section 3; 1704.00028, section 3 and figure 1b"

    def base(self) -> Recipe:
        rates = {f"{owner}_optimiser.learning_rate": 5e-4 for owner in ("generator", "discriminator")}
        return points(800, 10).change(
            {
                "loss": "wasserstein", "discriminator.widths": (64,) * 6, "penalties": ["weight-clip"],
                "generator_optimiser": "rmsprop", "discriminator_optimiser": "rmsprop", **rates,
            }
        )  # fmt: skip

    def measure(self, end: End) -> dict[str, float]:
        layers = list(readings(end.points, end.recipe).layer_norms("discriminator").values())
        return {
            "gradient into G": gradients(end)[1],
            "D's first layer": layers[0],
            "D's last hidden layer": layers[-2],
        }

    def cured(self, label: str, numbers: Mapping[str, float], broken: Mapping[str, float]) -> bool:
        return LOW <= numbers["gradient into G"] <= HIGH


@stories.register("clip-too-small")
class ClipTooSmall(_Clip):
    """The limit of the WGAN paper, 0.01, in a net that is deeper than it looks."""

    title = "Clip too small"
    question = "A critic of seven layers has its weights clipped at 0.01. How long is the gradient that reaches G?"
    answers = ("about as long as with a gradient penalty", "a hundredth of that", "less than a millionth of that")
    answer = answers[2]
    claim = (
        f"With the clip the gradient into G is shorter than {NOTHING:g}; with a gradient penalty it is between {LOW:g} "
        f"and {HIGH:g}."
    )
    why = """
Each layer on the way back multiplies the gradient by its weights. 64 weights of size 0.01 in a layer shrink it about
tenfold or more, seven layers do so seven times, and what reaches G is nothing. A larger limit soon does the opposite;
between the two there is little room, and it depends on depth and width. The gradient penalty fixes the **product** of
all layers at 1 instead of each layer.
"""
    broken = "clip at 0.01"
    changes = {
        "clip at 0.01": {"penalties.weight-clip.limit": 0.01},
        "gradient penalty": {"penalties": ["gradient-penalty"]},
    }
    finding = "gradients-vanish"

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers["gradient into G"] <= NOTHING


@stories.register("clip-too-large")
class ClipTooLarge(_Clip):
    """A limit of 1, which hardly binds."""

    title = "Clip too large"
    question = "A critic of seven layers has its weights clipped at 1. How long is the gradient that reaches G?"
    answers = ("about as long as with a gradient penalty", "ten times as long", "a hundred times as long or more")
    answer = answers[2]
    claim = (
        f"With the clip the gradient into G is longer than {FLOOD:g}; with a gradient penalty it is between {LOW:g} "
        f"and {HIGH:g}."
    )
    why = """
The critic wants its weights as large as they may be, so they end at the limit. 64 weights of size 1 in a layer enlarge
what passes it many times over, and seven layers do so seven times: the gradient grows from the head to the first
layer, and G's steps with it. Only an optimiser that divides by the gradient's own size, as RMSprop and Adam do, keeps
such a training alive at all.
"""
    broken = "clip at 1"
    changes = {
        "clip at 1": {"penalties.weight-clip.limit": 1.0},
        "gradient penalty": {"penalties": ["gradient-penalty"]},
    }
    finding = "gradients-grow"

    def fails(self, numbers: Mapping[str, float]) -> bool:
        return numbers["gradient into G"] >= FLOOD
