"""Unrolling: the updates that are looked ahead are the optimiser's own, are differentiated, and leave no trace."""

import copy

import pytest
import torch
from test_tiny import PLAIN, assert_same_state, assert_trains_like_the_trainer, curves, small, trained

from ganplay import checkpoint
from ganplay.building import build_networks
from ganplay.optimisers import optimisers
from ganplay.randomness import generator_for
from ganplay.tiny import TinyGan
from ganplay.tiny import training as tiny_training
from ganplay.unrolling import critics_of, look_ahead

RANDOM = generator_for(0, "unroll")


def points(count, seed):
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))


def memory_of(optimiser, weights):
    return [{name: value for name, value in optimiser.state[each].items() if value is not None} for each in weights]


@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize("name", optimisers.names())
def test_a_step_as_a_function_is_the_optimisers_own(name, momentum):
    configuration = optimisers[name](learning_rate=0.01)
    if name == "sgd":
        configuration = optimisers[name](learning_rate=0.01, momentum=momentum)
    weight = torch.nn.Parameter(points(4, 0))
    optimiser, ours, memory = configuration.build([weight]), [weight.detach().clone()], [{}]
    for step in range(5):
        weight.grad = points(4, 1 + step) * (step != 2)  # a gradient of 0 too
        before = [value.clone() for value in ours]
        found, memory = configuration.moved(ours, [weight.grad], memory)
        assert all(torch.equal(*pair) for pair in zip(ours, before, strict=True))
        ours = found
        optimiser.step()
        torch.testing.assert_close(ours[0], weight.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", optimisers.names())
def test_a_step_has_a_finite_derivative_where_the_gradient_is_0(name):
    gradient = torch.zeros(3, requires_grad=True)
    (moved,), _ = optimisers[name]().moved([torch.ones(3)], [gradient], [{}])
    (slope,) = torch.autograd.grad(moved.sum(), gradient)
    assert slope.isfinite().all()


@pytest.mark.parametrize("name", optimisers.names())
def test_looking_ahead_shows_the_discriminator_after_as_many_real_updates(name):
    made = small(unroll=4, discriminator_optimiser=name)
    network = build_networks(made)[1]
    optimiser = made.discriminator_optimiser.build(network.parameters())
    real, fake = points(16, 1), points(16, 2) + 1

    def update():
        optimiser.zero_grad()
        made.loss.discriminator(network(real), network(fake)).mean().backward()
        optimiser.step()

    update()  # so that the optimiser has something to remember
    weights = list(network.parameters())
    before = copy.deepcopy(network.state_dict())
    critic = look_ahead(
        made, critics_of(network), weights, memory_of(optimiser, weights), real, fake.requires_grad_(), None, RANDOM
    )
    ahead = critic(real).logits.detach()
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    fake = fake.detach()
    for _ in range(4):
        update()
    torch.testing.assert_close(ahead, network(real).logits.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", optimisers.names())
def test_the_gradient_goes_through_the_updates(name):
    """Against a difference quotient in double precision, and unlike the gradient at a fixed discriminator."""
    made = small(unroll=3, discriminator_optimiser=name, **{"discriminator.activation": "tanh"})
    made = made.change({"discriminator_optimiser.learning_rate": 0.05})
    network = build_networks(made)[1].double()
    weights, real, fake = list(network.parameters()), points(8, 1).double(), points(8, 2).double()
    memory = [{} for _ in weights]

    def loss(fake):
        critic = look_ahead(made, critics_of(network), weights, memory, real, fake, None, RANDOM)
        return made.loss.generator(critic(fake)).mean()

    fake.requires_grad_()
    value = loss(fake)
    (slope,) = torch.autograd.grad(value, fake, retain_graph=True)
    step = torch.zeros_like(fake)
    step[2, 1] = 1e-6
    difference = (loss(fake.detach() + step) - loss(fake.detach() - step)).detach() / 2e-6
    assert float(slope[2, 1]) == pytest.approx(float(difference), rel=1e-4)
    fixed = [weight.detach() for weight in look_ahead_weights(made, network, weights, memory, real, fake)]
    (direct,) = torch.autograd.grad(made.loss.generator(critics_of(network)(fixed)(fake)).mean(), fake)
    assert not torch.allclose(slope, direct, rtol=1e-3)


def look_ahead_weights(made, network, weights, memory, real, fake):
    """The weights behind `look_ahead`, caught where they become a discriminator."""
    caught = []
    critics = critics_of(network)

    def catching(weights):
        caught[:] = weights
        return critics(weights)

    look_ahead(made, catching, weights, memory, real, fake, None, RANDOM)
    return caught


@pytest.mark.parametrize(
    "changes",
    [
        {"unroll": 3, **PLAIN},
        {"unroll": 5},
        {"unroll": 2, "discriminator_optimiser": "rmsprop"},
        {"unroll": 2, "loss": "relativistic", "penalties": "r1,r2", **PLAIN},
        {"unroll": 2, "instance_noise": 0.2, "critic_steps": 2, "generator_steps": 2},
        {"unroll": 2, "loss": "wasserstein", "penalties": "gradient-penalty", "fakes": "shared", **PLAIN},
        {"unroll": 2, "discriminator.pack": 2, "discriminator.minibatch_deviation": True, "flip_labels": 0.2},
    ],
    ids=str,
)
def test_the_engine_looks_ahead_as_the_trainer_does(changes):
    assert_trains_like_the_trainer(small(**changes))


def test_unrolled_and_plain_nets_advance_together_and_do_not_see_each_other():
    made = [small(unroll=2, seed=1, **PLAIN), small(seed=2, **PLAIN), small(unroll=1, seed=3, **PLAIN)]
    together = TinyGan(made)
    found = together.advance(6)
    for member, one in enumerate(made):
        alone = TinyGan(one)
        torch.testing.assert_close(curves(found, member), curves(alone.advance(6)), rtol=2e-4, atol=2e-5)
        assert_same_state(together.state(member), alone.state())


@pytest.mark.parametrize("name", optimisers.names())
def test_what_is_written_down_gives_the_same_bits(name, monkeypatch):
    """With changes of settings and time travel on the way, after which it must be written down anew."""
    made = small(unroll=2, discriminator_optimiser=name)
    if name == "sgd":
        made = made.change({"discriminator_optimiser.momentum": 0.5})

    def path(repeated):
        monkeypatch.setattr(tiny_training, "REPEATED", repeated)
        gan = TinyGan(made)
        for _ in range(3):  # D's optimiser remembers nothing yet
            gan.generator_step()
        gan.advance(4)
        moment = gan.snapshot()
        gan.advance(4)
        gan.restore(moment)
        gan.change({"discriminator_optimiser.learning_rate": 3e-3})
        gan.advance(4)
        return gan.state().tensors()

    written, plain = path(1), path(-1)
    assert all(torch.equal(written[name], value) for name, value in plain.items())


def test_unrolling_changes_what_the_generator_learns_and_not_the_discriminators_next_step():
    plain, unrolled = TinyGan(small(**PLAIN)), TinyGan(small(unroll=5, **PLAIN))
    for gan in (plain, unrolled):
        gan.discriminator_step()
        gan.generator_step()
    plain_state, unrolled_state = plain.state(), unrolled.state()
    left, right = plain_state.discriminator.state_dict(), unrolled_state.discriminator.state_dict()
    assert all(torch.equal(value, right[name]) for name, value in left.items())
    pairs = zip(plain_state.generator.parameters(), unrolled_state.generator.parameters(), strict=True)
    assert any(not torch.allclose(left, right, rtol=1e-6, atol=0) for left, right in pairs)


def test_a_weight_clip_cannot_be_looked_through():
    with pytest.raises(ValueError, match="unroll is 2, and no gradient goes through the penalty 'weight-clip'"):
        build_networks(small(unroll=2, penalties="weight-clip"))


def test_an_interrupted_run_equals_one_that_was_not(tmp_path):
    made = small(unroll=2)
    _, whole = trained(made)
    _, half = trained(made.change({"stop_images": 16 * 3}))
    checkpoint.save(tmp_path / "half.safetensors", half)
    _, again = trained(made, checkpoint.load(tmp_path / "half.safetensors", made))
    assert all(torch.equal(value, again.tensors()[name]) for name, value in whole.tensors().items())
