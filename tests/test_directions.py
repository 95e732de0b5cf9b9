"""Directions in latent space against linear algebra done another way, and against generators whose axes are known."""

import threading

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from torch import nn
from watched import narrow

from ganplay import cli, pictures
from ganplay.checkpoint import LoadedGenerator
from ganplay.drawings.directions import Directions
from ganplay.latent import axes
from ganplay.latent.attributes import slant
from ganplay.latent.axes import factorised, principal, regressed, within
from ganplay.latent.directions import METHODS, choose, find, known, moved
from ganplay.latent.noise import seeded
from ganplay.latent.sampling import generate, sample
from ganplay.models import generators
from ganplay.models.blocks.spectral import add_spectral_norm
from ganplay.recipes import recipe
from ganplay.sources import resolve

DIGITS = recipe("quick-digits").change({"image_size": 32, "latent": 12})
CLASSES = DIGITS.change({"generator.conditioning": "concat", "discriminator.conditioning": "projection"})


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def whitened(count, size):
    """Latents whose mean is 0 and whose covariance is the identity, exactly."""
    z = normal(count, size)
    return torch.linalg.qr(z - z.mean(0))[0] * count**0.5


def cosines(first, second):
    return (nn.functional.normalize(first, dim=1) * nn.functional.normalize(second, dim=1)).sum(1).abs()


class Strokes(nn.Module):
    """A stroke whose width is told by z[0] and whose slant by z[1]; the class moves it and makes it wider."""

    def __init__(self):
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.calls = 0

    def forward(self, z, y=None):
        self.calls += 1
        labels = torch.zeros(len(z)) if y is None else y.float()
        places = torch.arange(32.0) - 15.5
        across = places[None, None, :] - 0.4 * z[:, 1, None, None] * places[None, :, None]  # y points down
        width = (0.3 * z[:, 0]).exp() * (1 + labels / 4)
        page = torch.sigmoid(4 * (2 * width[:, None, None] - across.abs())) * (places.abs() < 9)[None, :, None]
        return page.unsqueeze(1) * 2 - 1


def strokes(made=DIGITS):
    return LoadedGenerator(made, 0, Strokes().eval())


# The arithmetic


def test_components_of_a_linear_map_are_its_singular_vectors():
    weight, z = normal(40, 6, seed=1), whitened(400, 6)
    vectors, shares = principal(z @ weight.T, z)
    _, sizes, rows = np.linalg.svd(weight.numpy(), full_matrices=False)
    torch.testing.assert_close(cosines(vectors, torch.from_numpy(rows)), torch.ones(6), rtol=0, atol=1e-4)
    torch.testing.assert_close(shares, torch.from_numpy(sizes**2 / (sizes**2).sum()), rtol=1e-4, atol=1e-5)


def test_components_are_brought_back_as_by_scikit_learn_and_least_squares():
    z = normal(300, 5)
    z = z - z.mean(0)
    values = torch.tanh(z @ normal(5, 30, seed=2) * torch.tensor([3.0, 2, 1, 1, 1]).repeat(6))
    values = values - values.mean(0)
    vectors, shares = principal(values, z)
    reference = PCA(n_components=3, svd_solver="full").fit(values.double().numpy())
    coordinates = reference.transform(values.double().numpy())
    rows = np.linalg.lstsq(coordinates, z.double().numpy(), rcond=None)[0]
    assert cosines(vectors[:3], torch.from_numpy(rows).float()).min() > 0.9999
    np.testing.assert_allclose(shares[:3], reference.explained_variance_ratio_, rtol=1e-4)


def test_a_component_that_no_straight_line_moves_is_left_out():
    z = whitened(500, 4)
    bent = z[:, 1].square() - 1
    values = torch.stack([2 * z[:, 0], 10 * bent], 1)
    vectors, shares = principal(within(values, torch.zeros(500, dtype=torch.int64)), z)
    assert len(vectors) == 1
    assert vectors[0, 0].item() == pytest.approx(1, abs=0.02)
    assert shares[0] < 0.1, "the share is of all the variance, also of what has no direction"


