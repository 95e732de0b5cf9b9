"""Latents, interpolation and sampling against closed forms."""

from __future__ import annotations

import math
import threading
import time
from itertools import pairwise
from statistics import NormalDist

import pytest
import torch
from torch import nn

from ganplay.checkpoint import LoadedGenerator
from ganplay.latent import sampling
from ganplay.latent.arithmetic import Term, combine, parse
from ganplay.latent.interpolation import class_walk, interpolate, walk
from ganplay.latent.noise import fixed_noise, seeded, truncate, typical_length
from ganplay.models.blocks.labels import class_vectors
from ganplay.randomness import generator_for
from ganplay.recipes import recipe
from ganplay.state import State

DIGITS = recipe("quick-digits")
NOISES = ("gaussian", "uniform", "truncated")
CONDITIONAL = DIGITS.change({
    "generator": "dcgan", "generator.widths": "8,8", "generator.std": 0.3, "generator.conditioning": "concat",
    "discriminator": "dcgan", "discriminator.widths": "8,8", "discriminator.conditioning": "projection",
})  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> LoadedGenerator:
    return LoadedGenerator(DIGITS, 0, State.initial(DIGITS).average)


@pytest.fixture(scope="module")
def conditional() -> LoadedGenerator:
    return LoadedGenerator(CONDITIONAL, 0, State.initial(CONDITIONAL).average)


def test_more_latents_of_a_seed_begin_with_the_fewer():
    assert torch.equal(seeded(DIGITS, 5, 30)[:7], seeded(DIGITS, 5, 7))


def test_latents_of_a_seed_are_its_streams_numbers_in_order():
    source = generator_for(5, "sampling")
    rows = [torch.randn(1, DIGITS.latent, generator=source) for _ in range(3)]
    assert torch.equal(seeded(DIGITS, 5, 3), torch.cat(rows))


def test_latents_depend_on_the_sampling_seed_alone():
    assert torch.equal(seeded(DIGITS, 5, 3), seeded(DIGITS.change({"seed": 9}), 5, 3))
    assert not torch.equal(seeded(DIGITS, 5, 3), seeded(DIGITS, 6, 3))


def test_fixed_noise_is_that_of_the_runs_seed():
    assert torch.equal(fixed_noise(DIGITS), fixed_noise(DIGITS.change({"batch_size": 8})))
    assert not torch.equal(fixed_noise(DIGITS), fixed_noise(DIGITS.change({"seed": 1})))


def test_uniform_latents_stay_in_their_box_and_normal_ones_do_not():
    uniform = seeded(DIGITS.change({"noise": "uniform"}), 0, 200)
    assert uniform.abs().max() <= 1 < seeded(DIGITS, 0, 200).abs().max()
    assert uniform.var().item() == pytest.approx(1 / 3, rel=0.05)
    assert seeded(DIGITS, 0, 200).var().item() == pytest.approx(1, rel=0.05)


# Truncation: arXiv 1809.11096, section 3.1
def many(noise, truncation=0.0):
    return seeded(DIGITS.change({"noise": noise}), 0, 300, truncation)


