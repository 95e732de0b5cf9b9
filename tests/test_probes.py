"""What the probes see inside a network, against other ways of computing it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from ganplay.building import build_networks
from ganplay.checkpoint import load_discriminator, load_generator, save
from ganplay.latent.noise import fixed_labels, seeded
from ganplay.models.blocks.attention import SelfAttention
from ganplay.probes.attention_maps import attention_maps
from ganplay.probes.feature_maps import feature_maps
from ganplay.probes.spectra import singular_values, spectra
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.state import State

SMALL = {"generator.maps": 8, "discriminator.maps": 8}


def networks(made: Recipe) -> tuple[nn.Module, nn.Module]:
    generator, discriminator = build_networks(made)
    return generator.eval().requires_grad_(False), discriminator.eval().requires_grad_(False)


def given(made: Recipe, count: int = 2) -> tuple[torch.Tensor, torch.Tensor | None]:
    return seeded(made, 3, count), fixed_labels(made, count)


class Recorder:
    """The inputs and outputs of some modules, by hooks of the test's own."""

    def __init__(self, **modules: nn.Module) -> None:
        self.inputs, self.outputs = {}, {}
        for name, module in modules.items():
            module.register_forward_hook(lambda _, inputs, output, name=name: self.record(name, inputs, output))

    def record(self, name: str, inputs: tuple, output: torch.Tensor) -> None:
        self.inputs[name], self.outputs[name] = inputs[0], output


@pytest.mark.parametrize("name", ["cs229-skip", "cs229-parallel"])
def test_the_branches_add_up_to_what_the_next_stage_reads(name: str) -> None:
    made = recipe(name).change(SMALL)
    generator, _ = networks(made)
    recorder = Recorder(second=generator.stages[1], last=generator.last)
    maps = feature_maps(generator, *given(made))
    sums = [one for one in maps if one.parts]
    assert [one.name for one in sums] == ["sum 1", "sum 2"]
    for found, reader in zip(sums, ("second", "last"), strict=True):
        assert torch.equal(found.values, recorder.inputs[reader])
        torch.testing.assert_close(found.values, sum(maps[part].values for part in found.parts))


def test_the_skip_generator_s_second_branch_is_its_map_upsampled() -> None:
    made = recipe("cs229-skip").change(SMALL)
    generator, _ = networks(made)
    maps = {one.name: one for one in feature_maps(generator, *given(made))}
    repeated = interpolate(maps["layer 1"].values, scale_factor=2)
    assert torch.equal(maps["layer 1, upsampling"].values, repeated)
    assert [one.row for one in maps.values()][:4] == [0, 1, 0, None]


def test_the_parallel_generator_s_branches_are_the_modules_outputs() -> None:
    made = recipe("cs229-parallel").change(SMALL)
    generator, _ = networks(made)
    recorder = Recorder(own=generator.stages[1], beside=generator.beside[1])
    maps = feature_maps(generator, *given(made))
    parts = [maps[place].values for place in next(one for one in maps if one.name == "sum 2").parts]
    assert torch.equal(parts[0], recorder.outputs["own"])
    assert torch.equal(parts[1], recorder.outputs["beside"])


def test_a_plain_chain_shows_each_stage_behind_its_activation_and_the_picture_last() -> None:
    made = recipe("quick-digits")
    generator, discriminator = networks(made)
    z, y = given(made)
    recorder = Recorder(first=generator.begin, second=generator.stages[0], last=discriminator.stages[2])
    maps = feature_maps(generator, z, y)
    assert [one.name for one in maps] == ["layer 1", "layer 2", "layer 3", "layer 4"]
    assert torch.equal(maps[0].values, recorder.outputs["first"])
    assert torch.equal(maps[1].values, recorder.outputs["second"])
    assert torch.equal(maps[-1].values, generator(z, y))
    seen = feature_maps(discriminator, maps[-1].values)
    assert [tuple(one.values.shape[1:]) for one in seen] == [(24, 16, 16), (48, 8, 8), (96, 4, 4)]
    assert torch.equal(seen[-1].values, recorder.outputs["last"])


def test_residual_blocks_show_their_sums() -> None:
    made = recipe("modern-sngan-projection")
    generator, _ = networks(made)
    recorder = Recorder(second=generator.stages[1])
    maps = feature_maps(generator, *given(made, 1))
    first = next(one for one in maps if one.name == "sum 1")
    assert torch.equal(first.values, recorder.inputs["second"])
    assert {maps[part].name for part in first.parts} == {"layer 3", "layer 4, upsampling"}


def with_attention() -> tuple[Recipe, nn.Module, nn.Module]:
    made = recipe("quick-digits").change({"generator.attention": 8, "discriminator.attention": 8})
    generator, discriminator = networks(made)
    torch.manual_seed(5)
    for network in (generator, discriminator):
        for block in network.modules():
            if isinstance(block, SelfAttention):
                for parameter in block.parameters():
                    nn.init.normal_(parameter, 0, 0.3)
    return made, generator, discriminator