def test_factors_are_singular_vectors_and_values():
    weight = normal(50, 7)
    vectors, values = factorised(weight)
    _, sizes, rows = np.linalg.svd(weight.numpy(), full_matrices=False)
    np.testing.assert_allclose(values, sizes, rtol=1e-4)
    assert cosines(vectors, torch.from_numpy(rows)).min() > 0.9999
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(7), rtol=0, atol=1e-5)


def test_a_regression_finds_the_direction_of_a_linear_attribute_beside_class_means():
    z, groups = normal(400, 8), torch.arange(400) % 5
    true = normal(8, 1, seed=3)
    values = z @ true + groups[:, None] * 10.0
    vectors, scores = regressed(z, values, groups, held_out=100)
    assert (vectors[0] @ nn.functional.normalize(true[:, 0], dim=0)).item() == pytest.approx(1, abs=1e-4)
    assert scores.item() == pytest.approx(1, abs=1e-4)


def test_a_regression_on_nothing_scores_nothing():
    _, scores = regressed(normal(800, 50), normal(800, 3, seed=1), torch.zeros(800, dtype=torch.int64), held_out=200)
    assert scores.max() < 0.05


def test_the_score_of_a_regression_is_the_share_of_what_can_be_known():
    z, noise = normal(4_000, 10), normal(4_000, 1, seed=1)
    values = z[:, :1] + noise  # half of the variance is told by z
    _, scores = regressed(z, values, torch.zeros(4_000, dtype=torch.int64), held_out=2_000)
    assert scores.item() == pytest.approx(0.5, abs=0.05)


def test_the_ridge_is_the_one_of_least_cross_validation_error_by_hat_matrices():
    x = normal(60, 20).double()
    x = x - x.mean(0)
    y = (x @ normal(20, 1, seed=1).double() + 6 * normal(60, 1, seed=2)).double()
    y = y - y.mean(0)
    errors, weights = [], []
    for strength in axes._RIDGES:
        ridge = strength * (x.square().sum() / 20).item()
        model = Ridge(alpha=ridge, fit_intercept=False).fit(x.numpy(), y.numpy())
        hat = x @ torch.linalg.solve(x.T @ x + ridge * torch.eye(20), x.T)
        errors.append(((y - hat @ y).square().sum() / (60 - hat.trace()) ** 2).item())
        weights.append(model.coef_.reshape(-1, 1))
    best = int(np.argmin(errors))
    assert 0 < best < len(errors) - 1, "the example must have an optimum inside the range"
    np.testing.assert_allclose(axes._ridge(x, y), weights[best], rtol=1e-6)


# On generators


def first_weight(module):
    """The weight (F, inputs) of the first linear layer that a generator has, by name."""
    layer = module.project if hasattr(module, "project") else module.layers[0]
    return layer.weight.detach()


@pytest.mark.parametrize("conditioning", ["none", "concat"])
@pytest.mark.parametrize("kind", generators.names())
def test_sefa_factorises_the_weight_that_every_generator_begins_with(kind, conditioning):
    changes = {f"generator.{name}": value for name, value in narrow(kind, generators).items()}
    told = "projection" if conditioning == "concat" else "none"
    made = DIGITS.change(
        {"generator": kind, "latent": 6, "generator.conditioning": conditioning, "discriminator.conditioning": told}
        | changes
    )
    module = made.generator.build(made.shapes).eval()
    found = find(LoadedGenerator(made, 0, module), "sefa")
    _, sizes, rows = np.linalg.svd(first_weight(module)[:, :6].numpy(), full_matrices=False)
    assert [direction.name for direction in found] == [str(rank) for rank in range(1, 7)]
    np.testing.assert_allclose([direction.figure for direction in found], sizes, rtol=1e-3)
    vectors = torch.stack([direction.vector for direction in found])
    assert cosines(vectors, torch.from_numpy(rows)).min() > 0.999


