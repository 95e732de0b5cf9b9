"""Judges between two Gaussians: closed forms against numerical integration, trained ones against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ganplay.scenarios import optimal, results

LINE = np.linspace(-30, 30, 60_001)


def gaussian(mean: float) -> np.ndarray:
    return np.exp(-((LINE - mean) ** 2) / 2) / math.sqrt(2 * math.pi)


def integral(values: np.ndarray) -> float:
    return float(np.trapezoid(values, LINE))


@pytest.mark.parametrize("distance", [0.0, 0.5, 3.0, 8.0])
def test_the_best_discriminator_is_the_share_of_the_real_density(distance: float) -> None:
    x = optimal.places()
    p, q = optimal.densities(x, distance)
    inside = p + q > 1e-12
    found = optimal.probability(optimal.optimal_logit(x, distance))
    assert torch.allclose(found[inside], (p / (p + q))[inside], atol=1e-9)


@pytest.mark.parametrize("distance", [0.0, 1.0, 2.5, 8.0])
def test_the_divergence_is_that_of_the_integrals(distance: float) -> None:
    p, q = gaussian(-distance / 2), gaussian(distance / 2)
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        halves = [integral(np.nan_to_num(one * np.log(one / middle))) for one in (p, q)]
    assert optimal.jensen_shannon(distance) == pytest.approx(sum(halves) / 2, abs=2e-4)
    assert optimal.jensen_shannon(distance) <= math.log(2) + 1e-12


@pytest.mark.parametrize("distance", [1.0, 4.0])
def test_the_best_pulls_are_the_expected_gradients_over_the_fakes(distance: float) -> None:
    """d/dx log(1 - D*) = d D*, d/dx -log D* = d (1 - D*), each averaged over q by integration."""
    best = 1 / (1 + np.exp(distance * LINE))
    q = gaussian(distance / 2)
    pulls = optimal.optimal_pulls(distance)
    assert pulls["minimax"] == pytest.approx(integral(q * distance * best), rel=0.03)
    assert pulls["non-saturating"] == pytest.approx(integral(q * distance * (1 - best)), rel=0.03)
    assert pulls["wasserstein"] == 1


def test_a_trained_discriminator_comes_near_the_best_one_where_the_samples_are() -> None:
    (line,) = optimal.train("discriminator", (1.0,))
    x = optimal.places()
    near = x.abs() < 1.5
    best = optimal.optimal_logit(x, 1.0)
    assert float((torch.tensor(line.logits).double() - best)[near].abs().mean()) < 0.4


def test_a_clipped_critic_cannot_be_steeper_than_its_weights_allow() -> None:
    (line,) = optimal.train("clip", (4.0,))
    limit = optimal.JUDGES["clip"].penalties[0].limit
    steepest = limit * (limit * optimal.WIDTH) ** 2  # the product of the layers' largest row sums
    assert max(map(abs, line.slopes)) <= steepest + 1e-6
    assert line.pulls["wasserstein"] > 0.05


def test_a_gradient_penalty_settles_where_the_gain_and_the_price_of_a_slope_balance() -> None:
    """The critic gains d s and pays 10 (s - 1)^2: s = 1 + d / 20."""
    (line,) = optimal.train("penalty", (6.0,), iterations=200)
    between = optimal.places().abs() < 2.0
    assert float(torch.tensor(line.slopes)[between].mean()) == pytest.approx(-1.3, abs=0.15)


def test_an_unknown_judge_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="discriminator, clip, penalty"):
        optimal.train("referee", (1.0,))


def test_the_measurement_that_comes_with_the_program_has_every_judge_at_every_distance() -> None:
    taken = results.measured("line").results
    assert tuple(taken["distances"]) == optimal.DISTANCES
    assert set(taken["lines"]) == set(optimal.JUDGES)
    for lines in taken["lines"].values():
        assert len(lines) == len(optimal.DISTANCES)
        for line in lines:
            assert len(line["logits"]) == len(line["slopes"]) == optimal.PLACES
            step = 2 * optimal.EDGE / (optimal.PLACES - 1)
            differences = np.diff(line["logits"]) / step  # a kink between two places moves one of them
            slopes = (np.array(line["slopes"])[1:] + np.array(line["slopes"])[:-1]) / 2
            assert np.median(np.abs(differences - slopes)) < 0.02 * max(1, np.abs(slopes).max())
