"""Generator losses over the logit: the package's own, differentiated, and complete by themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from ganplay.contracts import Example, Loss
from ganplay.losses import losses
from ganplay.scenarios import logits

PLACES = (-10.0, -3.0, 0.0, 0.5, 7.0)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


KNOWN = {
    "minimax": lambda logit: -sigmoid(logit),
    "non-saturating": lambda logit: -sigmoid(-logit),
    "least-squares": lambda logit: logit - 1,
    "wasserstein": lambda logit: -1.0,
    "hinge": lambda logit: -1.0,
    "relativistic": lambda logit: -sigmoid(-logit),  # the real sample's logit is 0
}


@pytest.mark.parametrize("kind", KNOWN)
def test_the_slope_is_the_derivative_worked_out_by_hand(kind: str) -> None:
    found = logits.curve(kind, PLACES)
    assert found.slopes == pytest.approx([KNOWN[kind](place) for place in PLACES], rel=1e-9)


@pytest.mark.parametrize("kind", losses.names())
def test_every_slope_is_the_difference_quotient_of_the_values(kind: str) -> None:
    step = 1e-4
    for place in (-4.0, -0.3, 2.2):
        low, _, high = logits.curve(kind, (place - step, place, place + step)).values
        slope = logits.curve(kind, (place,)).slopes[0]
        assert slope == pytest.approx((high - low) / (2 * step), abs=1e-5)


def test_every_registered_loss_is_there_and_a_new_one_appears_by_itself(monkeypatch) -> None:
    assert [curve.kind for curve in logits.generator_curves()] == list(losses.names())

    @dataclass(frozen=True)
    class Cubic(Loss):
        kind = "cubic"
        formula = "l^3"
        example = Example((0.0,), (0.0,), 0.0, 0.0, "")

        def generator(self, fake, real=None):
            return fake.logits**3

    monkeypatch.setitem(losses._parts, "cubic", Cubic)
    (found,) = [curve for curve in logits.generator_curves() if curve.kind == "cubic"]
    assert found.slopes[found.logits.index(2.0)] == pytest.approx(12.0)
