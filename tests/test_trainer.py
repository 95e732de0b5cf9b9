"""The training loop: deterministic, exact to resume, honest in what it reports."""

import dataclasses

import pytest
import torch

from ganplay import checkpoint
from ganplay.data.order import Order
from ganplay.data.resident import load
from ganplay.latent.noise import fixed_noise
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.probes.gradients import layer_statistics
from ganplay.recipes import recipe
from ganplay.state import State
from ganplay.trainer import sample, train

NUMBERS = ("discriminator_loss", "generator_loss", "penalty", "accuracy_real", "accuracy_fake")

TINY = {
    "generator.widths": (8, 8), "discriminator.widths": (8, 8), "batch_size": 8, "stop_images": 96, "precision": "fp32",
}  # fmt: skip
VARIANTS = {
    "adam": {},
    "bf16": {"precision": "bf16"},
    "rmsprop-clip": {"loss": "wasserstein", "penalties": "weight-clip", "critic_steps": 2,
                     "generator_optimiser": "rmsprop", "discriminator_optimiser": "rmsprop"},
    "sgd-penalty": {"loss": "wasserstein", "penalties": "gradient-penalty", "discriminator.norm": "layer",
                    "generator_steps": 2, "generator_optimiser": "sgd", "discriminator_optimiser": "sgd",
                    "discriminator_optimiser.momentum": 0.5, "noise": "uniform"},
}  # fmt: skip


def tiny(name="adam", **changes):
    return recipe("quick-digits").change({**TINY, **VARIANTS[name], **changes})


def numbers(step):
    return [float(getattr(step, name)) for name in NUMBERS]


def run(made, state=None, rounds=None):
    steps = []
    for step in train(made, state=state):
        steps.append(numbers(step))
        if len(steps) == rounds:
            break
    return steps, step.state


def same(first, second):
    left, right = first.tensors(), second.tensors()
    assert left.keys() == right.keys()
    return all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("name", VARIANTS)
def test_same_recipe_and_seed_give_the_same_numbers(name):
    first, state = run(tiny(name))
    second, again = run(tiny(name))
    assert first == second
    assert same(state, again)
    assert run(tiny(name, seed=1))[0] != first


@pytest.mark.parametrize("name", VARIANTS)
def test_resumed_run_equals_the_uninterrupted_one_to_the_bit(name, tmp_path):
    made = tiny(name)
    whole, end = run(made)
    begun, middle = run(made, rounds=2)
    checkpoint.save(tmp_path / "middle.safetensors", middle)
    rest, resumed_end = run(made, state=checkpoint.load(tmp_path / "middle.safetensors"))
    assert begun + rest == whole
    assert same(end, resumed_end)
    assert {**end.counters(), "seconds": 0} == {**resumed_end.counters(), "seconds": 0}


def test_interleaved_runs_do_not_disturb_each_other():
    alone, _ = run(tiny())
    first, second = train(tiny()), train(tiny(seed=1))
    together = [numbers(step) for step, _ in zip(first, second, strict=True)]
    assert together == alone


def test_sampling_does_not_change_the_run():
    undisturbed, _ = run(tiny())
    watched = []
    for step in train(tiny()):
        watched.append(numbers(step))
        sample(step.state, fixed_noise(step.state.recipe, 16))
        layer_statistics(step.state.discriminator)
    assert watched == undisturbed


def test_images_seen_counts_every_critic_step():
    made = tiny("rmsprop-clip", stop_images=64)
    steps = [(step.round, step.images) for step in train(made)]
    assert steps == [(1, 16), (2, 32), (3, 48), (4, 64)]


def test_steps_are_frozen_and_bounded():
    step = next(train(tiny()))
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.images = 0
    assert 0 <= step.accuracy_real <= 1
    assert 0 <= step.accuracy_fake <= 1
    assert step.penalty == 0
    assert step.score is None


def test_clip_holds_after_every_step():
    for step in train(tiny("rmsprop-clip")):
        assert max(p.abs().max() for p in step.state.discriminator.parameters()) <= 0.01


def test_both_networks_move_and_their_gradients_are_there_to_probe():
    made = tiny()
    before = State.initial(made).tensors()
    step = next(train(made))
    after = step.state.tensors()
    for network in ("generator", "discriminator", "average"):
        changed = [name for name in before if name.startswith(network + "/") and name.endswith("weight")]
        assert any(not torch.equal(before[name], after[name]) for name in changed)
    for network in (step.state.generator, step.state.discriminator):
        layers = layer_statistics(network)
        assert layers
        assert all(0 <= layer.small <= layer.total and layer.norm > 0 for layer in layers.values())


