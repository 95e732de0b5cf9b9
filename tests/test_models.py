"""Every registered network in every registered recipe: shapes, ranges, gradients, seeds and impossible sizes."""

import pytest
import torch

from ganplay.building import build_networks, check, memory_needed
from ganplay.contracts import Critique
from ganplay.latent.noise import fixed_noise
from ganplay.models import discriminators, generators
from ganplay.models.blocks.layers import Output
from ganplay.recipes import recipe, recipes

ALL = recipes.names()


def small(name):
    """The recipe with nets narrow enough for a quick test."""
    made = recipe(name)
    nets = [net for net in ("generator", "discriminator") if hasattr(getattr(made, net), "widths")]
    return made.change({f"{net}.widths": (8,) * len(getattr(made, net).widths) for net in nets})


@pytest.mark.parametrize("name", ALL)
def test_shapes_range_and_logits(name):
    made = small(name)
    generator, discriminator = build_networks(made)
    samples = generator(fixed_noise(made, 5))
    assert samples.shape == (5, *made.shapes.sample)
    if len(made.shapes.sample) == 3:
        assert samples.abs().max() <= 1
    said = discriminator(samples)
    assert isinstance(said, Critique)
    assert said.logits.shape == (5,)
    assert said.features.shape[0] == 5


@pytest.mark.parametrize("name", ALL)
def test_a_gradient_reaches_every_parameter(name):
    made = small(name)
    generator, discriminator = build_networks(made)
    discriminator(generator(fixed_noise(made, 6))).logits.square().sum().backward()
    for network in (generator, discriminator):
        for parameter_name, parameter in network.named_parameters():
            assert parameter.grad is not None, parameter_name
            assert torch.isfinite(parameter.grad).all(), parameter_name
            assert parameter.grad.abs().sum() > 0, parameter_name


@pytest.mark.parametrize("name", ALL)
def test_weights_depend_on_the_seed_alone(name):
    made = small(name)
    state = torch.random.get_rng_state()
    first, again, other = (build_networks(made.change({"seed": seed}))[0].state_dict() for seed in (4, 4, 5))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_every_registered_network_is_used_by_a_recipe():
    used = [recipe(name) for name in ALL]
    assert {made.generator.kind for made in used} == set(generators)
    assert {made.discriminator.kind for made in used} == set(discriminators)


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("duke-dcgan", {"image_size": 30}, "image_size is 30.* a multiple of 8, such as 24 or 32"),
        ("cs229-baseline", {"image_size": 30}, "image_size is 30.*multiple of 4, such as 28 or 32"),
        ("duke-dcgan", {"image_size": 8}, "image_size is 8, too small for this discriminator.*16 pixels"),
        ("duke-dcgan", {"dataset": "ring"}, "convolutional and needs images"),
    ],
)
def test_impossible_sizes_are_refused_with_possible_ones(name, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        check(recipe(name).change(changes))


def test_a_recipe_too_large_for_a_run_is_refused_before_anything_is_allocated(monkeypatch):
    vast = recipe("duke-dcgan").change({"generator.widths": "2048,2048,2048"})
    with pytest.raises(ValueError, match=r"about 4\.9 GB of memory; a run may take 4 \(GANPLAY_RUN_GB\)"):
        check(vast)
    monkeypatch.setenv("GANPLAY_RUN_GB", "6")
    check(vast)
    monkeypatch.setenv("GANPLAY_RUN_GB", "much")
    with pytest.raises(ValueError, match="GANPLAY_RUN_GB is 'much'"):
        check(vast)


def test_estimated_memory_of_a_linear_pair_is_its_closed_form():
    made = recipe("cs229-fcgan").change({"batch_size": 10, "latent": 5, "image_size": 8,
                                         "generator.widths": "3", "discriminator.widths": "4"})  # fmt: skip
    generator, discriminator = (5 + 1) * 3 + (3 + 1) * 64, (64 + 1) * 4 + (4 + 1)
    outputs = 3 + 3 + 64 + 64 + 4 + 4 + 1  # linear, activation and output layers, per sample
    assert memory_needed(made) == 4 * (5 * generator + 4 * discriminator + 2 * 10 * outputs)


def test_networks_that_fail_on_the_samples_are_refused_in_one_sentence():
    broken = recipe("duke-dcgan").change({"image_size": 16, "discriminator.norm": "instance"})
    with pytest.raises(ValueError, match="do not work on samples of 3x16x16: Expected more than 1 spatial element"):
        check(broken)


def test_initial_weights_are_normal_with_the_printed_deviation():
    """Document 000, table 3: N(0, 0.02)."""
    for network in build_networks(recipe("duke-dcgan")):
        weights = torch.cat([p.flatten() for p in network.parameters() if p.ndim > 1])
        assert weights.std().item() == pytest.approx(0.02, rel=0.02)
        assert abs(weights.mean().item()) < 1e-4


def test_glorots_weights_are_uniform_with_their_variance():
    generator, _ = build_networks(recipe("cs229-baseline"))
    weight, bound = generator.up[0].weight, (6 / (128 * 16 + 128 * 16)) ** 0.5
    assert weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_a_black_picture_made_in_bf16_still_has_a_gradient(name):
    """In bf16 itself, tanh(-6) is -1 with gradient 0: the generator could never leave it."""
    before = torch.full((4,), -6.0, dtype=torch.bfloat16, requires_grad=True)
    Output(name)(before).sum().backward()
    assert (before.grad > 0).all()


def test_duke_tables_layer_for_layer():
    """Document 000, tables 1 and 2: 4x4 kernels, stride 2, padding 1."""
    generator, discriminator = build_networks(recipe("duke-dcgan"))
    down = [block[0] for block in discriminator.blocks] + [discriminator.head]
    assert [layer.out_channels for layer in down] == [32, 64, 128, 256, 1]
    assert all((layer.kernel_size, layer.stride, layer.padding) == ((4, 4), (2, 2), (1, 1)) for layer in down)
    assert [type(block[1]).__name__ for block in discriminator.blocks] == ["BatchNorm2d"] * 4
    assert [block[2].negative_slope for block in discriminator.blocks] == [0.2] * 4
    up = [block[0] for block in generator.blocks] + [generator.last]
    assert generator.project.out_features == 1024 * 4 * 4
    assert [layer.out_channels for layer in up] == [512, 256, 3]
    assert all((layer.kernel_size, layer.stride, layer.padding) == ((4, 4), (2, 2), (1, 1)) for layer in up)
    assert generator.output.name == "tanh"


def test_cs229_baseline_is_128_maps_deep_without_batch_norm():
    """Document 001, section 3.3."""
    generator, discriminator = build_networks(recipe("cs229-baseline"))
    assert generator.project.out_features == 128 * 7 * 7
    assert [layer.out_channels for layer in generator.up] == [128, 128]
    assert [layer.out_channels for layer in discriminator.down] == [128, 128]
    names = {type(module).__name__ for network in (generator, discriminator) for module in network.modules()}
    assert not any("Norm" in name for name in names)
