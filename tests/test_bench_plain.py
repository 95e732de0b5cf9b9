"""The yardstick is fair: the same networks, the loop of the textbooks, a count of operations that PyTorch confirms."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.nn.modules.dropout import _DropoutNd
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganplay.benchmarks import textbook, training
from ganplay.benchmarks.arithmetic import flop_an_image
from ganplay.benchmarks.plain import plain, plain_networks
from ganplay.building import build_networks
from ganplay.contracts import Critique
from ganplay.losses import losses
from ganplay.recipes import recipe, recipes

NARROW = {"generator.widths": (16, 8), "discriminator.widths": (8, 16), "latent": 6, "batch_size": 8, "image_size": 16}
TABLES = [*training.RECIPES, "iisc-sagan", "duke-acgan", "modern-sngan-projection", "modern-r3gan"]


def tiny(**changes):
    return recipe("quick-digits").change({**NARROW, **changes})


def said(made):
    return torch.cat([made.logits, made.features.flatten()]) if isinstance(made, Critique) else made


def without_dropout(network):
    """Switches dropout off, whose masks need not be the same; the shares it had."""
    layers = [module for module in network.modules() if isinstance(module, _DropoutNd)]
    shares = [layer.p for layer in layers]
    for layer in layers:
        layer.p = 0.0
    return shares


@pytest.mark.parametrize("training_mode", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("name", TABLES)
def test_plain_networks_have_the_same_outputs_and_as_many_parameters(name, training_mode):
    chosen = recipe(name)
    y = torch.tensor([1, 3, 0]) if chosen.conditional else None
    inputs = torch.randn(3, chosen.latent), torch.rand(3, *chosen.shapes.sample) * 2 - 1
    for ours, theirs, x in zip(build_networks(chosen), plain_networks(chosen), inputs, strict=True):
        assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in ours.parameters())
        assert without_dropout(ours) == without_dropout(theirs)
        with torch.no_grad():
            results = [said(network.train(training_mode)(x, y)) for network in (ours, theirs)]
        assert torch.allclose(*results, rtol=1e-3, atol=1e-4 * float(results[0].abs().max()))


@pytest.mark.parametrize("name", ["duke-dcgan", "duke-acgan", "iisc-sagan"])
def test_plain_layers_are_pytorchs_own(name):
    layers = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.Embedding, _DropoutNd)
    for network in plain_networks(recipe(name)):
        found = [module for module in network.modules() if isinstance(module, layers)]
        assert found
        assert all(type(module).__module__.startswith("torch.nn.") for module in found)


def test_the_first_layer_is_a_transposed_convolution_where_the_document_has_one():
    for name, kind in (("duke-dcgan", nn.ConvTranspose2d), ("cs229-baseline", nn.Linear)):
        generator, _ = plain_networks(recipe(name))
        weighted = [module for module in generator.modules() if hasattr(module, "weight")]
        assert type(weighted[0]) is kind


def test_a_layer_of_the_package_is_replaced_and_the_original_left_alone():
    class Louder(nn.Conv2d):
        def forward(self, x):
            return 2 * super().forward(x)

    network = nn.Sequential(Louder(2, 3, 3))
    x = torch.randn(1, 2, 5, 5)
    assert torch.allclose(2 * plain(network)(x), network(x))
    assert type(network[0]) is Louder


@pytest.mark.parametrize("name", losses.names())
def test_textbook_losses_have_the_hand_worked_values(name):
    loss = losses[name]()
    judge, deceive = textbook.objectives(loss)
    real, fake = torch.tensor(loss.example.real), torch.tensor(loss.example.fake)
    assert judge(real, fake).item() == pytest.approx(loss.example.discriminator, abs=1e-5)
    assert deceive(real, fake).item() == pytest.approx(loss.example.generator, abs=1e-5)


def test_a_round_of_the_textbook_loop_equals_one_by_hand():
    chosen = tiny()
    torch.manual_seed(1)
    report = next(textbook.train(chosen, *plain_networks(chosen), textbook.loader(chosen)))

    torch.manual_seed(1)
    generator, discriminator = plain_networks(chosen)
    real = next(iter(textbook.loader(chosen)))[0]
    fake = generator(torch.randn(len(real), chosen.latent)).detach()
    on_real, on_fake = discriminator(real).logits, discriminator(fake).logits
    loss = softplus(-on_real).mean() + softplus(on_fake).mean()
    loss.backward()
    with torch.no_grad():  # Adam's first step: its corrected means are the gradient and the gradient's square
        for parameter in discriminator.parameters():
            gradient = parameter.grad
            parameter -= chosen.discriminator_optimiser.learning_rate * gradient / (gradient.abs() + 1e-8)
        deceived = softplus(-discriminator(fake).logits).mean()
    assert report.images == chosen.batch_size
    assert report.discriminator_loss == pytest.approx(loss.item(), rel=1e-4)
    assert report.generator_loss == pytest.approx(deceived.item(), rel=1e-4)
    assert report.on_real == pytest.approx(on_real.sigmoid().mean().item(), rel=1e-4)
    assert report.on_fake == pytest.approx(on_fake.sigmoid().mean().item(), rel=1e-4)


@pytest.mark.parametrize(("critic_steps", "made", "judged"), [(1, 1, 3), (3, 4, 7)])
def test_fakes_are_made_once_where_a_round_has_one_update_of_each(critic_steps, made, judged):
    chosen = tiny(critic_steps=critic_steps)
    networks = plain_networks(chosen)
    calls = [0, 0]

    def count(which):
        def note(*_):
            calls[which] += 1

        return note

    for which, network in enumerate(networks):
        network.register_forward_hook(count(which))
    next(textbook.train(chosen, *networks, textbook.loader(chosen)))
    assert calls == [made, judged]


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_has_a_textbook_form(name):
    chosen = recipe(name)
    textbook._refuse_extras(chosen)
    assert textbook.objectives(chosen.loss)


def test_the_textbook_loop_clips_weights_and_learns_classes():
    chosen = tiny(loss="wasserstein", penalties="weight-clip", critic_steps=2)
    networks = plain_networks(chosen)
    next(textbook.train(chosen, *networks, textbook.loader(chosen)))
    assert max(float(p.detach().abs().max()) for p in networks[1].parameters()) <= chosen.penalties[0].limit

    chosen = tiny(**{"generator.conditioning": "concat", "discriminator.conditioning": "auxiliary"})
    networks = plain_networks(chosen)
    next(textbook.train(chosen, *networks, textbook.loader(chosen)))
    assert all(p.grad.abs().sum() > 0 for p in (*networks[0].parameters(), *networks[1].parameters()))


def test_the_textbook_loop_refuses_what_no_textbook_has():
    chosen = tiny(flip_labels=0.1)
    with pytest.raises(
        ValueError, match=r"^flip_labels is 0.1, which the textbook loop does not have; measure a .*\.$"
    ):
        next(textbook.train(chosen, *plain_networks(chosen), textbook.loader(chosen)))


def test_the_loader_hands_out_images_in_the_range_of_the_recipe():
    chosen = tiny(channels=3)
    x, y = next(iter(textbook.loader(chosen)))
    assert x.shape == (8, 3, 16, 16)
    assert x.is_contiguous()
    assert x.min() == -1
    assert 0.5 < x.max() <= 1
    assert torch.equal(x[:, 0], x[:, 2])
    assert y.dtype == torch.int64


class Counter(TorchDispatchMode):
    """Adds up PyTorch's own formulas; its FlopCounterMode cannot look into a gradient of a gradient."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        self.total += formula(*args, **(kwargs or {}), out_val=made) if formula else 0
        return made


