"""Layer tables: rows as the documents would print them, and counts that other computations confirm."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate
from torch.utils.flop_counter import FlopCounterMode

from ganplay.building import build_networks
from ganplay.models.blocks.layers import Output
from ganplay.probes.layers import INPUT, NETWORKS, layer_tables, layers, total, totals
from ganplay.recipe import Recipe
from ganplay.recipes import recipe, recipes

# What each network's option turns on; every one is traced on the duke-dcgan's nets.
VARIANTS = {
    "concat": {"generator.conditioning": "concat", "discriminator.conditioning": "concat"},
    "hidden": {"generator.conditioning": "hidden-concat", "discriminator.conditioning": "hidden-concat"},
    "embedding": {"generator.conditioning": "batch-norm-embedding", "discriminator.conditioning": "projection"},
    "linear": {"generator.conditioning": "batch-norm-linear", "discriminator.conditioning": "auxiliary"},
    "attention": {"generator.attention": 16, "discriminator.attention": 16},
    "spectral": {"generator.spectral_norm": True, "discriminator.spectral_norm": True},
    "everything": {
        "generator.conditioning": "batch-norm-linear", "discriminator.conditioning": "projection",
        "generator.attention": 8, "discriminator.attention": 8, "generator.spectral_norm": True,
        "discriminator.spectral_norm": True, "generator.dropout": 0.2, "discriminator.dropout": 0.5,
        "discriminator.norm": "instance", "discriminator.minibatch_deviation": True,
    },
}  # fmt: skip


def variant(name: str) -> Recipe:
    return recipe("duke-dcgan").change(VARIANTS[name])


def every_recipe() -> list:
    return [pytest.param(lambda name=name: recipe(name), id=name) for name in recipes.names()] + [
        pytest.param(lambda name=name: variant(name), id=f"duke-dcgan with {name}") for name in VARIANTS
    ]


def printed(rows) -> list[tuple]:
    """The columns that a document's table has."""
    return [
        (row.operation, row.kernel, row.stride, row.padding, row.maps, row.norm, row.activation, row.output)
        for row in rows
    ]


def test_duke_dcgan_reads_like_tables_1_and_2() -> None:
    tables = layer_tables(recipe("duke-dcgan"))
    up, down, leaky = "transposed convolution", "convolution", "leaky ReLU 0.2"
    assert printed(tables["generator"]) == [
        (up, 4, 1, 0, 1024, "batch", "ReLU", (1024, 4, 4)),
        (up, 4, 2, 1, 512, "batch", "ReLU", (512, 8, 8)),
        (up, 4, 2, 1, 256, "batch", "ReLU", (256, 16, 16)),
        (up, 4, 2, 1, 3, "none", "tanh", (3, 32, 32)),
    ]
    assert printed(tables["discriminator"]) == [
        (down, 4, 2, 1, 32, "batch", leaky, (32, 16, 16)),
        (down, 4, 2, 1, 64, "batch", leaky, (64, 8, 8)),
        (down, 4, 2, 1, 128, "batch", leaky, (128, 4, 4)),
        (down, 4, 2, 1, 256, "batch", leaky, (256, 2, 2)),
        (down, 4, 2, 1, 1, "none", "none", (1, 1, 1)),
    ]


def test_duke_dcgan_counts_by_hand() -> None:
    rows = layer_tables(recipe("duke-dcgan"))["generator"]
    # A 4x4 kernel from a 1x1 map; then each place of the input gives 4x4 to each of the maps.
    assert [row.multiply_adds for row in rows] == [
        100 * 1024 * 16, 4 * 4 * 1024 * 512 * 16, 8 * 8 * 512 * 256 * 16, 16 * 16 * 256 * 3 * 16,
    ]  # fmt: skip
    # No bias before a batch norm, whose gain and bias are two values a map.
    assert [row.parameters for row in rows] == [
        100 * 1024 * 16 + 2048, 1024 * 512 * 16 + 1024, 512 * 256 * 16 + 512, 256 * 3 * 16 + 3,
    ]  # fmt: skip
    rows = layer_tables(recipe("duke-dcgan"))["discriminator"]
    # Each place of the output takes 4x4 of each of the maps.
    assert [row.multiply_adds for row in rows] == [
        16 * 16 * 3 * 32 * 16, 8 * 8 * 32 * 64 * 16, 4 * 4 * 64 * 128 * 16, 2 * 2 * 128 * 256 * 16, 256 * 16,
    ]  # fmt: skip


def test_cs229_recipes_by_hand() -> None:
    simple = layer_tables(recipe("cs229-fcgan"))
    assert [(row.operation, row.kernel, row.maps, row.activation, row.parameters) for row in simple["generator"]] == [
        ("linear", 0, 256, "leaky ReLU 0.2", 101 * 256),
        ("linear", 0, 784, "tanh", 257 * 784),
    ]
    assert [row.multiply_adds for row in simple["discriminator"]] == [784 * 256, 256]
    baseline = layer_tables(recipe("cs229-baseline"))["generator"]
    assert [row.output for row in baseline] == [(128, 7, 7), (128, 14, 14), (128, 28, 28), (1, 28, 28)]
    assert [row.multiply_adds for row in baseline][1:3] == [49 * 128 * 128 * 16, 196 * 128 * 128 * 16]


