"""Each block of the networks against an independent computation, in float64, on random inputs."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import conv_transpose2d

from ganplay.contracts import Shapes
from ganplay.models.blocks.attention import SelfAttention
from ganplay.models.blocks.labels import ClassTable, ConditionalBatchNorm2d, LabelImage, Projection, class_vectors
from ganplay.models.blocks.layers import Output, initialise_glorot, initialise_normal, norm2d
from ganplay.models.blocks.spectral import add_spectral_norm
from ganplay.models.blocks.stages import Down, Finish, FromNoise, MinibatchDeviation, doubling, side_after
from ganplay.models.dcgan import DcganDiscriminator, DcganGenerator

SHAPES = Shapes((3, 8, 8), latent=4, classes=3)
Y = torch.tensor([2, 0, 1, 1, 0])
GENERATOR_LABELS = ("concat", "one-hot", "hidden-concat", "batch-norm-embedding", "batch-norm-linear")
DISCRIMINATOR_LABELS = ("channel", "concat", "hidden-concat", "projection", "auxiliary")


@pytest.fixture(autouse=True)
def _weights():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def normal(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def generator(**fields):
    """Two doublings, 2x2 -> 8x8, with weights large enough to see the label through them."""
    return DcganGenerator(widths=(8, 8), std=0.3, label_width=4, **fields).build(SHAPES).double()


def discriminator(**fields):
    """Two halvings, 8x8 -> 2x2."""
    fields = {"norm": "none", **fields}
    return DcganDiscriminator(widths=(8, 8), std=0.3, label_width=4, **fields).build(SHAPES).double()


def inputs_of(module):
    """A list that receives the first argument of every call of a module."""
    seen = []
    module.register_forward_pre_hook(lambda _, given: seen.append(given[0].detach().clone()))
    return seen


# Spectral norm: each weight as the matrix that arXiv 1802.05957, section 2.2, takes the singular values of
WRAPPED = {
    "linear": (lambda: nn.Linear(5, 7), lambda weight: weight),
    "first-map": (lambda: FromNoise(5, 3, 2), lambda weight: weight),
    "convolution": (lambda: nn.Conv2d(3, 5, 4), lambda weight: torch.stack([one.flatten() for one in weight])),
    "transposed": (
        lambda: nn.ConvTranspose2d(6, 4, 3),
        lambda weight: torch.stack([weight[:, channel].flatten() for channel in range(4)]),
    ),
    "projection": (lambda: Projection(3, 8), lambda weight: weight),
}


def wrapped(name):
    """A layer under spectral norm, its weight before, and that weight's largest singular value."""
    make, matrix = WRAPPED[name]
    module = make().double()
    layer = module.embed if isinstance(module, Projection) else module
    before = layer.weight.detach().clone()
    add_spectral_norm(nn.Sequential(module))
    return layer, before, torch.linalg.svdvals(matrix(before))[0]


@pytest.mark.parametrize("name", WRAPPED)
def test_spectral_norm_divides_a_weight_by_its_largest_singular_value(name):
    layer, before, largest = wrapped(name)
    for _ in range(300):
        layer.weight  # noqa: B018 one step of the power iteration
    torch.testing.assert_close(layer.eval().weight, before / largest)


@pytest.mark.parametrize("name", WRAPPED)
def test_trap_05_power_iteration_runs_in_train_mode_and_never_in_eval(name):
    layer, _, _ = wrapped(name)
    buffers = dict(layer.named_buffers())
    assert sorted(key.rsplit(".", 1)[1] for key in buffers) == ["_u", "_v"]

    def moved(mode):
        layer.train(mode)
        before = {key: value.clone() for key, value in buffers.items()}
        layer.weight  # noqa: B018
        return [not torch.equal(before[key], value) for key, value in buffers.items()]

    assert not any(moved(False))
    assert all(moved(True))
    assert not any(moved(False))


