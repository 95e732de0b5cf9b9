"""Every registered loss holds its hand-worked example and the contract."""

import math

import pytest
import torch

from ganplay.contracts import Critique
from ganplay.losses import losses


def critique(*values, requires_grad=False):
    return Critique(torch.tensor(values, dtype=torch.float64, requires_grad=requires_grad))


@pytest.mark.parametrize("name", losses.names())
def test_worked_example(name):
    loss = losses[name]()
    real, fake = critique(*loss.example.real), critique(*loss.example.fake)
    assert loss.discriminator(real, fake).mean().item() == pytest.approx(loss.example.discriminator, abs=1e-6)
    assert loss.generator(fake, real).mean().item() == pytest.approx(loss.example.generator, abs=1e-6)
    assert loss.formula
    assert loss.example.working


@pytest.mark.parametrize("name", losses.names())
def test_losses_are_per_sample_and_finite_at_extreme_logits(name):
    loss = losses[name]()
    extreme = critique(-1e4, -30.0, 0.0, 30.0, 1e4)
    for value in (loss.discriminator(extreme, extreme), loss.generator(extreme, extreme)):
        assert value.shape == (5,)
        assert torch.isfinite(value).all()


@pytest.mark.parametrize("name", losses.names())
def test_generator_is_pulled_towards_higher_logits(name):
    fake = critique(0.3, -0.2, requires_grad=True)
    losses[name]().generator(fake, critique(0.1, 0.4)).sum().backward()
    assert (fake.logits.grad < 0).all()


def test_logits_of_a_wrong_shape_are_refused_before_they_broadcast():
    with pytest.raises(ValueError, match=r"shape \(4, 1\); a critique needs \(N,\)"):
        Critique(torch.zeros(4, 1))


def test_rejected_fakes_keep_their_gradient_only_in_the_non_saturating_loss():
    for name, expected in (("non-saturating", -1.0), ("minimax", -math.exp(-30))):
        fake = critique(-30.0, requires_grad=True)
        losses[name]().generator(fake).sum().backward()
        assert fake.logits.grad.item() == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_equals_pytorchs_own():
    real, fake = torch.randn(2, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    expected = bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))
    loss = losses["non-saturating"]
    assert loss().discriminator(Critique(real), Critique(fake)).mean().item() == pytest.approx(expected.item())
    halved = loss(average=True).discriminator(Critique(real), Critique(fake)).mean().item()
    assert halved == pytest.approx(expected.item() / 2)
    generator_loss = loss().generator(Critique(fake)).mean().item()
    assert generator_loss == pytest.approx(bce(fake, torch.ones_like(fake)).item())


def test_wasserstein_signs():
    loss = losses["wasserstein"]()
    assert loss.discriminator(critique(5.0), critique(1.0)).item() == -4.0
    assert loss.generator(critique(1.0)).item() == -1.0