def counted(chosen):
    """Operations of one round by PyTorch's own formulas, on plain networks, as an economical program would do it."""
    generator, discriminator = plain_networks(chosen)
    size = chosen.batch_size
    random = torch.Generator().manual_seed(0)
    with Counter() as counter:
        for _ in range(chosen.critic_steps):
            fake = generator(torch.randn(size, chosen.latent))
            real = torch.rand(size, *chosen.shapes.sample)
            loss = discriminator(real).logits.mean() - discriminator(fake.detach()).logits.mean()
            for penalty in chosen.penalties:
                loss = loss + penalty(discriminator, real, fake.detach(), None, random).mean()
            loss.backward(inputs=list(discriminator.parameters()))
        discriminator.requires_grad_(False)
        for step in range(chosen.generator_steps):
            if step or chosen.fakes == "fresh":
                fake = generator(torch.randn(size, chosen.latent))
            loss = discriminator(fake).logits.mean()
            if chosen.loss.relative:
                loss = loss - discriminator(real).logits.mean()
            loss.backward()
    return counter.total / (chosen.critic_steps * size)


@pytest.mark.parametrize("fakes", ["shared", "fresh"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"critic_steps": 3},
        {"generator_steps": 2},
        {"loss": "relativistic"},
        {"loss": "wasserstein", "penalties": "gradient-penalty", "discriminator.norm": "layer"},
    ],
    ids=["one of each", "critic steps", "generator steps", "relative", "penalty"],
)
def test_operations_are_those_that_pytorch_counts(changes, fakes):
    chosen = tiny(fakes=fakes, **changes)
    assert flop_an_image(chosen) == pytest.approx(counted(chosen), rel=2e-3)


def test_operations_of_a_net_counted_by_hand():
    chosen = recipe("toy-ring").change({"generator.widths": (8,), "discriminator.widths": (4,)})
    g, d = 2 * 8 + 8 * 2, 2 * 4 + 4 * 1
    without = 2 * (2 * 4) + 2 * 8  # nobody needs the gradient at points and noise
    assert flop_an_image(chosen.change({"fakes": "shared"})) == 2 * (3 * g + 8 * d - without)
    assert flop_an_image(chosen.change({"fakes": "fresh"})) == 2 * (4 * g + 8 * d - without)
