"""Divergences from neighbours against closed forms, and against two samples of one law."""

import math

import pytest
import torch

from ganplay.metrics.divergence import divergences


def normal(count, seed, mean=(0.0, 0.0), deviation=1.0):
    random = torch.Generator().manual_seed(seed)
    return torch.tensor(mean) + deviation * torch.randn(count, 2, generator=random)


def ring(count, seed):
    random = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.randint(8, (count,), generator=random) / 8
    return torch.stack([angle.cos(), angle.sin()], 1) + 0.01 * torch.randn(count, 2, generator=random)


def means(pairs):
    """Mean KL and JS over pairs of clouds, and the standard errors of the means."""
    found = torch.tensor([divergences(real, fake) for real, fake in pairs], dtype=torch.float64)
    return found.mean(0).tolist(), (found.std(0) / len(found) ** 0.5).tolist()


def jensen_shannon(distance):
    """Between unit Gaussians so far apart, by integration: only the direction that joins them matters."""
    x = torch.linspace(-12, 12, 100_001, dtype=torch.float64)
    p, q = (torch.exp(-((x - mean) ** 2) / 2) / math.sqrt(2 * math.pi) for mean in (0.0, distance))
    middle = (p + q) / 2
    return float((torch.special.xlogy(p, p / middle) + torch.special.xlogy(q, q / middle)).sum() * (x[1] - x[0]) / 2)


@pytest.mark.parametrize("law", [normal, ring])
def test_two_samples_of_one_law_differ_by_nothing_on_average(law):
    """Unequal counts too: a histogram of 450 against 150 points sees a difference there."""
    for real, fake in ((200, 200), (450, 150)):
        (kl, js), (kl_error, js_error) = means([(law(real, 2 * i), law(fake, 2 * i + 1)) for i in range(150)])
        assert abs(kl) < 3 * kl_error + 0.005
        assert abs(js) < 3 * js_error + 0.002
        assert js_error < 0.003  # so that the test above can fail


def test_gaussians_have_the_divergences_of_the_closed_forms():
    """KL = |mean|^2 / 2 for a shift, d (ln s + 1 / (2 s^2) - 1 / 2) for another deviation s."""
    (kl, js), _ = means([(normal(1_000, 2 * i), normal(1_000, 2 * i + 1, (1.0, 0.0))) for i in range(6)])
    assert kl == pytest.approx(0.5, abs=0.1)
    assert js == pytest.approx(jensen_shannon(1.0), abs=0.02)
    (kl, _), _ = means([(normal(1_000, 2 * i), normal(1_000, 2 * i + 1, deviation=2.0)) for i in range(6)])
    assert kl == pytest.approx(2 * (math.log(2) + 1 / 8 - 1 / 2), abs=0.1)
    (_, js), _ = means([(normal(1_000, 2 * i), normal(1_000, 2 * i + 1, (2.0, 0.0))) for i in range(6)])
    assert js == pytest.approx(jensen_shannon(2.0), abs=0.02)


def test_clouds_that_do_not_meet_have_ln_2_and_a_large_kl():
    kl, js = divergences(normal(500, 0), normal(500, 1, (50.0, 0.0)))
    assert js == pytest.approx(math.log(2), abs=1e-3)
    assert kl > 10


def test_kl_punishes_the_missed_mode_and_not_the_invented_one():
    """KL(real || fake): half of the real points without fakes, against half of the fakes without real points."""
    one, other = normal(500, 0, deviation=0.1), normal(500, 1, (5.0, 0.0), 0.1)
    both = torch.stack([one, other], 1).flatten(0, 1)
    again = normal(1_000, 2, deviation=0.1)
    missed, invented = divergences(both, again), divergences(again, both)
    assert missed.kl > 3
    assert invented.kl == pytest.approx(math.log(2), abs=0.1)
    assert missed.js == pytest.approx(invented.js, abs=1e-6)


def test_a_collapsed_generator_is_far_away_and_equal_points_are_equal():
    kl, js = divergences(normal(500, 0), torch.zeros(500, 2))
    assert kl > 1 and js > 0.6
    kl, js = divergences(torch.ones(100, 2), torch.ones(100, 2))
    assert kl == 0 and abs(js) < 0.01


def test_a_cloud_that_is_not_a_number_has_no_divergence():
    assert all(math.isnan(value) for value in divergences(normal(50, 0), torch.full((50, 2), math.nan)))


def test_shapes_and_counts_that_do_not_fit_are_said():
    with pytest.raises(ValueError, match=r"\(50, 2\) and \(50, 3\)"):
        divergences(torch.zeros(50, 2), torch.zeros(50, 3))
    with pytest.raises(ValueError, match="There are 6 points of each cloud; 5 neighbours need 7 points"):
        divergences(torch.zeros(6, 2), torch.zeros(50, 2))