@pytest.mark.parametrize(
    "config",
    [
        DcganGenerator(widths=(16, 16), spectral_norm=True, conditioning="batch-norm-linear", attention=8),
        DcganDiscriminator(widths=(16, 16), spectral_norm=True, conditioning="projection", attention=2),
        DcganDiscriminator(widths=(16, 16), spectral_norm=True, conditioning="auxiliary"),
    ],
    ids=["generator", "projection", "auxiliary"],
)
def test_trap_05_weights_are_initialised_before_they_are_wrapped(config):
    """The same seed without spectral norm gives the same weights: no draw and no initialisation was lost."""
    shapes = Shapes((3, 16, 16) if "Gen" in type(config).__name__ else SHAPES.sample, 4, 3)
    built = []
    for network in (config, type(config)(**{**config.values(), "spectral_norm": False})):
        torch.manual_seed(3)
        built.append({name: p.detach() for name, p in network.build(shapes).named_parameters()})
    under, plain = built
    renamed = {name.replace("parametrizations.", "").removesuffix(".original"): p for name, p in under.items()}
    assert renamed.keys() == plain.keys()
    assert all(torch.equal(renamed[name], plain[name]) for name in plain)
    convolutions = torch.cat([p.flatten() for name, p in plain.items() if "convolution.weight" in name])
    assert convolutions.std().item() == pytest.approx(0.02, rel=0.1)
    wrapped_names = {name.removesuffix(".weight") for name in plain if name not in under}
    carrying = {name for name in wrapped_names if "embed" in name}
    assert carrying == ({"projection.embed"} if config.conditioning == "projection" else set())
    layers = {name.rsplit(".", 1)[0] for name, p in plain.items() if name.endswith(".weight") and p.ndim > 1}
    assert wrapped_names >= {name for name in layers if "embed" not in name}


# Conditional batch norm: document 004, eq. 8
def equation_8(x, gain, bias):
    """gain * (x - E[x]) / sqrt(Var(x) + 1e-5) + bias, with E and Var of each channel over the batch and its places."""
    expected = torch.empty_like(x)
    for channel in range(x.shape[1]):
        values = x[:, channel].flatten()
        mean = values.sum() / len(values)
        variance = ((values - mean) ** 2).sum() / len(values)
        for n in range(len(x)):
            unit = (x[n, channel] - mean) / (variance + 1e-5) ** 0.5
            expected[n, channel] = gain[n, channel] * unit + bias[n, channel]
    return expected


def test_conditional_batch_norm_from_an_embedding_is_equation_8():
    norm, x = ConditionalBatchNorm2d(4, classes=3).double(), 3 * normal(5, 4, 2, 3) + 1
    norm.bias.weight.data.copy_(normal(3, 4, seed=2))
    gain = torch.stack([norm.gain.weight[label] for label in Y])
    bias = torch.stack([norm.bias.weight[label] for label in Y])
    torch.testing.assert_close(norm(x, Y), equation_8(x, gain, bias))


def test_linear_conditional_batch_norm_is_equation_8_with_gains_centred_at_1():
    norm, x, code = ConditionalBatchNorm2d(4, classes=3, code=6).double(), normal(5, 4, 2, 3), normal(5, 6, seed=2)
    gain = torch.stack([1 + (norm.gain.weight * one).sum(1) for one in code])
    bias = torch.stack([(norm.bias.weight * one).sum(1) for one in code])
    torch.testing.assert_close(norm(x, code), equation_8(x, gain, bias))
    ones, zeros = torch.ones(5, 4, dtype=torch.float64), torch.zeros(5, 4, dtype=torch.float64)
    torch.testing.assert_close(norm(x, torch.zeros_like(code)), equation_8(x, ones, zeros))


def test_trap_09_embedded_gains_start_at_1_with_deviation_002_and_no_initialiser_moves_them():
    network = DcganGenerator(widths=(512, 8), conditioning="batch-norm-embedding").build(
        Shapes((3, 8, 8), 4, classes=100)
    )
    norm = network.begin.norm
    assert norm.gain.weight.shape == (100, 512)
    assert norm.gain.weight.mean().item() == pytest.approx(1, abs=1e-3)
    assert norm.gain.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert (norm.bias.weight == 0).all()


