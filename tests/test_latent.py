"""Latents, interpolation and sampling against closed forms."""

from __future__ import annotations

import math
import threading
import time

import pytest
import torch
from torch import nn

from ganplay.checkpoint import LoadedGenerator
from ganplay.latent import sampling
from ganplay.latent.interpolation import interpolate
from ganplay.latent.noise import fixed_noise, seeded
from ganplay.recipes import recipe
from ganplay.state import State

DIGITS = recipe("quick-digits")


@pytest.fixture(scope="module")
def loaded() -> LoadedGenerator:
    return LoadedGenerator(DIGITS, 0, State.initial(DIGITS).average)


def test_more_latents_of_a_seed_begin_with_the_fewer():
    assert torch.equal(seeded(DIGITS, 5, 30)[:7], seeded(DIGITS, 5, 7))


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


@pytest.mark.parametrize("method", ["lerp", "slerp"])
def test_both_ends_of_a_path_are_the_given_latents(method):
    a, b = seeded(DIGITS, 0, 2)
    path = interpolate(a, b, 21, method)
    assert path.shape == (21, DIGITS.latent)
    torch.testing.assert_close(path[0], a)
    torch.testing.assert_close(path[-1], b)


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
    monkeypatch.setattr(sampling, "_BATCH", 7)
    torch.testing.assert_close(sampling.sample(loaded, 0, 20), whole, rtol=1e-4, atol=1e-5)


def test_the_ends_of_a_strip_are_the_first_samples_of_its_seeds(loaded):
    made = sampling.strip(loaded, 3, 8)
    assert len(made) == 21
    torch.testing.assert_close(made[0], sampling.sample(loaded, 3, 1)[0], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(made[-1], sampling.sample(loaded, 8, 1)[0], rtol=1e-4, atol=1e-5)


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


@pytest.mark.parametrize(("steps", "method"), [(1, "lerp"), (2000, "lerp"), (21, "nlerp")])
def test_an_impossible_strip_is_refused(loaded, steps, method):
    with pytest.raises(ValueError):
        sampling.strip(loaded, 0, 1, steps, method)


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