def naive_attention(block: SelfAttention, x: torch.Tensor) -> torch.Tensor:
    """Weights of one sample (C, H, W) by loops over places: (H * W, H * W / 4)."""
    _, height, width = x.shape
    query = [
        [block.query.weight[:, :, 0, 0] @ x[:, i, j] + block.query.bias for j in range(width)] for i in range(height)
    ]
    key = [[block.key.weight[:, :, 0, 0] @ x[:, i, j] + block.key.bias for j in range(width)] for i in range(height)]
    rows = []
    for i in range(height):
        for j in range(width):
            scores = []
            for u in range(0, height, 2):
                for v in range(0, width, 2):
                    four = torch.stack([key[u][v], key[u + 1][v], key[u][v + 1], key[u + 1][v + 1]])
                    scores.append(float(query[i][j] @ four.amax(0)))
            most = max(scores)
            powers = [math.exp(score - most) for score in scores]
            rows.append([power / sum(powers) for power in powers])
    return torch.tensor(rows)


def test_attention_equals_a_naive_loop_and_its_rows_sum_to_one() -> None:
    made, generator, discriminator = with_attention()
    z, _ = given(made)
    recorder = Recorder(generator=generator.attention, discriminator=discriminator.attention)
    for name, network, x in (("generator", generator, z), ("discriminator", discriminator, generator(z))):
        (found,) = attention_maps(network, x)
        assert (found.name, found.side) == ("attention", 8)
        assert found.weights.shape == (2, 64, 16)
        torch.testing.assert_close(found.weights.sum(2), torch.ones(2, 64))
        torch.testing.assert_close(found.weights[1], naive_attention(network.attention, recorder.inputs[name][1]))
        assert found.gain == pytest.approx(float(network.attention.gamma))


def test_the_weights_of_a_place_become_its_picture() -> None:
    made, generator, _ = with_attention()
    (found,) = attention_maps(generator, *given(made))
    picture = found.seen_from(3, 6, sample=1)
    assert picture.shape == (4, 4)
    assert float(picture[2, 1]) == float(found.weights[1, 6 * 8 + 3, 2 * 4 + 1])
    for x, y in ((8, 0), (0, -1), (-1, 0)):
        with pytest.raises(ValueError, match="0 to 7"):
            found.seen_from(x, y)


def test_a_network_without_attention_has_no_attention_maps() -> None:
    made = recipe("quick-digits")
    assert attention_maps(networks(made)[0], *given(made)) == ()


def weight_matrix(layer: nn.Module) -> torch.Tensor:
    """(out, rest), written out by maps."""
    weight = layer.weight.detach()
    if isinstance(layer, nn.ConvTranspose2d):
        return torch.stack([weight[:, out].flatten() for out in range(weight.shape[1])])
    return torch.stack([weight[out].flatten() for out in range(weight.shape[0])])


def test_singular_values_are_those_of_the_weight_matrices() -> None:
    made = recipe("quick-digits")
    for network in networks(made):
        layers = dict(network.named_modules())
        found = spectra(network)
        assert [one.name for one in found] == [
            name for name, layer in layers.items() if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))
        ]
        for one in found:
            expected = weight_matrix(layers[one.name])
            assert one.shape == tuple(expected.shape)
            torch.testing.assert_close(torch.tensor(one.values).double(), torch.linalg.svdvals(expected.double()))
            assert not one.normalised
            assert one.raw == one.values[0]


def test_spectral_norm_brings_the_largest_value_to_one() -> None:
    made = recipe("quick-digits").change({
        "generator.spectral_norm": True, "discriminator.spectral_norm": True, "generator.conditioning": "concat",
        "discriminator.conditioning": "projection",
    })  # fmt: skip
    generator, discriminator = build_networks(made)
    z, y = given(made)
    with torch.no_grad():
        for _ in range(60):  # each pass in train mode is one step of the power iteration
            discriminator.train()(generator.train()(z, y), y)
    for network in (generator, discriminator):
        layers = dict(network.named_modules())
        for one in spectra(network):
            layer = layers[one.name].embed if one.name == "projection" else layers[one.name]
            own = layer.parametrizations.weight.original.detach()
            own = own.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else own
            assert one.normalised
            assert one.values[0] == pytest.approx(1, abs=2e-2)
            assert one.raw == pytest.approx(float(torch.linalg.matrix_norm(own.flatten(1), 2)), rel=1e-4)
            assert abs(one.raw - 1) > 0.03  # or the test would see nothing
        assert network.training
    assert "projection" in {one.name for one in spectra(discriminator)}


@pytest.mark.parametrize("shape", [(5, 9_000), (9_000, 5), (7, 7), (1, 3)])
def test_singular_values_of_any_shape_are_those_of_a_decomposition(shape: tuple[int, int]) -> None:
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(singular_values(weight), torch.linalg.svdvals(weight.double()))


def test_a_matrix_without_full_rank_has_a_zero() -> None:
    assert float(singular_values(torch.ones(3, 8))[-1]) == pytest.approx(0, abs=1e-6)


def test_a_matrix_that_is_too_wide_is_left_out() -> None:
    (found,) = spectra(nn.Sequential(nn.Linear(1_100, 1_100)))
    assert found.values == ()
    assert found.shape == (1_100, 1_100)


def test_a_run_s_discriminator_is_read_without_the_rest(tmp_path) -> None:
    made = recipe("quick-digits")
    state = State.initial(made)
    save(tmp_path / "1.safetensors", state)
    loaded = load_discriminator(tmp_path / "1.safetensors")
    x = torch.randn(3, *made.shapes.sample)
    assert not loaded.training
    assert torch.equal(loaded(x).logits, state.discriminator.eval()(x).logits)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert load_generator(tmp_path / "1.safetensors").recipe == made
