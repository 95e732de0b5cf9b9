"""The playground's stories: judges on ends made for them, one short training, and the value surfaces."""

import math

import pytest
import torch
from torch import nn

from ganplay.building import check
from ganplay.contracts import Critique
from ganplay.data.points import SwissRoll
from ganplay.scenarios import value_surface as surfaces
from ganplay.state import State
from ganplay.stories import stories
from ganplay.stories.playground import VANILLA, coverage
from ganplay.stories.playground_surfaces import verdict
from ganplay.stories.story import End
from ganplay.tiny import TinyGan

MINE = [name for name in stories.names() if stories[name].page == "playground"]
COVERAGE = [name for name in MINE if name != "playground-value-surfaces"]


class Among(nn.Module):
    """A generator that puts its samples on the first modes, evenly."""

    def __init__(self, dataset, modes):
        super().__init__()
        self.places = torch.from_numpy(dataset.centres()).float()[:modes]

    def forward(self, z, y=None):
        return self.places[torch.arange(len(z)) % len(self.places)]


def end(recipe, averaged, now=None):
    """The end of a training whose average covers so many modes, and its last weights as many or others."""
    state = State.initial(recipe)
    state.average = Among(recipe.dataset, averaged)
    state.generator = Among(recipe.dataset, averaged if now is None else now)
    return End(recipe, [], state)


def collapsed(recipe):
    """The end of a training whose generator puts all samples on the first mode."""
    state = State.initial(recipe)
    with torch.no_grad():
        for network in (state.generator, state.average):
            last = network.layers[-1]
            last.weight.zero_()
            last.bias.copy_(torch.from_numpy(recipe.dataset.centres())[0])
    return End(recipe, [], state)


@pytest.mark.parametrize("name", COVERAGE)
def test_every_training_of_a_story_can_start_and_is_for_the_engine(name):
    story = stories[name]()
    recipes = story.recipes(3)
    assert next(iter(recipes)) == VANILLA and all(recipe.seed == 3 for recipe in recipes.values())
    for recipe in recipes.values():
        check(recipe)
        assert TinyGan(recipe).advance(1).generator_loss.isfinite().all()
    assert len({(recipe.dataset, recipe.latent, recipe.noise) for recipe in recipes.values()}) == 1
    assert story.answer in story.answers


def test_coverage_counts_the_average_and_the_last_weights():
    recipe = stories["playground-pacgan"]().recipes(0)[VANILLA]
    found = coverage(end(recipe, 6, now=2))
    assert (found["modes"], found["modes_of"], found["modes_now"], found["high_quality"]) == (6, 8, 2, 1.0)
    assert found["reverse_kl"] == pytest.approx(math.log(8 / 6), abs=1e-3)


@pytest.mark.parametrize("name", [name for name in COVERAGE if len(stories[name].changes) > 1])
def test_a_cure_is_judged_by_both_its_halves(name):
    story = stories[name]()
    (vanilla, broken), (cure, mended) = story.recipes(0).items()
    modes = len(broken.dataset.centres())

    def judged(vanilla_now, vanilla_averaged, cured):
        return story.judge({vanilla: end(broken, vanilla_averaged, vanilla_now), cure: end(mended, cured)})

    assert judged(1, story.most, modes).holds and judged(story.most, 1, story.least).holds
    assert not judged(story.most + 1, 1, modes).holds
    assert not judged(1, story.most + 1, modes).holds
    assert not judged(1, 1, story.least - 1).holds
    said = judged(1, 1, modes)
    assert f"{cure}: {modes} of {modes} modes" in said.evidence and said.measured[cure]["modes"] == modes


def test_the_collapse_must_be_one_and_must_move():
    story = stories["playground-collapse"]()
    recipe = story.recipes(0)[VANILLA]
    moving = story.judge({VANILLA: collapsed(recipe)})
    assert moving.measured[VANILLA]["modes"] == 1 and 1 <= moving.measured[VANILLA]["places"] <= 8
    still = recipe.change({"generator_optimiser.learning_rate": 1e-8})
    stuck = story.judge({VANILLA: collapsed(still)})
    assert not stuck.holds and stuck.measured[VANILLA]["places"] == 1
    assert "gather at 1 different" in stuck.evidence


def test_a_short_real_training_collapses_and_hops():
    assert stories["playground-collapse"]().verify(0).holds


def test_the_surfaces_are_judged_set_by_set():
    def surface(detail):
        flat = torch.zeros(3, 3)
        return surfaces.Surface(1.0, flat, flat, 1.0, 1.0, detail)

    good = {name: {"Weight clipping": surface(0.1), "Gradient penalty": surface(0.2)} for name in surfaces.SETS}
    assert verdict(good).holds
    assert not verdict(good | {"Swiss roll": {"Weight clipping": surface(0.2), "Gradient penalty": surface(0.2)}}).holds


def test_a_value_surface_reads_the_critic_that_it_was_given():
    """Of a critic with known values: the distance from the origin, whose slope is 1, and whose detail has a bound."""

    class Cone(nn.Module):
        def forward(self, x, y=None):
            return Critique(-(x.square().sum(1) + 1e-12).sqrt())

    found = surfaces._read(Cone(), surfaces.load(SwissRoll(), (2,), "test"), torch.Generator().manual_seed(0))
    middle, side = surfaces.SIDE // 2, surfaces.SIDE
    assert found.values.shape == found.slopes.shape == (side, side)
    assert float(found.values[middle, middle]) == pytest.approx(0, abs=1e-5)
    assert float(found.values[0, -1]) == pytest.approx(-found.extent * 2**0.5, rel=1e-5)  # the corner
    assert float(found.values[middle, -1]) == pytest.approx(-found.extent, rel=1e-5)
    assert found.steepest == pytest.approx(1, rel=1e-4)
    assert 0 < found.gap < 1.26 and 0 < found.detail < 1


def test_a_surface_is_trained_from_its_seed():
    critic = surfaces.Critic(surfaces.GradientPenalty(), surfaces.Adam(learning_rate=1e-3), steps=20)
    first, again, other = (surfaces.value_surface(SwissRoll(), critic, seed) for seed in (1, 1, 2))
    assert torch.equal(first.values, again.values) and not torch.equal(first.values, other.values)
    assert first.gap != 0
