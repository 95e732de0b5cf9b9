"""Lipschitz control against closed forms."""

import pytest
import torch
from torch import nn

from ganplay.building import build_networks
from ganplay.contracts import Critique
from ganplay.penalties.gradient_penalty import GradientPenalty
from ganplay.penalties.weight_clip import WeightClip
from ganplay.recipes import recipe


def linear_critic(weight):
    return lambda x, y=None: Critique(x.flatten(1) @ weight)


def test_gradient_penalty_of_a_linear_critic_is_its_norm_minus_one_squared():
    source = torch.Generator().manual_seed(1)
    weight = torch.randn(12, generator=source, dtype=torch.float64)
    real, fake = torch.randn(2, 7, 3, 2, 2, generator=source, dtype=torch.float64)
    value = GradientPenalty(weight=10.0)(linear_critic(weight), real, fake, None, torch.rand(7, generator=source))
    expected = 10.0 * (weight.norm() - 1) ** 2
    assert value.shape == (7,)
    torch.testing.assert_close(value, expected.expand(7), rtol=1e-6, atol=1e-9)


def test_gradient_penalty_is_per_sample():
    def quadratic(x, y=None):
        return Critique(x.square().sum(1) / 2)  # its gradient at x is x

    real = torch.tensor([[3.0, 4.0], [0.6, 0.8]])
    value = GradientPenalty(weight=1.0)(quadratic, real, torch.zeros(2, 2), None, torch.ones(2))
    torch.testing.assert_close(value, torch.tensor([16.0, 0.0]), atol=1e-5, rtol=0)


def test_gradient_penalty_of_a_constant_critic_has_a_finite_gradient():
    layer = nn.Linear(4, 1)
    nn.init.zeros_(layer.weight)

    def critic(x, y=None):
        return Critique(layer(x).squeeze(1))

    value = GradientPenalty()(critic, torch.ones(3, 4), torch.zeros(3, 4), None, torch.rand(3))
    value.mean().backward()
    assert torch.isfinite(layer.weight.grad).all()


def test_gradient_penalty_mixes_one_epsilon_per_sample():
    seen = []

    def critic(x, y=None):
        seen.append(x.detach())
        return Critique(x.sum(1))

    GradientPenalty()(critic, torch.ones(2, 3), torch.zeros(2, 3), None, torch.tensor([0.25, 0.75]))
    torch.testing.assert_close(seen[0], torch.tensor([[0.25] * 3, [0.75] * 3]))


def test_weight_clip_bounds_every_parameter_and_leaves_the_small_ones():
    layer = nn.Linear(64, 8)
    before = layer.weight.detach().clone()
    WeightClip(limit=0.05).project(layer)
    assert all(parameter.abs().max() <= 0.05 for parameter in layer.parameters())
    inside = before.abs() <= 0.05
    assert torch.equal(layer.weight[inside], before[inside])


def test_gradient_penalty_on_a_batch_normalised_critic_is_refused_with_the_cure():
    broken = recipe("duke-wgan").change({"penalties": "gradient-penalty"})
    with pytest.raises(ValueError, match=r"batch norm in the discriminator .*choose discriminator\.norm none, layer"):
        build_networks(broken)
    build_networks(broken.change({"discriminator.norm": "layer"}))
