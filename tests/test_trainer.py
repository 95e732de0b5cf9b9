"""The training loop: deterministic, exact to resume, honest in what it reports."""

import dataclasses
import math

import pytest
import torch
from torch import nn
from watched import Watch
from watched import tiny as tiny_recipe

from ganplay import checkpoint, trainer
from ganplay.building import build_networks
from ganplay.data.order import Order
from ganplay.data.resident import load
from ganplay.latent.noise import fixed_noise, seeded
from ganplay.losses.wasserstein import Wasserstein
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.probes.gradients import layer_statistics
from ganplay.recipes import recipe
from ganplay.state import State
from ganplay.trainer import sample, train

NUMBERS = ("discriminator_loss", "generator_loss", "penalty", "accuracy_real", "accuracy_fake")

VARIANTS = {
    "adam": {},
    "shared": {"fakes": "shared", "critic_steps": 2, "generator_steps": 2, "instance_noise": 0.1},
    "shared-labels": {"fakes": "shared", "loss": "relativistic", "generator.conditioning": "concat",
                      "discriminator.conditioning": "projection", "generator.dropout": 0.3, "precision": "bf16"},
    "bf16": {"precision": "bf16"},
    "rmsprop-clip": {"loss": "wasserstein", "penalties": "weight-clip", "critic_steps": 2,
                     "generator_optimiser": "rmsprop", "discriminator_optimiser": "rmsprop"},
    "sgd-penalty": {"loss": "wasserstein", "penalties": "gradient-penalty", "discriminator.norm": "layer",
                    "generator_steps": 2, "generator_optimiser": "sgd", "discriminator_optimiser": "sgd",
                    "discriminator_optimiser.momentum": 0.5, "noise": "uniform"},
    "projection-spectral-attention": {
        "loss": "hinge", "critic_steps": 2, "discriminator.norm": "none", "generator.attention": 8,
        "generator.conditioning": "batch-norm-embedding", "discriminator.conditioning": "projection",
        "generator.spectral_norm": True, "discriminator.spectral_norm": True, "discriminator.attention": 8},
    "auxiliary-dropout": {
        "generator.conditioning": "concat", "discriminator.conditioning": "auxiliary", "generator.dropout": 0.2,
        "discriminator.dropout": 0.5, "discriminator.norm": "batch", "class_weight": 0.5, "generator_steps": 2},
    "augment-noise-flips": {
        "augment": "color,translation,cutout", "instance_noise": 0.3, "instance_noise_images": 48, "flip_labels": 0.2,
        "loss.smoothing": 0.1},
    "relative": {
        "loss": "relativistic", "penalties": "r1,r2", "generator.conditioning": "batch-norm-linear",
        "discriminator.conditioning": "channel", "generator_steps": 2},
    "truncated-deviation": {
        "noise": "truncated", "discriminator.minibatch_deviation": True, "penalties": "dragan", "precision": "bf16",
        "decay_images": 32, "generator.conditioning": "hidden-concat", "discriminator.conditioning": "hidden-concat"},
}  # fmt: skip


def tiny(name="adam", **changes):
    return tiny_recipe(**{**VARIANTS[name], **changes})


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
def test_trap_15_a_resumed_run_equals_the_uninterrupted_one_to_the_bit(name, tmp_path):
    made = tiny(name)
    whole, end = run(made)
    begun, middle = run(made, rounds=2)
    checkpoint.save(tmp_path / "middle.safetensors", middle)
    rest, resumed_end = run(made, state=checkpoint.load(tmp_path / "middle.safetensors"))
    assert begun + rest == whole
    assert same(end, resumed_end)
    assert {**end.counters(), "seconds": 0} == {**resumed_end.counters(), "seconds": 0}


@pytest.mark.parametrize("name", VARIANTS)
def test_interleaved_runs_do_not_disturb_each_other(name):
    alone, _ = run(tiny(name))
    first, second = train(tiny(name)), train(tiny(name, seed=1))
    together = [numbers(step) for step, _ in zip(first, second, strict=True)]
    assert together == alone