def test_conditional_batch_norm_samples_do_not_see_each_other_in_eval():
    norm, x = ConditionalBatchNorm2d(4, 3).double(), normal(5, 4, 2, 2)
    norm(x, Y)
    norm.eval()
    torch.testing.assert_close(norm(x[:1], Y[:1]), norm(x, Y)[:1])


# Labels in the discriminator
def test_trap_09_projection_is_the_inner_product_of_the_embedding_with_sum_pooled_features():
    network, x = discriminator(conditioning="projection"), normal(5, 3, 8, 8)
    said = network(x, Y)
    maps = said.features.view(5, 8, 2, 2)
    plain = network.head(maps).flatten()
    for n, label in enumerate(Y):
        product = sum(network.projection.embed.weight[label, f] * maps[n, f].sum() for f in range(8))
        torch.testing.assert_close(said.logits[n], plain[n] + product)
    assert not hasattr(network.projection.embed, "bias")


def test_an_auxiliary_classifier_gives_raw_logits_of_the_features_and_is_not_told_the_label():
    network, x = discriminator(conditioning="auxiliary"), normal(5, 3, 8, 8)
    said = network(x, Y)
    expected = said.features @ network.classify.weight.T + network.classify.bias
    torch.testing.assert_close(said.class_logits, expected)
    assert said.class_logits.shape == (5, 3)
    assert (said.class_logits.exp().sum(1) - 1).abs().min() > 1e-3  # no softmax inside: these do not sum to 1
    assert torch.equal(network(x, (Y + 1) % 3).class_logits, said.class_logits)
    assert torch.equal(network(x).logits, said.logits)


def test_the_label_image_is_a_row_of_the_embedding_laid_out_line_by_line():
    block, x = LabelImage(3, 4).double(), normal(5, 2, 4, 4)
    joined = block(x, Y)
    assert torch.equal(joined[:, :2], x)
    for n, label in enumerate(Y):
        for row in range(4):
            for column in range(4):
                assert joined[n, 2, row, column] == block.embed.weight[label, 4 * row + column]


def assert_label_maps_follow(maps, before, embed):
    """Behind `before` channels, every place holds the label's code."""
    for n, label in enumerate(Y):
        for place in maps[n, before:].flatten(1).T:
            assert torch.equal(place, embed.weight[label])


@pytest.mark.parametrize(
    ("fields", "at", "before"),
    [
        ({"conditioning": "concat"}, lambda network: network.stages[0], 3),
        ({"conditioning": "hidden-concat", "label_stage": 0}, lambda network: network.stages[1], 8),
        ({"conditioning": "hidden-concat", "label_stage": 1}, lambda network: network.head, 8),
    ],
    ids=["image", "after stage 0", "after stage 1"],
)
def test_concatenated_labels_reach_the_discriminator_where_it_was_told(fields, at, before):
    network = discriminator(**fields)
    seen = inputs_of(at(network))
    network(normal(5, 3, 8, 8), Y)
    assert seen[0].shape[1] == before + 4
    assert_label_maps_follow(seen[0], before, network.labels.embed)


# Labels in the generator
def test_codes_stand_beside_the_noise():
    z = normal(5, 4)
    for conditioning, codes in (("concat", None), ("one-hot", [[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]])):
        network = generator(conditioning=conditioning)
        expected = network.labels.embed.weight[Y] if codes is None else torch.tensor(codes, dtype=torch.float64)
        seen = inputs_of(network.project)
        network(z, Y)
        assert torch.equal(seen[0], torch.cat([z, expected], 1))


@pytest.mark.parametrize("stage", [0, 1])
def test_hidden_labels_join_the_input_of_the_chosen_stage(stage):
    config = DcganGenerator(widths=(8, 8, 8), conditioning="hidden-concat", label_stage=stage, label_width=4)
    network = config.build(SHAPES).double()
    seen = [inputs_of(one) for one in network.stages]
    network(normal(5, 4), Y)
    assert [given[0].shape[1] for given in seen] == [8 + 4 * (stage == index) for index in (0, 1)]
    assert_label_maps_follow(seen[stage][0], 8, network.labels.embed)


