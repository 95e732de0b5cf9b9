"""Learning in two arithmetics: the statistics against other computations, the runs kept and resumed."""

import json

import numpy as np
import pytest
import torch
from scipy import stats

from ganplay.benchmarks import Options, learning
from ganplay.benchmarks.learning import Study, compare, late_means, permutation_p, share_inside, share_left_out
from ganplay.benchmarks.learning import share_of_runs as shared
from ganplay.metrics.features import choose
from ganplay.trainer import train

TINY = {"generator.widths": (8, 4), "discriminator.widths": (4, 8), "batch_size": 8, "stop_images": 640}
DIGITS = Study("quick-digits", TINY, "digits-classifier", samples=300)


@pytest.fixture
def heard():
    return []


@pytest.fixture
def options(heard):
    return Options(seconds=1.0, threads=1, say=heard.append)


# Statistics


def test_two_of_six_splits_of_four_values_are_as_far_apart():
    assert permutation_p(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == pytest.approx(2 / 6)


def test_p_of_a_clear_difference_is_the_smallest_there_is():
    low, high = np.array([1.0, 1.1, 1.2, 1.3, 1.4]), np.array([9.0, 9.1, 9.2, 9.3, 9.4])
    assert permutation_p(low, high) == permutation_p(high, low) == pytest.approx(2 / 252)


def test_p_of_equal_groups_is_one():
    values = np.array([0.3, 0.1, 0.7, 0.2, 0.9])
    assert permutation_p(values, values[::-1]) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_p_is_that_of_scipy(seed):
    random = np.random.default_rng(seed)
    first, second = random.normal(0.0, 1.0, 5), random.normal(0.8, 1.0, 5)

    def apart(one, other, axis):
        return np.abs(one.mean(axis) - other.mean(axis))

    exact = stats.permutation_test((first, second), apart, vectorized=True, n_resamples=np.inf, alternative="greater")
    assert len(exact.null_distribution) == 252
    assert permutation_p(first, second) == pytest.approx(exact.pvalue, abs=1e-12)


def test_share_inside_counts_the_edges_of_the_band():
    band = np.array([[0.0, 5.0, 1.0, 1.0], [2.0, 3.0, 1.0, 2.0]])
    assert share_inside(np.array([2.0, 4.0, 1.5, 0.9]), band) == 2 / 4  # on the edge, between, above, below


def test_the_run_left_out_is_judged_by_the_others_alone():
    # One point: of 1, 2, 3 only 2 lies between the other two.
    assert share_left_out(np.array([[1.0], [2.0], [3.0]])) == pytest.approx(1 / 3)


def test_runs_are_judged_by_every_band_of_all_but_one():
    # Bands of 1, 2, 3 without one: 2 to 3, 1 to 3, 1 to 2. The value 1.5 is in two of them, 9 in none.
    assert shared(np.array([[1.5], [9.0]]), np.array([[1.0], [2.0], [3.0]])) == pytest.approx(2 / 6)


def test_exchangeable_runs_of_either_group_reach_the_same_share():
    random = np.random.default_rng(0)
    slow, fast = random.normal(size=(2, 5, 20_000))  # independent points: as good as 20,000 studies of one
    assert share_left_out(slow) == pytest.approx(1 - 2 / 5, abs=0.01)
    assert shared(fast, slow) == pytest.approx(1 - 2 / 5, abs=0.01)


def test_late_means_leave_out_the_first_half():
    assert late_means(np.array([[9.0, 9.0, 1.0, 2.0], [7.0, 7.0, 3.0, 5.0]])).tolist() == [1.5, 4.0]
    assert late_means(np.array([[3.0], [4.0]])).tolist() == [3.0, 4.0]


def test_a_row_measures_the_difference_in_the_spread_of_fp32():
    slow, fast = np.array([[1.0], [2.0], [3.0]]), np.array([[4.0], [4.0], [4.0]])  # means 2 and 4, s 1
    name, quantity, before, after, difference, p, of_mean, of_runs, left_out = compare("a", "b", slow, fast)
    assert (name, quantity, before, after) == ("a", "b", "2 ± 1", "4 ± 0")
    assert difference == 2.0
    assert float(p) == pytest.approx(2 / 20)
    assert (of_mean, of_runs) == (0.0, 0.0)
    assert left_out == pytest.approx(100 / 3)


def test_groups_without_any_spread_have_no_difference_in_units_of_it():
    assert compare("a", "b", np.ones((3, 1)), np.ones((3, 1)))[4] is None


# Runs


def test_a_curve_holds_the_means_of_equal_parts_of_the_run():
    recipe = DIGITS.recipe("fp32", 3)
    made = learning.train_once(DIGITS, "fp32", 3)
    steps = [(float(step.discriminator_loss), float(step.generator_loss)) for step in train(recipe)]
    parts = np.array(steps).reshape(learning.POINTS, -1, 2).mean(1)  # 80 rounds, two a point
    assert made["images"] == list(range(16, 641, 16))
    assert np.allclose(made["D loss"], parts[:, 0], rtol=1e-5)
    assert np.allclose(made["G loss"], parts[:, 1], rtol=1e-5)
    assert made["final FD"] > 0


def test_the_two_groups_differ_in_precision_and_seed_alone():
    for study in learning.STUDIES:
        assert study.recipe("bf16", 100).difference(study.recipe("fp32", 0)) == {"precision": "bf16", "seed": 100}


def test_every_study_has_features_for_its_data_and_rounds_for_its_curves():
    for study in learning.STUDIES:
        recipe = study.recipe("fp32", 0)
        assert choose(recipe.dataset, recipe.shapes.sample) == study.features
        assert recipe.stop_images >= learning.POINTS * recipe.batch_size * recipe.critic_steps
        assert study.samples >= 2_000


def test_finished_runs_are_kept_and_only_the_missing_ones_made_again(tmp_path, options, heard):
    first = learning.measure(options, studies=(DIGITS,), seeds=2, folder=tmp_path / "kept")
    assert [row[1] for row in first.rows] == ["D loss", "G loss", "final FD"]
    assert all(len(row) == len(first.columns) for row in first.rows)
    files = sorted((tmp_path / "kept").iterdir())
    assert [file.name.rsplit("-", 1)[0] for file in files] == [
        "quick-digits-bf16-100", "quick-digits-bf16-101", "quick-digits-fp32-0", "quick-digits-fp32-1",
    ]  # fmt: skip
    untouched = files[0].stat().st_mtime_ns, files[3].stat().st_mtime_ns

    files[1].write_text(json.dumps(json.loads(files[1].read_text()) | {"stamp": "of other sources"}))
    files[2].unlink()
    heard.clear()
    again = learning.measure(options, studies=(DIGITS,), seeds=2, folder=tmp_path / "kept")
    assert sum("is done" in sentence for sentence in heard) == 2
    assert (files[0].stat().st_mtime_ns, files[3].stat().st_mtime_ns) == untouched
    assert again.raw[0]["fp32"] == first.raw[0]["fp32"]  # to the bit, as fp32 promises


# Refusals


@pytest.mark.parametrize("seeds", [1, 11])
def test_a_senseless_number_of_seeds_is_refused(options, seeds):
    with pytest.raises(ValueError, match=f"seeds is {seeds}; it must be 2 to 10"):
        learning.measure(options, seeds=seeds)


def test_two_sides_that_compute_alike_are_refused():
    with pytest.raises(ValueError, match="means fp32 here"):
        learning.measure(Options(1.0, 1, print, precisions=("fp32",)))


def test_an_unknown_study_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="not compared on toy-ring; choose among quick-digits"):
        learning.measure(Options(1.0, 1, print, recipes=("toy-ring",)))


def test_a_run_with_fewer_rounds_than_points_is_refused():
    with pytest.raises(ValueError, match="curves of 40 points need as many rounds"):
        learning.train_once(Study("quick-digits", TINY | {"stop_images": 300}, "digits-classifier"), "fp32", 0)


def test_a_run_that_diverges_is_no_result(monkeypatch):
    def diverging(recipe):
        for step in train(recipe):
            step.generator_loss.mul_(torch.inf)
            yield step

    monkeypatch.setattr(learning, "train", diverging)
    with pytest.raises(ValueError, match="seed 0 in fp32 diverged"):
        learning.train_once(DIGITS, "fp32", 0)