def test_sefa_sees_the_weight_behind_a_spectral_norm():
    module = DIGITS.generator.build(DIGITS.shapes)
    add_spectral_norm(module)
    for _ in range(20):
        module(normal(4, 12))  # the power iteration settles
    found = find(LoadedGenerator(DIGITS, 0, module.eval()), "sefa")
    assert found[0].figure == pytest.approx(1, abs=0.02)


def test_components_of_a_bundled_generator_are_those_behind_its_first_nonlinearity():
    model = resolve("quick-digits")
    found = find(model, "pca")
    with torch.no_grad():
        z = normal(3_000, model.recipe.latent, seed=9)
        values = model.module.begin(model.module.project(z)).flatten(1)
    reference = PCA(n_components=2, svd_solver="randomized", random_state=0).fit(values.numpy())
    assert [one.figure for one in found[:2]] == pytest.approx(reference.explained_variance_ratio_, rel=0.1)
    rows = np.linalg.lstsq(reference.transform(values.numpy()), z.numpy() - z.numpy().mean(0), rcond=None)[0]
    assert cosines(torch.stack([one.vector for one in found[:2]]), torch.from_numpy(rows)).min() > 0.9


@pytest.mark.parametrize("made", [DIGITS, CLASSES], ids=["unconditional", "conditional"])
def test_regression_finds_the_axes_that_a_generator_draws_by(made):
    found = {direction.name: direction for direction in find(strokes(made), "regression")}
    assert found["boldness"].vector[0] > 0.97 and found["boldness"].figure > 0.7
    assert found["slant"].vector[1] < -0.97, "z[1] leans to the left: the direction points to the right"
    assert found["slant"].figure > 0.8


def test_moving_along_a_direction_changes_its_attribute_in_its_direction():
    model = strokes()
    lean = {direction.name: direction for direction in find(model, "regression")}["slant"]
    z = moved(seeded(DIGITS, 0, 1), [lean], torch.linspace(-2, 2, 5).unsqueeze(1))
    assert slant(generate(model, z)).diff().min() > 0.1