def test_conditional_batch_norm_replaces_every_norm_of_the_generator():
    for conditioning in ("batch-norm-embedding", "batch-norm-linear"):
        network = generator(conditioning=conditioning)
        norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
        conditional = [module for module in network.modules() if isinstance(module, ConditionalBatchNorm2d)]
        assert norms == [module.norm for module in conditional]
        assert len(norms) == 2


@pytest.mark.parametrize("spectral", [False, True], ids=["plain", "spectral"])
@pytest.mark.parametrize("conditioning", GENERATOR_LABELS)
def test_a_generators_label_changes_its_samples_and_every_parameter_learns(conditioning, spectral):
    network = generator(conditioning=conditioning, spectral_norm=spectral)
    for parameter in network.parameters():  # so that biases which start at 0 say something
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    made = network(normal(6, 4), torch.tensor([0, 0, 1, 1, 2, 2]))
    (made * normal(*made.shape, seed=5)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    network.eval()
    z = normal(1, 4).expand(3, 4)
    one, other, third = network(z, torch.arange(3))
    assert (one - other).abs().max() > 1e-4
    assert (one - third).abs().max() > 1e-4
    with pytest.raises(ValueError, match="This generator is conditional: it needs a label"):
        network(z)


@pytest.mark.parametrize("conditioning", DISCRIMINATOR_LABELS)
def test_a_discriminators_label_changes_its_critique_and_every_parameter_learns(conditioning):
    network = discriminator(conditioning=conditioning)
    x, y = normal(6, 3, 8, 8), torch.tensor([0, 0, 1, 1, 2, 2])
    said = network(x, y)
    weighted = (said.logits * normal(6, seed=5)).sum()
    if conditioning == "auxiliary":
        weighted = weighted + (said.class_logits * normal(6, 3, seed=6)).sum()
    weighted.backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    if conditioning == "auxiliary":
        return
    assert ((network(x, (y + 1) % 3).logits - said.logits).abs() > 1e-6).all()
    with pytest.raises(ValueError, match="This discriminator is conditional: it needs a label"):
        network(x)


# Self-attention: arXiv 1805.08318, section 3, with the channels and the pooling of document 003
def naive_attention(block, x, length_root):
    """Place by place: the queries of all 16 places against the keys of the 4 pooled ones."""

    def linear(convolution, vector):
        return convolution.weight[:, :, 0, 0] @ vector + convolution.bias

    def pooled(convolution, image):
        found = []
        for row in (0, 2):
            for column in (0, 2):
                square = [linear(convolution, image[:, row + i, column + j]) for i in (0, 1) for j in (0, 1)]
                found.append(torch.stack(square).amax(0))
        return found

    expected = torch.empty_like(x)
    for n, image in enumerate(x):
        keys, values = pooled(block.key, image), pooled(block.value, image)
        for row in range(4):
            for column in range(4):
                query = linear(block.query, image[:, row, column])
                weights = [math.exp(float(query @ key) / length_root) for key in keys]
                found = sum(w / sum(weights) * value for w, value in zip(weights, values, strict=True))
                expected[n, :, row, column] = image[:, row, column] + block.gamma * linear(block.out, found)
    return expected


@pytest.mark.parametrize("scaled", [False, True])
@torch.no_grad()
def test_attention_is_the_loop_over_all_pairs_of_places(scaled):
    block, x = SelfAttention(32, scaled).double(), 2 * normal(2, 32, 4, 4)
    block.gamma.fill_(0.7)
    found = block(x)
    torch.testing.assert_close(found, naive_attention(block, x, 2.0 if scaled else 1.0), rtol=1e-5, atol=1e-6)
    other = naive_attention(block, x, 1.0 if scaled else 2.0)
    assert (found - other).abs().max() > 1e-3  # the length 32 / 8 of the queries has the root 2


def test_attention_has_an_eighth_of_the_channels_for_queries_and_keys_and_half_for_values():
    block = SelfAttention(32)
    widths = {name: getattr(block, name).weight.shape[:2] for name in ("query", "key", "value", "out")}
    assert widths == {"query": (4, 32), "key": (4, 32), "value": (16, 32), "out": (32, 16)}
    weights = block.attention(torch.randn(2, 32, 6, 8))
    assert weights.shape == (2, 48, 12)
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 48))


