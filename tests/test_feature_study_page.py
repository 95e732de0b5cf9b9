"""The page "Feature study" under Streamlit's test driver, its figures, and a real browser's look at it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import browser
import pytest
from streamlit.testing.v1 import AppTest
from test_feature_study import finish, made, points, tiny

from ganplay.charts import study as charts
from ganplay.runs import store as runs
from ganplay.studies import driving, store
from ganplay.studies.outcome import bundled, bundled_names
from ganplay.studies.plan import BASE
from ganplay.studies.statistics import compare
from ganplay.studies.trial import Trial
from ganplay.ui import forms
from ganplay.ui.navigation import FOLDER
from ganplay.ui.study_form import OWN
from ganplay.ui.study_results import NONE

ROUTER = str(Path(forms.__file__).with_name("router.py"))


@pytest.fixture(autouse=True)
def no_threads(no_workers, monkeypatch) -> None:
    """The driver of studies looks when a test tells it to."""
    monkeypatch.setattr(driving.Driver, "start", lambda self: None)


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(ROUTER, default_timeout=60).run()
    app.switch_page(str(FOLDER / "feature_study.py"))
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def button(app: AppTest, label: str):
    return next(found for found in app.button if found.label == label)


def said(app: AppTest) -> str:
    return "\n".join(box.value for box in [*app.error, *app.warning, *app.info, *app.success])


def kept(scores: dict[str, list[float]]) -> store.Study:
    """A finished study on disk with these last scores, by switch and seed; its runs are gone."""
    study = store.create(tiny([name for name in scores if name != BASE], seeds=len(scores[BASE])))
    images = study.plan().images
    for name, values in scores.items():
        for seed, value in enumerate(values):
            study.settle(Trial(name, seed, "finished", None, images, 1.0, ((images, value),)))
    study.keep_real((5.0, 7.0))
    return study


def test_results_wait_for_a_prediction_and_are_compared_with_it() -> None:
    study = kept({BASE: [50.0, 52.0, 54.0], "dropout": [90.0, 93.0, 94.0], "uniform": [51.0, 51.0, 55.0]})
    app = opened(study=study.id)
    assert not app.exception
    assert "appears here" in said(app)
    assert not app.dataframe
    app.radio[0].set_value("uniform noise z")
    app.run()
    assert not app.exception
    assert "You said *uniform noise z*. The switch that stands out most from chance is **dropout" in said(app)
    table = app.dataframe[0].value
    assert list(table["switch"]) == ["base", "dropout: D 0.5, G 0.2", "uniform noise z", "real training data"]
    assert table["difference to the base"][1] == "+40.3 ± 0.577"
    assert table["score, mean ± spread"][3] == "6.00 ± 1.41"
    app.radio[0].set_value("dropout: D 0.5, G 0.2")
    app.run()
    assert "and so it is" in said(app)


def test_none_is_a_right_answer_where_nothing_stands_out() -> None:
    study = kept({BASE: [50.0, 52.0], "dropout": [40.0, 62.0]})
    app = opened(study=study.id)
    app.radio[0].set_value(NONE)
    app.run()
    assert "and so it is. None stands out" in said(app)


def test_results_can_be_seen_without_a_prediction() -> None:
    app = opened(study=kept({BASE: [50.0, 52.0], "dropout": [40.0, 62.0]}).id)
    next(toggle for toggle in app.toggle if "without a prediction" in toggle.label).set_value(True)
    app.run()
    assert app.dataframe
    assert "You said" not in said(app)


@pytest.mark.parametrize("id", ["../../etc", "20261122-121500-3f2a", "x" * 3_000, "%00"])
def test_an_unknown_study_in_the_address_is_told_and_the_page_works(id: str) -> None:
    app = opened(study=id)
    assert not app.exception
    assert "There is no study" in said(app)


def test_a_damaged_study_is_told() -> None:
    study = store.create(tiny())
    (study.folder / "study.json").write_text("{}")
    app = opened(study=study.id)
    assert not app.exception


def test_a_study_is_started_watched_stopped_resumed_and_deleted() -> None:
    app = opened()
    app.session_state[OWN] = True
    app.run()
    assert not app.exception
    next(field for field in app.number_input if field.label.startswith("Images")).set_value(1_000)
    next(field for field in app.number_input if field.label == "Seeds").set_value(2)
    app.run()
    assert any("14 trainings" in text.value for text in app.markdown)  # the document's six switches and the base
    button(app, "Start the study").click()
    app.run()
    assert not app.exception
    (study,) = store.list_studies()
    assert app.query_params["study"] in (study.id, [study.id])
    assert study.state() == "running"
    from ganplay.ui.study_form import driver

    driver().look()
    assert 1 <= len(store.runs_of(study)) <= runs.concurrent_runs()
    for run in store.runs_of(study):
        finish(run, 12.0)
    driver().look()
    app.run()
    assert any("of 14 trainings are over" in text.value for text in app.markdown)
    button(app, "Stop").click()
    app.run()
    driver().look()
    app.run()
    assert study.state() == "stopped"
    button(app, "Resume").click()
    app.run()
    assert study.state() == "running"
    button(app, "Delete it for good").click()
    app.run()
    assert not app.exception
    assert store.list_studies() == []
    assert runs.list_runs() == []


def test_after_a_restart_a_study_is_interrupted_and_can_be_resumed() -> None:
    study = store.create(points())
    app = opened(study=study.id)
    assert "Resume goes on with it" in "\n".join(text.value for text in app.caption)
    button(app, "Resume").click()
    app.run()
    assert study.state() == "running"


def test_a_study_that_cannot_be_is_refused_before_it_starts() -> None:
    app = opened()
    app.session_state[OWN] = True
    app.run()
    app.button_group[0].set_value([])
    app.run()
    assert "No switch was chosen" in said(app)
    assert button(app, "Start the study").disabled


def test_what_does_not_fit_a_base_says_why() -> None:
    app = opened()
    app.session_state[OWN] = True
    app.run()
    next(box for box in app.selectbox if box.label == "Base").set_value("toy-ring")
    app.run()
    assert not app.exception
    assert any("DiffAugment changes images" in text.value for text in app.caption)


@pytest.mark.parametrize("name", bundled_names())
def test_the_bundled_study_shows_where_it_was_computed(name: str) -> None:
    app = opened(study=name)
    assert not app.exception
    assert any(bundled(name).machine["processor"] in text.value for text in app.caption)
    assert any("python -m ganplay study start" in code.value for code in app.code)


# Figures


def values(rows: list[dict], kind: str) -> list[dict]:
    return [row for row in rows if row["kind"] == kind]


def test_a_band_reaches_from_the_lowest_to_the_highest_seed() -> None:
    base = {0: [(10, 4.0), (20, 2.0)], 1: [(10, 6.0), (20, 3.0)]}
    rows = charts.curve_rows(base, {}, "a switch", 1.5)
    assert [(row["low"], row["value"], row["high"]) for row in values(rows, "mean")] == [(4, 5, 6), (2, 2.5, 3)]
    assert [(row["images"], row["value"]) for row in values(rows, "real")] == [(10, 1.5), (20, 1.5)]
    assert len(values(rows, "seed")) == 4
    assert not values(charts.curve_rows(base, {}, "a switch", None, seeds=False), "seed")


def test_a_mean_is_of_all_seeds_or_not_drawn() -> None:
    rows = charts.curve_rows({0: [(10, 4.0), (20, 2.0)], 1: [(10, 6.0)]}, {}, "a switch", None)
    assert [row["images"] for row in values(rows, "mean")] == [10]


def test_differences_are_drawn_with_their_seeds_and_spread() -> None:
    line = charts.Differences("dropout", [1.0, 3.0], 2.0, 1.5, "worse")
    rows = charts.difference_rows([line])
    assert [row["value"] for row in values(rows, "seed")] == [1.0, 3.0]
    (mean,) = values(rows, "mean")
    assert (mean["low"], mean["value"], mean["high"]) == (0.5, 2.0, 3.5)
    assert charts.extent([line]) == (1.0, 10.0)


def test_forms_of_figures_are_valid_and_hold_no_data() -> None:
    for chart in (charts.curves("t", "score"), charts.differences(["a", "b"], (1.0, 100.0), "t", "x")):
        form = json.loads(chart.to_json())  # Altair validates
        assert form["data"]["values"] == []
        assert all("data" not in layer for layer in form["layer"])  # the rows that a page sends reach every layer


def test_all_colours_of_verdicts_differ() -> None:
    assert len({charts.BETTER, charts.WORSE, charts.WITHIN}) == 3
    table = compare(made({BASE: [[10.0], [11.0]], "dropout": [[20.0], [21.5]]}), smooth=False)
    assert table.most().name == "dropout"


# A real browser


@pytest.mark.skipif(browser.chromium() is None and "CI" not in os.environ, reason="there is no Chromium here")
def test_a_reader_predicts_and_sees_figures_that_fit_a_phone(home, tmp_path) -> None:
    kept({BASE: [50.0, 52.0, 54.0], "dropout": [90.0, 93.0, 94.0], "uniform": [51.0, 51.0, 55.0]})
    (study,) = store.list_studies()
    with browser.server(home) as (address, _), browser.page(390, 844) as tab:
        tab.goto(f"{address}/feature-study?study={study.id}")
        tab.get_by_text(NONE).click()
        tab.get_by_text("The switch that stands out most").wait_for()
        tab.get_by_test_id("stVegaLiteChart").nth(1).locator("canvas, svg").first.wait_for()
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        tab.reload()
        tab.get_by_text("The switch that stands out most").or_(tab.get_by_text("appears here")).first.wait_for()
        assert f"study={study.id}" in tab.url