@pytest.mark.parametrize("threshold", [0.1, 0.7, 2.0, 3.0])
def test_a_truncated_value_has_the_rank_of_the_normal_one(threshold):
    normal, z = NormalDist(), many("gaussian")[:10].flatten()
    low, high = normal.cdf(-threshold), normal.cdf(threshold)
    expected = [normal.inv_cdf(low + (high - low) * normal.cdf(float(value))) for value in z]
    torch.testing.assert_close(truncate(z, "gaussian", threshold), torch.tensor(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("threshold", [0.1, 0.5, 1.3, 1.9, 3.0])
def test_truncated_noise_stays_within_the_cut_and_in_order(noise, threshold):
    z = many(noise).flatten().sort().values
    cut = truncate(z, noise, threshold)
    deviation = 3**-0.5 if noise == "uniform" else 1.0
    assert cut.abs().max() <= threshold * deviation * (1 + 1e-6)
    assert cut.abs().max() <= z.abs().max()
    assert (cut.diff() >= 0).all()
    assert ((cut.diff() > 0) == (z.diff() > 0)).double().mean() > 0.99  # different values stay different


def test_truncated_noise_follows_the_law_of_noise_that_is_drawn_again_while_outside():
    drawn = torch.randn(400_000, generator=torch.Generator().manual_seed(1))
    for noise, threshold in (("gaussian", 1.0), ("truncated", 1.0)):
        accepted = drawn[drawn.abs() <= threshold].double()
        cut = many(noise, threshold).double()
        assert cut.std().item() == pytest.approx(accepted.std().item(), rel=0.02)
        assert (cut.abs() < 0.5).double().mean().item() == pytest.approx(
            (accepted.abs() < 0.5).double().mean().item(), rel=0.02
        )
    uniform = many("uniform", 0.6)
    assert uniform.std().item() == pytest.approx(0.6 / 3, rel=0.02)  # reach 0.6 / sqrt(3), deviation a sqrt(3)rd of it


@pytest.mark.parametrize("noise", NOISES)
def test_a_threshold_changes_the_noise_a_little_when_it_changes_a_little(noise):
    z = many(noise)
    steps = [truncate(z, noise, threshold / 100) for threshold in range(10, 301)]
    assert max(float((b - a).abs().max()) for a, b in pairwise(steps)) < 0.03


@pytest.mark.parametrize(("noise", "widest"), [("gaussian", 0), ("uniform", 1.8), ("truncated", 2.0)])
def test_no_truncation_and_one_beyond_the_noise_leave_it_to_the_bit(noise, widest):
    assert torch.equal(many(noise, widest), many(noise))
    assert not torch.equal(many(noise, 1.0), many(noise))


@pytest.mark.parametrize("threshold", [0.05, 3.1, -1, float("nan"), True])
def test_an_impossible_truncation_is_refused_in_one_sentence(threshold):
    with pytest.raises(ValueError, match=r"The truncation is .*; it must be 0 for none, or 0\.1 to 3 deviations\."):
        truncate(torch.zeros(1, 4), "gaussian", threshold)


@pytest.mark.parametrize("noise", NOISES)
def test_the_typical_length_is_that_of_many_latents(noise):
    made = DIGITS.change({"noise": noise})
    assert seeded(made, 3, 500).pow(2).sum(1).mean().sqrt().item() == pytest.approx(typical_length(made), rel=0.01)


# Ways
@pytest.mark.parametrize("method", ["lerp", "slerp"])
def test_both_ends_of_a_path_are_the_given_latents(method):
    a, b = seeded(DIGITS, 0, 2)
    path = interpolate(a, b, 21, method)
    assert path.shape == (21, DIGITS.latent)
    assert torch.equal(path[0], a)
    assert torch.equal(path[-1], b)


def test_the_middle_of_a_straight_line_is_the_mean():
    a, b = seeded(DIGITS, 0, 2)
    torch.testing.assert_close(interpolate(a, b, 21, "lerp")[10], (a + b) / 2)


def test_a_great_circle_between_perpendicular_vectors_is_cosine_and_sine():
    a, b = torch.tensor([2.0, 0.0, 0.0]), torch.tensor([0.0, 2.0, 0.0])
    angles = [math.pi / 2 * step / 6 for step in range(7)]
    expected = torch.tensor([[2 * math.cos(angle), 2 * math.sin(angle), 0.0] for angle in angles])
    torch.testing.assert_close(interpolate(a, b, 7, "slerp"), expected)


def test_the_length_along_a_great_circle_changes_linearly_and_the_angle_evenly():
    a, b = seeded(DIGITS, 1, 2)
    path = interpolate(a, 3 * b, 11, "slerp").double()
    lengths = torch.linspace(float(a.norm()), float(3 * b.norm()), 11, dtype=torch.float64)
    torch.testing.assert_close(path.norm(dim=1), lengths, rtol=1e-5, atol=0)
    turns = torch.nn.functional.cosine_similarity(path[1:], path[:-1]).arccos()
    torch.testing.assert_close(turns, turns.mean().expand(10), rtol=1e-3, atol=0)


def test_a_straight_line_is_shorter_in_the_middle_than_the_great_circle():
    a, b = seeded(DIGITS, 2, 2)
    assert interpolate(a, b, 3, "lerp")[1].norm() < 0.9 * interpolate(a, b, 3, "slerp")[1].norm()


@pytest.mark.parametrize("sign", [1, -1])
def test_same_and_opposite_directions_give_finite_paths(sign):
    a = seeded(DIGITS, 3, 1)[0]
    assert interpolate(a, sign * a, 5, "slerp").isfinite().all()


@pytest.mark.parametrize(("loop", "ends"), [(False, [(0, 1), (1, 2)]), (True, [(0, 1), (1, 2), (2, 0)])])
def test_a_walk_goes_from_key_to_key_and_shows_both_ends_of_each_segment(loop, ends):
    keys = seeded(DIGITS, 0, 3)
    way = walk(keys, 5, "lerp", loop).unflatten(0, (len(ends), 5))
    for segment, (a, b) in zip(way, ends, strict=True):
        for step in range(5):
            torch.testing.assert_close(segment[step], keys[a] + (keys[b] - keys[a]) * step / 4)


def test_the_spherical_way_between_classes_that_are_1_among_0s_is_cosine_and_sine():
    found = class_walk(torch.eye(4), (2, 0), 7, "spherical")
    angles = [math.pi / 2 * step / 6 for step in range(7)]
    torch.testing.assert_close(found, torch.tensor([[math.sin(a), 0, math.cos(a), 0] for a in angles]))


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_the_way_between_class_vectors_is_straight_or_evenly_bent(path):
    vectors = torch.randn(5, 40, generator=torch.Generator().manual_seed(0)) * torch.arange(1, 6)[:, None]
    weights = class_walk(vectors, (1, 4, 4), 9, path)
    assert weights[9:].tolist() == [[0, 0, 0, 0, 1]] * 9  # from a class to itself
    way = weights[:9] @ vectors
    assert torch.equal(way[0], vectors[1])
    assert torch.equal(way[-1], vectors[4])
    if path == "linear":
        torch.testing.assert_close(way[4], (vectors[1] + vectors[4]) / 2)
    else:
        lengths = torch.linspace(float(vectors[1].norm()), float(vectors[4].norm()), 9)
        torch.testing.assert_close(way.norm(dim=1), lengths)
        turns = torch.nn.functional.cosine_similarity(way[1:], way[:-1]).arccos()
        torch.testing.assert_close(turns, turns.mean().expand(8), rtol=1e-3, atol=0)


def test_an_unknown_way_between_classes_is_refused():
    with pytest.raises(ValueError, match="no class path 'round'; choose one of linear, spherical"):
        class_walk(torch.eye(3), (0, 1), 5, "round")


# Arithmetic
@pytest.mark.parametrize(
    ("text", "weight", "seeds", "again"),
    [
        ("+1:3/4/5", 1, (3, 4, 5), "+1:3/4/5"),
        ("-1:7", -1, (7,), "-1:7"),
        (" 0.5 : 9 / 10 ", 0.5, (9, 10), "+0.5:9/10"),
        ("8", 1, (8,), "+1:8"),
        (".25:2147483647", 0.25, (2147483647,), "+0.25:2147483647"),
        ("-0:1", 0, (1,), "+0:1"),
        ("9.12345:0", 9.1235, (0,), "+9.1235:0"),
    ],
)
def test_a_term_is_read_and_written_again(text, weight, seeds, again):
    assert parse(text) == Term(weight, seeds)
    assert str(parse(text)) == again
    assert parse(again) == parse(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not a weight and its seeds; write it as"),
        ("+1:", "is not a weight and its seeds"),
        ("1:2:3", "is not a weight and its seeds"),
        ("1:-2", "is not a weight and its seeds"),
        ("nan:2", "is not a weight and its seeds"),
        ("1e3:2", "is not a weight and its seeds"),
        ("1:2//3", "is not a weight and its seeds"),
        ("1:²", "is not a weight and its seeds"),
        ("11:2", "is 11; -10 to 10 are allowed"),
        ("1:2147483648", "has the seed 2147483648; 0 to 2,147,483,647"),
        ("1:" + "/".join(["1"] * 17), "averages 17 seeds; 1 to 16"),
    ],
)
def test_a_term_that_is_none_is_refused_in_one_sentence(text, sentence):
    with pytest.raises(ValueError) as raised:
        parse(text)
    assert sentence in str(raised.value)


def test_a_sum_is_that_of_the_weighted_averages():
    first = [seeded(DIGITS, seed, 1)[0] for seed in (3, 4, 9)]
    made = combine(DIGITS, [Term(1.0, (3, 4)), Term(-0.5, (9,))])
    torch.testing.assert_close(made.averages[0], (first[0] + first[1]) / 2)
    torch.testing.assert_close(made.result, 0.5 * first[0] + 0.5 * first[1] - 0.5 * first[2])
    assert [len(part) for part in made.parts] == [2, 1]


def test_a_rescaled_sum_has_the_typical_length_and_its_own_direction():
    terms = [Term(1.0, (3, 4, 5)), Term(1.0, (6, 7, 8))]
    plain, rescaled = (combine(DIGITS, terms, normalise).result for normalise in ("none", "length"))
    assert rescaled.norm().item() == pytest.approx(DIGITS.latent**0.5)
    assert torch.nn.functional.cosine_similarity(plain, rescaled, dim=0).item() == pytest.approx(1)


def test_a_sum_that_cancels_cannot_be_rescaled():
    terms = [Term(1.0, (3,)), Term(-1.0, (3,))]
    assert combine(DIGITS, terms).result.abs().max() == 0
    with pytest.raises(ValueError, match="The terms cancel: their sum has no direction to keep"):
        combine(DIGITS, terms, "length")


# Samples
def test_equal_seeds_give_equal_samples_and_other_seeds_do_not(loaded):
    assert torch.equal(sampling.sample(loaded, 4, 6), sampling.sample(loaded, 4, 6))
    assert not torch.allclose(sampling.sample(loaded, 4, 6), sampling.sample(loaded, 5, 6), atol=1e-3)


def test_samples_are_full_precision_images_in_range_without_gradients(loaded):
    made = sampling.sample(loaded, 0, 3)
    assert made.shape == (3, 1, 32, 32)
    assert made.dtype == torch.float32
    assert not made.requires_grad
    assert made.abs().max() <= 1


def test_batches_do_not_show_in_the_samples(loaded, monkeypatch):
    whole = sampling.sample(loaded, 0, 20)
    monkeypatch.setattr(sampling, "batch", lambda *_: 7)
    torch.testing.assert_close(sampling.sample(loaded, 0, 20), whole, rtol=1e-4, atol=1e-5)


def test_batches_do_not_show_in_mixtures_of_classes(conditional, monkeypatch):
    whole = sampling.strip(conditional, (0, 1), 20, labels=(2, 7))
    monkeypatch.setattr(sampling, "batch", lambda *_: 7)
    torch.testing.assert_close(sampling.strip(conditional, (0, 1), 20, labels=(2, 7)), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "largest"), [
    ("quick-digits", 24 * 16 * 16), ("cs229-baseline", 128 * 28 * 28), ("iisc-dcgan", 128 * 32 * 32),
])  # fmt: skip
def test_a_batch_is_as_large_as_four_of_the_largest_map_leave_room_in_256_mb(name, largest):
    made = recipe(name)
    assert sampling.batch(made.generator, made.shapes) == min(256, 2**28 // (4 * 4 * largest))


def test_a_batch_of_a_generator_that_fills_the_memory_is_one_sample():
    wide = recipe("iisc-dcgan").change({"generator.widths": "2048,2048,2048,2048", "image_size": 64})
    assert 1 <= sampling.batch(wide.generator, wide.shapes) <= 8


def test_the_ends_of_a_strip_are_the_first_samples_of_its_seeds(loaded):
    made = sampling.strip(loaded, (3, 8, 5), truncation=0.7).unflatten(0, (2, 21))
    for found, seed in ((made[0, 0], 3), (made[0, -1], 8), (made[1, 0], 8), (made[1, -1], 5)):
        expected = sampling.sample(loaded, seed, 1, truncation=0.7)[0]
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("class_path", ["linear", "spherical"])
def test_the_ends_of_a_strip_through_classes_are_the_samples_of_those_classes(conditional, class_path):
    made = sampling.strip(conditional, (3, 8), 5, labels=(2, 7), class_path=class_path)
    kept = sampling.strip(conditional, (3, 8), 5, labels=(2,))
    for index, seed, label in ((0, 3, 2), (-1, 8, 7)):
        expected = sampling.sample(conditional, seed, 1, label)[0]
        torch.testing.assert_close(made[index], expected, rtol=1e-4, atol=1e-5)
    assert (made[2] - kept[2]).abs().max() > 1e-3  # the class changes on the way


def test_a_strip_through_a_class_that_there_is_not_is_refused(conditional):
    for labels in ((2, 10), (-1, 2), (10,)):
        with pytest.raises(ValueError, match=r"The class is (10|-1); it must be a whole number, 0 to 9"):
            sampling.strip(conditional, (0, 1), 3, labels=labels)


def test_halfway_between_two_classes_is_the_class_of_the_vector_halfway(conditional):
    made = sampling.strip(conditional, (3, 3), 3, labels=(2, 7), class_path="spherical")[1]
    changed = State.initial(CONDITIONAL).average
    a, b = class_vectors(changed, 10)[[2, 7]].double()
    bisector = a / a.norm() + b / b.norm()
    with torch.no_grad():
        changed.labels.embed.weight[0] = bisector / bisector.norm() * (a.norm() + b.norm()) / 2
    expected = sampling.sample(LoadedGenerator(CONDITIONAL, 0, changed), 3, 1, 0)[0]
    torch.testing.assert_close(made, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("seed", "count", "words"),
    [
        (0, 0, "The number of samples is 0; it must be a whole number, 1 to 1,024."),
        (0, 1025, "The number of samples is 1025"),
        (0, -3, "The number of samples is -3"),
        (0, 2.5, "The number of samples is 2.5"),
        (0, True, "The number of samples is True"),
        (-1, 4, "The seed is -1; it must be a whole number, 0 to 2,147,483,647."),
        ("x", 4, "The seed is x"),
    ],
)
def test_an_impossible_seed_or_count_is_refused_in_one_sentence(loaded, seed, count, words):
    with pytest.raises(ValueError) as raised:
        sampling.sample(loaded, seed, count)
    assert str(raised.value).startswith(words)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steps": 1}, "The number of steps is 1; it must be a whole number, 2 to 1,024."),
        ({"steps": 2000}, "The number of steps is 2000"),
        ({"method": "nlerp"}, "There is no interpolation 'nlerp'; choose one of lerp, slerp."),
        ({"seeds": (0,)}, "The number of seeds is 1"),
        ({"seeds": (0, -1)}, "A seed is -1"),
        ({"seeds": (0, 1, 2), "steps": 600}, "2 segments of 600 steps are 1,200 pictures; at most 1,024"),
        ({"labels": (0, 1, 2)}, "There are 3 labels for 2 seeds; give one, or one for each seed."),
        ({"truncation": 9.0}, "The truncation is 9"),
    ],
)
def test_an_impossible_strip_is_refused(loaded, changes, sentence):
    with pytest.raises(ValueError) as raised:
        sampling.strip(loaded, **{"seeds": (0, 1), **changes})
    assert str(raised.value).startswith(sentence)


def test_no_more_forward_passes_run_at_once_than_allowed(monkeypatch):
    """Counts how many threads are inside the module together, with more threads than turns."""
    monkeypatch.setattr(sampling, "turns", threading.BoundedSemaphore(2))

    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(()))
            self.inside, self.most, self.lock = 0, 0, threading.Lock()
            self.two_inside = threading.Event()

        def forward(self, z, y=None):
            with self.lock:
                self.inside += 1
                self.most = max(self.most, self.inside)
                if self.inside == 2:
                    self.two_inside.set()
            self.two_inside.wait(10)
            time.sleep(0.05)  # for a third one to come in, were it allowed
            with self.lock:
                self.inside -= 1
            return z * self.scale

    module = Counting()
    generator = LoadedGenerator(DIGITS, 0, module)
    threads = [threading.Thread(target=sampling.sample, args=(generator, seed, 2)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert module.most == 2