def test_attention_begins_as_the_identity_and_its_gain_can_leave_0():
    block, x = SelfAttention(16).double(), normal(2, 16, 4, 4)
    assert torch.equal(block(x), x)
    (block(x) * normal(2, 16, 4, 4, seed=2)).sum().backward()
    assert block.gamma.grad.abs() > 0


@pytest.mark.parametrize(("side", "stage"), [(4, 0), (2, 1)])
def test_attention_follows_the_stage_that_makes_maps_of_the_chosen_side(side, stage):
    network = discriminator(attention=side)
    seen = inputs_of(network.attention)
    after = []
    network.stages[stage].register_forward_hook(lambda *given: after.append(given[2]))
    network(normal(2, 3, 8, 8))
    assert seen[0].shape == (2, 8, side, side)
    assert torch.equal(seen[0], after[0])
    maker = generator(attention=4)
    seen = inputs_of(maker.attention)
    maker(normal(2, 4))
    assert seen[0].shape == (2, 8, 4, 4)


# Minibatch deviation: arXiv 1710.10196, section 3
def written_out(x, groups):
    """For each group the standard deviation of every value over the group, averaged over all values."""
    expected = {}
    for members in groups:
        deviations = []
        for place in range(x[0].numel()):
            values = [float(x[n].flatten()[place]) for n in members]
            mean = sum(values) / len(values)
            variance = sum((value - mean) ** 2 for value in values) / len(values)
            deviations.append((variance + 1e-8) ** 0.5)
        for n in members:
            expected[n] = sum(deviations) / len(deviations)
    return expected


@pytest.mark.parametrize(
    ("count", "groups"),
    [(8, [(0, 2, 4, 6), (1, 3, 5, 7)]), (4, [(0, 1, 2, 3)]), (6, [range(6)]), (3, [range(3)]), (1, [(0,)])],
    ids=["two groups", "one group", "not divisible", "fewer than a group", "alone"],
)
def test_minibatch_deviation_is_its_formula_in_every_group(count, groups):
    x = normal(count, 3, 2, 2)
    joined = MinibatchDeviation()(x)
    assert torch.equal(joined[:, :3], x)
    for n, deviation in written_out(x, groups).items():
        assert (joined[n, 3] == joined[n, 3, 0, 0]).all()
        assert joined[n, 3, 0, 0].item() == pytest.approx(deviation, rel=1e-5)


def test_minibatch_deviation_of_identical_samples_is_nearly_0_with_a_finite_gradient():
    x = normal(1, 3, 2, 2).repeat(4, 1, 1, 1).requires_grad_(True)
    joined = MinibatchDeviation()(x)
    assert joined[:, 3].max().item() == pytest.approx(1e-4, rel=1e-3)
    joined.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_a_discriminator_with_minibatch_deviation_sees_collapse():
    """One more map before the head, and the same sample is judged by its company."""
    network = discriminator(minibatch_deviation=True)
    assert network.head.in_channels == 9
    x = normal(4, 3, 8, 8)
    collapsed = network(x[:1].repeat(4, 1, 1, 1)).logits[0]
    assert (network(x).logits[0] - collapsed).abs() > 1e-3
    plain = discriminator()
    torch.testing.assert_close(plain(x).logits[:1], plain(x[:1]).logits)


# Sizes
def naive_transposed(x, weight, padding, side):
    """Each place of the input stamps the kernel onto the output, two places apart."""
    out = torch.zeros(len(x), weight.shape[1], side, side, dtype=x.dtype)
    for row in range(x.shape[2]):
        for column in range(x.shape[3]):
            for i in range(weight.shape[2]):
                for j in range(weight.shape[3]):
                    to_row, to_column = 2 * row - padding + i, 2 * column - padding + j
                    if 0 <= to_row < side and 0 <= to_column < side:
                        out[:, :, to_row, to_column] += x[:, :, row, column] @ weight[:, :, i, j]
    return out


