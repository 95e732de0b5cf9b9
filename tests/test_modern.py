"""The modern baselines and document 004's networks: blocks against their formulas, sizes, conditioning, budgets."""

import pytest
import torch
from torch import nn
from torch.nn.functional import (
    avg_pool2d,
    batch_norm,
    conv2d,
    conv_transpose2d,
    embedding,
    interpolate,
    leaky_relu,
    linear,
    relu,
)
from torch.nn.utils.parametrize import is_parametrized

from ganplay.building import build_networks, check
from ganplay.contracts import Shapes
from ganplay.models.blocks.labels import (
    DISCRIMINATOR_CONDITIONING,
    GENERATOR_CONDITIONING,
    ConditionalBatchNorm2d,
    Projection,
)
from ganplay.models.blocks.residual import InvertedBottleneck, Resample, ResidualDown, ResidualUp, map_sides
from ganplay.models.blocks.stages import Finish
from ganplay.models.munich import MunichDiscriminator, MunichGenerator, SnganDiscriminator
from ganplay.models.r3gan import R3ganDiscriminator, R3ganGenerator
from ganplay.models.resnet import ResnetDiscriminator, ResnetGenerator
from ganplay.penalties.r1 import R1
from ganplay.penalties.r2 import R2
from ganplay.probes.layers import totals
from ganplay.recipes import recipe

NAMES = ("munich-hyper", "munich-failure", "modern-sngan-projection", "modern-r3gan")
GENERATORS = {
    "munich": MunichGenerator(widths=(8, 8, 8), first_maps=8),
    "resnet": ResnetGenerator(widths=(8, 8, 8, 8)),
    "r3gan": R3ganGenerator(widths=(8, 8, 8), group=8),
}
DISCRIMINATORS = {
    "munich": MunichDiscriminator(widths=(8, 8, 8)),
    "munich-flat": MunichDiscriminator(widths=(8, 8, 8), pooled=False),
    "sngan": SnganDiscriminator(widths=(8, 8, 8)),
    "resnet": ResnetDiscriminator(widths=(8, 8, 8)),
    "r3gan": R3ganDiscriminator(widths=(8, 8, 8), group=8),
}
SHAPES = Shapes((3, 16, 16), latent=6, classes=4)
Y = torch.tensor([0, 3, 1, 1, 2, 0])


@pytest.fixture(autouse=True)
def _weights():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def normal(*shape, seed=1, dtype=torch.float64):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def with_fields(config, **fields):
    return type(config)(**{**config.values(), **fields})


def shaken(network):
    """The network with every weight moved a little, away from gains of 0, behind which nothing has a gradient yet."""
    with torch.no_grad():
        for index, parameter in enumerate(network.parameters()):
            parameter += 0.1 * normal(*parameter.shape, seed=index, dtype=parameter.dtype)
    return network


def check_gradients(network, objective):
    objective.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        if name != "attention.key.bias":  # the same for all keys, which cancels in the softmax: rounding at most
            assert parameter.grad.abs().sum() > 0, name


# Sizes
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 3)])
def test_recipes_make_and_read_images_of_28_and_of_32_pixels(name, side, channels):
    made = recipe(name).change({"image_size": side, "channels": channels})
    generator, discriminator = build_networks(made)
    y = torch.tensor([7, 0]) if made.conditional else None
    samples = generator(normal(2, made.latent, dtype=torch.float32), y)
    assert samples.shape == (2, channels, side, side)
    assert samples.abs().max() <= 1
    assert discriminator(samples, y).logits.shape == (2,)


def test_map_sides_halve_while_a_whole_map_of_four_pixels_is_left():
    assert map_sides(32, 3) == (4, 8, 16, 32)
    assert map_sides(28, 3) == (7, 7, 14, 28)
    assert map_sides(28, 2) == (7, 14, 28)
    assert map_sides(8, 3) == (4, 4, 4, 8)
    assert map_sides(15, 1) == (15, 15)


