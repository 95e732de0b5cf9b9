"""Recipes in links: what is shared is what arrives, and nonsense gets one sentence."""

from __future__ import annotations

import typing
from urllib.parse import parse_qs

import pytest

from ganplay.recipe import SLOTS, Recipe, Setting
from ganplay.recipes import recipe, recipes
from ganplay.ui import links


def other(setting: Setting) -> object:
    """Another value that a setting may have, or None when there is none to be sure of."""
    option, value = setting.option, setting.value
    if (
        setting.path in SLOTS
        or typing.get_origin(setting.type) is tuple
        or setting.path.startswith(("dataset", "stop_score"))
    ):
        return None
    if option.choices:
        return next((choice for choice in option.choices if choice != value), None)
    if setting.type is bool:
        return not value
    if setting.type is str:
        return "50 % more; a=b & c?d"
    middle = value + 1 if option.high is None or value + 1 <= option.high else (option.low + option.high) / 2
    return setting.type(middle) if setting.type(middle) != value else None


def received(query: str) -> list[str]:
    """What a server reads from the query string of a browser."""
    return parse_qs(query)["recipe"]


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_with_every_setting_changed_survives_a_link(name: str) -> None:
    start = recipe(name)
    changes = {s.path: value for s in start.settings() if (value := other(s)) is not None}
    assert len(changes) > 15
    changed = start.change(changes)
    one = links.contender(changed, name)
    (text,) = received(links.query([one]))
    assert links.from_text(text).recipe() == changed


@pytest.mark.parametrize("name", recipes.names())
@pytest.mark.parametrize("base", recipes.names())
def test_any_recipe_can_be_told_as_changes_of_any_other(name: str, base: str) -> None:
    one = links.contender(recipe(name), base)
    assert one.base == base
    assert links.from_text(links.to_text(one)).recipe() == recipe(name)


def test_a_recipe_of_unknown_origin_is_told_from_the_nearest_one() -> None:
    changed = recipe("duke-wgan").change({"seed": 7})
    assert links.contender(changed, "gone") == links.Contender("duke-wgan", {"seed": 7})


def test_a_link_is_readable() -> None:
    one = links.contender(recipe("quick-digits").change({"loss": "wasserstein", "seed": 3}), "quick-digits")
    two = links.contender(recipe("cs229-baseline").change({"dataset": "digits"}), "cs229-baseline")
    assert links.query([one, two]) == "recipe=quick-digits;loss=wasserstein;seed=3&recipe=cs229-baseline;dataset=digits"


def test_order_of_settings_does_not_matter() -> None:
    text = "quick-digits;penalties.weight-clip.limit=0.5;penalties=weight-clip;loss=wasserstein"
    changed = links.from_text(text).recipe()
    assert changed.penalties[0].limit == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing-like-it", "There is no recipe 'nothing-like-it'"),
        ("quick-digits;unheard=1", "unheard"),
        ("quick-digits;seed=-1", "seed"),
        ("quick-digits;loss=hinge9", "hinge9"),
        ("quick-digits;seed", "name=value"),
        ("", "There is no recipe ''"),
        ("quick-digits;title=" + "x" * 2_000, "1,500 characters"),
    ],
)
def test_what_cannot_be_understood_gives_one_sentence_and_the_rest_is_kept(text: str, said: str) -> None:
    found, sentences = links.parse(["duke-dcgan", text])
    assert [one.base for one in found] == ["duke-dcgan"]
    assert len(sentences) == 1
    assert said in sentences[0]


def test_more_recipes_than_fit_are_left_out_with_a_sentence() -> None:
    found, sentences = links.parse(["quick-digits"] * 6)
    assert len(found) == links.MOST_RUNS
    assert "6 recipes" in sentences[0]


def test_four_recipes_fit_into_an_address() -> None:
    longest = "a" * 19
    one = links.contender(recipe("duke-wgan").change({"title": longest * 4}), "toy-ring")
    assert len(links.query([one] * 4)) < 8_000


@pytest.mark.parametrize("text", [None, "", ",,,"])
def test_no_run_ids_in_nothing(text: str | None) -> None:
    assert links.run_ids(text) == []


def test_run_ids_survive_a_link() -> None:
    ids = ["20261121-231500-quick-digits-3f2a", "20261121-231501-duke-wgan-0000"]
    assert links.run_ids(parse_qs(links.run_query(ids))["runs"][0]) == ids


def test_a_contender_is_plain_data_for_the_session() -> None:
    one = links.contender(recipe("duke-wgan"), "quick-digits")
    assert all(isinstance(value, (str, int, float, bool, tuple, list)) for value in one.changes.values())
    assert isinstance(one.recipe(), Recipe)


@pytest.mark.parametrize("names", [("50%", "a;b"), ("%3B",), ("100 % ; =&", "c?d#e+f"), ("%25",)])
def test_entries_of_a_list_survive_a_link_whatever_they_are_called(names: tuple[str, ...]) -> None:
    one = links.contender(recipe("quick-digits").change({"dataset": "pictures", "dataset.classes": names}))
    (text,) = received(links.query([one]))
    assert links.from_text(text).recipe().dataset.classes == names
