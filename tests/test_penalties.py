"""Lipschitz control against closed forms."""

import ast
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import leaky_relu, max_pool2d, softplus
from torch.nn.utils.parametrizations import spectral_norm

import ganplay
from ganplay.building import build_networks
from ganplay.contracts import Critique
from ganplay.penalties import penalties
from ganplay.penalties.dragan import Dragan
from ganplay.penalties.gradient_penalty import GradientPenalty
from ganplay.penalties.r1 import R1
from ganplay.penalties.r2 import R2
from ganplay.penalties.weight_clip import WeightClip
from ganplay.recipes import recipe

PER_SAMPLE = [name for name in penalties.names() if penalties[name].per_sample]


def source(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=1):
    return torch.randn(*shape, generator=source(seed), dtype=torch.float64)


def value(penalty, critic, real, fake, y=None, seed=0):
    return penalty(critic, real, fake, y, source(seed))


def linear(weight):
    """Its gradient is `weight` everywhere."""
    return lambda x, y=None: Critique(x.flatten(1) @ weight)


class Quadratic:
    """x A x / 2 + b x with a symmetric A: its gradient at x is A x + b. Remembers what it was asked about."""

    def __init__(self, size, seed=5):
        square = normal(size, size, seed=seed)
        self.matrix, self.vector, self.seen = square + square.T, normal(size, seed=seed + 1), []

    def __call__(self, x, y=None):
        self.seen.append((x.detach().clone(), y))
        flat = x.flatten(1)
        return Critique((flat @ self.matrix * flat).sum(1) / 2 + flat @ self.vector)

    def gradient(self, x):
        return x.flatten(1) @ self.matrix + self.vector