@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("kernel", range(1, 7))
def test_doubling_makes_twice_the_side_with_even_and_odd_kernels(kernel, odd):
    layer = doubling(2, 3, kernel, bias=False, odd=odd).double()
    for side in (1, 2, 7):
        assert layer(normal(1, 2, side, side)).shape[2:] == (2 * side - odd, 2 * side - odd)
    x = normal(2, 2, 3, 3)
    torch.testing.assert_close(layer(x), naive_transposed(x, layer.weight, layer.padding[0], 6 - odd))


@pytest.mark.parametrize("kernel", range(1, 7))
def test_doubling_keeps_the_picture_where_it_was(kernel):
    """Every output place is reached (kernels above 1), and the middle of the stamps stays within half a pixel."""
    layer = doubling(1, 1, kernel, bias=False).double()
    nn.init.ones_(layer.weight)
    drawn = layer(torch.ones(1, 1, 8, 8, dtype=torch.float64))[0, 0]
    assert (drawn > 0).all() == (kernel > 1)
    stamp = layer(torch.eye(8, dtype=torch.float64)[3][None, None, :, None].expand(1, 1, 8, 1).contiguous())
    rows = torch.arange(16, dtype=torch.float64)
    centre = (stamp[0, 0, :, 0] * rows).sum() / stamp[0, 0, :, 0].sum()
    assert (centre - 6.5).abs() <= 0.5  # rows 6 and 7 of 16 show row 3 of 8


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", range(1, 7))
def test_the_side_after_a_stage_is_the_side_that_it_makes(kernel, stride):
    for padding in (None, 0, 2):
        stage = Down(1, 1, kernel, stride, Finish(nn.Identity(), nn.ReLU()), padding)
        for side in (8, 11):
            assert stage(torch.zeros(1, 1, side, side)).shape[-1] == side_after(side, kernel, stride, padding)


def test_the_first_map_is_a_transposed_convolution_of_a_1x1_map():
    layer, z = FromNoise(5, 3, 4).double(), normal(2, 5)
    kernel = layer.weight.view(3, 4, 4, 5).permute(3, 0, 1, 2)  # (z, width, side, side)
    expected = conv_transpose2d(z[:, :, None, None], kernel) + layer.bias.view(1, 3, 4, 4)
    torch.testing.assert_close(layer(z), expected)


# What follows a convolution
def test_finish_normalises_then_activates_then_drops():
    norm = nn.BatchNorm2d(2).double()
    block, x = Finish(norm, nn.Sigmoid(), dropout=0.25), normal(200, 2, 4, 4)
    unit = (x - x.mean((0, 2, 3), keepdim=True)) / (x.var((0, 2, 3), False, keepdim=True) + 1e-5).sqrt()
    hidden = 1 / (1 + (-unit).exp())  # above 0, so that a 0 was dropped
    made = block(x)
    kept = made != 0
    torch.testing.assert_close(made[kept], hidden[kept] / 0.75)
    assert kept.double().mean().item() == pytest.approx(0.75, abs=0.02)
    block.eval()
    torch.testing.assert_close(block(x), torch.sigmoid(norm(x)))


def test_layer_norm_is_over_each_sample_and_instance_norm_over_each_map():
    x = 2 * normal(3, 4, 5, 5) + 1
    for name, over in (("layer", (1, 2, 3)), ("instance", (2, 3))):
        mean, variance = x.mean(over, keepdim=True), x.var(over, correction=0, keepdim=True)
        norm = norm2d(name, 4).double()
        torch.testing.assert_close(norm(x), (x - mean) / (variance + 1e-5).sqrt())
        assert norm.weight.shape == norm.bias.shape == (4,)
    assert norm2d("none", 4)(x) is x


def test_a_convolution_has_a_bias_only_where_no_normalisation_cancels_it():
    for norm, expected in (("none", True), ("batch", False), ("instance", False), ("layer", False)):
        maker, judge = generator(norm=norm), discriminator(norm=norm)
        hidden = [maker.project, *(stage.convolution for stage in (*maker.stages, *judge.stages))]
        assert [layer.bias is not None for layer in hidden] == [expected] * len(hidden)
        assert maker.last.bias is not None
        assert judge.head.bias is not None


