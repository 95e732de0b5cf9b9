"""The pure functions from features to numbers, against closed forms and independent computations."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from sklearn.neighbors import NearestNeighbors
from torch import nn

from ganplay.contracts import Critique
from ganplay.data.digits import Digits
from ganplay.data.resident import Samples, load
from ganplay.metrics.classifier_score import classifier_score
from ganplay.metrics.discriminator import as_in_training, share_called_real
from ganplay.metrics.frechet import Gaussian, bootstrap_deviation, class_distances, frechet_distance, gaussian
from ganplay.metrics.kernel import kernel_distance
from ganplay.metrics.neighbours import nearest, nearest_samples
from ganplay.metrics.precision_recall import precision_recall
from ganplay.metrics.similarity import WEIGHTS, class_similarities, ms_ssim, scales


def normal(count, width, seed=0, shift=0.0, scale=1.0):
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) * scale + shift


def by_square_root(first, second):
    """The Fréchet distance of features by scipy's matrix square root."""
    first, second = first.double().numpy(), second.double().numpy()
    gap, c, d = first.mean(0) - second.mean(0), np.cov(first.T), np.cov(second.T)
    return gap @ gap + np.trace(c + d - 2 * np.real(sqrtm(c @ d)))


# Fréchet distance


def test_frechet_distance_of_equal_sets_is_zero():
    features = gaussian(normal(300, 20))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_of_two_gaussians_has_its_closed_form():
    first = Gaussian(torch.tensor([1.0, 2.0]).double(), torch.diag(torch.tensor([4.0, 9.0]).double()))
    second = Gaussian(torch.tensor([1.0, -1.0]).double(), torch.diag(torch.tensor([1.0, 16.0]).double()))
    assert frechet_distance(first, second) == pytest.approx(3**2 + (2 - 1) ** 2 + (3 - 4) ** 2)


def test_frechet_distance_agrees_with_the_matrix_square_root():
    mix = normal(6, 6, seed=3)
    first, second = normal(400, 6) @ mix, normal(500, 6, seed=1, shift=0.3) @ mix.T
    assert frechet_distance(gaussian(first), gaussian(second)) == pytest.approx(by_square_root(first, second), rel=1e-6)


def test_frechet_distance_of_the_same_distribution_grows_as_samples_get_fewer():
    reference = gaussian(normal(4_000, 30))
    few, many = (frechet_distance(gaussian(normal(count, 30, seed=1)), reference) for count in (60, 2_000))
    assert few > 5 * many


def test_bootstrap_deviation_is_the_standard_error_of_a_shifted_mean():
    reference = Gaussian(torch.zeros(1).double(), torch.ones(1, 1).double())
    deviation = bootstrap_deviation(normal(400, 1, shift=5.0), reference)
    assert deviation == pytest.approx(2 * 5 / math.sqrt(400), rel=0.6)  # of m^2, from ten resamples


def test_class_distances_are_those_of_each_class_alone():
    features, reference = normal(200, 4), normal(300, 4, seed=1, shift=0.5)
    labels, others = torch.arange(200) % 3, torch.arange(300) % 3
    found = class_distances(features, labels, reference, others, [0, 2])
    expected = [by_square_root(features[labels == k], reference[others == k]) for k in (0, 2)]
    assert found == pytest.approx(expected, rel=1e-6)


def test_class_distances_see_exchanged_classes_that_the_whole_set_hides():
    features = normal(400, 3)
    labels = (features[:, 0] > 0).long()
    assert class_distances(features, labels, features, labels, [0, 1]) == pytest.approx([0, 0], abs=1e-6)
    assert min(class_distances(features, 1 - labels, features, labels, [0, 1])) > 1


# Kernel distance


def by_loops(first, second):
    """Unbiased squared maximum mean discrepancy, pair by pair."""
    x, y = first.double().numpy(), second.double().numpy()
    kernel = lambda a, b: (a @ b / len(a) + 1) ** 3  # noqa: E731
    within = [
        np.mean([kernel(s[i], s[j]) for i in range(len(s)) for j in range(len(s)) if i != j]) for s in (x, y)
    ]  # fmt: skip
    return sum(within) - 2 * np.mean([kernel(a, b) for a in x for b in y])


def test_kernel_distance_agrees_with_the_sum_over_pairs():
    first, second = normal(25, 3), normal(25, 3, seed=1, shift=0.4)
    assert kernel_distance(first, second)[0] == pytest.approx(by_loops(first, second), rel=1e-9)


