"""Mode counts by the published protocol, on samples whose counts are known."""

import math

import pytest
import torch

from ganplay.data.points import Grid, Ring
from ganplay.metrics.modes import SAMPLES, mode_counts


def centres(dataset):
    return torch.from_numpy(dataset.centres())


def true_samples(dataset, count=SAMPLES, seed=0):
    """Samples drawn here, not by the data set's own code."""
    random, places = torch.Generator().manual_seed(seed), centres(dataset)
    chosen = torch.randint(len(places), (count,), generator=random)
    return places[chosen] + dataset.sigma * torch.randn(count, 2, generator=random)


@pytest.mark.parametrize("dataset", [Ring(), Grid()], ids=lambda dataset: dataset.kind)
def test_true_samples_cover_every_mode_and_are_as_good_as_a_gaussian_allows(dataset):
    found = mode_counts(true_samples(dataset, 40_000), centres(dataset), dataset.sigma)
    assert (found.covered, found.of) == (len(dataset.centres()),) * 2
    assert found.high_quality == pytest.approx(1 - math.exp(-4.5), abs=0.002)  # a Rayleigh variable below 3
    assert 0 <= found.reverse_kl < 0.002


def test_one_mode_has_the_reverse_kl_of_a_complete_collapse():
    found = mode_counts(centres(Ring())[[3]].expand(100, 2), centres(Ring()), 0.01)
    assert (found.covered, found.high_quality) == (1, 1.0)
    assert found.reverse_kl == pytest.approx(math.log(8))


def test_reverse_kl_is_that_of_the_shares():
    places = centres(Ring())[torch.tensor([0] * 30 + [1] * 10)]
    expected = 0.75 * math.log(0.75 * 8) + 0.25 * math.log(0.25 * 8)
    assert mode_counts(places, centres(Ring()), 0.01).reverse_kl == pytest.approx(expected)


def test_a_sample_beyond_three_sigma_covers_nothing_but_counts_for_the_nearest_mode():
    ring = centres(Ring())
    outside = ring[[5]] + torch.tensor([[0.0301, 0.0]], dtype=torch.float64)
    inside = ring[[2]] + torch.tensor([[0.0299, 0.0]], dtype=torch.float64)
    found = mode_counts(torch.cat([outside, inside]), ring, 0.01)
    assert (found.covered, found.high_quality) == (1, 0.5)
    assert found.reverse_kl == pytest.approx(math.log(4))  # half of the samples each: modes 5 and 2


def test_a_single_good_sample_covers_its_mode():
    samples = centres(Ring())[torch.tensor([0] * (SAMPLES - 1) + [4])]
    assert mode_counts(samples, centres(Ring()), 0.01).covered == 2


def test_samples_that_are_not_numbers_are_bad_samples():
    samples = centres(Ring())[torch.tensor([0, 1, 2, 3])].clone()
    samples[0, 0], samples[1, 1] = math.nan, math.inf
    found = mode_counts(samples, centres(Ring()), 0.01)
    assert (found.covered, found.high_quality) == (2, 0.5)
    nothing = mode_counts(torch.full((5, 2), math.nan), centres(Ring()), 0.01)
    assert (nothing.covered, nothing.high_quality, nothing.reverse_kl) == (0, 0.0, math.log(8))


def test_shapes_that_do_not_fit_are_said():
    with pytest.raises(ValueError, match=r"Points have shape \(0, 2\)"):
        mode_counts(torch.zeros(0, 2), centres(Ring()), 0.01)
    with pytest.raises(ValueError, match="3 coordinates and centres 2"):
        mode_counts(torch.zeros(4, 3), centres(Ring()), 0.01)
