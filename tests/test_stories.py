"""Every story of the failure lab: its trainings are what its text says, and its judge tells failures from cures."""

from __future__ import annotations

import pytest

from ganplay.building import build_networks
from ganplay.data.hub import HubSet
from ganplay.data.resident import load
from ganplay.diagnosis import CURVES, samples
from ganplay.stories import stories
from ganplay.stories.failure import FailureStory
from ganplay.stories.story import PAGES, End

MOST_IMAGES = 2_000_000
FAILURES = [name for name in stories if issubclass(stories[name], FailureStory)]


@pytest.mark.parametrize("name", list(stories))
def test_a_story_asks_before_it_shows(name):
    story = stories[name]()
    assert story.page in PAGES and story.answer in story.answers and len(story.answers) > 1
    for text in (story.title, story.question, story.claim, story.source, story.why):
        assert text.strip()


@pytest.mark.parametrize("name", list(stories))
def test_a_story_that_needs_data_from_elsewhere_says_how_to_get_them_and_any_other_can_be_told(name, monkeypatch):
    monkeypatch.setattr(HubSet, "_cached", lambda *_: None)
    story = stories[name]()
    elsewhere = [one.dataset for one in story.recipes(0).values() if isinstance(one.dataset, HubSet)]
    assert all(f"`python -m ganplay data fetch {one.kind}" in story.unavailable() for one in elsewhere[:1])
    assert bool(story.unavailable()) == bool(elsewhere)


@pytest.mark.parametrize("name", FAILURES)
def test_all_trainings_of_a_failure_share_a_seed_and_can_be_built(name):
    story = stories[name]()
    recipes = story.recipes(7)
    assert next(iter(recipes)) == story.broken and len(recipes) > 1
    assert {recipe.seed for recipe in recipes.values()} == {7}
    assert len({recipe.hash for recipe in recipes.values()}) == len(recipes)
    assert story.recipes(8)[story.broken].hash != recipes[story.broken].hash
    for recipe in recipes.values():
        build_networks(recipe)
        assert recipe.stop_images <= MOST_IMAGES
        assert recipe.stop_images / recipe.log_every >= 24  # enough points to read, half of them for a period
        if recipe.dataset.bundled:
            load(recipe.dataset, recipe.shapes.sample)  # without a network


@pytest.mark.parametrize("name", FAILURES)
def test_the_finding_of_a_failure_is_one_that_the_diagnosis_can_make(name):
    story = stories[name]()
    assert any(f'"{story.finding}"' in _source(module) for module in (*_modules(),))


def _modules():
    import sys

    return {sys.modules[rule.__module__] for rule in (*CURVES, *samples.RULES)}


def _source(module):
    import inspect

    return inspect.getsource(module)


class Judged(FailureStory):
    """A failure whose numbers are given instead of trained."""

    broken = "bad"
    finding = "collapsed"

    def __init__(self, numbers, found):
        self.numbers, self.found = numbers, found

    def measure(self, end):
        return {"quality": self.numbers[end.recipe]}

    def fails(self, numbers):
        return numbers["quality"] < 1

    def _finds(self, end):
        return end.recipe in self.found


def verdict(numbers, found, labels=("good", "bad")):
    return Judged(numbers, found).judge({label: End(label, [], None) for label in labels})


def test_a_claim_holds_when_the_broken_fails_and_the_cures_do_not_by_number_and_by_diagnosis():
    assert verdict({"bad": 0, "good": 2}, ["bad"]).holds
    assert not verdict({"bad": 2, "good": 2}, ["bad"]).holds
    assert not verdict({"bad": 0, "good": 0}, ["bad"]).holds
    assert not verdict({"bad": 0, "good": 2}, []).holds
    assert not verdict({"bad": 0, "good": 2}, ["bad", "good"]).holds


def test_a_verdict_speaks_of_the_trainings_that_are_there_and_needs_the_broken_one():
    alone = verdict({"bad": 0}, ["bad"], ["bad"])
    assert alone.holds and alone.measured == {"bad": {"quality": 0}} and alone.evidence == "bad: quality 0."
    with pytest.raises(KeyError, match="bad"):
        verdict({"good": 2}, [], ["good"])
