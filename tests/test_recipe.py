"""A recipe is data: the same JSON in and out, every mistake refused with one sentence."""

import dataclasses
import json

import pytest

from ganplay.recipe import MANY, SLOTS, Recipe
from ganplay.recipes import recipe, recipes

ALL = recipes.names()


def test_the_recipes_of_the_foundation_exist():
    assert {"cs229-fcgan", "cs229-baseline", "duke-dcgan", "duke-wgan", "quick-digits", "toy-ring"} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_json_round_trip_is_exact(name):
    made = recipe(name)
    text = json.dumps(made.to_json())
    again = Recipe.from_json(json.loads(text))
    assert again == made
    assert json.dumps(again.to_json()) == text
    assert again.hash == made.hash


@pytest.mark.parametrize("name", ALL)
def test_every_setting_has_help_and_survives_text(name):
    made = recipe(name)
    for setting in made.settings():
        assert len(setting.option.help) > 5, setting.path
        text = ",".join(map(str, setting.value)) if isinstance(setting.value, tuple) else str(setting.value)
        assert made.change({setting.path: text}) == made, setting.path


def test_hash_changes_with_content_but_not_with_title():
    made = recipe("quick-digits")
    assert made.change({"title": "Another name"}).hash == made.hash
    assert made.change({"seed": 1}).hash != made.hash


def test_recipe_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe("quick-digits").seed = 3


def test_changing_a_part_gives_it_its_own_defaults():
    changed = recipe("duke-dcgan").change({"loss": "wasserstein", "penalties": "gradient-penalty"})
    assert changed.loss.kind == "wasserstein"
    assert changed.penalties[0].weight == 10.0
    assert changed.generator == recipe("duke-dcgan").generator


def test_changes_of_a_part_apply_whatever_their_order():
    changes = {"penalties.weight-clip.limit": "0.05", "penalties": "weight-clip"}
    assert recipe("duke-dcgan").change(changes).penalties[0].limit == 0.05


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("base", ALL)
def test_difference_leads_from_any_base_to_the_recipe(name, base):
    made, start = recipe(name).change({"batch_size": 48}), recipe(base)
    assert start.change(made.difference(start)) == made


def test_difference_of_equal_recipes_is_empty():
    assert recipe("duke-wgan").difference(recipe("duke-wgan")) == {}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch_size": 0}, "batch_size is 0; allowed is 2 to 4,096"),
        ({"batch_size": -64}, "batch_size is -64"),
        ({"batch_size": "many"}, "batch_size is 'many'; it must be a whole number"),
        ({"batch_size": 2.5}, "batch_size is 2.5; it must be a whole number"),
        ({"batch_size": True}, "batch_size is True"),
        ({"ema_decay": "nan"}, "ema_decay is 'nan'"),
        ({"ema_decay": 1e400}, "ema_decay is inf"),
        ({"stop_images": 0}, "stop_images is 0"),
        ({"noise": "pink"}, "noise is 'pink'; allowed is one of gaussian, uniform"),
        ({"batch": 64}, "The recipe has no setting batch; its settings are .*batch_size"),
        ({"loss": "wasserstien"}, "no loss 'wasserstien'.*Did you mean 'wasserstein'"),
        ({"generator.depth": 3}, "The generator 'dcgan' has no setting depth; its settings are .*widths"),
        ({"penalties.weight-clip.limit": 1}, "does not use the penalty 'weight-clip'"),
        ({"generator.widths": "64,-1"}, "widths is -1; allowed is 1 to 2,048"),
        ({"generator.widths": ""}, "widths has 0 entries; 1 to 5 are allowed"),
        ({"stop_score": 0.1}, "score_every is 0; say how often"),
        ({"nothing.at.all": 1}, "no setting 'nothing.at.all'"),
    ],
)
def test_bad_values_are_refused_with_what_was_given_and_what_is_allowed(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        recipe("quick-digits").change(changes)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.update(colour="red"),
        lambda content: content.pop("loss"),
        lambda content: content.update(loss="wasserstein"),
        lambda content: content.update(penalties="weight-clip"),
        lambda content: content["loss"].update(kind=["minimax"]),
        lambda content: content["generator"].update(extra=1),
    ],
)
def test_damaged_json_is_refused(damage):
    content = recipe("quick-digits").to_json()
    damage(content)
    with pytest.raises(ValueError):
        Recipe.from_json(content)


def test_the_same_penalty_twice_is_refused():
    content = recipe("duke-wgan").to_json()
    content[MANY] *= 2
    with pytest.raises(ValueError, match="each may be given once"):
        Recipe.from_json(content)


def test_every_registered_part_can_be_chosen_in_some_recipe():
    base = recipe("quick-digits")
    for slot, registry in SLOTS.items():
        for kind in registry:
            changed = base.change({slot: kind})
            assert kind in (
                part.kind for part in (getattr(changed, slot) if slot == MANY else [getattr(changed, slot)])
            )
