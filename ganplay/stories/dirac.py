"""The Dirac-GAN: two numbers that go round in circles unless something damps them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ganplay.losses.minimax import Minimax
from ganplay.penalties.r1 import R1
from ganplay.randomness import generator_for
from ganplay.scenarios.dirac import DiracGan, radius
from ganplay.stories import stories
from ganplay.stories.story import End, Story, Verdict

STEP, STEPS = 0.2, 500
START = math.sqrt(2)
OUTWARDS, STILL, REST = 1.5, 0.1, 0.01
WEIGHT = 0.6  # gamma of R1, whose half multiplies the squared slope


@stories.register("dirac-gan")
class Dirac(Story):
    """The smallest GAN, from a start on the circle of radius 1.41 whose angle the seed decides."""

    page = "failure_modes"
    title = "The Dirac-GAN never arrives"
    question = (
        "One data point, a generator that is one number and a discriminator that is one slope, trained by alternating "
        "gradient descent. Where do they end?"
    )
    answers = ("at the equilibrium", "on a circle around it", "ever farther away")
    answer = answers[1]
    claim = (
        f"After {STEPS} alternating steps of {STEP:g} the distance from the equilibrium is the starting one within "
        f"{STILL:.0%}; with simultaneous steps it is {OUTWARDS:g} times that or more, and with R1 below {REST:g}."
    )
    source = "arXiv 1801.04406, sections 2 and 3"
    why = """
Near the equilibrium G moves by minus the slope of D, and D's slope moves by the place of G: each is always a quarter
turn behind the other. The Jacobian has the eigenvalues $\\pm i/2$, a rotation. Steps of finite size even lead outwards
when both move at once. R1 adds $-\\gamma/2$ to the real parts: the rotation becomes a spiral inwards.
"""

    def verify(self, seed: int) -> Verdict:
        import torch

        angle = 2 * math.pi * float(torch.rand((), generator=generator_for(seed, "dirac start"), dtype=torch.float64))
        start = START * math.cos(angle), START * math.sin(angle)
        plain, damped = DiracGan(Minimax()), DiracGan(Minimax(), (R1(weight=WEIGHT),))
        ends = {
            "alternating": radius(plain.path(start, STEP, STEPS, "alternating")),
            "simultaneous": radius(plain.path(start, STEP, STEPS)),
            "alternating with R1": radius(damped.path(start, STEP, STEPS, "alternating")),
        }
        rate = {"alternating": plain, "simultaneous": plain, "alternating with R1": damped}
        measured = {
            label: {"distance": end, "largest real part": float(rate[label].eigenvalues().real.max())}
            for label, end in ends.items()
        }
        holds = (
            abs(ends["alternating"] - START) <= STILL * START
            and ends["simultaneous"] >= OUTWARDS * START
            and ends["alternating with R1"] <= REST
        )
        said = ", ".join(f"{end:.2g} with {label} steps" for label, end in ends.items())
        return Verdict(holds, f"From a distance of {START:.3g} the game ends at {said}.", measured)

    def judge(self, ends: Mapping[str, End]) -> Verdict:
        return self.verify(next(iter(ends.values())).recipe.seed if ends else 0)