def test_kernel_distance_of_equal_distributions_is_unbiased():
    values = np.array([kernel_distance(normal(60, 8, 2 * seed), normal(60, 8, 2 * seed + 1))[0] for seed in range(200)])
    assert abs(values.mean()) < 4 * values.std() / math.sqrt(len(values))
    assert values.min() < 0 < values.max()


def test_kernel_distance_does_not_grow_with_fewer_samples_and_sees_a_shift():
    few = kernel_distance(normal(50, 8), normal(50, 8, seed=1, shift=1.0))[0]
    many = kernel_distance(normal(800, 8), normal(800, 8, seed=1, shift=1.0))[0]
    assert few == pytest.approx(many, rel=0.5)
    assert many > 1


def test_kernel_distance_of_subsets_has_a_spread():
    mean, spread = kernel_distance(normal(1_500, 4), normal(1_500, 4, seed=1, shift=0.5), subsets=5)
    whole, none = kernel_distance(normal(900, 4), normal(900, 4, seed=1, shift=0.5), subsets=5)
    assert mean == pytest.approx(whole, rel=0.5)
    assert 0 < spread < mean
    assert none == 0


# Classifier score


def test_classifier_score_is_one_for_equal_answers_and_the_number_of_classes_for_sure_and_even_ones():
    same = torch.tensor([[5.0, -1.0, 0.0]]).expand(90, 3)
    assert classifier_score(same)[0] == pytest.approx(1)
    sure = 100 * torch.eye(3).repeat(30, 1)
    assert classifier_score(sure, splits=1) == pytest.approx((3, 0))


def test_classifier_score_agrees_with_its_formula_and_stays_within_its_bounds():
    logits = normal(200, 7, scale=3)
    p = torch.softmax(logits.double(), 1).numpy()
    expected = np.exp(np.mean(np.sum(p * np.log(p / p.mean(0)), 1)))
    assert classifier_score(logits, splits=1)[0] == pytest.approx(expected)
    mean, spread = classifier_score(logits)
    assert 1 < mean < 7
    assert spread > 0


# Precision and recall


def support_share(points, others, neighbours=3):
    """The share of `points` within the ball of one of `others`, by scikit-learn's neighbours."""
    radii = NearestNeighbors(n_neighbors=neighbours + 1).fit(others).kneighbors(others)[0][:, -1]
    gaps = np.linalg.norm(points[:, None] - others[None], axis=2)
    return float((gaps <= radii).any(1).mean())


def test_precision_and_recall_agree_with_neighbours_found_independently():
    real, fake = normal(150, 4), normal(120, 4, seed=1, shift=0.7)
    expected = support_share(fake.numpy(), real.numpy()), support_share(real.numpy(), fake.numpy())
    assert 0.1 < expected[0] < 0.95
    assert precision_recall(real, fake) == pytest.approx(expected, abs=1e-6)


def test_recall_falls_under_mode_collapse():
    real = torch.cat([normal(200, 5), normal(200, 5, seed=1, shift=20)])
    both = torch.cat([normal(200, 5, seed=2), normal(200, 5, seed=3, shift=20)])
    one = normal(400, 5, seed=4)
    full, collapsed = precision_recall(real, both), precision_recall(real, one)
    assert full[1] > 0.85
    assert collapsed[1] <= 0.51
    assert collapsed[0] > 0.8


def test_precision_falls_under_noise():
    real, fake = normal(400, 5), normal(400, 5, seed=1)
    clean, noisy = precision_recall(real, fake), precision_recall(real, fake + normal(400, 5, seed=2, scale=4))
    assert clean[0] > 0.85
    assert noisy[0] < 0.3


def test_precision_and_recall_do_not_depend_on_where_the_features_lie():
    real, fake = normal(200, 8), normal(200, 8, seed=1, shift=0.5)
    assert precision_recall(real + 1_000, fake + 1_000) == pytest.approx(precision_recall(real, fake), abs=0.03)


# Structural similarity


