"""The known traps of GAN training, by their numbers in the project's list; each test is named after its trap.

Those of single parts stand beside their part: 3 and 13 (norms and second derivatives) with the penalties, 7 and 8
(logits, signs) with the losses, 5 (power iteration) with the blocks, 11 (names of scores) with the metrics, 15 (exact
resume) with the trainer. Trap 14, distributed training, cannot be stepped into: a run is one process on one device.
What it asks for, one backward pass for loss and penalty, is tested all the same.
"""

from __future__ import annotations

import copy
import traceback
from pathlib import Path

import pytest
import torch
from test_trainer import VARIANTS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils._python_dispatch import TorchDispatchMode
from watched import Watch, narrow, tiny

import ganplay
from ganplay import trainer
from ganplay.building import build_networks
from ganplay.charts import curves
from ganplay.charts.style import Series
from ganplay.contracts import Shapes
from ganplay.data.order import Order
from ganplay.data.resident import load
from ganplay.losses.non_saturating import NonSaturating
from ganplay.models import discriminators
from ganplay.options import option_fields
from ganplay.penalties import penalties
from ganplay.penalties.r1 import R1
from ganplay.precision import autocast
from ganplay.recipes import recipe, recipes
from ganplay.state import State
from ganplay.trainer import train

PER_SAMPLE = [name for name in penalties.names() if penalties[name].per_sample]
TOLD = {"generator.conditioning": "concat", "discriminator.conditioning": "projection"}


def test_trap_01_real_and_fake_batches_are_normalised_apart():
    made = tiny(**{"discriminator.norm": "batch", "discriminator.norm_first": True, "batch_size": 16})
    state = State.initial(made)
    watch, given, normalised = Watch(state), [], []
    norm = state.discriminator.stages[0].finish.norm
    assert isinstance(norm, nn.BatchNorm2d)
    norm.register_forward_hook(lambda _, x, out: given.append(x[0].detach()) or normalised.append(out.detach()))
    next(train(made, state=state))
    assert [len(x) for x in given] == [16, 16, 16]  # real, fake, and the generator's fake: never 32
    real, _ = load(made.dataset, made.shapes.sample).batch(Order(1_500, made.seed).take(0, 16))
    assert torch.equal(watch.seen[0][0], real)
    assert torch.equal(watch.seen[1][0], watch.made[0][2])
    for out in normalised[:2]:  # gain 1 and bias 0 until the first step: each batch has mean 0 by itself
        assert out.mean((0, 2, 3)).abs().max() < 1e-5
    together = nn.BatchNorm2d(8)(torch.cat(given[:2]))[:16]
    assert together.mean((0, 2, 3)).abs().max() > 0.1  # what one batch of both would have made of the real half


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_trap_02_no_batch_norm_under_a_penalty_on_single_samples(name):
    with pytest.raises(
        ValueError, match=f"The penalty '{name}' constrains the gradient of each sample, but batch norm"
    ):
        build_networks(tiny(penalties=name, **{"discriminator.norm": "batch"}))
    for norm in ("none", "layer", "instance"):
        build_networks(tiny(penalties=name, **{"discriminator.norm": norm}))


def test_trap_02_no_recipe_has_both():
    with torch.device("meta"):
        for name in recipes.names():
            made = recipe(name)
            if any(penalty.per_sample for penalty in made.penalties):
                judge = made.discriminator.build(made.shapes)
                assert not any(isinstance(module, _BatchNorm) for module in judge.modules()), name


@pytest.mark.parametrize("norm", ["none", "instance", "layer"])
@pytest.mark.parametrize("name", discriminators.names())
def test_trap_02_without_batch_norm_no_logit_depends_on_another_sample(name, norm):
    """What a penalty on single samples takes for granted, whatever a network is made of."""
    fields = {field.name: field for field, _ in option_fields(discriminators[name])}
    chosen = {"norm": norm} if "norm" in fields and norm in fields["norm"].metadata["option"].choices else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        judge = discriminators[name](**narrow(name, discriminators), **chosen, dropout=0.0)
        judge = judge.build(Shapes((1, 32, 32), 8)).double().train()
    x = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    try:
        together = judge(x).logits
    except ValueError as error:  # instance norm of a map of one place
        assert norm == "instance" and "spatial element" in str(error)
        return
    torch.testing.assert_close(torch.cat([judge(one[None]).logits for one in x]), together)


