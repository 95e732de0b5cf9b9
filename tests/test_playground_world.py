"""A playground computes what its script says, whenever and in whatever order one looks at it."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch
from torch.nn.functional import softplus

from ganplay.data import datasets
from ganplay.data.order import Order
from ganplay.data.resident import load
from ganplay.latent.noise import draw, fixed_noise
from ganplay.losses import losses
from ganplay.metrics.modes import mode_counts
from ganplay.playground import film, frames
from ganplay.playground.groups import extent, points
from ganplay.playground.limits import MOST_ITERATIONS
from ganplay.playground.measures import COMPARED, measure, of_points
from ganplay.playground.past import COLUMNS, MOST_POINTS, Moments, Series
from ganplay.playground.script import Script, new
from ganplay.playground.session import Session
from ganplay.playground.stages import STAGES, SlowMotion
from ganplay.playground.world import World
from ganplay.randomness import generator_for
from ganplay.recipes import recipe
from ganplay.trainer import train

SMALL = {"generator.widths": "12,9", "discriminator.widths": "11,8", "batch_size": 32}
RING = recipe("toy-ring").change(SMALL)
CRITIC = RING.change({"loss": "wasserstein", "penalties": "gradient-penalty", "critic_steps": 1})


def weights(world):
    return [tensor for gan, place in world.members() for tensor in gan.state(place).tensors().values()]


def assert_same(left, right):
    for one, other in zip(weights(left), weights(right), strict=True):
        assert torch.equal(one, other)


def arrived(script, share=0.02):
    """The world of a script, computed in small shares as the host does."""
    world = World(script if isinstance(script, Script) else Script.read(script))
    while world.target is not None:
        world.work(share)
    return world


def gone(world, at):
    world.seek(at)
    while world.target is not None:
        world.work(0.02)
    return world


@pytest.fixture(scope="module")
def lived():
    """A world in which much has happened: single updates, changes in place, and such that need another engine."""
    world = World(new(RING, CRITIC))
    world.advance(60)
    world.step("discriminator")
    world.step("generator")
    world.step("generator")
    world.advance(30)
    world.change({"generator_optimiser.learning_rate": 2e-4, "loss": "hinge"}, 1)
    world.advance(25)
    world.change({"batch_size": 16}, 0)  # the two part company
    world.advance(25)
    world.change({"dataset": "grid"})
    world.step("both")
    world.advance(29)
    return world


def test_replay_equals_the_live_world_to_the_bit(lived):
    replayed = arrived(lived.present().text())
    assert replayed.at == lived.at == 170
    assert_same(replayed, lived)


def test_travelling_back_and_forth_changes_nothing(lived):
    world = arrived(lived.present())
    past = arrived(lived.script.moved(75))
    gone(world, 75)
    assert_same(world, past)
    assert world.last == 170
    gone(world, 170)
    assert_same(world, lived)


def test_an_untouched_world_is_an_ordinary_training():
    made = RING.change({"stop_images": 32 * 20, "score_every": 0, "precision": "fp32"})
    world = World(new(made))
    world.advance(20)
    for step in train(made):
        last = step.state
    for name, value in last.tensors().items():
        torch.testing.assert_close(world.groups[0].gan.state().tensors()[name], value, rtol=2e-4, atol=2e-5)


def test_members_of_one_shape_train_together_and_others_apart():
    assert len(World(new(RING, CRITIC)).groups) == 1
    assert len(World(new(RING, RING.change({"generator.widths": "5"}))).groups) == 2


def test_both_members_see_the_same_noise_and_data():
    motion = SlowMotion(World(new(RING, CRITIC)))
    assert motion.batches[0] == motion.batches[1]
    assert motion.numbers[0] == motion.numbers[1]  # with the first noise vector


def test_a_change_in_the_past_begins_another_future():
    world = World(new(RING))
    world.advance(120)
    gone(world, 40)
    world.change({"discriminator_optimiser.learning_rate": 5e-3})
    assert (world.at, world.last) == (40, 40)
    assert world.series[0].rows()[-1]["at"] <= 40
    world.advance(80)
    assert_same(world, arrived(world.present().text()))
    untouched = World(new(RING))
    untouched.advance(120)
    assert any(not torch.equal(a, b) for a, b in zip(weights(world), weights(untouched), strict=True))


def test_a_refused_change_leaves_everything_as_it_was():
    world = World(new(RING, CRITIC))
    world.advance(10)
    before, text = [tensor.clone() for tensor in weights(world)], world.present().text()
    for changes in (
        {"seed": 5},
        {"generator.widths": "7"},
        {"loss": "nothing"},
        {"batch_size": -1},
        {"dataset": "digits"},
    ):
        with pytest.raises(ValueError, match=r"\."):
            world.change(changes)
    with pytest.raises(ValueError, match="data"):
        world.change({"dataset": "grid"}, 0)
    assert world.present().text() == text
    for one, other in zip(weights(world), before, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 48}, {"critic_steps": 3}, {"generator_steps": 2}, {"fakes": "shared"}, {"noise": "uniform"},
        {"dataset": "two-moons"}, {"generator_optimiser": "rmsprop"}, {"loss": "relativistic"}, {"ema_decay": 0.5},
        {"penalties": "gradient-penalty"}, {"instance_noise": 0.3}, {"discriminator.activation": "tanh"},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_settings_change_in_mid_run_without_a_reset(changes):
    world = World(new(RING))
    world.advance(15)
    before = fakes(world)
    world.change(changes)
    assert world.at == 15
    if "noise" not in changes:
        torch.testing.assert_close(fakes(world), before)
    world.advance(10)
    assert world.recipes[0] == RING.change(changes)
    assert_same(world, arrived(world.present().text()))


def fakes(world):
    gan, place = next(world.members())
    return gan.fakes(torch.linspace(-1, 1, 10).view(5, 2))[place].clone()


@pytest.mark.parametrize(
    "cure", [{"discriminator.pack": 2}, {"discriminator.minibatch_deviation": True}, {"unroll": 2}], ids=str
)
def test_cures_of_collapse_replay_and_slow_down_like_all_others(cure):
    session = Session({"script": new(RING, RING.change(cure)).text()})
    world = session.world
    world.advance(6)
    motion = SlowMotion(world)
    for _ in range(STAGES - 1):
        motion.next()
    world.step("generator")
    world.advance(4)
    member = frame_of(session)["members"][1]
    assert len(decoded(member["heat"], np.uint8)) == member["heat_side"] ** 2
    assert member["loss_g"] is not None
    assert_same(world, arrived(session.text()))
    assert_same(gone(gone(world, 2), 11), arrived(session.text()))


def test_two_half_steps_are_no_iteration_but_both_are():
    world, whole = World(new(RING)), World(new(RING))
    world.step("discriminator")
    world.step("generator")
    whole.step("both")
    assert (world.at, whole.at) == (0, 1)
    for (_, one), (_, other) in zip(
        world.groups[0].gan.state().generator.named_parameters(),
        whole.groups[0].gan.state().generator.named_parameters(),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_a_world_that_is_on_its_way_lets_nobody_interfere():
    world = World(Script.read("50~r;g.widths=8;d.widths=8"))
    for act in (lambda: world.change({"loss": "hinge"}), lambda: world.step("both"), lambda: world.step("generator")):
        with pytest.raises(ValueError, match="on its way to iteration 50"):
            act()


@pytest.mark.parametrize("at", [-1, MOST_ITERATIONS + 1])
def test_nobody_travels_out_of_bounds(at):
    with pytest.raises(ValueError, match="0 to 200,000"):
        World(new(RING)).seek(at)


# Slow motion


def test_slow_motion_computes_what_full_speed_does():
    made = RING.change({"critic_steps": 2})
    slow, fast = World(new(made, made)), World(new(made, made))
    motion = SlowMotion(slow)
    for _ in range(STAGES * 3 - 1):
        motion.next()
    fast.advance(3)
    assert slow.at == 3
    assert_same(slow, fast)


def test_looking_at_a_batch_leaves_it_to_be_trained_on():
    world = World(new(RING))
    for _ in range(3):
        SlowMotion(world).next()
    untouched = World(new(RING))
    world.advance(2)
    untouched.advance(2)
    assert_same(world, untouched)


def test_slow_motion_tells_the_true_numbers_of_the_batch():
    world = World(new(RING))
    world.advance(7)
    state = world.groups[0].gan.state()
    real = points(RING.dataset).values[_order(RING, 7)]
    z = draw(RING, 32, state.noise)
    with torch.no_grad():
        fake = state.generator(z)
        on_real, on_fake = state.discriminator(real).logits, state.discriminator(fake).logits
    motion = SlowMotion(world)
    assert motion.numbers[0]["mean"] == pytest.approx(real.mean(0).tolist(), abs=1e-4)
    motion.next()
    motion.next()
    told = motion.numbers[0]
    assert told["mean logit of real"] == pytest.approx(float(on_real.mean()), abs=1e-4)
    assert told["loss of D"] == pytest.approx(float((softplus(-on_real) + softplus(on_fake)).mean()), abs=1e-3)
    (softplus(-state.discriminator(real).logits) + softplus(state.discriminator(fake).logits)).mean().backward()
    norm = sum(float(p.grad.square().sum()) for p in state.discriminator.parameters()) ** 0.5
    motion.next()
    assert motion.numbers[0]["gradient norm of D"] == pytest.approx(norm, rel=1e-3)


def _order(made, iterations):
    return Order(50_000, made.seed).take(iterations * made.batch_size, made.batch_size)


def test_leaving_slow_motion_ends_the_update_that_has_begun():
    session = Session({"script": new(RING).text()})
    session.do({"do": "slow", "on": True})
    for _ in range(3):
        session.do({"do": "step", "which": "both"})
    assert (session.slow.stage, session.world.at) == (3, 0)
    session.do({"do": "slow", "on": False})
    assert session.world.at == 1
    session.world.advance(4)
    assert_same(session.world, arrived(session.text()))


# What is remembered


def test_moments_stay_few_and_evenly_spread():
    world = World(new(RING.change({"generator.widths": "2", "discriminator.widths": "2"})))
    world.moments._interval = 1
    world.advance(200)
    kept = [moment.at for moment in world.moments]
    assert kept[0] == 0
    assert 24 <= len(kept) <= 48
    assert len(set(np.diff(kept))) == 1


def test_large_moments_are_kept_in_fewer_places():
    moment, moments = World(new(RING)).moment(), Moments()
    huge = [type("Huge", (), {"at": at, "size": lambda self: 10**9})() for at in range(0, 4_000, 50)]
    for one in (moment, *huge[1:]):
        if moments.wanted(one.at):
            moments.keep(one)
    assert 2 <= len(list(moments)) <= 4
    assert moments.before(49) is moment


def test_series_are_means_of_equal_parts_and_repeats_change_nothing():
    values = np.random.default_rng(0).random((len(COLUMNS), 3_000))
    series = Series()
    for start in range(0, 3_000, 7):
        series.add(start, values[:, start : start + 7])
        series.add(max(0, start - 20), np.full((len(COLUMNS), min(20, start)), 9.0))  # already known
    rows = series.rows()
    assert len(rows) == 375 <= MOST_POINTS
    expected = values.reshape(len(COLUMNS), -1, 8).mean(2)
    assert [row["at"] for row in rows] == list(range(8, 3_001, 8))
    assert [row["loss_d"] for row in rows] == pytest.approx(expected[0].tolist(), rel=1e-4)


# Measures and frames


def test_measures_are_those_of_independent_computations():
    world = World(new(RING))
    world.advance(30)
    found = measure(world)[0]
    state = world.groups[0].gan.state()
    with torch.no_grad():
        made = state.generator(draw(RING, 2_500, generator_for(RING.seed, "playground measures")))
    distances = (made[:, None] - torch.from_numpy(RING.dataset.centres()).float()).norm(dim=2)
    nearest, good = distances.argmin(1), distances.min(1).values <= 0.03
    assert found.modes == len(set(nearest[good].tolist()))
    assert found.high_quality == pytest.approx(float(good.float().mean()), abs=1e-3)
    shares = np.bincount(nearest.numpy(), minlength=8) / 2_500
    assert found.reverse_kl == pytest.approx(sum(q * np.log(8 * q) for q in shares if q), abs=1e-3)
    assert found.of == 8


def test_real_points_measure_as_perfect_and_one_mode_as_collapse():
    dataset = datasets["ring"]()
    perfect = of_points(dataset, load(dataset, (2,)).values[:2_500])
    assert (perfect.modes, perfect.of) == (8, 8)
    assert perfect.high_quality > 0.97
    assert abs(perfect.kl) < 0.15
    assert abs(perfect.js) < 0.05
    one = torch.from_numpy(dataset.centres()[0]).float() + 0.01 * torch.randn(2_500, 2)
    collapsed = of_points(dataset, one)
    assert collapsed.modes == mode_counts(one, torch.from_numpy(dataset.centres()), 0.01).covered == 1
    assert collapsed.reverse_kl == pytest.approx(np.log(8), abs=1e-4)
    assert collapsed.kl > 1
    assert COMPARED <= 2_500


@pytest.mark.parametrize("name", ["two-moons", "line", "drawn"])
def test_sets_without_modes_have_none_counted(name):
    dataset = datasets[name]()
    found = of_points(dataset, torch.randn(2_500, 2))
    assert found.modes is found.of is found.high_quality is found.reverse_kl is None
    assert found.kl > 0


def decoded(text, kind="<i2"):
    return np.frombuffer(base64.b64decode(text), kind)


def frame_of(session):
    return json.loads(session.frame())


@pytest.mark.parametrize("name", losses.names())
def test_frames_show_what_the_nets_do(name):
    session = Session({"script": new(RING.change({"loss": name}), RING).text()})
    session.world.advance(5)
    session.seq += 1
    frame = frame_of(session)
    member, state, width = frame["members"][0], session.world.groups[0].gan.state(), frame["extent"]
    assert len(session.frame()) < 22_000
    with torch.no_grad():
        made = state.generator(fixed_noise(session.world.recipes[0], frames.POINTS)).numpy()
        axis = torch.linspace(-width, width, frames.SIDE)
        column, row = 30, 7
        logit = float(state.discriminator(torch.stack([axis[column], axis[row]]).unsqueeze(0)).logits)
    shown = decoded(member["fakes"]).reshape(-1, 2) / 32_767 * width
    np.testing.assert_allclose(shown, made.clip(-width, width), atol=1e-3)
    level = decoded(member["heat"], np.uint8).reshape(frames.SIDE, -1)[row, column]
    loss = session.world.recipes[0].loss
    if loss.scores:
        expected = (logit - member["low"]) / (member["high"] - member["low"])
    else:
        expected = logit if loss.boundary else float(torch.sigmoid(torch.tensor(logit)))
    assert level / 255 == pytest.approx(min(1, max(0, expected)), abs=0.01)


@pytest.mark.parametrize("name", [name for name in losses.names() if not losses[name].relative])
def test_arrows_are_the_true_gradient_of_the_generators_loss(name):
    session = Session({"script": new(RING.change({"loss": name})).text()})
    session.world.advance(5)
    frame = frame_of(session)
    member, state = frame["members"][0], session.world.groups[0].gan.state()
    made = state.generator(fixed_noise(RING, frames.POINTS))[: frames.ARROWS].detach().requires_grad_()
    loss = session.world.recipes[0].loss
    (pull,) = torch.autograd.grad(loss.generator(state.discriminator(made)).sum(), made)
    arrows = decoded(member["arrows"]).reshape(-1, 4)
    np.testing.assert_allclose(arrows[:, 2:] / 32_767 * member["arrow_scale"], -pull.numpy(), atol=1e-4)
    np.testing.assert_allclose(arrows[:, :2] / 32_767 * frame["extent"], made.detach().numpy(), atol=1e-3)


def test_frames_of_a_world_that_exploded_are_still_json():
    session = Session(
        {"script": new(RING.change({"generator_optimiser.learning_rate": 1.0, "loss": "wasserstein"})).text()}
    )
    session.world.groups[0].gan._training.generators.weights.fill_(float("nan"))
    session.world.groups[0].gan._training.discriminators.weights.fill_(float("nan"))
    session.world.advance(3)
    session.measure()
    member = frame_of(session)["members"][0]
    assert (decoded(member["fakes"]) == -32_768).all()
    assert member["loss_d"] is None
    assert member["measures"]["high_quality"] == 0
    assert session.curves(0)["losses"][-1]["loss_d"] is None


def test_the_plane_holds_the_data():
    for name in ("ring", "grid", "spiral", "drawn"):
        dataset = datasets[name]()
        share = (load(dataset, (2,), "test").values.abs().amax(1) < extent(dataset)).float().mean()
        assert share > 0.99


# Animations


def test_an_animation_shows_the_moments_as_they_were():
    world = World(new(RING, CRITIC))
    world.advance(120)
    world.change({"batch_size": 16}, 1)
    world.advance(30)
    taken = list(film.shots(world))
    assert [shot.at for shot in taken] == [0, 50, 100, 150]
    past = arrived(world.script.moved(100))
    for member, (gan, place) in enumerate(past.members()):
        expected = gan.fakes(fixed_noise(gan.recipes[place], 500))[place]
        torch.testing.assert_close(taken[2].planes[member].fakes, expected)
    picture = film.draw(taken)
    assert picture[:4] == b"RIFF"
    assert picture[8:12] == b"WEBP"
    assert 1_000 < len(picture) < 3_000_000


def test_there_is_no_animation_of_nothing():
    with pytest.raises(ValueError, match="press play"):
        next(film.shots(World(new(RING))))
