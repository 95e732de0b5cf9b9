"""The form that a recipe's metadata makes: complete, and honest about mistakes."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from ganplay.recipe import SLOTS
from ganplay.recipes import recipe
from ganplay.ui import forms


def form_script() -> None:
    import streamlit as st

    from ganplay.recipes import recipe
    from ganplay.ui import forms

    base = recipe("quick-digits")
    changes = forms.settings_form(base, "form", skip=("dataset",))
    try:
        base.change(changes)
        sentence = ""
    except ValueError as error:
        sentence = str(error)
    st.session_state["result"] = (changes, sentence)


def form() -> AppTest:
    return AppTest.from_function(form_script, default_timeout=60).run()


def test_the_form_has_a_field_for_every_setting_and_changes_nothing_by_itself() -> None:
    app = form()
    fields = [
        *app.selectbox, *app.number_input, *app.text_input, *app.toggle, *app.multiselect,
    ]  # fmt: skip
    drawn = {field.key.rsplit(":", 1)[-1] for field in fields}
    wanted = {s.path for s in recipe("quick-digits").settings() if s.path.split(".")[0] != "dataset"}
    assert drawn == wanted
    assert app.session_state["result"] == ({}, "")


def test_every_registered_part_is_offered_in_the_form() -> None:
    app = form()
    for slot, registry in SLOTS.items():
        if slot not in ("dataset", "penalties"):
            offered = next(field.options for field in app.selectbox if field.key == f"form:{slot}")
            assert list(offered) == list(registry.names())
    assert list(next(f.options for f in app.multiselect if f.key == "form:penalties")) == list(
        SLOTS["penalties"].names()
    )


def test_choosing_another_part_shows_its_own_fields() -> None:
    app = form()
    next(field for field in app.selectbox if field.key == "form:generator_optimiser").set_value("rmsprop")
    app.run()
    alpha = next(field for field in app.number_input if field.key.endswith(":generator_optimiser.alpha"))
    alpha.set_value(0.5)
    app.run()
    changes, sentence = app.session_state["result"]
    assert changes == {"generator_optimiser": "rmsprop", "generator_optimiser.alpha": 0.5}
    assert sentence == ""


@pytest.mark.parametrize(
    ("text", "problem"), [("8, 4", ""), ("8,x", "whole number"), ("", "0 entries"), ("8,-4", "allowed")]
)
def test_a_list_is_written_with_commas_and_its_mistakes_are_told(text: str, problem: str) -> None:
    app = form()
    next(field for field in app.text_input if field.key.endswith(":generator.widths")).set_value(text)
    app.run()
    assert not app.exception
    changes, sentence = app.session_state["result"]
    assert problem in sentence
    assert problem or changes == {"generator.widths": (8, 4)}


def test_labels_and_sections_exist_for_settings_nobody_placed() -> None:
    assert forms.section_of("brand_new_setting") in forms.SECTIONS
    assert forms.label("brand_new_setting") == "Brand new setting"
    assert forms.label("penalties.gradient-penalty.weight") == "Gradient penalty: weight"
