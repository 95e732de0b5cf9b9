"""Gradients at the activations of a deep discriminator: against products of its weights, and without a trace."""

from __future__ import annotations

import pytest
import torch

from ganplay.building import build_networks
from ganplay.losses.non_saturating import NonSaturating
from ganplay.losses.wasserstein import Wasserstein
from ganplay.scenarios.depth import LAYERS, VARIANTS, activation_gradients, deep_recipe, measured

REAL, FAKE = torch.rand(8, 2) + 0.1, torch.rand(8, 2) + 0.2


def positive(widths: str):
    """A discriminator whose units are all on for positive points."""
    _, network = build_networks(deep_recipe(0, {"discriminator.widths": widths}))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    return network


def test_with_all_units_on_they_are_products_of_the_weights() -> None:
    network = positive("5,4,3")
    linear = [layer for layer in network.layers if isinstance(layer, torch.nn.Linear)]
    found = activation_gradients(Wasserstein(), network, REAL, FAKE)
    head = network.head.weight  # (1, 3)
    below = head @ linear[2].weight
    expected = [(below @ linear[1].weight).norm().item(), below.norm().item(), head.norm().item(), 1.0]
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_logit_of_a_sure_discriminator_gets_what_cross_entropy_leaves() -> None:
    network = positive("4")
    with torch.no_grad():
        logits = torch.cat([-network(REAL).logits, network(FAKE).logits])  # D says real to both: wrong about fakes
    expected = float(torch.sigmoid(logits).mean())
    assert activation_gradients(NonSaturating(), network, REAL, FAKE)[-1] == pytest.approx(expected, rel=1e-5)


def test_nothing_is_left_behind() -> None:
    network = positive("4,4").requires_grad_(False)
    activation_gradients(Wasserstein(), network, REAL, FAKE)
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in network.parameters())
    assert not any(layer._forward_hooks for layer in network.modules())


def test_sigmoids_lose_the_gradient_from_the_first_moment_on() -> None:
    norms = {}
    for label, changes in VARIANTS["activation"].items():
        recipe = deep_recipe(0, changes)
        norms[label] = measured(recipe, *build_networks(recipe))
        assert len(norms[label]) == LAYERS + 1
    assert norms["sigmoid"][0] < 1e-3 * min(norms["ReLU"][0], norms["LeakyReLU"][0])


def test_the_variants_are_trainings_that_the_tiny_engine_takes() -> None:
    from ganplay.tiny import plan

    for variants in VARIANTS.values():
        plan.check([deep_recipe(seed, changes) for seed, changes in enumerate(variants.values())][:1])
    clips = [changes["penalties.weight-clip.limit"] for changes in list(VARIANTS["control"].values())[:3]]
    assert clips == [0.1, 0.01, 0.001]
    assert deep_recipe(3, VARIANTS["control"]["clip 0.1"]).penalties[0].limit == 0.1