def test_outputs_are_tanh_a_stretched_sigmoid_and_nothing():
    x = normal(50)
    for name, formula in (
        ("tanh", lambda v: (math.exp(2 * v) - 1) / (math.exp(2 * v) + 1)),
        ("sigmoid", lambda v: 2 / (1 + math.exp(-v)) - 1),
        ("linear", lambda v: v),
    ):
        expected = torch.tensor([formula(float(v)) for v in x])
        torch.testing.assert_close(Output(name)(x), expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"output is 'linear'; allowed is one of tanh, sigmoid\."):
        DcganGenerator(output="linear")


@pytest.mark.parametrize(
    ("initialise", "deviation"),
    [
        (lambda network: initialise_normal(network, 0.02), lambda fan: 0.02),
        (initialise_glorot, lambda fan: (2 / fan) ** 0.5),
    ],
    ids=["normal", "glorot"],
)
def test_initialisers_set_maps_and_leave_norms_and_embeddings(initialise, deviation):
    fans = {"linear": 60 + 80, "convolution": 16 * 9 + 32 * 9, "transposed": 16 * 16 + 32 * 16}
    network = nn.ModuleDict({
        "linear": nn.Linear(60, 80), "convolution": nn.Conv2d(16, 32, 3), "transposed": nn.ConvTranspose2d(32, 16, 4),
        "norm": nn.BatchNorm2d(4), "embedding": nn.Embedding(3, 4), "projection": Projection(3, 4),
        "attention": SelfAttention(8),
    })  # fmt: skip
    kept = {name: network[name].state_dict() for name in ("norm", "embedding", "projection")}
    kept = {(name, key): value.clone() for name, state in kept.items() for key, value in state.items()}
    initialise(network)
    for name, fan in fans.items():
        assert network[name].weight.std().item() == pytest.approx(deviation(fan), rel=0.05)
        assert (network[name].bias == 0).all()
    assert all(torch.equal(network[name].state_dict()[key], value) for (name, key), value in kept.items())
    assert network["attention"].gamma == 0


# Mixtures of classes
@pytest.mark.parametrize("conditioning", GENERATOR_LABELS)
def test_a_single_1_among_0s_is_the_label(conditioning):
    made, z = generator(conditioning=conditioning).eval(), normal(5, 4)
    torch.testing.assert_close(made(z, torch.eye(3, dtype=torch.float64)[Y]), made(z, Y))
    assert (made(z, Y) - made(z, (Y + 1) % 3)).abs().max() > 1e-3


@pytest.mark.parametrize("conditioning", [kind for kind in GENERATOR_LABELS if kind != "one-hot"])
def test_a_mixture_of_classes_is_a_class_whose_vectors_are_mixed(conditioning):
    made, z, weights = generator(conditioning=conditioning).eval(), normal(5, 4), normal(5, 3)
    found = made(z, weights)
    vectors = class_vectors(made, 3)
    widths = {"batch-norm-embedding": 2 * 8 * 2}  # gains and biases of two layers with 8 maps
    assert vectors.shape == (3, widths.get(conditioning, 4))
    for index, (one, two, three) in enumerate(weights.tolist()):
        changed = generator(conditioning=conditioning).eval()
        changed.load_state_dict(made.state_dict())
        for old, new in zip(made.modules(), changed.modules(), strict=True):
            if isinstance(old, ClassTable):
                new.weight.data[1] = one * old.weight[0] + two * old.weight[1] + three * old.weight[2]
        torch.testing.assert_close(changed(z[index : index + 1], torch.tensor([1]))[0], found[index])


def test_a_mixture_beside_the_noise_is_the_weights_themselves():
    made, z, weights = generator(conditioning="one-hot").eval(), normal(5, 4), normal(5, 3)
    seen = inputs_of(made.project)
    made(z, weights)
    assert torch.equal(seen[0], torch.cat([z, weights], 1))
    assert torch.equal(class_vectors(made, 3), torch.eye(3))