@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize("side", [8, 15, 28, 30, 32])
def test_every_kernel_of_the_hypermodel_fits_every_side(kernel, side):
    generator = MunichGenerator(first_maps=4, widths=(4, 4, 4), kernels=(kernel,) * 3).build(Shapes((1, side, side), 5))
    sides = [-(-side // 8), -(-side // 4), -(-side // 2), side]
    assert generator.project.side == sides[0]
    seen = []
    for stage in generator.stages:
        stage.register_forward_hook(lambda module, given, out: seen.append(out.shape[-1]))
    assert generator(normal(2, 5, dtype=torch.float32)).shape == (2, 1, side, side)
    assert seen == sides[1:]
    discriminator = MunichDiscriminator(widths=(4, 4, 4), kernels=(kernel,) * 3).build(Shapes((1, side, side), 5))
    assert discriminator(torch.zeros(2, 1, side, side)).logits.shape == (2,)


def test_an_odd_doubling_is_the_transposed_convolution_that_ends_one_pixel_early():
    """4 -> 7 with a 3x3 kernel: the even result without its last row and column."""
    generator = MunichGenerator(first_maps=4, widths=(4, 4, 4), kernels=(3, 4, 5)).build(Shapes((1, 28, 28), 5))
    layer, x = generator.stages[0].convolution, normal(2, 4, 4, 4, dtype=torch.float32)
    whole = conv_transpose2d(x, layer.weight, layer.bias, stride=2, padding=1, output_padding=1)
    torch.testing.assert_close(layer(x), whole[..., :7, :7])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dataset": "ring"}, "convolutional and needs images"),
        (
            {
                "image_size": 8,
                "discriminator": "sngan",
                "discriminator.widths": "8,8,8,8,8",
                "discriminator.conditioning": "projection",
            },
            "a map of 1 pixel cannot be halved; use at least 16 pixels",
        ),
        ({"generator.kernels": "4,4"}, "kernels has 2 entries; 3 to 3 are allowed"),
        ({"generator.kernels": "4,4,6"}, "kernels is 6; allowed is 3 to 5"),
        ({"generator": "r3gan", "generator.conditioning": "batch-norm-linear"}, r"generator\.norm is none, but cond"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        check(recipe("munich-hyper").change(changes))


# Switches of the frame
@pytest.mark.parametrize("conditioning", GENERATOR_CONDITIONING)
@pytest.mark.parametrize("kind", GENERATORS)
def test_every_conditioning_of_a_generator_gives_a_gradient_to_every_weight(kind, conditioning):
    norm = "batch" if conditioning.startswith("batch-norm") else GENERATORS[kind].norm
    config = with_fields(GENERATORS[kind], conditioning=conditioning, norm=norm, label_width=5, label_stage=1)
    network = shaken(config.build(SHAPES))
    z = normal(1, 6, dtype=torch.float32).expand(6, 6)
    samples = network(z, Y)
    check_gradients(network, (samples * normal(*samples.shape, dtype=torch.float32)).sum())
    assert torch.equal(samples[0], samples[1]) == (conditioning == "none")  # same noise, other class


@pytest.mark.parametrize("conditioning", DISCRIMINATOR_CONDITIONING)
@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_every_conditioning_of_a_discriminator_gives_a_gradient_to_every_weight(kind, conditioning):
    config = with_fields(DISCRIMINATORS[kind], conditioning=conditioning, label_width=5, label_stage=1)
    network = shaken(config.build(SHAPES))
    said = network(normal(1, 3, 16, 16, dtype=torch.float32).expand(6, 3, 16, 16), Y)
    objective = said.logits.square().sum()
    if conditioning == "auxiliary":
        assert said.class_logits.shape == (6, 4)
        objective = objective + said.class_logits.square().sum()
    check_gradients(network, objective)
    assert torch.equal(said.logits[0], said.logits[1]) == (conditioning in ("none", "auxiliary"))


@pytest.mark.parametrize("kind", DISCRIMINATORS)
def test_all_switches_of_a_discriminator_work_together(kind):
    switches = {"attention": 8, "spectral_norm": True, "dropout": 0.2, "minibatch_deviation": True, "norm": "layer"}
    config = with_fields(DISCRIMINATORS[kind], conditioning="projection", **switches)
    network = shaken(config.build(SHAPES))
    said = network(normal(8, 3, 16, 16, dtype=torch.float32), Y.repeat(2)[:8])
    check_gradients(network, said.logits.square().sum())


@pytest.mark.parametrize("kind", GENERATORS)
def test_all_switches_of_a_generator_work_together(kind):
    switches = {"attention": 8, "spectral_norm": True, "dropout": 0.2, "norm": "batch", "output": "sigmoid"}
    network = shaken(with_fields(GENERATORS[kind], conditioning="batch-norm-linear", **switches).build(SHAPES))
    samples = network(normal(6, 6, dtype=torch.float32), Y)
    check_gradients(network, (samples * normal(*samples.shape, dtype=torch.float32)).sum())


@pytest.mark.parametrize("name", ["munich-failure", "modern-sngan-projection"])
def test_spectral_norm_holds_every_weight_that_a_signal_goes_through(name):
    _, discriminator = build_networks(recipe(name))
    carriers = [
        module.embed if isinstance(module, Projection) else module
        for module in discriminator.modules()
        if isinstance(module, (nn.Linear, nn.Conv2d, Projection))
    ]
    assert len(carriers) >= 9
    assert all(is_parametrized(carrier, "weight") for carrier in carriers)
    assert not [n for n, p in discriminator.named_parameters() if p.ndim > 1 and "original" not in n]
    for _ in range(30):  # steps of power iteration
        weights = [module.weight for module in carriers]
    for weight in weights:
        assert torch.linalg.svdvals(weight.flatten(1))[0].item() == pytest.approx(1, abs=0.02)


# Blocks against their formulas, in the papers' order of operations
def cbn(norm, x, y):
    gain, shift = (embedding(y, table.weight)[:, :, None, None] for table in (norm.gain, norm.bias))
    return batch_norm(x, None, None, training=True) * gain + shift


@pytest.mark.parametrize(("grow", "width"), [(True, 5), (False, 5), (False, 4)])
def test_residual_block_up_is_the_formula_written_out(grow, width):
    finishes = [Finish(ConditionalBatchNorm2d(maps, 4), nn.ReLU()) for maps in (4, width)]
    block = shaken(ResidualUp(4, width, grow, *finishes).double())
    x = normal(6, 4, 5, 5)

    def up(maps):
        return maps.repeat_interleave(2, 2).repeat_interleave(2, 3) if grow else maps

    inner = conv2d(up(relu(cbn(block.first.norm, x, Y))), block.convolution1.weight, padding=1)
    inner = conv2d(relu(cbn(block.second.norm, inner, Y)), block.convolution2.weight, padding=1)
    beside = conv2d(up(x), block.shortcut.weight) if grow or width != 4 else x
    torch.testing.assert_close(block(x, Y), inner + beside)


@pytest.mark.parametrize(("shrink", "width"), [(True, 5), (False, 5), (False, 4)])
@pytest.mark.parametrize("image", [True, False])
def test_residual_block_down_is_the_formula_written_out(shrink, width, image):
    first, second = (Finish(nn.Identity(), nn.LeakyReLU(0.1)) for _ in range(2))
    block = shaken(ResidualDown(4, width, shrink, None if image else first, second).double())
    x = normal(3, 4, 6, 6)
    one, two = block.convolution1, block.convolution2
    inner = conv2d(x if image else leaky_relu(x, 0.1), one.weight, one.bias, padding=1)
    inner = conv2d(leaky_relu(inner, 0.1), two.weight, two.bias, padding=1)
    beside = conv2d(x, block.shortcut.weight, block.shortcut.bias) if shrink or width != 4 else x
    expected = avg_pool2d(inner, 2) + avg_pool2d(beside, 2) if shrink else inner + beside
    torch.testing.assert_close(block(x), expected)


def test_inverted_bottleneck_is_the_formula_written_out():
    block = shaken(InvertedBottleneck(4, 8, 2, *(Finish(nn.Identity(), nn.LeakyReLU(0.2)) for _ in "ab")).double())
    x = normal(3, 4, 5, 5)
    wide = leaky_relu(torch.einsum("oi,nihw->nohw", block.widen.weight[:, :, 0, 0], x)
                      + block.widen.bias[:, None, None], 0.2)  # fmt: skip
    halves = [
        conv2d(wide[:, part], block.mix.weight[part], block.mix.bias[part], padding=1)
        for part in (slice(0, 4), slice(4, 8))  # each group sees its own maps alone
    ]
    inner = leaky_relu(torch.cat(halves, 1), 0.2)
    torch.testing.assert_close(block(x), x + torch.einsum("oi,nihw->nohw", block.narrow.weight[:, :, 0, 0], inner))


@pytest.mark.parametrize("factor", [2.0, 0.5, 1.0])
def test_resampling_is_bilinear_interpolation_and_a_convolution(factor):
    layer, x = Resample(4, 3, factor).double(), normal(2, 4, 6, 6)
    bilinear = interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)
    torch.testing.assert_close(layer(x), conv2d(bilinear, layer.convolution.weight))


def test_resnet_discriminator_judges_the_sum_of_its_last_activated_map_by_a_line_and_a_projection():
    network = with_fields(DISCRIMINATORS["resnet"], conditioning="projection").build(SHAPES)
    x, maps = normal(6, 3, 16, 16, dtype=torch.float32), []
    network.stages[-1].register_forward_hook(lambda module, given, out: maps.append(out))
    said = network(x, Y)
    features = torch.einsum("nchw->nc", relu(maps[0]))
    torch.testing.assert_close(said.features, features)
    plain = linear(features, network.head.weight, network.head.bias).squeeze(1)
    torch.testing.assert_close(said.logits, plain + (network.projection.embed.weight[Y] * features).sum(1))


# R3GAN's beginning
@pytest.mark.parametrize("which", [0, 1])
def test_r3gan_blocks_begin_as_the_identity_with_scaled_weights_inside(which):
    network = build_networks(recipe("modern-r3gan"))[which]
    blocks = [module for module in network.modules() if isinstance(module, InvertedBottleneck)]
    assert len(blocks) == 4
    for block in blocks:
        x = normal(2, block.widen.in_channels, 8, 8, dtype=torch.float32)
        assert torch.equal(block(x), x)
        for layer in (block.widen, block.mix):
            inputs = layer.in_channels // layer.groups * layer.kernel_size[0] ** 2
            he = (2 / (1 + 0.2**2) / inputs) ** 0.5
            assert layer.weight.std().item() == pytest.approx(he * 4**-0.25, rel=0.1)


def test_r3gan_has_no_normalisation_and_groups_of_16_maps():
    for network in build_networks(recipe("modern-r3gan")):
        assert not [module for module in network.modules() if "Norm" in type(module).__name__]
        blocks = [module for module in network.modules() if isinstance(module, InvertedBottleneck)]
        assert [block.mix.in_channels // block.mix.groups for block in blocks] == [16] * 4
        assert [block.mix.in_channels / block.widen.in_channels for block in blocks] == [2] * 4


def test_a_width_that_16_does_not_divide_gets_the_most_groups_of_at_least_16_maps():
    generator = R3ganGenerator(widths=(20, 4)).build(SHAPES)
    assert [block.mix.groups for block in generator.modules() if isinstance(block, InvertedBottleneck)] == [2, 1]


@pytest.mark.parametrize("kind", ["resnet", "r3gan", "munich"])
def test_second_derivatives_of_r1_and_r2_equal_finite_differences(kind):
    network = shaken(with_fields(DISCRIMINATORS[kind], conditioning="projection").build(SHAPES).double())
    real, fake, y = normal(3, 3, 16, 16), normal(3, 3, 16, 16, seed=2), Y[:3]

    def value():
        return sum(kind(weight=1.0)(network, real, fake, y, None).mean() for kind in (R1, R2))

    value().backward()
    parameters = [parameter for parameter in network.parameters() if parameter.grad is not None]
    directions = [normal(*parameter.shape, seed=index) for index, parameter in enumerate(parameters)]
    along = sum((p.grad * d).sum() for p, d in zip(parameters, directions, strict=True))
    size, ends = 1e-6, []
    for step in (size, -2 * size):
        with torch.no_grad():
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter += step * direction
        ends.append(value().detach())
    assert along.abs() > 1e-3
    torch.testing.assert_close(along, (ends[0] - ends[1]) / (2 * size), rtol=1e-4, atol=1e-6)


# Budgets and choices
@pytest.mark.parametrize("name", ["modern-sngan-projection", "modern-r3gan"])
@pytest.mark.parametrize("side", [28, 32])
def test_modern_baselines_take_at_most_60_million_multiply_adds_an_image(name, side):
    counted = totals(recipe(name).change({"image_size": side}))
    assert sum(network.multiply_adds for network in counted.values()) <= 60.1e6
    assert all(network.parameters < 1.3e6 for network in counted.values())


def test_munich_hyper_is_what_figure_8_found_best():
    made = recipe("munich-hyper")
    assert made.generator.conditioning == "batch-norm-linear"
    assert made.discriminator.conditioning == "projection"
    assert made.loss.kind == "hinge"
    generator, _ = build_networks(made)
    norms = [module for module in generator.modules() if isinstance(module, ConditionalBatchNorm2d)]
    assert [norm.norm.num_features for norm in norms] == [512, 256, 128]
    assert all(norm.centre == 1.0 for norm in norms)
