"""The tiny engine computes what the trainer computes, for every registered part, alone or in company."""

from __future__ import annotations

import pytest
import torch

from ganplay.data import datasets
from ganplay.data.resident import Samples, load
from ganplay.latent.noise import fixed_noise
from ganplay.losses import losses
from ganplay.models.blocks.layers import ACTIVATIONS, OUTPUTS
from ganplay.optimisers import optimisers
from ganplay.penalties import penalties
from ganplay.recipes import recipe
from ganplay.state import State
from ganplay.tiny import TinyGan
from ganplay.trainer import train

ROUNDS = 6
# Adam divides a gradient by its own size: where it ought to be 0, as that of a last bias which only differences of
# logits see, rounding decides the step. Plain steps keep the comparison of losses sharp.
PLAIN = {"generator_optimiser": "sgd", "discriminator_optimiser": "sgd"}


def small(**changes):
    """Two nets of unequal widths, so that no transposed matrix goes unnoticed."""
    base = {
        "generator.widths": "12,7", "discriminator.widths": "9,11", "latent": 3, "batch_size": 16, "score_every": 0,
        "stop_images": 16 * ROUNDS * changes.get("critic_steps", 1), "precision": "fp32", "dataset": "blobs",
    }  # fmt: skip
    return recipe("toy-ring").change(base | changes)


def trained(made, state=None):
    """The trainer's steps as curves (5, T), and its last state."""
    rows, state = [], state or State.initial(made)
    for step in train(made, state=state):
        rows.append(
            [step.discriminator_loss, step.generator_loss, step.penalty, step.accuracy_real, step.accuracy_fake]
        )
    return torch.tensor(rows).T, state


def curves(found, member=0):
    return torch.stack([series[member] for series in vars(found).values()])


def assert_same_state(ours, theirs, tolerance=2e-4):
    left, right = ours.tensors(), theirs.tensors()
    assert set(left) == set(right)
    for name, value in right.items():
        torch.testing.assert_close(left[name].float(), value.float(), rtol=tolerance, atol=tolerance / 10, msg=name)
    counters = ours.counters() | {"seconds": 0}
    assert counters == theirs.counters() | {"seconds": 0}


def assert_trains_like_the_trainer(made):
    expected, theirs = trained(made)
    gan = TinyGan(made)
    torch.testing.assert_close(curves(gan.advance(ROUNDS)), expected, rtol=2e-4, atol=2e-5)
    assert_same_state(gan.state(), theirs)


@pytest.mark.parametrize("name", losses.names())
def test_every_loss_trains_as_in_the_trainer(name):
    assert_trains_like_the_trainer(small(loss=name, **PLAIN))


@pytest.mark.parametrize("name", penalties.names())
def test_every_penalty_trains_as_in_the_trainer(name):
    assert_trains_like_the_trainer(small(penalties=name))


@pytest.mark.parametrize("name", optimisers.names())
def test_every_optimiser_trains_as_in_the_trainer(name):
    made = small(generator_optimiser=name, discriminator_optimiser=name)
    rate = {"generator_optimiser.learning_rate": 3e-3, "discriminator_optimiser.learning_rate": 2e-3}
    assert_trains_like_the_trainer(made.change(rate))


@pytest.mark.parametrize("name", [name for name in datasets.names() if len(datasets[name].native) == 1])
def test_every_set_of_points_gives_the_trainers_batches(name):
    assert_trains_like_the_trainer(small(dataset=name))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_hidden_activation_has_its_derivative(name):
    assert_trains_like_the_trainer(small(**{"generator.activation": name, "discriminator.activation": name}))


@pytest.mark.parametrize("name", OUTPUTS)
def test_every_output_has_its_derivative(name):
    assert_trains_like_the_trainer(small(**{"generator.output": name}))


@pytest.mark.parametrize(
    "changes",
    [
        {"critic_steps": 3, "generator_steps": 2},
        {"flip_labels": 0.3},
        {"fakes": "shared", "critic_steps": 2, "generator_steps": 2, "instance_noise": 0.2},
        {"instance_noise": 0.5, "instance_noise_images": 16 * 4},
        {"instance_noise": 0.2, "loss": "relativistic", "loss.against": "mean", **PLAIN},
        {"ema_decay": 0.0},
        {"noise": "uniform"},
        {"noise": "truncated"},
        {"latent": 1, "batch_size": 5, "stop_images": 5 * ROUNDS},
        {"batch_size": 20, "latent": 3, "stop_images": 20 * ROUNDS},  # 60 values: no multiple of the sampler's 16
        {"penalties": "r1,r2,weight-clip", "flip_labels": 0.1, "instance_noise": 0.1},
        {"generator.widths": "8", "discriminator.widths": ",".join(["8"] * 10)},
        {"batch_size": 4096, "stop_images": 4096 * ROUNDS},
    ],
    ids=str,
)
def test_settings_of_a_recipe_mean_what_they_mean_to_the_trainer(changes):
    assert_trains_like_the_trainer(small(**changes))


