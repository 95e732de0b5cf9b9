"""Every registered network in every registered recipe: shapes, ranges, gradients, seeds and impossible sizes."""

import pytest
import torch
from torch.nn import Conv2d, ConvTranspose2d, Linear
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu
from torch.nn.utils.parametrize import is_parametrized

from ganplay.building import build_networks, check, memory_needed
from ganplay.contracts import Critique
from ganplay.latent.noise import fixed_labels, fixed_noise
from ganplay.models import discriminators, generators
from ganplay.models.blocks.layers import Output
from ganplay.recipes import recipe, recipes

ALL = recipes.names()
NARROW = {"maps": 8, "units": 8}


def small(name):
    """The recipe with nets narrow enough for a quick test."""
    made, changes = recipe(name), {}
    for net in ("generator", "discriminator"):
        config = getattr(made, net)
        if hasattr(config, "widths"):
            changes[f"{net}.widths"] = (8,) * len(config.widths)
        changes |= {f"{net}.{field}": width for field, width in NARROW.items() if hasattr(config, field)}
    return made.change(changes)


@pytest.mark.parametrize("name", ALL)
def test_shapes_range_and_logits(name):
    made = small(name)
    generator, discriminator = build_networks(made)
    y = fixed_labels(made, 5)
    samples = generator(fixed_noise(made, 5), y)
    assert samples.shape == (5, *made.shapes.sample)
    if len(made.shapes.sample) == 3:
        assert samples.abs().max() <= 1
    said = discriminator(samples, y)
    assert isinstance(said, Critique)
    assert said.logits.shape == (5,)
    assert said.features.shape[0] == 5
    if made.discriminator.conditioning == "auxiliary":
        assert said.class_logits.shape == (5, made.shapes.classes)
    else:
        assert said.class_logits is None


@pytest.mark.parametrize("name", ALL)
def test_a_gradient_reaches_every_parameter(name):
    made = small(name)
    networks = build_networks(made)
    with torch.no_grad():  # away from gains of 0, behind which nothing has a gradient yet
        for parameter in (parameter for network in networks for parameter in network.parameters()):
            parameter += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    generator, discriminator = networks
    y = fixed_labels(made, 6)
    said = discriminator(generator(fixed_noise(made, 6), y), y)
    objective = said.logits.square().sum()
    if said.class_logits is not None:
        objective = objective + said.class_logits.square().sum()
    objective.backward()
    for network in networks:
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
    weight, bound = generator.stages[0].convolution.weight, (6 / (128 * 16 + 128 * 16)) ** 0.5
    assert weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    assert weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.01)


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_a_black_picture_made_in_bf16_still_has_a_gradient(name):
    """In bf16 itself, tanh(-6) is -1 with gradient 0: the generator could never leave it."""
    before = torch.full((4,), -6.0, dtype=torch.bfloat16, requires_grad=True)
    Output(name)(before).sum().backward()
    assert (before.grad > 0).all()


# Document 000: the auxiliary classifier GAN


def test_the_label_of_the_acgan_adds_its_own_column_of_the_first_layer():
    """110 inputs: 100 of noise and a 1 among ten."""
    made = recipe("duke-acgan").change({"generator.widths": "4,4,4,4"})
    generator, _ = build_networks(made)
    assert generator.project.in_features == 110
    first = []
    generator.project.register_forward_hook(lambda module, inputs, output: first.append(output.flatten(1)))
    z = fixed_noise(made, 1)
    generator(z.expand(2, -1), torch.tensor([3, 7]))
    columns = generator.project.weight[:, 100:]
    torch.testing.assert_close(first[0][0] - first[0][1], columns[:, 3] - columns[:, 7], atol=1e-6, rtol=1e-4)


# Document 001: the generators with a second way


def of_cs229(name):
    generator, _ = build_networks(recipe(name).change({"generator.maps": 6}))
    return generator, fixed_noise(recipe(name), 3)


def doubled(x, block):
    return leaky_relu(conv_transpose2d(x, block.convolution.weight, block.convolution.bias, stride=2, padding=1), 0.2)


def drawn(h28, generator):
    return conv2d(h28, generator.last.weight, generator.last.bias, padding=1).tanh()


def first_map(generator, z):
    return leaky_relu(z @ generator.project.weight.T + generator.project.bias, 0.2).view(-1, 6, 7, 7)


def test_the_skip_generator_adds_the_upsampled_maps_at_14_and_28():
    generator, z = of_cs229("cs229-skip")
    h7 = first_map(generator, z)
    h14 = doubled(h7, generator.stages[0]) + h7.repeat_interleave(2, 2).repeat_interleave(2, 3)
    h28 = doubled(h14, generator.stages[1]) + h14.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(generator(z), drawn(h28, generator))


def test_the_parallel_generator_adds_a_branch_that_runs_on_its_own():
    generator, z = of_cs229("cs229-parallel")
    h7 = first_map(generator, z)
    p14 = doubled(h7, generator.beside[0])
    p28 = doubled(p14, generator.beside[1])
    h14 = doubled(h7, generator.stages[0]) + p14
    h28 = doubled(h14, generator.stages[1]) + p28
    torch.testing.assert_close(generator(z), drawn(h28, generator))


@pytest.mark.parametrize("name", ["cs229-skip", "cs229-parallel"])
def test_hooks_see_both_branches_and_their_sum(name):
    generator, z = of_cs229(name)
    seen = {}
    for path in ("stages.0", "beside.0", "sums.0", "stages.1", "beside.1", "sums.1"):
        module = generator.get_submodule(path)
        module.register_forward_hook(lambda module, inputs, output, path=path: seen.update({path: output}))
    generator(z)
    for index, side in enumerate((14, 28)):
        assert seen[f"sums.{index}"].shape == (3, 6, side, side)
        assert torch.equal(seen[f"sums.{index}"], seen[f"stages.{index}"] + seen[f"beside.{index}"])


