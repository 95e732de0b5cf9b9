"""Scores of features as a part of a recipe, and the bound on the time that they take from training."""

import math
import random

import pytest
import torch
from stand_in_classifier import install

from ganplay.data.digits import Digits
from ganplay.data.resident import load
from ganplay.metrics import live, metrics
from ganplay.metrics.budget import ScoreBudget
from ganplay.metrics.classifier_score import ClassifierScore, classifier_score
from ganplay.metrics.features import describe, loaded
from ganplay.metrics.frechet import FrechetDistance, frechet_distance, gaussian
from ganplay.metrics.kernel import KernelDistance
from ganplay.recipes import recipe
from ganplay.trainer import train

SCORES = (FrechetDistance, KernelDistance, ClassifierScore)


def digits(count, start=0):
    return load(Digits(), (1, 28, 28)).batch(torch.arange(start, start + count))[0]


def noise(count):
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("part", SCORES)
def test_scores_are_smaller_for_real_samples_than_for_noise(monkeypatch, part):
    install(monkeypatch)
    score = part(features="mnist-classifier")
    assert score(digits(400), digits(400, 400)) < 0.8 * score(digits(400), noise(400))


def test_the_frechet_score_is_the_distance_of_the_features():
    real, fake = digits(300), digits(300, 300)
    first, second = (gaussian(describe(loaded("pixels"), [one], 300).features) for one in (real, fake))
    assert FrechetDistance()(real, fake) == pytest.approx(frechet_distance(first, second))


def test_the_classifier_score_is_turned_round_so_that_smaller_is_better(monkeypatch):
    install(monkeypatch)
    logits = describe(loaded("mnist-classifier"), [digits(200)], 200).logits
    found = ClassifierScore(features="mnist-classifier")(noise(200), digits(200))
    assert found == pytest.approx(1 / classifier_score(logits)[0])
    assert 1 / 10 <= found <= 1


def test_only_so_many_samples_are_looked_at_as_the_option_says():
    fake = torch.cat([digits(60, 60), noise(60)])
    score = FrechetDistance(samples=60)
    assert score(digits(120), fake) == pytest.approx(score(digits(60), fake[:60]))


def test_a_diverged_generator_scores_nan():
    assert math.isnan(FrechetDistance()(digits(50), torch.full((50, 1, 28, 28), float("nan"))))


def test_real_samples_are_described_once_in_a_run(monkeypatch):
    monkeypatch.setattr(live, "_described", type(live._described)())
    described = []
    monkeypatch.setattr(live, "describe", lambda *arguments: described.append(1) or describe(*arguments))
    score = FrechetDistance()
    for start in (100, 200, 300):
        score(digits(100), digits(100, start))
    assert len(described) == 1 + 3
    score(digits(100, 500), digits(100, 300))
    assert len(described) == 1 + 3 + 2


@pytest.mark.parametrize(
    ("part", "features", "name"),
    [
        (FrechetDistance, "inception", "FID"),
        (FrechetDistance, "pixels", "FD (pixels)"),
        (KernelDistance, "mnist-classifier", "kernel distance (MNIST classifier)"),
        (ClassifierScore, "inception", "1 / IS"),
    ],
)
def test_scores_are_called_by_their_features(part, features, name):
    assert part(features=features).name == name


def test_features_that_would_have_to_be_downloaded_are_refused_before_a_run(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(ValueError, match="'inception' of the metric are not on this computer; choose pixels"):
        FrechetDistance(features="inception").check()
    FrechetDistance().check()


def test_a_score_of_a_classifier_is_refused_for_pixels():
    with pytest.raises(ValueError, match="'pixels' have no classifier"):
        ClassifierScore().check()


def test_unknown_features_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"features is 'vgg'; allowed is one of .*inception.*pixels"):
        FrechetDistance(features="vgg")


@pytest.mark.parametrize("kind", ["frechet-distance", "kernel-distance"])
def test_a_recipe_trains_under_the_score(kind):
    changes = {"metric": kind, "metric.samples": 200, "batch_size": 16, "stop_images": 64, "score_every": 32}
    assert kind in metrics
    scores = [step.score for step in train(recipe("toy-ring").change(changes))]
    assert [score is None for score in scores] == [True, False, True, False]
    assert all(math.isfinite(score) for score in scores if score is not None)


# The budget, on a clock that only these tests move


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def run(budget, clock, rounds):
    """Trains and scores: `rounds` are pairs of seconds trained before a score is due, and seconds the score takes.

    Yields what was spent, what was trained, and the cost of the score or None where it was skipped.
    """
    trained = 0.0
    for seconds, cost in rounds:
        clock.now += seconds
        trained += seconds
        allowed = budget.allows(trained)
        if allowed:
            with budget.paying():
                clock.now += cost
        yield budget.spent, trained, cost if allowed else None


@pytest.mark.parametrize("seed", range(20))
def test_scores_never_take_more_than_their_share_of_the_training(seed):
    source, clock = random.Random(seed), Clock()
    budget = ScoreBudget(share=0.1, grace=2.0, clock=clock)
    rounds = [(source.expovariate(1), source.choice([0.1, 1, 5]) * source.random()) for _ in range(500)]
    dearest = 0.0
    for spent, trained, cost in run(budget, clock, rounds):
        dearest = max(dearest, cost or 0.0)
        assert spent <= 0.1 * trained + 2.0 + dearest
        assert clock.now == pytest.approx(trained + spent)


@pytest.mark.parametrize("cost", [0.5, 3.0, 60.0])
def test_scores_of_one_price_stay_within_a_tenth_after_the_first(cost):
    clock = Clock()
    budget = ScoreBudget(share=0.1, grace=2.0, clock=clock)
    history = list(run(budget, clock, [(1.0, cost)] * 3_000))
    for spent, trained, _ in history:
        assert spent <= max(cost, 0.1 * trained + 2.0) + 1e-9
    made = sum(price is not None for *_, price in history)
    assert made == min(3_000, math.floor((0.1 * 3_000 + 2.0) / cost))  # and no score is skipped that fits


def test_cheap_scores_are_never_skipped():
    clock = Clock()
    budget = ScoreBudget(clock=clock)
    assert all(cost is not None for *_, cost in run(budget, clock, [(1.0, 0.09)] * 1_000))


def test_a_score_that_fails_is_paid_for():
    clock = Clock()
    budget = ScoreBudget(clock=clock)
    with pytest.raises(ArithmeticError), budget.paying():
        clock.now += 7
        raise ArithmeticError
    assert budget.spent == budget.last == 7