def test_epochs_follow_each_other_as_in_the_trainer():
    """Two epochs and a half of 56 points: batches span the borders."""
    made = small(stop_images=16 * 9)
    points = load(made.dataset, made.shapes.sample)
    few = Samples(points.values[:56], points.labels[:56], points.class_names)
    theirs = State.initial(made)
    for _ in train(made, state=theirs, data=few):
        pass
    gan = TinyGan(made, data=few)
    gan.advance(9)
    assert_same_state(gan.state(), theirs)


def test_a_run_of_the_trainer_goes_on_in_the_engine_and_back():
    kinds = {"generator_optimiser": "sgd", "discriminator_optimiser": "rmsprop", "generator_optimiser.momentum": 0.5}
    made = small(penalties="weight-clip", loss="wasserstein", stop_images=16 * 9, **kinds)
    whole, theirs = trained(made)
    first, state = trained(made.change({"stop_images": 16 * 3}))
    gan = TinyGan(made, states=[state])
    middle = curves(gan.advance(3))
    last, state = trained(made, gan.state())
    torch.testing.assert_close(torch.cat([first, middle, last], 1), whole, rtol=2e-4, atol=2e-5)
    assert_same_state(state, theirs)


def test_states_that_come_out_are_independent_of_the_engine():
    gan = TinyGan(small())
    before = gan.state()
    kept = {name: value.clone() for name, value in before.tensors().items()}
    gan.advance(3)
    assert all(torch.equal(value, kept[name]) for name, value in before.tensors().items())


MIXED = [
    {"seed": 1},
    {"seed": 1, "generator_optimiser.learning_rate": 1e-2},
    {"seed": 2, "loss": "relativistic", "loss.against": "mean", "instance_noise": 0.2},
    {"seed": 3, "loss": "wasserstein", "penalties": "gradient-penalty", "flip_labels": 0.2},
    {"seed": 4, "loss": "wasserstein", "penalties": "weight-clip", "discriminator_optimiser": "rmsprop"},
    {"seed": 5, "loss": "least-squares", "dataset": "ring", "ema_decay": 0.5, "noise": "uniform"},
]


def test_nets_of_any_settings_give_the_same_numbers_in_company_as_alone():
    made = [small(**changes) for changes in MIXED]
    together = TinyGan(made)
    found = together.advance(ROUNDS)
    for member, one in enumerate(made):
        alone = TinyGan(one)
        torch.testing.assert_close(curves(found, member), curves(alone.advance(ROUNDS)), rtol=2e-4, atol=2e-5)
        assert_same_state(together.state(member), alone.state())


@pytest.mark.parametrize("name", losses.names())
def test_seeds_of_one_loss_do_not_see_each_other(name):
    made = [small(loss=name, seed=seed, **PLAIN) for seed in range(5)]
    found = TinyGan(made).advance(ROUNDS)
    for member in (0, 3):
        expected, _ = trained(made[member])
        torch.testing.assert_close(curves(found, member), expected, rtol=2e-4, atol=2e-5)


def test_the_same_seeds_give_the_same_bits():
    made = [small(seed=seed) for seed in range(3)]
    left, right = TinyGan(made), TinyGan(made)
    assert torch.equal(left.advance(20).generator_loss, right.advance(20).generator_loss)
    z = fixed_noise(made[0])
    assert torch.equal(left.fakes(z), right.fakes(z))


def test_iterations_in_pieces_equal_iterations_at_once():
    whole, pieces = TinyGan(small()), TinyGan(small())
    expected = whole.advance(150)
    found = [pieces.advance(count) for count in (1, 70, 64, 15)]
    assert torch.equal(torch.cat([each.penalty for each in found], 1), expected.penalty)
    assert torch.equal(torch.cat([each.discriminator_loss for each in found], 1), expected.discriminator_loss)
    assert expected.accuracy_fake.shape == (1, 150)
    assert (pieces.images, pieces.rounds, pieces.generator_updates) == (150 * 16, 150, 150)


def test_single_steps_move_one_network_and_make_an_iteration_together():
    gan, whole = TinyGan(small()), TinyGan(small())
    z, grid = fixed_noise(gan.recipes[0]), torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    fakes, heat = gan.fakes(z), gan.heat(grid)
    loss_d = gan.discriminator_step()
    assert torch.equal(gan.fakes(z), fakes)
    assert not torch.equal(gan.heat(grid), heat)
    heat = gan.heat(grid)
    loss_g = gan.generator_step()
    assert not torch.equal(gan.fakes(z), fakes)
    assert torch.equal(gan.heat(grid), heat)
    expected = whole.advance(1)
    assert torch.equal(loss_d, expected.discriminator_loss[:, 0])
    assert torch.equal(loss_g, expected.generator_loss[:, 0])
    assert torch.equal(gan.fakes(z), whole.fakes(z))


def test_a_generators_first_step_needs_no_discriminator_step_before_it():
    gan = TinyGan(small(loss="relativistic"))
    assert torch.isfinite(gan.generator_step()).all()