@pytest.mark.parametrize("made", every_recipe())
def test_parameters_are_those_of_the_networks(made) -> None:
    with torch.device("meta"):
        networks = build_networks(made())
    expected = [sum(parameter.numel() for parameter in network.parameters()) for network in networks]
    assert [totals(made())[name].parameters for name in NETWORKS] == expected


@pytest.mark.parametrize("made", every_recipe())
def test_multiply_adds_are_those_of_torch_s_own_counter(made) -> None:
    config, found = made(), layer_tables(made())
    with torch.device("meta"):
        networks = build_networks(config)
        y = torch.zeros(1, dtype=torch.int64) if config.conditional else None
        inputs = torch.empty(1, config.latent), torch.empty(1, *config.shapes.sample)
    for name, network, x in zip(NETWORKS, networks, inputs, strict=True):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network.eval()(x, y)
        # A projection is a product by elements, which that counter leaves out; so is attention's gain.
        own = sum(row.multiply_adds for row in found[name] if row.operation != "projection")
        assert own == counter.get_total_flops() // 2


@pytest.mark.parametrize("made", every_recipe())
def test_the_last_output_is_a_sample_and_a_logit(made) -> None:
    config, found = made(), layer_tables(made())
    assert math.prod(found["generator"][-1].output) == math.prod(config.shapes.sample)
    assert any(math.prod(row.output) == 1 for row in found["discriminator"])
    for rows in found.values():
        assert all(source < place for place, row in enumerate(rows) for source in row.inputs)


def test_options_show_in_the_rows() -> None:
    found = layer_tables(variant("everything"))
    generator, discriminator = found["generator"], found["discriminator"]
    assert [row.operation for row in generator[:4]] == [
        "embedding", "transposed convolution", "transposed convolution", "self-attention",
    ]  # fmt: skip
    assert [row.norm for row in generator[1:]] == [
        "conditional batch", "conditional batch", "none", "conditional batch", "none",
    ]  # fmt: skip
    assert [row.dropout for row in generator[1:]] == [0.2, 0.2, 0.0, 0.2, 0.0]
    attention = generator[3]
    channels, places = 512, 64
    convolutions = places * channels * (channels // 8 * 2 + channels // 2 * 2)
    assert attention.multiply_adds == convolutions + places * (places // 4) * (channels // 8 + channels // 2)
    # four 1x1 convolutions with biases, and gamma
    own = channels * (64 + 64 + 256) + 64 + 64 + 256 + 256 * channels + channels + 1
    assert attention.parameters == own
    assert {row.norm for row in discriminator if row.operation == "convolution"} == {"instance", "none"}
    assert discriminator[-1].operation == "projection"
    head = next(row for row in discriminator if row.name == "head")
    assert head.before == ("batch deviation",)


def test_labels_join_where_the_options_say() -> None:
    found = layer_tables(variant("concat"))["generator"]
    assert found[0].operation == "embedding"
    assert found[0].inputs == ()
    assert found[1].inputs == (INPUT, 0)
    assert found[1].before == ("concatenation",)


class Branches(nn.Module):
    """Two convolutions added, as no plain chain has it."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(3, 8, 5, padding=2), nn.Conv2d(3, 8, 1)
        self.norm, self.activation = nn.BatchNorm2d(8), nn.ReLU()
        self.last, self.other = nn.Conv2d(8, 1, 3, padding=1), nn.Conv2d(8, 1, 1)
        self.output = Output("tanh")

    def forward(self, x, y=None):
        x = self.activation(self.norm(self.wide(x) + self.narrow(x)))
        return self.output(self.last(x) + self.other(x))


def test_branches_and_their_sums_are_found() -> None:
    rows = layers(Branches(), torch.empty(2, 3, 8, 8))
    assert [row.inputs for row in rows] == [(INPUT,), (INPUT,), (0, 1), (0, 1)]
    assert rows[2].before == rows[3].before == ("sum", "batch", "ReLU")
    assert rows[3].activation == "tanh"
    assert [row.norm for row in rows] == ["none"] * 4
    assert total(rows).parameters == sum(parameter.numel() for parameter in Branches().parameters())


def test_the_network_is_left_as_it_was() -> None:
    network = Branches().train()
    layers(network, torch.empty(2, 3, 8, 8))
    assert network.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_a_recipe_that_cannot_be_built_says_why() -> None:
    with pytest.raises(ValueError, match="image_size is 30"):
        layer_tables(recipe("duke-dcgan").change({"image_size": 30}))


class Shortcut(nn.Module):
    """A normalisation that only one of the two ways out of a layer goes through."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.beside = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.norm = nn.BatchNorm2d(8)

    def forward(self, x, y=None):
        x = self.first(x)
        return self.second(interpolate(self.norm(x), scale_factor=2)) + interpolate(self.beside(x), scale_factor=2)


def test_a_normalisation_beside_a_shortcut_is_not_the_layer_s() -> None:
    rows = layers(Shortcut(), torch.empty(2, 3, 8, 8))
    assert [row.norm for row in rows] == ["none"] * 3
    assert [row.before for row in rows] == [(), ("batch", "upsampling"), ()]
    assert total(rows).parameters == sum(parameter.numel() for parameter in Shortcut().parameters())