def test_without_its_branch_the_parallel_generator_is_the_baseline():
    generator, z = of_cs229("cs229-parallel")
    baseline, _ = of_cs229("cs229-baseline")
    baseline.load_state_dict({name: value for name, value in generator.state_dict().items() if "beside" not in name})
    assert not torch.equal(generator(z), baseline(z))
    for block in generator.beside:
        torch.nn.init.zeros_(block.convolution.weight)
        torch.nn.init.zeros_(block.convolution.bias)
    torch.testing.assert_close(generator(z), baseline(z))


def test_nothing_of_the_cs229_networks_is_normalised():
    for name in ("cs229-baseline", "cs229-skip", "cs229-parallel"):
        for network in build_networks(small(name)):
            assert not any("Norm" in type(module).__name__ for module in network.modules())


# Document 002: three models of growing complexity

FEATURES = [
    {"generator.output": "sigmoid"},
    {"noise": "uniform"},
    {"discriminator.dropout": 0.5, "generator.dropout": 0.2},
    {"flip_labels": 0.1},
    {"generator_steps": 2},
]


@pytest.mark.parametrize("name", ["kth-simple", "kth-intermediate", "kth-dcgan"])
@pytest.mark.parametrize("side", [8, 28, 30, 32, 64])
def test_the_kth_models_fit_any_side(name, side):
    made = small(name).change({"image_size": side})
    check(made)
    generator, discriminator = build_networks(made)
    samples = generator(fixed_noise(made, 2))
    assert samples.shape == (2, 1, side, side)
    assert discriminator(samples).logits.shape == (2,)


@pytest.mark.parametrize(
    ("name", "units", "sides"),
    [("kth-intermediate", 32 * 32 * 3 * 8, (8, 16)), ("kth-dcgan", 32 // 8 * 32 // 8 * 1024, (4, 4, 8, 16))],
)
def test_horses_are_two_changes_away_and_the_first_layer_has_the_printed_units(name, units, sides):
    horses = recipe(name).change({"dataset": "cifar10", "dataset.classes": "horse", "image_size": 32})
    assert horses.dataset.class_names == ("horse",)
    assert horses.shapes.sample == (3, 32, 32)
    check(horses)
    with torch.device("meta"):
        generator, _ = build_networks(horses)
        assert generator.project.out_features == units
        x, found = generator.project(torch.empty(2, 100)), []
        for stage in generator.stages:
            found.append(x.shape[-1])
            x = stage(x)
        assert (*found, x.shape[-1]) == sides
        assert generator.last(x).shape == (2, 3, 32, 32)


@pytest.mark.parametrize(
    ("name", "side", "units", "maps"),
    [
        ("kth-intermediate", 28, 28 * 28 * 1 * 8, 128),
        ("kth-dcgan", 28, 28 * 28 * 1024 // 64, 784),  # 3.5 x 3.5 x 1024 = 4 x 4 x 784
        ("kth-dcgan", 64, 8 * 8 * 1024, 1024),
        ("kth-dcgan", 36, 20_725, 829),  # 4.5 x 4.5 x 1024 = 20,736, to the nearest whole map of 5 x 5
    ],
)
def test_the_first_layer_has_the_printed_units_where_the_side_does_not_divide(name, side, units, maps):
    with torch.device("meta"):
        generator, _ = build_networks(recipe(name).change({"image_size": side}))
    assert (generator.project.out_features, generator.project.width) == (units, maps)


@pytest.mark.parametrize("name", ["kth-simple", "kth-intermediate", "kth-dcgan"])
@pytest.mark.parametrize("changes", FEATURES, ids=lambda changes: "+".join(changes))
def test_each_feature_of_the_study_is_one_change(name, changes):
    base = recipe(name)
    assert base.change(changes).difference(base) == changes


def test_dropout_and_the_last_activation_reach_the_networks():
    made = small("kth-dcgan").change(FEATURES[0] | FEATURES[2])
    for network, share in zip(build_networks(made), (0.2, 0.5), strict=True):
        found = [module.p for module in network.modules() if isinstance(module, torch.nn.Dropout)]
        assert found == [share] * 4
    assert build_networks(made)[0].output.name == "sigmoid"


# Document 003: DCGAN and SAGAN at 64x64


@pytest.mark.parametrize(
    ("name", "generator", "discriminator", "gains"),
    [("iisc-dcgan", 12_658_435, 2_765_633, 0), ("iisc-sagan", 1_516_059, 217_865, 1)],
)
def test_the_iisc_networks_have_as_many_parameters_as_the_printed_modules(name, generator, discriminator, gains):
    with torch.device("meta"):
        networks = build_networks(recipe(name))
    for network, expected in zip(networks, (generator, discriminator), strict=True):
        assert sum(parameter.numel() for parameter in network.parameters()) == expected + gains
        assert sum(parameter.ndim == 0 for parameter in network.parameters()) == gains  # attention's gamma


def test_every_layer_of_the_sagan_is_divided_by_its_largest_singular_value():
    for network in build_networks(small("iisc-sagan")):
        layers = [module for module in network.modules() if isinstance(module, (Conv2d, ConvTranspose2d, Linear))]
        assert len(layers) == 9  # five of the table and four of the attention
        assert all(is_parametrized(layer, "weight") for layer in layers)


@pytest.mark.parametrize("name", ["iisc-dcgan", "iisc-sagan"])
def test_iisc_reports_every_100_and_500_iterations(name):
    made = recipe(name)
    iteration = made.batch_size * made.critic_steps
    assert (made.log_every, made.sample_every, made.score_every) == (100 * iteration, 500 * iteration, 500 * iteration)