def test_trap_04_fakes_for_the_discriminator_carry_no_graph_and_move_only_statistics():
    made = tiny(critic_steps=2, **{"generator.spectral_norm": True})
    state = State.initial(made)
    watch, seen = Watch(state), []

    def compare(*_):
        weights = [parameter.detach().clone() for parameter in state.generator.parameters()]
        buffers = {name: value.clone() for name, value in state.generator.named_buffers()}
        seen.append((weights, buffers, [parameter.grad for parameter in state.generator.parameters()]))

    compare()
    state.discriminator_optimiser.register_step_post_hook(compare)
    next(train(made, state=state))
    for weights, buffers, gradients in seen[1:]:
        assert all(torch.equal(now, before) for now, before in zip(weights, seen[0][0], strict=True))
        assert gradients == [None] * len(gradients)
        moving = [name for name in buffers if not name.startswith("last.")]  # one row: its power iteration has ended
        assert not any(torch.equal(buffers[name], seen[0][1][name]) for name in moving)  # no_grad does not stop these
    assert [x.requires_grad for x, *_ in watch.seen] == [False] * 4 + [True]
    assert state.generator.begin.norm.num_batches_tracked == 3  # as when a fake is made and detached


def test_trap_04_the_generators_step_leaves_the_discriminators_gradients_and_weights_alone():
    made = tiny(generator_steps=2)
    state = State.initial(made)
    watch, left = Watch(state), []

    def keep(*_):
        left.append([(p.detach().clone(), p.grad.clone()) for p in state.discriminator.parameters()])

    state.discriminator_optimiser.register_step_post_hook(keep)
    next(train(made, state=state))
    assert watch.asked == [True, True, False, False]
    for parameter, (weight, gradient) in zip(state.discriminator.parameters(), left[0], strict=True):
        assert torch.equal(parameter, weight)
        assert torch.equal(parameter.grad, gradient)
    assert all(parameter.grad.abs().sum() > 0 for parameter in state.generator.parameters())


def test_trap_06_the_average_copies_the_vectors_of_the_power_iteration_and_averages_only_weights():
    made = tiny(ema_decay=0.9, stop_images=80, **{"generator.spectral_norm": True, "generator.attention": 8})
    state = State.initial(made)
    expected = {name: value.detach().clone() for name, value in state.generator.named_parameters()}
    for step in train(made, state=state):
        decay = min(0.9, (1 + step.round) / (10 + step.round))
        for name, value in state.generator.named_parameters():
            expected[name] = decay * expected[name] + (1 - decay) * value.detach()
    vectors = [name for name, _ in state.average.named_buffers() if name.endswith(("._u", "._v"))]
    assert len(vectors) == 2 * 7  # noise, one doubling, four of attention, the image
    buffers = dict(state.generator.named_buffers())
    for name, value in state.average.named_buffers():
        assert torch.equal(value, buffers[name]), name
    for name in vectors:
        assert dict(state.average.named_buffers())[name].norm().item() == pytest.approx(1, abs=1e-5)
    for name, value in state.average.named_parameters():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-7)
    assert not state.average.training
    assert not any(parameter.requires_grad for parameter in state.average.parameters())


@pytest.mark.parametrize("changes", [TOLD, {**TOLD, "loss": "relativistic", "penalties": "r1,r2"}],
                         ids=["plain", "relative"])  # fmt: skip
def test_trap_09_fakes_carry_the_labels_that_the_generator_was_given(changes):
    made = tiny(critic_steps=2, generator_steps=2, stop_images=32, **changes)
    state = State.initial(made)
    watch = Watch(state)
    list(train(made, state=state))
    data = load(made.dataset, made.shapes.sample)
    known, labels = data.batch(torch.arange(len(data)))
    fakes = 0
    for x, y, _ in watch.seen:
        maker = watch.maker_of(x)
        if maker is not None:
            assert torch.equal(y, maker[1])
            fakes += 1
        else:
            same = (x[:, None] == known[None]).flatten(2).all(2)  # (8, 1500)
            assert same.any(1).all()
            assert torch.equal(y, labels[same.int().argmax(1)])
    rounds = 2
    assert fakes == rounds * (2 + 2 + 2 * ("penalties" in changes))
    assert len({tuple(y.tolist()) for _, y, _ in watch.made}) > 1


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_trap_09_the_class_term_takes_raw_logits_with_the_stated_weight(weight):
    """A classifier that is sure and right costs nothing; one that is wrong by 20 costs 20 times the weight."""
    made = tiny(class_weight=weight, **{**TOLD, "discriminator.conditioning": "auxiliary"})
    losses = []
    for shift in (0, 1):
        state = State.initial(made)

        def sure(module, given, said, shift=shift):
            right = 20.0 * nn.functional.one_hot((given[1] + shift) % 10, 10) + 0 * said.class_logits
            return type(said)(said.logits, right, said.features)

        state.discriminator.register_forward_hook(sure)
        step = next(train(made, state=state))
        losses.append((float(step.discriminator_loss), float(step.generator_loss)))
    assert losses[1][0] - losses[0][0] == pytest.approx(weight * 2 * 20, rel=1e-4)  # real and fake
    assert losses[1][1] - losses[0][1] == pytest.approx(weight * 20, rel=1e-4)