def test_layer_statistics_count_small_gradients():
    layer = torch.nn.Sequential(torch.nn.Linear(2, 2))
    layer[0].weight.grad = torch.tensor([[0.0, 0.009], [-0.02, 3.0]])
    layer[0].bias.grad = torch.tensor([-0.0099, 4.0])
    small, total, norm = layer_statistics(layer)["0"]
    assert (small, total) == (3, 6)
    assert norm == pytest.approx((0.009**2 + 0.02**2 + 9 + 0.0099**2 + 16) ** 0.5)


def test_average_follows_its_closed_form_and_copies_buffers():
    made = tiny(ema_decay=0.9)
    state = State.initial(made)
    expected = state.generator.project.weight.detach().clone()
    for update in range(1, 40):
        with torch.no_grad():
            state.generator.project.weight.add_(0.5)
        state.generator.begin[0].running_mean.fill_(update)
        state.generator_updates = update
        state.update_average()
        decay = min(0.9, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * state.generator.project.weight.detach()
        torch.testing.assert_close(state.average.project.weight, expected)
        assert (state.average.begin[0].running_mean == update).all()


def test_stop_conditions():
    assert run(tiny(stop_images=20))[1].images == 24  # whole batches
    assert run(tiny(stop_images=10**6, stop_seconds=1e-9))[1].rounds == 1
    scored = tiny(stop_images=10**6, score_every=8, stop_score=1e5)
    last = list(train(scored))
    assert len(last) == 1
    assert last[0].score < 1e5


def test_without_a_target_even_a_perfect_score_ends_nothing(monkeypatch):
    monkeypatch.setattr(SlicedWasserstein, "__call__", lambda *_: 0.0)
    steps = list(train(tiny(stop_images=32, score_every=8)))
    assert [step.score for step in steps] == [0.0] * 4


def test_a_run_that_reached_its_target_is_over_after_a_resume_too(tmp_path):
    made = tiny(stop_images=10**6, score_every=8, stop_score=1e5)
    step = next(train(made))
    checkpoint.save(tmp_path / "reached.safetensors", step.state)
    assert list(train(made, state=checkpoint.load(tmp_path / "reached.safetensors"))) == []
    fork = made.change({"stop_score": 1e-6, "stop_images": 32})
    assert list(train(fork, state=checkpoint.load(tmp_path / "reached.safetensors", fork)))


def test_training_covers_more_modes_of_the_ring_and_lowers_the_score():
    made = recipe("toy-ring").change({"stop_images": 256 * 1_600, "score_every": 25_600})
    data = load(made.dataset, made.shapes.sample)
    centres = torch.stack([data.values[data.labels == mode].mean(0) for mode in range(8)])

    def covered(state):
        points = sample(state, fixed_noise(made, 2_500))
        nearest = torch.cdist(points, centres)
        return len(set(nearest.argmin(1)[nearest.min(1).values < 0.1].tolist()))

    start = covered(State.initial(made))
    steps = list(train(made))
    scores = [step.score for step in steps if step.score is not None]
    assert covered(steps[-1].state) >= max(6, start + 1)
    assert scores[-1] < scores[0] / 2


def test_order_shows_every_sample_once_an_epoch_and_any_position_directly():
    order = Order(10, seed=2)
    whole = order.take(0, 30)
    assert all(sorted(whole[start : start + 10].tolist()) == list(range(10)) for start in (0, 10, 20))
    assert whole[:10].tolist() != whole[10:20].tolist()
    assert Order(10, seed=2).take(13, 9).tolist() == whole[13:22].tolist()
    assert Order(3, seed=0).take(0, 64).shape == (64,)


def test_sliced_wasserstein_of_a_shift_is_the_mean_projected_shift():
    points = torch.randn(4_000, 2, generator=torch.Generator().manual_seed(0))
    shifted = points + torch.tensor([3.0, 0.0])
    score = SlicedWasserstein(directions=2_000)(points, shifted)
    assert score == pytest.approx(3 * 2 / torch.pi, rel=0.05)  # E |cos| of a uniform direction
    assert SlicedWasserstein()(points, points) == 0
