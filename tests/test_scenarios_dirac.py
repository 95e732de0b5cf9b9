"""The Dirac-GAN against the closed form of its eigenvalues and against the final radii that are known for it."""

from __future__ import annotations

import cmath

import pytest
import torch

from ganplay.losses import losses
from ganplay.penalties import penalties
from ganplay.scenarios.dirac import DiracGan, radius

START, STEP, STEPS = (1.0, -1.0), 0.2, 500  # (1, 1) in the signs of the literature, whose D is high on fakes
ORDERS = (("simultaneous", 1), ("alternating", 1), ("alternating", 5))


def game(loss: str, consensus: float = 0.0, **given: dict) -> DiracGan:
    return DiracGan(losses[loss](), tuple(penalties[name](**fields) for name, fields in given.items()), consensus)


@pytest.mark.parametrize(
    ("played", "expected"),
    [
        (game("minimax"), (3.10, 1.42, 1.85)),
        (game("non-saturating"), (0.64, 0.28, 0.14)),
        (game("wasserstein", **{"weight-clip": {"limit": 1.0}}), (1.00, 1.02, 0.92)),
        (game("minimax", r1={"weight": 0.3}), (3e-6, 2e-7, 9e-34)),
        (game("minimax", r1={"weight": 1.0}), (1e-21, 7e-17, 5e-12)),
        (game("minimax", consensus=1.0), (2e-10, 1e-11, 5e-33)),
    ],
    ids=["minimax", "non-saturating", "clipped", "penalty 0.3", "penalty 1", "consensus"],
)
def test_the_final_radius_is_the_published_one(played, expected):
    for (order, critic_steps), wanted in zip(ORDERS, expected, strict=True):
        found = radius(played.path(START, STEP, STEPS, order, critic_steps))
        if wanted > 0.1:  # given with two digits behind the point
            assert found == pytest.approx(wanted, abs=0.006), (order, critic_steps)
        else:  # given with one digit, after a fall of up to 33 orders of magnitude
            assert wanted / 3 < found < wanted * 3, (order, critic_steps)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 2.0])
def test_eigenvalues_are_those_of_the_closed_form(weight):
    root = cmath.sqrt(weight**2 / 4 - 1 / 4)
    found = sorted((complex(value) for value in game("minimax", r1={"weight": weight}).eigenvalues()), key=_order)
    wanted = sorted((-weight / 2 + root, -weight / 2 - root), key=_order)
    assert found == [pytest.approx(value, abs=1e-5) for value in wanted]


def _order(value: complex) -> tuple[float, float]:
    return round(value.real, 3), round(value.imag, 3)


def test_the_field_is_the_derivative_written_by_hand():
    theta, psi = torch.tensor([0.5, -1.0]), torch.tensor([1.5, 0.25])
    across, down = game("minimax").field(theta, psi)
    share = torch.sigmoid((theta * psi).double())
    assert torch.allclose(across, psi.double() * share) and torch.allclose(down, -theta.double() * share)


@pytest.mark.parametrize("name", losses.names())
def test_every_loss_rests_at_the_equilibrium(name):
    across, down = DiracGan(losses[name]()).field(torch.zeros(1), torch.zeros(1))
    assert float(across.abs() + down.abs()) < 1e-9


def test_an_unknown_order_is_one_sentence():
    with pytest.raises(ValueError, match="There is no order 'random'; choose one of simultaneous, alternating"):
        game("minimax").path(START, STEP, 1, "random")