def test_trap_10_the_two_networks_step_by_their_own_learning_rates():
    """Two time scales: with plain gradient descent each weight moves by its network's rate times its gradient."""
    rates = {"generator": 0.25, "discriminator": 0.0625}
    chosen = {f"{net}_optimiser": "sgd" for net in rates}
    chosen |= {f"{net}_optimiser.learning_rate": rate for net, rate in rates.items()}
    state = State.initial(tiny(**chosen))
    before = {net: [p.detach().clone() for p in getattr(state, net).parameters()] for net in rates}
    next(train(state.recipe, state=state))
    for net, rate in rates.items():
        for old, new in zip(before[net], getattr(state, net).parameters(), strict=True):
            torch.testing.assert_close(new.detach(), old - rate * new.grad)
    adam = State.initial(tiny(**{f"{net}_optimiser.learning_rate": rate for net, rate in rates.items()}))
    for net, rate in rates.items():
        (group,) = getattr(adam, f"{net}_optimiser").param_groups
        assert group["lr"] == rate
        assert {id(p) for p in group["params"]} == {id(p) for p in getattr(adam, net).parameters()}


@pytest.mark.parametrize("steps", [1, 3])
def test_trap_10_the_number_of_critic_steps_is_a_setting(steps):
    state = State.initial(tiny(critic_steps=steps))
    watch = Watch(state)
    step = next(train(state.recipe, state=state))
    assert len(watch.seen) == 2 * steps + 1
    assert step.images == 8 * steps
    real = [x for x, *_ in watch.seen[: 2 * steps : 2]]
    assert all(not torch.equal(one, other) for i, one in enumerate(real) for other in real[:i])  # new data each time


@pytest.fixture
def bf16():
    labels = {**TOLD, "discriminator.conditioning": "auxiliary"}
    return tiny(precision="bf16", penalties="r1", critic_steps=2, class_weight=2.0, **labels)


def test_trap_12_losses_and_penalties_are_fp32_and_outside_autocast(bf16, monkeypatch):
    taken = {name: [] for name in ("discriminator", "generator", "penalty", "class")}

    def spied(name, original, tensors):
        def call(*given, **named):
            value = original(*given, **named)
            inside = torch.is_autocast_enabled("cpu")
            taken[name].append((*(tensor.dtype for tensor in tensors(*given)), value.dtype, inside))
            return value

        return call

    def logits(_, *said):
        return [one.logits for one in said if one is not None]

    for name in ("discriminator", "generator"):
        monkeypatch.setattr(NonSaturating, name, spied(name, getattr(NonSaturating, name), logits))
    monkeypatch.setattr(R1, "__call__", spied("penalty", R1.__call__, lambda _, d, real, fake, y, r: [real, fake]))
    monkeypatch.setattr(trainer, "cross_entropy", spied("class", trainer.cross_entropy, lambda said, y: [said]))
    state = State.initial(bf16)
    arithmetic = []
    convolution = state.discriminator.stages[0].convolution
    convolution.register_forward_hook(lambda _, given, out: arithmetic.append(out.dtype))
    step = next(train(bf16, state=state))
    half, full = torch.bfloat16, torch.float32
    assert arithmetic == 2 * [half, half, full] + [half]  # real, fake, the penalty; then the generator's
    assert taken == {
        "discriminator": 2 * [(full, full, full, False)],
        "generator": [(full, full, False)],
        "penalty": 2 * [(full, full, full, False)],
        "class": 5 * [(full, full, False)],
    }
    assert step.discriminator_loss.dtype == step.penalty.dtype == full


def test_trap_12_no_optimiser_steps_inside_autocast_and_no_stale_weights_are_used(bf16):
    state = State.initial(bf16)
    inside, calls = [], []
    for optimiser in (state.generator_optimiser, state.discriminator_optimiser):
        optimiser.register_step_pre_hook(lambda *_: inside.append(torch.is_autocast_enabled("cpu")))
    state.discriminator.register_forward_pre_hook(
        lambda net, given: calls.append((torch.is_autocast_enabled("cpu"), given, copy.deepcopy(net.state_dict())))
    )
    watch = Watch(state)
    next(train(bf16, state=state))
    assert inside == [False] * 3
    fresh = build_networks(bf16)[1].to(memory_format=torch.channels_last)
    for (cast, given, weights), (*_, said) in zip(calls, watch.seen, strict=True):
        fresh.load_state_dict(weights)
        if cast:
            with autocast("bf16"):
                assert torch.equal(fresh(*given).logits, said.logits)
    assert all(parameter.dtype == torch.float32 for parameter in state.discriminator.parameters())