def similarity_by_loops(x, y):
    """Two-scale MS-SSIM of one channel of 22 x 22 in [0, 1], window by window."""
    place = np.arange(11) - 5
    window = np.exp(-(place[:, None] ** 2 + place[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    terms = []
    for _ in range(2):
        luminance, structure = [], []
        for i in range(x.shape[0] - 10):
            for j in range(x.shape[1] - 10):
                a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
                mean_a, mean_b = (window * a).sum(), (window * b).sum()
                var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
                cov = (window * (a - mean_a) * (b - mean_b)).sum()
                luminance.append((2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2))
                structure.append((2 * cov + 0.03**2) / (var_a + var_b + 0.03**2))
        terms.append((np.mean(structure), np.mean(np.multiply(luminance, structure))))
        x, y = (one.reshape(11, 2, 11, 2).mean((1, 3)) if len(one) == 22 else one for one in (x, y))
    first, second = np.array(WEIGHTS[:2]) / sum(WEIGHTS[:2])
    return terms[0][0] ** first * terms[1][1] ** second


def test_similarity_agrees_with_its_formula_window_by_window():
    source = np.random.default_rng(0)
    x = source.random((22, 22))
    y = 0.7 * x + 0.3 * source.random((22, 22))
    expected = similarity_by_loops(x, y)
    assert 0.3 < expected < 0.95
    pair = [torch.from_numpy(one)[None, None] * 2 - 1 for one in (x, y)]
    assert float(ms_ssim(*pair)) == pytest.approx(expected, rel=1e-9)


def test_similarity_is_one_for_identical_pictures_and_lower_for_noise():
    pictures = load(Digits(), (1, 28, 28)).batch(torch.arange(6))[0]
    noise = 0.3 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ms_ssim(pictures, pictures), torch.ones(6).double())
    little, much = ms_ssim(pictures, pictures + 0.3 * noise), ms_ssim(pictures, pictures + noise)
    assert (much < little).all()
    assert (little < 1).all()


@pytest.mark.parametrize(("side", "count"), [(8, 0), (11, 1), (21, 1), (28, 2), (32, 2), (64, 3), (176, 5), (512, 5)])
def test_as_many_scales_as_the_window_fits_into(side, count):
    assert scales(side) == count


def test_similarity_of_too_small_pictures_is_refused():
    with pytest.raises(ValueError, match="11 pixels or more"):
        ms_ssim(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))


def test_a_collapsed_class_is_more_alike_than_a_varied_one():
    digits = load(Digits(), (1, 28, 28))
    values, labels = digits.values.clone(), digits.labels
    ones = (labels == 1).nonzero().squeeze(1)
    values[ones] = values[ones[0]].clone()
    collapsed, varied = class_similarities(values, labels, [1, 4])
    assert collapsed[0] == pytest.approx(1)
    assert varied[0] < 0.8
    assert collapsed[1] == pytest.approx(0, abs=1e-9)
    assert varied[1] > 0


# Neighbours


def test_nearest_rows_agree_with_scikit_learn():
    queries, table = normal(40, 6), normal(5_000, 6, seed=1)
    distances, indices = NearestNeighbors(n_neighbors=3).fit(table.numpy()).kneighbors(queries.numpy())
    found = nearest(queries, table, 3)
    assert np.array_equal(found.indices.numpy(), indices)
    np.testing.assert_allclose(found.distances.numpy(), distances, rtol=1e-5)


def test_neighbours_find_a_planted_training_picture_at_distance_zero():
    source = torch.Generator().manual_seed(0)
    values = torch.randint(256, (4_100, 3, 8, 8), generator=source, dtype=torch.uint8)
    training = Samples(values, torch.zeros(len(values), dtype=torch.int64), ())
    queries = training.batch(torch.tensor([4_050, 17]))[0]
    queries[1] += 0.01
    found = nearest_samples(queries, training, 2)
    assert found.indices[:, 0].tolist() == [4_050, 17]
    assert found.distances[0, 0] == 0
    assert found.distances[1, 0] == pytest.approx(0.01 * math.sqrt(3 * 8 * 8), rel=1e-3)
    assert (found.distances[:, 1] > 5).all()


def test_more_neighbours_than_samples_are_refused():
    with pytest.raises(ValueError, match="5 neighbours were asked for among 4 samples"):
        nearest(normal(2, 3), normal(4, 3), 5)


# Discriminator


def test_share_called_real_counts_positive_logits():
    batches = [(torch.tensor([[1.0], [-1.0], [2.0]]), None), (torch.tensor([[-3.0]]), None)]
    assert share_called_real(lambda x, y: Critique(x.squeeze(1)), batches) == 0.5


def test_labels_reach_the_discriminator():
    batches = [(torch.ones(4, 1), torch.tensor([0, 1, 0, 0]))]
    assert share_called_real(lambda x, y: Critique(x.squeeze(1) * (2.0 * y - 1)), batches) == 0.25


def test_a_discriminator_judges_with_the_statistics_of_each_batch_and_without_dropout():
    network = as_in_training(nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.9)))
    made = network(normal(64, 2, shift=50.0))
    assert made.mean().abs() < 1e-4  # the running mean is 0: with it the values would be about 50
    assert (made != 0).all()