class EveryLayer(nn.Module):
    """One of each layer that a critic with a penalty is built of."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 8, 3, padding=1)
        self.instance = nn.InstanceNorm2d(8, affine=True)
        self.second = spectral_norm(nn.Conv2d(8, 8, 3, padding=1))
        self.query, self.key, self.value = (nn.Conv2d(8, width, 1, bias=False) for width in (4, 4, 8))
        self.layer = nn.GroupNorm(1, 8)
        self.embed = nn.Embedding(3, 8)
        self.head = spectral_norm(nn.Linear(8, 1))

    def forward(self, x, y=None):
        x = leaky_relu(self.instance(self.first(x)), 0.2)
        x = leaky_relu(self.second(x), 0.2)
        key, found = (max_pool2d(layer(x), 2).flatten(2) for layer in (self.key, self.value))
        attention = (self.query(x).flatten(2).transpose(1, 2) @ key).softmax(-1)
        x = x + (found @ attention.transpose(1, 2)).unflatten(2, x.shape[2:])
        features = max_pool2d(leaky_relu(self.layer(x), 0.2), 2).sum((2, 3))  # (N, 8)
        logits = self.head(features).squeeze(1)
        return Critique(logits if y is None else logits + (self.embed(y) * features).sum(1))


@pytest.fixture
def layers():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return EveryLayer().double()


@pytest.mark.parametrize("name", penalties.names())
def test_penalties_give_one_finite_term_a_sample_and_leave_the_samples_alone(name):
    penalty, real, fake = penalties[name](), normal(7, 3, 2, 2), normal(7, 3, 2, 2, seed=2)
    kept = real.clone(), fake.clone()
    term = value(penalty, Quadratic(12), real, fake)
    assert penalty.formula
    assert term is not None or not penalty.per_sample
    if term is not None:
        assert term.shape == (7,)
        assert torch.isfinite(term).all()
        assert (term >= 0).all()
        assert torch.equal(value(penalty, Quadratic(12), real, fake), term)
    assert torch.equal(real, kept[0])
    assert torch.equal(fake, kept[1])
    assert not real.requires_grad
    assert not fake.requires_grad


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_labels_reach_the_discriminator_and_may_be_missing(name):
    critic, y = Quadratic(4), torch.tensor([2, 0, 1])
    value(penalties[name](), critic, normal(3, 4), normal(3, 4, seed=2), y)
    value(penalties[name](), critic, normal(3, 4), normal(3, 4, seed=2))
    assert [labels for _, labels in critic.seen] == [y, None]


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_weight_scales_the_penalty_and_none_switches_it_off(name):
    single, triple, off = (
        value(penalties[name](weight=weight), Quadratic(4), normal(3, 4), normal(3, 4, seed=2)) for weight in (1, 3, 0)
    )
    torch.testing.assert_close(triple, 3 * single)
    assert (off == 0).all()


@pytest.mark.parametrize("kind", [GradientPenalty, Dragan])
@pytest.mark.parametrize("target", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("length", [0.4, 1.0, 3.0])
def test_penalty_of_a_linear_critic_is_its_slopes_squared_distance_to_the_target(kind, target, length):
    weight = torch.nn.functional.normalize(normal(12), dim=0) * length
    term = value(kind(weight=10.0, target=target), linear(weight), normal(7, 3, 2, 2), normal(7, 3, 2, 2, seed=2))
    torch.testing.assert_close(term, torch.full_like(term, 10 * (length - target) ** 2), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("length", "excess"), [(0.4, 0.0), (1.0, 0.0), (3.0, 2.0)])
def test_one_sided_penalty_of_a_linear_critic_counts_only_what_is_above_the_target(length, excess):
    weight = torch.nn.functional.normalize(normal(12), dim=0) * length
    one_sided = GradientPenalty(weight=10.0, sided="one")
    term = value(one_sided, linear(weight), normal(7, 12), normal(7, 12, seed=2))
    torch.testing.assert_close(term, torch.full_like(term, 10 * excess**2), rtol=1e-6, atol=1e-9)


def test_gradient_penalty_of_a_quadratic_is_taken_at_the_points_between():
    critic, real, fake = Quadratic(12), normal(7, 3, 2, 2), normal(7, 3, 2, 2, seed=2)
    term = value(GradientPenalty(), critic, real, fake, seed=9)
    epsilon = torch.rand(7, generator=source(9)).view(7, 1, 1, 1)
    between = epsilon * real + (1 - epsilon) * fake
    torch.testing.assert_close(critic.seen[0][0], between)
    torch.testing.assert_close(term, 10 * (critic.gradient(between).norm(dim=1) - 1) ** 2)


def test_dragan_of_a_quadratic_is_taken_around_the_real_samples_alone():
    critic, real = Quadratic(12), normal(7, 3, 2, 2)
    term = value(Dragan(), critic, real, normal(7, 3, 2, 2, seed=2))
    around = critic.seen[0][0]
    torch.testing.assert_close(term, 10 * (critic.gradient(around).norm(dim=1) - 1) ** 2)
    assert torch.equal(value(Dragan(), critic, real, normal(7, 3, 2, 2, seed=3)), term)


def test_dragan_moves_every_value_by_uniform_noise_of_half_the_batchs_deviation():
    critic, real = Quadratic(4), 3 * normal(5_000, 4) + 7
    value(Dragan(), critic, real, real)
    moves = (critic.seen[0][0] - real) / real.var(correction=0).sqrt()
    assert 0.499 < moves.abs().max() <= 0.5
    assert abs(moves.mean()) < 4 * (1 / 12 / 20_000) ** 0.5  # four standard errors of U[-1/2, 1/2]
    assert moves.var().item() == pytest.approx(1 / 12, rel=0.03)
    assert moves.unique().numel() > 19_000  # one number a value, not one a sample
    value(Dragan(spread=0), critic, real, real)
    assert torch.equal(critic.seen[1][0], real)


@pytest.mark.parametrize(("kind", "on_real"), [(R1, True), (R2, False)])
def test_r1_and_r2_of_a_quadratic_are_half_gamma_times_the_squared_gradient_at_their_samples(kind, on_real):
    critic, real, fake = Quadratic(12), normal(7, 3, 2, 2), normal(7, 3, 2, 2, seed=2)
    term = value(kind(weight=5.0), critic, real, fake)
    torch.testing.assert_close(term, 2.5 * critic.gradient(real if on_real else fake).square().sum(1))


@pytest.mark.parametrize("name", ["r1", "r2", "weight-clip"])
def test_penalties_without_chance_take_nothing_from_the_runs_stream(name):
    random = source()
    before = random.get_state()
    penalties[name]()(Quadratic(4), normal(3, 4), normal(3, 4), None, random)
    assert torch.equal(random.get_state(), before)


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_trap_2_a_batch_normalised_critic_is_refused_with_the_cure(name):
    broken = recipe("duke-wgan").change({"penalties": name})
    with pytest.raises(ValueError, match=r"batch norm in the discriminator .*choose discriminator\.norm none, layer"):
        build_networks(broken)
    build_networks(broken.change({"discriminator.norm": "layer"}))


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_trap_3_penalty_norm_is_per_sample_and_not_of_the_batch(name):
    real, moved = normal(3, 4), normal(3, 4)
    moved[2] *= 50
    calm = {"spread": 0} if name == "dragan" else {}
    first, second = (value(penalties[name](**calm), Quadratic(4), x, x) for x in (real, moved))
    torch.testing.assert_close(first[:2], second[:2])
    assert second[2] > 10 * first[2]


def test_trap_3_per_sample_norms_by_hand():
    """The gradient of |x|^2 / 2 is x: lengths 5 and 1, so (5 - 1)^2 and 0, and half of 25 and of 1."""
    x = torch.tensor([[3.0, 4.0], [0.6, 0.8]])

    def bowl(x, y=None):
        return Critique(x.square().sum(1) / 2)

    expected = {"gradient-penalty": [16.0, 0.0], "dragan": [16.0, 0.0], "r1": [12.5, 0.5], "r2": [12.5, 0.5]}
    for name, terms in expected.items():
        calm = {"spread": 0} if name == "dragan" else {}
        term = value(penalties[name](weight=1.0, **calm), bowl, x, x)
        torch.testing.assert_close(term, torch.tensor(terms), atol=1e-5, rtol=0)


def test_trap_3_one_uniform_epsilon_per_sample_and_not_per_value():
    critic = Quadratic(3)
    value(GradientPenalty(), critic, torch.ones(5_000, 3).double(), torch.zeros(5_000, 3).double())
    epsilon = critic.seen[0][0]
    assert torch.equal(epsilon, epsilon[:, :1].expand(-1, 3))
    drawn = epsilon[:, 0].sort().values
    assert 0 <= drawn[0] < 0.002 < 0.998 < drawn[-1] < 1
    steps = torch.arange(1, 5_001) / 5_000
    assert (drawn - steps).abs().max() < 1.95 / 5_000**0.5  # Kolmogorov's bound at 0.1 %


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_trap_3_gradients_are_finite_where_the_norm_is_zero(name):
    layer = nn.Linear(4, 1)
    nn.init.zeros_(layer.weight)
    term = value(
        penalties[name](), lambda x, y=None: Critique(layer(x).squeeze(1)), torch.ones(3, 4), torch.zeros(3, 4)
    )
    term.mean().backward()
    assert torch.isfinite(term).all()
    assert torch.isfinite(layer.weight.grad).all()


@pytest.mark.parametrize("name", PER_SAMPLE)
@pytest.mark.parametrize("y", [None, torch.tensor([2, 0, 2])], ids=["no labels", "labels"])
def test_second_derivatives_through_every_layer_equal_finite_differences(name, y, layers):
    layers.eval()  # spectral norm keeps its vectors, so that the function stays the same
    real, fake, penalty = normal(3, 2, 4, 4), normal(3, 2, 4, 4, seed=2), penalties[name]()
    value(penalty, layers, real, fake, y).mean().backward()
    parameters = [parameter for parameter in layers.parameters() if parameter.grad is not None]
    directions = [normal(*parameter.shape, seed=index) for index, parameter in enumerate(parameters)]
    along = sum((parameter.grad * d).sum() for parameter, d in zip(parameters, directions, strict=True))
    size, ends = 1e-6, []
    for step in (size, -2 * size):
        with torch.no_grad():
            for parameter, direction in zip(parameters, directions, strict=True):
                parameter += step * direction
        ends.append(value(penalty, layers, real, fake, y).mean())
    assert along.abs() > 1e-3
    torch.testing.assert_close(along, (ends[0] - ends[1]) / (2 * size), rtol=1e-4, atol=1e-6)


def test_all_penalties_together_in_train_mode_reach_every_weight_beside_the_loss(layers):
    real, fake, y = normal(3, 2, 4, 4), normal(3, 2, 4, 4, seed=2), torch.tensor([0, 1, 2])
    on_real, on_fake = layers(real, y).logits, layers(fake, y).logits  # spectral norm's vectors move with each pass
    objective = (softplus(-on_real) + softplus(on_fake)).mean()
    terms = [value(penalties[name](), layers, real, fake, y).mean() for name in PER_SAMPLE]
    (objective + sum(terms)).backward()
    for name, parameter in layers.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().sum() > 0, name


def test_trap_13_nothing_is_compiled_for_penalties_differentiate_twice():
    for path in sorted(Path(ganplay.__file__).parent.rglob("*.py")):
        used = {
            ast.unparse(node)
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
        }
        assert not used & {"torch.compile", "torch.jit"}, path


def test_weight_clip_bounds_every_parameter_and_leaves_the_small_ones():
    layer = nn.Linear(64, 8)
    before = layer.weight.detach().clone()
    WeightClip(limit=0.05).project(layer)
    assert all(parameter.abs().max() <= 0.05 for parameter in layer.parameters())
    inside = before.abs() <= 0.05
    assert torch.equal(layer.weight[inside], before[inside])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"penalties": "gradient-penalty", "penalties.gradient-penalty.target": 11}, "target is 11.0; allowed is 0 to"),
        ({"penalties": "gradient-penalty", "penalties.gradient-penalty.sided": "left"}, "allowed is one of two, one"),
        ({"penalties": "dragan", "penalties.dragan.spread": -1}, "spread is -1.0; allowed is 0 to 10"),
        ({"penalties": "r1", "penalties.r1.weight": -1}, "weight is -1.0; allowed is 0 to 10,000"),
    ],
)
def test_options_out_of_range_are_refused_with_what_is_allowed(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        recipe("quick-digits").change(changes)