@pytest.mark.parametrize("name", VARIANTS)
def test_sampling_does_not_change_the_run(name):
    undisturbed, _ = run(tiny(name))
    watched = []
    for step in train(tiny(name)):
        watched.append(numbers(step))
        sample(step.state, fixed_noise(step.state.recipe, 16))
        layer_statistics(step.state.discriminator)
    assert watched == undisturbed


@pytest.mark.parametrize("name", VARIANTS)
def test_a_step_leaves_the_global_random_numbers_alone(name):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    run(tiny(name), rounds=2)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_run_follows_its_seed_whatever_the_global_random_numbers_are():
    torch.manual_seed(1)
    first, _ = run(tiny("auxiliary-dropout"))
    torch.manual_seed(2)
    assert run(tiny("auxiliary-dropout"))[0] == first


def test_dropout_drops_others_in_every_round():
    state = State.initial(tiny("auxiliary-dropout"))
    masks = []
    layer = next(module for module in state.discriminator.modules() if isinstance(module, nn.Dropout))
    layer.register_forward_hook(lambda module, given, out: masks.append((out == 0) & (given[0] != 0)))
    run(state.recipe, state, rounds=3)
    calls = len(masks) // 3
    assert calls == 4  # real and fake for D, twice a fake for G
    for i, one in enumerate(masks):
        assert one.float().mean().item() == pytest.approx(0.5, abs=0.1)
        assert not any(torch.equal(one, other) for other in masks[:i])


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
        state.generator.begin.norm.running_mean.fill_(update)
        state.generator_updates = update
        state.update_average()
        decay = min(0.9, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * state.generator.project.weight.detach()
        torch.testing.assert_close(state.average.project.weight, expected)
        assert (state.average.begin.norm.running_mean == update).all()


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


def test_without_an_average_samples_come_from_the_generators_own_weights():
    for step in train(tiny(ema_decay=0.0, stop_images=24)):
        for mean, current in zip(step.state.average.parameters(), step.state.generator.parameters(), strict=True):
            assert torch.equal(mean, current)


def test_unequal_updates_give_each_network_its_number_of_steps():
    state = State.initial(tiny(critic_steps=3, generator_steps=2, stop_images=48))
    taken = {"generator": 0, "discriminator": 0}

    def count(name):
        taken[name] += 1

    state.generator_optimiser.register_step_post_hook(lambda *_: count("generator"))
    state.discriminator_optimiser.register_step_post_hook(lambda *_: count("discriminator"))
    _, end = run(state.recipe, state)
    assert taken == {"generator": 4, "discriminator": 6}
    assert (end.rounds, end.images, end.generator_updates) == (2, 48, 4)


def test_the_class_term_enters_both_losses_with_its_weight():
    """Written out: minus the logarithm of the label's share of the exponentials; real and fake for D, fake for G."""

    def cross_entropy(said, y):
        rows = [(math.log(sum(math.exp(v) for v in row)) - row[label])
                for row, label in zip(said.class_logits.tolist(), y.tolist(), strict=True)]  # fmt: skip
        return sum(rows) / len(rows)

    def softplus(values):
        return sum(math.log1p(math.exp(v)) for v in values.tolist()) / len(values)

    for weight in (0.0, 1.0, 2.5):
        labels = {"generator.conditioning": "concat", "discriminator.conditioning": "auxiliary"}
        state = State.initial(tiny(class_weight=weight, **labels))
        watch = Watch(state)
        step = next(train(state.recipe, state=state))
        (_, y_real, real), (_, y_fake, fake), (_, y_made, made) = watch.seen
        on_real, on_fake = softplus(-real.logits), softplus(fake.logits)
        judged = on_real + on_fake + weight * (cross_entropy(real, y_real) + cross_entropy(fake, y_fake))
        made_of = softplus(-made.logits) + weight * cross_entropy(made, y_made)
        assert float(step.discriminator_loss) == pytest.approx(judged, rel=1e-5)
        assert float(step.generator_loss) == pytest.approx(made_of, rel=1e-5)


def test_without_weight_the_class_term_teaches_nobody():
    labels = {"generator.conditioning": "concat", "discriminator.conditioning": "auxiliary"}
    for weight, learns in ((0.0, False), (1.0, True)):
        state = next(train(tiny(class_weight=weight, **labels))).state
        assert bool(state.discriminator.classify.weight.grad.abs().sum() > 0) == learns


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_flipped_labels_exchange_the_chosen_share_of_pairs_in_the_discriminators_loss_alone(share, monkeypatch):
    given = {"discriminator": [], "generator": []}
    monkeypatch.setattr(
        Wasserstein,
        "discriminator",
        lambda self, real, fake: given["discriminator"].append((real.logits, fake.logits)) or fake.logits - real.logits,
    )
    monkeypatch.setattr(
        Wasserstein,
        "generator",
        lambda self, fake, real=None: given["generator"].append(fake.logits) or -fake.logits,
    )
    made = tiny(loss="wasserstein", flip_labels=share, batch_size=64, stop_images=64 * 30)
    state = State.initial(made)
    watch = Watch(state)
    steps = list(train(made, state=state))
    exchanged = []
    for index, (real, fake) in enumerate(given["discriminator"]):
        on_real, on_fake, on_made = (watch.seen[3 * index + place][2].logits for place in range(3))
        kept, swapped = (real == on_real) & (fake == on_fake), (real == on_fake) & (fake == on_real)
        assert (kept | swapped).all()
        exchanged.append((swapped & ~kept).float())
        assert torch.equal(given["generator"][index], on_made)
    on_real, on_fake = (watch.seen[3 * (len(steps) - 1) + place][2].logits for place in (0, 1))
    assert steps[-1].accuracy_real == (on_real > 0).float().mean()  # what D thinks, not what it was told
    assert steps[-1].accuracy_fake == (on_fake < 0).float().mean()
    found = torch.cat(exchanged).mean().item()
    assert found == share if share == 0 else found == pytest.approx(share, abs=0.035)  # 3 deviations of 1,920 pairs


def test_everything_the_discriminator_sees_is_augmented_and_the_generator_learns_through_it(monkeypatch):
    monkeypatch.setattr(trainer, "augment", lambda x, kinds, random: 2 * x + len(kinds))
    made = tiny(augment="cutout", loss="relativistic", penalties="r1")
    state = State.initial(made)
    watch = Watch(state)
    next(train(made, state=state))
    real, _ = load(made.dataset, made.shapes.sample).batch(Order(1_500, made.seed).take(0, 8))
    fake, again = watch.made[0][2], watch.made[1][2]
    assert len(watch.seen) == 5  # D on real and fake, the penalty on real, G's step on real and fake
    for (x, *_), bare in zip(watch.seen, (real, fake, real, real, again), strict=True):
        torch.testing.assert_close(x, 2 * bare + 1)
    assert [x.requires_grad for x, *_ in watch.seen] == [False, False, True, False, True]


def test_shared_fakes_are_made_once_and_teach_both_networks():
    made = tiny(fakes="shared", critic_steps=2, generator_steps=2)
    state = State.initial(made)
    watch = Watch(state)
    before = [weight.detach().clone() for weight in state.generator.parameters()]
    next(train(made, state=state))
    assert len(watch.made) == 3  # one a critic step, and one for the generator's second step
    first, second, third = (samples for _, _, samples in watch.made)
    for (x, *_), fakes in zip(
        (watch.seen[place] for place in (1, 3, 4, 5)), (first, second, second, third), strict=True
    ):
        assert torch.equal(x, fakes)
    assert [x.requires_grad for x, *_ in watch.seen] == [False] * 4 + [True] * 2
    moved = [not torch.equal(old, new) for old, new in zip(before, state.generator.parameters(), strict=True)]
    assert all(moved)


def test_a_round_with_shared_fakes_is_that_of_a_plain_loop():
    made = tiny(fakes="shared", precision="fp32", ema_decay=0.0)
    state, plain = State.initial(made), State.initial(made)
    next(train(made, state=state))
    real, _ = load(made.dataset, made.shapes.sample).batch(Order(1_500, made.seed).take(0, made.batch_size))
    fake = plain.generator.train()(torch.randn(made.batch_size, made.latent, generator=plain.noise))
    d, softplus = plain.discriminator.train(), nn.functional.softplus
    (softplus(-d(real).logits).mean() + softplus(d(fake.detach()).logits).mean()).backward()
    plain.discriminator_optimiser.step()
    softplus(-d(fake).logits).mean().backward()
    plain.generator_optimiser.step()
    for owner in ("generator", "discriminator"):
        mine, theirs = (getattr(one, owner).state_dict() for one in (state, plain))
        for name, value in mine.items():
            torch.testing.assert_close(value, theirs[name])


def test_instance_noise_lies_on_real_and_fake_until_it_has_faded():
    made = tiny(instance_noise=0.5, instance_noise_images=32, stop_images=48, batch_size=16)
    state = State.initial(made)
    watch = Watch(state)
    run(made, state)
    data, order = load(made.dataset, made.shapes.sample), Order(1_500, made.seed)
    deviations = []
    for index in range(3):
        real, _ = data.batch(order.take(16 * index, 16))
        bare = (real, watch.made[2 * index][2], watch.made[2 * index + 1][2])
        deviations += [(x - one).std().item() for (x, *_), one in zip(watch.seen[3 * index :], bare, strict=False)]
    expected = [0.5, 0.5, 0.25, 0.25, 0.25, 0, 0, 0, 0]  # G's step comes when D has seen the batch
    assert deviations == pytest.approx(expected, rel=0.05)


def test_learning_rates_fall_in_a_straight_line_to_0_over_the_last_images():
    rates = {"generator_optimiser.learning_rate": 0.01, "discriminator_optimiser.learning_rate": 0.04}
    made = tiny(decay_images=32, stop_images=64, batch_size=8, critic_steps=2, **rates)
    state, taken = State.initial(made), {"generator": [], "discriminator": []}
    for name, found in taken.items():
        getattr(state, f"{name}_optimiser").register_step_pre_hook(
            lambda optimiser, *_, found=found: found.extend(group["lr"] for group in optimiser.param_groups)
        )
    run(made, state)
    assert taken["generator"] == pytest.approx([0.01, 0.01, 0.01, 0.005])  # after 0, 16, 32 and 48 images
    assert taken["discriminator"] == pytest.approx([0.04] * 6 + [0.02] * 2)


def test_unrolling_looks_ahead_with_the_rate_of_the_moment(monkeypatch):
    made = tiny(unroll=1, decay_images=32, stop_images=32, **{"discriminator_optimiser.learning_rate": 0.04})
    seen, look = [], trainer.look_ahead

    def watched(recipe, *rest):
        seen.append(recipe.discriminator_optimiser.learning_rate)
        return look(recipe, *rest)

    monkeypatch.setattr(trainer, "look_ahead", watched)
    run(made)
    assert seen == pytest.approx([0.04, 0.03, 0.02, 0.01])


def test_labels_of_the_generators_step_follow_those_of_the_data():
    made = tiny(**{"generator.conditioning": "concat", "discriminator.conditioning": "projection",
                   "batch_size": 64, "stop_images": 64 * 30})  # fmt: skip
    data = load(made.dataset, made.shapes.sample)
    labels = torch.tensor([0] * 70 + [3] * 25 + [9] * 5).repeat(15)
    skewed = dataclasses.replace(data, labels=labels)
    state = State.initial(made)
    watch = Watch(state)
    list(train(made, state=state, data=skewed))
    drawn = torch.cat([y for _, y, _ in watch.made[1::2]])
    assert len(drawn) == 64 * 30
    shares = torch.bincount(drawn, minlength=10) / len(drawn)
    for label, share in ((0, 0.7), (3, 0.25), (9, 0.05)):
        assert shares[label].item() == pytest.approx(share, abs=0.03)
    assert shares[[0, 3, 9]].sum() == 1
    beside = torch.cat([y for _, y, _ in watch.made[0::2]])
    assert not torch.equal(drawn, beside)  # not simply those of the real batch again


def test_samples_are_the_averaged_generators_in_eval_mode():
    state = run(tiny("auxiliary-dropout"))[1]
    z = fixed_noise(state.recipe, 12)
    modes = [(name, module.training) for name, module in state.generator.named_modules()]
    before = torch.random.get_rng_state()
    made = sample(state, z)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert [(name, module.training) for name, module in state.generator.named_modules()] == modes
    assert state.discriminator.training
    fresh, _ = build_networks(state.recipe)
    fresh.load_state_dict(state.average.state_dict())
    y = torch.arange(12) % 10
    with torch.no_grad():
        torch.testing.assert_close(made, fresh.eval()(z, y))
        assert (made - state.generator(z, y)).abs().max() > 1e-4
    torch.testing.assert_close(sample(state, z[3:4], y[3:4]), made[3:4])  # no sample sees its neighbours
    assert not made.requires_grad


def test_truncated_noise_is_the_normal_distribution_between_its_cuts():
    """Kolmogorov and Smirnov's distance to (Phi(z) - Phi(-2)) / (Phi(2) - Phi(-2))."""
    z = seeded(tiny(noise="truncated", latent=1_000), 0, 30).flatten().double().sort().values
    assert z.abs().max() <= 2

    def phi(values):
        return (1 + torch.erf(values / 2**0.5)) / 2

    edge = torch.tensor(2.0, dtype=torch.float64)
    expected = (phi(z) - phi(-edge)) / (phi(edge) - phi(-edge))
    distance = (expected - (torch.arange(len(z)) + 0.5) / len(z)).abs().max().item()
    assert distance < 1.63 / len(z) ** 0.5  # exceeded once in a hundred seeds; a plain normal has 0.023
    density = math.exp(-2) / math.sqrt(2 * math.pi)
    assert z.var().item() == pytest.approx(1 - 4 * density / math.erf(2**0.5), rel=0.02)


def test_a_generator_under_spectral_norm_samples_the_same_from_its_checkpoint(tmp_path):
    state = run(tiny("projection-spectral-attention"))[1]
    checkpoint.save(tmp_path / "end.safetensors", state)
    loaded = checkpoint.load_generator(tmp_path / "end.safetensors")
    z, y = fixed_noise(state.recipe, 10), torch.arange(10)
    with torch.no_grad():
        assert torch.equal(loaded.module(z, y), sample(state, z, y))


def test_order_shows_every_sample_once_an_epoch_and_any_position_directly():
    order = Order(10, seed=2)
    whole = order.take(0, 30)
    assert all(sorted(whole[start : start + 10].tolist()) == list(range(10)) for start in (0, 10, 20))
    assert whole[:10].tolist() != whole[10:20].tolist()
    assert Order(10, seed=2).take(13, 9).tolist() == whole[13:22].tolist()
    assert Order(3, seed=0).take(0, 64).shape == (64,)


def test_sliced_wasserstein_of_a_shift_is_the_mean_projected_shift():
    points = torch.randn(1_000, 2, generator=torch.Generator().manual_seed(0))
    shifted = points + torch.tensor([3.0, 0.0])
    score = SlicedWasserstein(directions=1_000)(points, shifted)
    assert score == pytest.approx(3 * 2 / torch.pi, rel=0.05)  # E |cos| of a uniform direction
    assert SlicedWasserstein()(points, points) == 0