@pytest.mark.parametrize("noise", ["gaussian", "truncated", "uniform"])
def test_a_move_is_measured_in_deviations_of_the_noise(noise):
    made = DIGITS.change({"noise": noise})
    direction = find(strokes(made), "regression")[1]
    along = seeded(made, 0, 3_000) @ direction.vector
    assert along.std().item() == pytest.approx(direction.spread, rel=0.05)
    step = moved(torch.zeros(1, 12), [direction], torch.tensor([[2.0]]))
    assert step.norm().item() == pytest.approx(2 * direction.spread, rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_searches_are_the_same_each_time_and_kept_for_the_weights(method):
    build = DIGITS.generator.build
    torch.manual_seed(0)
    one, other = (LoadedGenerator(DIGITS, 0, build(DIGITS.shapes).eval()) for _ in range(2))
    again = LoadedGenerator(DIGITS, 0, build(DIGITS.shapes).eval())
    again.module.load_state_dict(one.module.state_dict())
    assert known(one, method) is None
    found = find(one, method)
    assert known(one, method) is found and find(one, method) is found
    assert known(other, method) is None and known(one, method, label=3) is None
    for first, second in zip(found, find(again, method), strict=True):
        torch.testing.assert_close(first.vector, second.vector)
        assert first.vector.norm().item() == pytest.approx(1, abs=1e-5)
    assert not torch.equal(found[0].vector, find(other, method)[0].vector)
    assert not any(module._forward_hooks for module in one.module.modules())


def test_many_viewers_of_one_generator_search_once():
    model = strokes()
    viewers = [threading.Thread(target=find, args=(model,)) for _ in range(4)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    calls = model.module.calls
    find(model)
    assert model.module.calls == calls == 1_024 // 64


@pytest.mark.parametrize("method", METHODS)
def test_progress_grows_to_the_end(method):
    shares = []
    model = LoadedGenerator(DIGITS, 0, DIGITS.generator.build(DIGITS.shapes).eval())
    find(model, method, progress=lambda sentence, share: shares.append(share))
    assert shares == sorted(shares) and shares[-1] == 1


class Constant(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, z, y=None):
        return self.value.expand(len(z), 1, 32, 32)


@pytest.mark.parametrize("method", METHODS)
def test_a_collapsed_generator_has_no_directions(method):
    with pytest.raises(ValueError, match="look the same"):
        find(LoadedGenerator(DIGITS, 0, Constant(0.5)), method)
    with pytest.raises(ValueError, match="diverged"):
        find(LoadedGenerator(DIGITS, 0, Constant(float("nan"))), method)


def test_what_has_no_directions_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="no method 'ica'; choose one of regression, pca, sefa"):
        find(strokes(), "ica")
    with pytest.raises(ValueError, match="no direction 'bold'; choose from boldness, slant, size"):
        choose(find(strokes()), ("bold",))
    ring = recipe("toy-ring")
    with pytest.raises(ValueError, match="generators of images; this one makes points"):
        find(LoadedGenerator(ring, 0, ring.generator.build(ring.shapes)))


# The picture


def test_the_middle_of_every_strip_is_the_sample_itself():
    model = resolve("quick-digits")
    strips = Directions(seed=5, steps=5).samples(model)
    assert strips.shape == (3, 5, 1, 32, 32)
    for row in strips:
        torch.testing.assert_close(row[2], sample(model, 5, 1)[0])


def test_a_strip_is_the_track_of_its_slider_while_the_others_stay():
    model = resolve("quick-digits")
    names = ("slant", "size")
    strips = Directions(direction=names, moves=(1.0, -0.5), steps=5, reach=2.0).samples(model)
    single = Directions(direction=names, moves=(1.0, -0.5), steps=1).samples(model)
    assert single.shape == (1, 1, 1, 32, 32)
    torch.testing.assert_close(strips[0, 3], single[0, 0])  # slant at 1 of -2, -1, 0, 1, 2
    other = Directions(direction=names, moves=(1.0, 2.0), steps=1).samples(model)
    torch.testing.assert_close(strips[1, 4], other[0, 0])


def test_a_conditional_generator_draws_the_class_asked_for():
    model = strokes(CLASSES)
    wide = Directions(class_="9", steps=1).samples(model)
    assert wide.mean() > Directions(steps=1).samples(model).mean(), "class 9 is wider than class 0"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"steps": 4}, "steps is 4; it must be odd"),
        ({"moves": (11.0,)}, "moves is 11.0"),
        ({"method": "ica"}, "method is 'ica'"),
        ({"reach": 0.0}, "reach is 0.0"),
    ],
)
def test_impossible_fields_are_refused(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        Directions(**fields)


def test_more_moves_than_directions_are_refused():
    with pytest.raises(ValueError, match="4 moves for 3 directions"):
        Directions(moves=(1, 1, 1, 1)).draw(resolve("quick-digits"))


def test_the_command_beside_the_picture_makes_it_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    drawing = Directions(direction=("slant", "size"), seed=3, steps=3, moves=(-0.5, 1.0))
    words = drawing.command("quick-digits").split()
    assert words[:3] == ["python", "-m", "ganplay"]
    assert cli.main([*words[3:], "--scale", "1"]) == 0
    drawn = drawing.draw(resolve("quick-digits"))
    with Image.open("directions.png") as written:
        assert written.convert("RGB").tobytes() == drawn.tobytes()
    said = capsys.readouterr().out
    assert "slant" in said and "size" in said and "R²" in said and "boldness" not in said


def test_a_single_step_is_a_single_picture():
    drawn = Directions(steps=1, moves=(1.0,)).draw(resolve("quick-digits"))
    assert drawn.size == (32 + 2 * pictures.GAP, 32 + 2 * pictures.GAP)
