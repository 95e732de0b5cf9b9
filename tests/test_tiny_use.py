"""What the playground asks of the tiny engine: looking, time travel, changes in mid-run, refusals, learning."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from ganplay import losses as losses_package
from ganplay.benchmarks import Options, tiny
from ganplay.contracts import Critique, Loss
from ganplay.latent.noise import fixed_noise
from ganplay.losses import losses
from ganplay.recipes import recipe
from ganplay.state import State
from ganplay.tiny import TinyGan, View
from ganplay.tiny.recording import recorded


def small(**changes):
    base = {"generator.widths": "12,7", "discriminator.widths": "9,11", "latent": 3, "batch_size": 16}
    return recipe("toy-ring").change(base | changes)


def points(count=10, seed=0):
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed))


def test_fakes_and_heat_are_those_of_the_ordinary_networks():
    made = [small(seed=seed, **{"generator.output": "tanh"}) for seed in (0, 1)]
    gan = TinyGan(made)
    gan.advance(5)
    z = fixed_noise(made[0], 9)
    own = torch.stack([z, -z])
    for member in (0, 1):
        state = gan.state(member)
        with torch.no_grad():
            torch.testing.assert_close(gan.fakes(z)[member], state.generator(z))
            torch.testing.assert_close(gan.fakes(own)[member], state.generator(own[member]))
            torch.testing.assert_close(gan.fakes(z, average=True)[member], state.average(z))
            torch.testing.assert_close(gan.heat(points())[member], state.discriminator(points()).logits)
    assert not torch.equal(gan.fakes(z, average=True), gan.fakes(z))


@pytest.mark.parametrize("name", losses.names())
def test_arrows_are_minus_the_gradient_of_the_generators_loss(name):
    gan = TinyGan([small(loss=name), small(loss=name, seed=1)])
    gan.advance(3)
    arrows = gan.gradients(points())
    assert arrows.shape == (2, 10, 2)
    for member in (0, 1):
        network, loss = gan.state(member).discriminator, gan.recipes[member].loss
        x = points().requires_grad_()
        real = gan.recipes[member].dataset.read("train", lambda *_: None)[0][:10]
        loss.generator(Critique(network(x).logits), Critique(network(torch.tensor(real)).logits)).sum().backward()
        torch.testing.assert_close(arrows[member], -x.grad, rtol=1e-4, atol=1e-6)


def test_looking_changes_nothing():
    gan, other = TinyGan(small(loss="relativistic")), TinyGan(small(loss="relativistic"))
    for _ in range(3):
        gan.fakes(fixed_noise(gan.recipes[0]))
        gan.heat(points())
        gan.gradients(points())
        gan.snapshot()
        gan.state()
        assert torch.equal(gan.advance(2).generator_loss, other.advance(2).generator_loss)


@pytest.mark.parametrize(
    "changes", [{}, {"flip_labels": 0.1, "penalties": "r1"}, {"generator_optimiser": "sgd"}], ids=str
)
def test_a_restored_moment_goes_on_to_the_same_bits(changes):
    gan = TinyGan([small(seed=seed, **changes) for seed in (0, 1)])
    gan.advance(7)
    moment = gan.snapshot()
    z = fixed_noise(gan.recipes[0])
    then, expected = gan.fakes(z), gan.advance(70)
    end = gan.snapshot()
    gan.change({"generator_optimiser.learning_rate": 0.5})
    gan.advance(2)
    gan.restore(moment)
    assert torch.equal(gan.fakes(z), then)
    assert gan.recipes == moment.recipes
    again = gan.advance(70)
    for name, series in vars(expected).items():
        assert torch.equal(getattr(again, name), series), name
    for mine, theirs in zip(gan.snapshot().weights, end.weights, strict=True):
        assert torch.equal(mine, theirs)
    counters = [dict(each.counters) | {"seconds": 0} for each in (gan.snapshot(), end)]
    assert counters[0] == counters[1]


def test_a_moment_between_the_two_steps_keeps_the_fakes_they_share():
    gan = TinyGan(small(fakes="shared"))
    gan.discriminator_step()
    moment = gan.snapshot()
    expected = gan.generator_step()
    gan.advance(3)
    gan.restore(moment)
    assert torch.equal(gan.generator_step(), expected)


def test_a_change_of_the_learning_rate_is_one_of_the_step_alone():
    gan, same = TinyGan(small()), TinyGan(small())
    gan.advance(5)
    same.advance(5)
    z = fixed_noise(gan.recipes[0])
    before = gan.snapshot().weights
    gan.change({"generator_optimiser.learning_rate": 2e-3})  # twice toy-ring's
    gan.generator_step()
    same.generator_step()
    ours, theirs = (each.snapshot().weights[0] - before[0] for each in (gan, same))
    torch.testing.assert_close(ours, 2 * theirs, rtol=1e-3, atol=1e-7)
    assert gan.recipes[0].generator_optimiser.learning_rate == 2e-3
    assert not torch.equal(gan.fakes(z), same.fakes(z))


def test_a_change_can_be_for_one_net_of_several():
    gan, same = TinyGan([small(), small()]), TinyGan([small(), small()])
    gan.advance(4)
    same.advance(4)
    gan.change({"loss": "wasserstein", "discriminator_optimiser": "sgd", "penalties": "weight-clip"}, [1])
    found, expected = gan.advance(4), same.advance(4)
    torch.testing.assert_close(found.generator_loss[0], expected.generator_loss[0], rtol=1e-4, atol=1e-6)
    assert (found.generator_loss[1] - expected.generator_loss[1]).abs().max() > 0.1
    assert gan.heat(points())[1].abs().max() < 0.02  # of weights within 0.01


def test_a_change_keeps_the_noise_where_it_was():
    """Labels that are flipped draw from the stream that latents were drawn from ahead."""
    gan, alone = TinyGan(small(flip_labels=0.0)), TinyGan(small(flip_labels=0.2))
    gan.advance(3)
    state = gan.state()
    gan.change({"flip_labels": 0.2})
    state.recipe = alone.recipes[0]
    fresh = TinyGan(alone.recipes, states=[state])
    torch.testing.assert_close(gan.advance(5).discriminator_loss, fresh.advance(5).discriminator_loss)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dataset": "digits"}, "digits holds images"),
        ({"generator": "dcgan"}, "generator is dcgan"),
        ({"discriminator.dropout": 0.5}, "discriminator.dropout is 0.5"),
        ({"discriminator.spectral_norm": True}, "discriminator.spectral_norm is True"),
        ({"generator.conditioning": "concat"}, "generator.conditioning is concat"),
        ({"precision": "bf16"}, "precision is bf16"),
        ({"decay_images": 100}, "decay_images is 100; the tiny engine allows 0 only"),
    ],
    ids=str,
)
def test_what_the_engine_cannot_do_is_refused_with_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        TinyGan(small(**changes))


@pytest.mark.parametrize(
    "changes", [{"latent": 4}, {"batch_size": 8}, {"critic_steps": 2}, {"generator.widths": "12,8"},
                {"discriminator.slope": 0.1}], ids=str
)  # fmt: skip
def test_nets_of_unequal_shape_do_not_advance_together(changes):
    with pytest.raises(ValueError, match=f"{next(iter(changes))} is .* must have the same"):
        TinyGan([small(), small(**changes)])


def test_other_mistakes_are_refused_and_change_nothing():
    with pytest.raises(ValueError, match="no recipe"):
        TinyGan([])
    gan = TinyGan([small(), small(seed=1)])
    with pytest.raises(ValueError, match="2 recipes"):
        TinyGan(gan.recipes, states=[State.initial(small())])
    gan.advance(2)
    with pytest.raises(ValueError, match="32 images behind it and another 0"):
        TinyGan(gan.recipes, states=[gan.state(0), State.initial(small(seed=1))])
    before = gan.recipes
    for changes, sentence in (
        ({"seed": 9}, "seed"),
        ({"dataset.sigma": 0.3}, "dataset"),
        ({"latent": 2}, "latent"),
        ({"nothing": 1}, "nothing"),
    ):
        with pytest.raises(ValueError, match=sentence):
            gan.change(changes)
    assert gan.recipes == before
    with pytest.raises(ValueError, match="iterations is 0"):
        gan.advance(0)


def test_a_loss_that_looks_at_more_than_logits_is_refused():
    @dataclasses.dataclass(frozen=True)
    class Features(Loss):
        kind = "features"
        formula, example = "", None

        def generator(self, fake, real=None):
            return fake.features.mean(1)

        def discriminator(self, real, fake):
            return fake.logits - real.logits

    losses_package.losses.register("features")(Features)
    try:
        with pytest.raises(ValueError, match="the loss 'features' looks at more"):
            TinyGan(dataclasses.replace(small(), loss=Features()))
    finally:
        del losses_package.losses._parts["features"]


def test_training_covers_more_modes_of_the_ring():
    made = [recipe("toy-ring").change({"seed": seed}) for seed in (0, 1)]
    gan = TinyGan(made)
    centres = torch.tensor(made[0].dataset.centres(), dtype=torch.float32)

    def covered():
        fakes = gan.fakes(fixed_noise(made[0], 2_000), average=True)
        nearest = torch.cdist(fakes, centres.expand(2, -1, -1)).min(2)
        return [
            len(set(index[distance < 0.1].tolist()))
            for distance, index in zip(nearest.values, nearest.indices, strict=True)
        ]

    start = covered()
    gan.advance(1_600)
    end = covered()
    assert min(end) >= 6
    assert min(end) > max(start)


@pytest.mark.parametrize("latent", [1, 2, 3])
def test_a_frame_shows_heat_and_warped_grid_where_it_says(latent):
    gan = TinyGan([small(latent=latent, seed=seed) for seed in (0, 1)])
    gan.advance(3)
    frame = View(gan, 1.5, points=50, side=7, lines=5).frame()
    assert frame.fakes.shape == (2, 50, 2)
    state = gan.state(1)
    corner = torch.tensor([[1.5, -1.0]])  # the last column, the row a sixth of the way up
    with torch.no_grad():
        torch.testing.assert_close(frame.heat[1, 1, 6], state.discriminator(corner).logits[0])
        torch.testing.assert_close(frame.fakes[1], state.generator(fixed_noise(gan.recipes[1], 50)))
        z = torch.zeros(1, latent)
        z[0, :2] = torch.tensor([-1.0, 2.0])[:latent]
        place = (1,) if latent == 1 else (1, 4)
        torch.testing.assert_close(frame.warped[1][place], state.generator(z)[0])
    assert frame.warped.shape == (2, *(5,) * min(latent, 2), 2)


def test_what_depends_on_values_is_not_repeated_from_a_record():
    def choosing(real, fake):
        return (real + fake if real.sum() > 0 else real - fake,)

    def straight(real, fake):
        return (torch.softmax(real, 1) * fake,)

    real, fake = torch.rand(2, 8).split(4, 1)
    assert recorded(choosing, real, fake) is choosing
    found = recorded(straight, real, fake)
    assert found is not straight
    other = torch.randn(2, 8).split(4, 1)
    assert torch.equal(found(*other)[0], straight(*other)[0])


def test_the_benchmark_reports_every_side_and_gives_the_threads_back(monkeypatch):
    monkeypatch.setattr(tiny, "WIDTHS", (8, 16))
    before, said = torch.get_num_threads(), []
    table = tiny.measure(Options(seconds=0.05, threads=2, say=said.append, windows=1))
    assert torch.get_num_threads() == before
    assert [row[0].split(":")[0] for row in table.rows] == ["8 wide"] * 5 + ["16 wide"] * 2
    assert all(len(row) == len(table.columns) and row[1] > 0 for row in table.rows)
    assert "one thread" in said[0]