def test_trap_12_the_power_iteration_of_spectral_norm_is_fp32(bf16, monkeypatch):
    """Where the products of a matrix and a vector are cast too, its vectors would stay bf16."""
    products, product = [], torch.mv
    monkeypatch.setattr(
        torch, "mv", lambda *given: products.append(torch.is_autocast_enabled("cpu")) or product(*given)
    )
    state = State.initial(bf16.change({"discriminator.spectral_norm": True, "generator.spectral_norm": True}))
    products.clear()
    next(train(state.recipe, state=state))
    assert len(products) > 20
    assert not any(products)
    vectors = [value for net in (state.generator, state.discriminator) for value in net.buffers() if value.ndim == 1]
    assert {vector.dtype for vector in vectors} == {torch.float32}


def test_trap_14_loss_and_penalty_share_one_backward_pass(monkeypatch):
    passes, backward = [], torch.Tensor.backward
    monkeypatch.setattr(torch.Tensor, "backward", lambda self, *_, **__: passes.append(1) or backward(self))
    next(train(tiny(penalties="gradient-penalty,r1", critic_steps=3, generator_steps=2)))
    assert len(passes) == 3 + 2
    sources = "".join(path.read_text("utf-8") for path in Path(ganplay.__file__).parent.rglob("*.py"))
    assert "torch.distributed" not in sources  # one process a run: see the top of this file
    assert "DistributedDataParallel" not in sources


class Readbacks(TorchDispatchMode):
    """Finds where a value is read back from the device, which then must finish all that it was asked for."""

    READING = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default,
               torch.ops.aten.equal.default, torch.ops.aten.is_nonzero.default,
               torch.ops.aten.masked_select.default)  # fmt: skip

    def __init__(self):
        super().__init__()
        self.places = []

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        if function in self.READING:
            self.note()
        return function(*arguments, **(named or {}))

    def note(self):
        frames = traceback.extract_stack()
        if not any(str(Path("torch", "optim")) in frame.filename for frame in frames):
            # Adam counts its steps in tensors that stay in main memory; all else would wait for the device
            ours = [frame for frame in frames if "ganplay" in frame.filename or "test_" in frame.filename]
            self.places.append(f"{Path(ours[-1].filename).name}:{ours[-1].lineno} {ours[-1].line}")


@pytest.mark.parametrize("name", VARIANTS)
def test_trap_16_no_number_is_read_back_from_the_device_in_a_step(name, monkeypatch):
    state = State.initial(tiny(**VARIANTS[name]))
    steps = train(state.recipe, state=state)
    next(steps)
    readbacks = Readbacks()
    for method in ("cpu", "tolist", "numpy"):
        original = getattr(torch.Tensor, method)

        def noted(tensor, *given, original=original, **named):
            readbacks.note()
            return original(tensor, *given, **named)

        monkeypatch.setattr(torch.Tensor, method, noted)
    with readbacks:
        step = next(steps)
    assert readbacks.places == []
    with readbacks:  # each way of reading is noticed
        float(step.generator_loss)
        bool(step.generator_loss > 0)
        step.generator_loss.item()
        step.generator_loss.cpu()
    assert len(readbacks.places) == 4


def test_trap_17_every_curve_is_drawn_against_images_seen():
    """Runs that differ in critic steps end at the same place of the axis when they have seen the same images."""
    series = []
    for steps in (1, 4):
        points = [
            {"images": step.images, "round": step.round, "score": 1.0,
             "gradients": {net: {"0": [0, 1, 1.0]} for net in ("discriminator", "generator")},
             **{field: float(getattr(step, field)) for field in
                ("discriminator_loss", "generator_loss", "accuracy_real", "accuracy_fake")}}
            for step in train(tiny(critic_steps=steps, stop_images=64))
        ]  # fmt: skip
        series.append(Series(f"{steps} critic steps", "#000000", points))
    assert [len(one.points) for one in series] == [8, 2]
    for name in curves.FIGURES:
        (part,) = curves.parts(name, series)
        drawn = curves.chart(name, part).to_dict()
        assert drawn["encoding"]["x"]["field"] == "images"
        assert drawn["encoding"]["x"]["title"] == "images seen"
        for one in series:
            places = [row["images"] for row in drawn["data"]["values"] if row["line"] == one.label]
            assert max(places) == 64
            assert set(places) == {point["images"] for point in one.points}
