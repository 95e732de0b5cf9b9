"""The page "Evaluate" under Streamlit's own test driver, and what its figures and files are made of."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import asdict, replace

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from ganplay.charts import evaluation as charts
from ganplay.evaluations import manager as managers
from ganplay.evaluations import queue, results
from ganplay.evaluations.asks import Ask, stamp
from ganplay.metrics.figure import Figure
from ganplay.recipes import recipe
from ganplay.runs import manager as run_managers
from ganplay.runs import store
from ganplay.ui import evaluate_form as form
from ganplay.ui import evaluate_table as tables
from ganplay.ui.navigation import FOLDER

ROUTER = str(FOLDER.parent / "ganplay" / "ui" / "router.py")
SOURCE = "checkpoint:quick-digits"
CHOICE = "Checkpoints and runs"


class Idle(managers.Manager):
    """A manager that starts nothing: what is asked for stays in the queue."""

    def start(self) -> None:
        return


@pytest.fixture(autouse=True)
def no_processes(monkeypatch, home):
    """Each test has its own home, so it needs its own managers and empty caches."""
    monkeypatch.setattr(managers, "Manager", Idle)
    monkeypatch.setattr(run_managers.Manager, "start", lambda self: None)
    st.cache_resource.clear()
    st.cache_data.clear()


def opened(**query: str | list[str]) -> AppTest:
    """The page as its address opens it."""
    app = AppTest.from_file(ROUTER, default_timeout=60).run()
    app.switch_page(str(FOLDER / "evaluate.py"))
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def button(app: AppTest, label: str):
    return next(found for found in app.button if found.label == label)


def said(app: AppTest) -> str:
    """All that the page tells in boxes."""
    return "\n".join(box.value for box in [*app.error, *app.warning, *app.info, *app.success])


def tabled(app: AppTest) -> str:
    """All that the page writes as HTML."""
    return "\n".join(part.proto.body for part in app.get("html"))


def figure(metric: str, name: str, value: float, real: float | None, **about) -> Figure:
    common = {
        "spread": None, "real_spread": None, "features": "pixels", "samples": 297, "real_samples": 297,
        "real_split": "test", "reference": "train", "reference_samples": 1_000, "better": "lower",
    }  # fmt: skip
    return Figure(metric, name, value, real=real, **(common | about))


def figures(recall: float = 0.25, classes: bool = False) -> list[Figure]:
    found = [
        figure("frechet-distance", "FD (pixels)", 3.08911, 4.0662, spread=0.531, real_spread=0.64, note="Few samples.",
               spread_of="standard deviation of 10 bootstrap resamples"),
        figure("precision-recall", "precision (pixels)", 0.4579, 0.7475, better="higher"),
        figure("precision-recall", "recall (pixels)", recall, 0.5, better="higher"),
    ]  # fmt: skip
    if classes:
        found += [figure("per-class", "FD (pixels) of a class, mean", 21.5, 12.5, samples=200)]
        found += [
            figure("per-class", f"FD (pixels) of a class: {name}", 20 + number, 12.5, samples=20, group=name)
            for number, name in enumerate(("0", "1", "2", "3"))
        ]
    return found


def computed(ask: Ask, found: list[Figure] | None = None, images: int = 120_000, dataset: str = "digits", **about):
    """A result made by hand, of the weights that there are."""
    tiles, picture = io.BytesIO(), io.BytesIO()
    Image.new("L", (4 * 32, 2 * 32)).save(tiles, "WEBP", lossless=True)
    Image.new("L", (66, 66)).save(picture, "JPEG")
    rows = [{"kind": kind, "distances": [4.5, 5.25, 6.125], "classes": ["0", "0", "6"]} for kind in ("closest", "real")]
    evaluation = {
        "source": ask.source, "title": "Quick digits", "dataset": dataset, "images": images, "features": "pixels",
        "samples": 297, "reference": ask.reference, "seed": ask.seed,
        "figures": [asdict(one) for one in (figures() if found is None else found)],
        "notes": ["The features 'pixels' have no classifier."], "seconds": 3.2,
    }  # fmt: skip
    result = {
        "stamp": stamp(ask),
        "evaluation": evaluation,
        "data": {"kind": dataset, "title": dataset.capitalize(), "values": {"classes": []}, "shape": [1, 32, 32]},
        "neighbours": {"training": 1_500, "generated": [9.0 + place / 100 for place in range(200)],
                       "real": [7.0 + place / 100 for place in range(200)], "rows": rows, "tile": [32, 32]},
    }  # fmt: skip
    queue.submit(ask, "somebody")
    pictures = {"samples": ("jpg", picture.getvalue()), "tiles": ("webp", tiles.getvalue())}
    results.keep(queue.request(ask.key), result | about, pictures)


def run_with_weights(label: str) -> str:
    """The key of a run whose checkpoint is none that could be opened."""
    run = store.create(recipe("quick-digits"), label=label, base="quick-digits")
    (run.folder / "checkpoints").mkdir()
    (run.folder / "checkpoints" / "000002000.safetensors").write_bytes(b"nothing")
    return f"run:{run.id}"


# The page


def test_the_bundled_checkpoint_is_chosen_at_first_and_nothing_is_computed_unasked() -> None:
    app = opened()
    assert not app.exception
    assert app.multiselect[0].value == [SOURCE]
    assert not button(app, "Evaluate").disabled
    assert queue.requests() == []


def test_evaluate_queues_each_choice_once_and_everybody_sees_it_and_can_cancel_it() -> None:
    other = run_with_weights("Mine")
    app = opened(source=[SOURCE, other], samples="500", seed="7")
    button(app, "Evaluate").click()
    app.run()
    assert not app.exception
    assert [(one.ask.source, one.ask.samples, one.ask.seed) for one in queue.requests()] == [
        (SOURCE, 500, 7), (other, 500, 7)
    ]  # fmt: skip
    assert button(app, "Evaluate").disabled
    second = opened(source=[SOURCE, other], samples="500", seed="7")
    assert button(second, "Evaluate").disabled
    assert any("Waits for its turn: it is next" in text.value for text in second.caption)
    assert any("1 before it" in text.value for text in second.caption)
    queue.report(queue.requests()[0], "Generating 297 samples", 0.5)
    second.run()
    (progress,) = second.get("progress")
    assert (progress.proto.value, progress.proto.text) == (50, "Generating 297 samples")
    button(second, "Cancel").click()
    second.run()
    assert [one.ask.source for one in queue.requests()] == [other]
    app.run()
    assert not button(app, "Evaluate").disabled


def test_a_result_is_shown_with_all_that_a_figure_needs_beside_it() -> None:
    computed(Ask(SOURCE))
    app = opened(source=SOURCE)
    assert not app.exception
    table = tabled(app)
    for text in ("FD (pixels)", "3.09 ± 0.53", "4.07 ± 0.64", "0.458", "0.25", "pixels · 297 samples",
                 "compared with 1,000 of train", "297 of test", "lower is better",
                 "± standard deviation of 10 bootstrap resamples", "120,000 images seen"):  # fmt: skip
        assert text in table, text
    assert any("Few samples." in text.value for text in app.markdown)
    assert any("have no classifier" in text.value for text in app.markdown)
    assert any("no sign of copies" in text.value for text in app.markdown)
    assert ">4.5<" in table and ">6.12<" in table, "the distances of the neighbours"
    assert button(app, "Evaluate").disabled, "weights and settings are the same"
    assert queue.requests() == []


def test_figures_of_single_classes_are_bars_and_stay_out_of_the_table() -> None:
    predicted = [
        replace(one, name=one.name.replace("a class", "a predicted class")) for one in figures(classes=True)
    ]  # fmt: skip
    other = run_with_weights("Conditional")
    computed(Ask(SOURCE), predicted)
    computed(Ask(other), figures(classes=True))
    app = opened(source=[SOURCE, other])
    assert not app.exception
    assert len(app.get("vega_lite_chart")) == 2, "bars, and distances to neighbours"
    whole, single = (part for part in app.get("html") if "<table" in part.proto.body)
    assert "a class, mean" in whole.proto.body and "a class: 3" not in whole.proto.body
    assert "a class: 3" in single.proto.body and "mean" not in single.proto.body
    assert any("The classes of Quick digits are those that the classifier" in text.value for text in app.caption)


def test_the_prediction_is_compared_with_what_was_measured() -> None:
    app = opened(source=SOURCE)
    assert not app.success
    app.radio[0].set_value("higher")
    app.run()
    computed(Ask(SOURCE), figures(recall=0.25))
    app.run()
    assert "You said *higher*" in said(app)
    assert "recall **0.25**" in said(app) and "reach 0.5: it is lower" in said(app)


def test_models_of_different_data_are_not_put_into_one_table() -> None:
    first, other = SOURCE, run_with_weights("Other data")
    computed(Ask(first))
    computed(Ask(other), dataset="mnist")
    app = opened(source=[first, other])
    assert not app.exception
    assert "say nothing about each other" in said(app)
    assert tabled(app).count("<table") == 2
    computed(Ask(other))
    app = opened(source=[first, other])
    assert "say nothing about each other" not in said(app)
    assert tabled(app).count("<table") == 1
    assert len(app.tabs) == 6 + 2, "the measures, and the neighbours of each model"


def test_figures_of_older_weights_are_shown_as_such_and_can_be_measured_anew() -> None:
    key = run_with_weights("Goes on")
    computed(Ask(key), images=1_000, stamp="0" * 24)
    app = opened(source=key)
    assert "after 1,000 images" in said(app) and "2,000" in said(app)
    assert "3.09 ± 0.53" in tabled(app)
    button(app, "Evaluate").click()
    app.run()
    assert len(queue.requests()) == 1
    assert "3.09 ± 0.53" in tabled(app), "until there is a newer result"


def test_a_damaged_result_is_computed_again() -> None:
    computed(Ask(SOURCE))
    path = queue.file(Ask(SOURCE).key)
    path.write_text(path.read_text().replace("120000", "120001"))
    app = opened(source=SOURCE)
    assert not app.exception
    assert not button(app, "Evaluate").disabled


def test_a_picture_that_is_gone_leaves_the_figures() -> None:
    computed(Ask(SOURCE))
    for path in [*queue.folder().glob("*.webp"), *queue.folder().glob("*.jpg")]:
        path.unlink()
    app = opened(source=SOURCE)
    assert not app.exception
    assert sum("The picture is gone" in text.value for text in app.caption) == 2
    assert "3.09 ± 0.53" in tabled(app)


def test_a_failure_is_told_and_can_be_tried_again() -> None:
    queue.submit(Ask(SOURCE), "somebody")
    queue.fail(queue.request(Ask(SOURCE).key), "The generator's samples are not finite numbers.")
    app = opened(source=SOURCE)
    assert "not finite numbers" in said(app)
    button(app, "Evaluate").click()
    app.run()
    assert "not finite" not in said(app)
    assert len(queue.requests()) == 1


def test_a_full_queue_is_told_in_one_sentence() -> None:
    for seed in range(1, 1 + queue.PLACES):
        queue.submit(Ask(SOURCE, seed=seed), f"reader {seed}")
    app = opened(source=SOURCE)
    button(app, "Evaluate").click()
    app.run()
    assert "20 evaluations wait already" in said(app)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"source": "../../etc"}, "There is no checkpoint or run '../../etc'"),
        ({"source": ["run:20261121-231500-quick-digits-3f2a"]}, "may have been deleted"),
        ({"source": ["checkpoint:../checkpoints/quick-digits"]}, "There is no checkpoint '../checkpoints"),
        ({"source": "x" * 5_000}, "There is no checkpoint or run"),
        ({"source": SOURCE, "samples": "many"}, "it must be a whole number, 500 to 10,000"),
        ({"source": SOURCE, "samples": "499"}, "samples is '499'"),
        ({"source": SOURCE, "seed": "-1"}, "seed is '-1'"),
        ({"source": SOURCE, "seed": "9" * 5_000}, "seed is"),
        ({"source": SOURCE, "features": "../secret"}, "it must be one of auto, "),
        ({"source": SOURCE, "reference": "all"}, "it must be one of train, test"),
        ({"source": [f"run:{place}" for place in range(9)]}, "names 9 checkpoints and runs; the first 4"),
    ],
)
def test_a_bad_link_is_told_and_the_page_works(query, sentence) -> None:
    app = opened(**query)
    assert not app.exception
    assert sentence in said(app)
    app.multiselect[0].set_value([SOURCE])
    app.run()
    assert not app.exception
    assert not button(app, "Evaluate").disabled


def test_a_run_without_a_checkpoint_is_told_in_a_link() -> None:
    run = store.create(recipe("quick-digits"), label="Young", base="quick-digits")
    assert "'Young' has no checkpoint yet" in said(opened(source=f"run:{run.id}"))


def test_the_address_follows_the_form_and_the_choice_survives_a_visit_elsewhere() -> None:
    other = run_with_weights("Mine")
    app = opened(source=[other], reference="test")
    app.number_input[0].set_value(2_000)
    app.multiselect[0].set_value([other, SOURCE])
    app.run()
    assert app.query_params["source"] == [other, SOURCE]
    assert "".join(app.query_params["samples"]) == "2000"
    assert "".join(app.query_params["reference"]) == "test"
    assert set(app.query_params) == {"source", "samples", "reference"}, "what a fresh form says is not repeated"
    app.switch_page(str(FOLDER / "home.py")).run()
    app.query_params.clear()
    app.switch_page(str(FOLDER / "evaluate.py")).run()
    assert not app.exception
    assert app.multiselect[0].value == [other, SOURCE]
    assert app.number_input[0].value == 2_000


def test_a_run_that_is_deleted_leaves_the_choice() -> None:
    key = run_with_weights("Mine")
    app = opened(source=[SOURCE, key])
    store.delete(store.find(key.removeprefix("run:")))
    app.run()
    assert not app.exception
    assert app.multiselect[0].value == [SOURCE]


def test_names_are_shown_as_they_are_and_do_nothing() -> None:
    key = run_with_weights("<b>x</b> [y](http://z) $1$ :red[q]")
    computed(Ask(key))
    app = opened(source=key)
    assert not app.exception
    assert "<b>" not in tabled(app) and "&lt;b&gt;x" in tabled(app)
    assert r"\[y\](http" in said(app)


# The table and the files


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (3.08911, 0.531, "3.09 ± 0.53"), (0.004414, 0.0028, "0.0044 ± 0.0028"), (1234.5678, 12.3, "1,235 ± 12"),
        (0.25, None, "0.25"), (0.45791, None, "0.458"), (12345.6, None, "12,346"),
        (1.0, 0.0, "1"), (2.0, math.nan, "2"), (math.nan, 0.1, "–"), (None, None, "–"), (5.0, 1e-12, "5"),
        (-0.00012, 0.00031, "-0.00012 ± 0.00031"),
    ],
)  # fmt: skip
def test_a_figure_has_as_many_digits_as_its_spread_gives_sense(value, spread, text) -> None:
    assert tables.value_text(value, spread) == text


def model(label: str = "A", found: list[Figure] | None = None) -> tables.Model:
    ask = Ask(SOURCE)
    computed(ask, found)
    return tables.Model(label, "#000000", ask, results.find(ask))


def test_a_row_says_where_models_differ() -> None:
    first, other = model("A"), model("B", [figure("precision-recall", "recall (pixels)", 0.9, 0.7, samples=250)])
    html, notes = tables.table([first, other], tables.rows([first, other]))
    recall = next(row for row in html.split("<tr>") if "recall" in row)
    assert "297 / 250 samples" in recall
    assert ">0.25<" in recall and ">0.9<" in recall
    assert ">0.5<" in recall and ">0.7<" in recall, "real data's figure of each"
    assert "–" in next(row for row in html.split("<tr>") if "FD" in row), "the second model has none"
    assert notes == ["Few samples."]


def test_the_csv_holds_every_figure_with_all_that_belongs_to_it() -> None:
    one = model('Mine, "quoted"', figures(classes=True))
    rows = list(csv.DictReader(io.StringIO(tables.as_csv([one, one]))))
    assert len(rows) == 2 * len(one.figures) == 16
    assert rows[0] == {
        "model": 'Mine, "quoted"', "source": SOURCE, "title": "Quick digits", "dataset": "digits", "images": "120000",
        "seed": "0", "metric": "frechet-distance", "name": "FD (pixels)", "value": "3.08911", "spread": "0.531",
        "real": "4.0662", "real_spread": "0.64", "features": "pixels", "samples": "297", "real_samples": "297",
        "real_split": "test", "reference": "train", "reference_samples": "1000", "better": "lower", "group": "",
        "spread_of": "standard deviation of 10 bootstrap resamples", "note": "Few samples.",
    }  # fmt: skip
    assert [row["group"] for row in rows[4:8]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("label", ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx"])
def test_a_spreadsheet_takes_no_name_for_a_formula(label) -> None:
    (row, *_) = csv.DictReader(io.StringIO(tables.as_csv([model(label)])))
    assert row["model"] == f"'{label}"
    assert float(row["value"]) == 3.08911


def test_the_json_holds_settings_figures_and_neighbours() -> None:
    (found,) = json.loads(tables.as_json([model("A")]))
    assert found["model"] == "A"
    assert found["settings"] == Ask(SOURCE).to_json()
    assert found["figures"][0]["value"] == 3.08911
    assert len(found["neighbours"]["generated"]) == 200


# Choice and figures


def test_a_link_of_a_choice_is_read_back_as_that_choice() -> None:
    from urllib.parse import parse_qs

    choice = {"sources": [SOURCE], "samples": 2_500, "features": "pixels", "reference": "test", "seed": 9}
    known = {source.key: source for source in form.sources()}
    assert form.parse(parse_qs(form.query(choice)), known, form.available_features()) == (choice, [])


def test_sources_of_one_title_get_different_names() -> None:
    from ganplay.sources import Source

    keys = ("checkpoint:a", "run:20261121-231500-quick-digits-3f2a", "run:20261121-231500-quick-digits-4f2b")
    found = form.titles({key: Source(key, "Same", "run", "") for key in keys})
    assert found == dict(zip(keys, ("Same (a)", "Same (3f2a)", "Same (4f2b)"), strict=True))


def test_bars_show_only_models_with_classes_and_their_own_mean() -> None:
    with_classes = [asdict(one) for one in figures(classes=True)]
    only_all = [asdict(figure("per-class", "FD of all", 1.0, 2.0))]
    data = charts.class_bars("per-class", [("A", with_classes), ("B", only_all)])
    assert data.models == ["A"]
    assert data.classes == ["0", "1", "2", "3"]
    assert [row["value"] for row in data.rows] == [20, 21, 22, 23]
    assert data.means == [{"model": "A", "value": 21.5, "samples": 200, "real": 12.5}]
    assert charts.bar_chart(data, "title", ["A"], ["#000000"]).to_dict()["layer"]
    assert charts.class_bars("ms-ssim", [("A", with_classes)]).rows == []
    without_first = [one for one in with_classes if one["group"] != "0"]
    data = charts.class_bars("per-class", [("B", without_first), ("A", with_classes)])
    assert data.classes == ["0", "1", "2", "3"]
    assert data.models == ["B", "A"]


def test_numbers_that_are_none_are_left_out_of_the_figures() -> None:
    broken = [asdict(figure("per-class", "x", math.nan, None, group="0"))]
    assert charts.class_bars("per-class", [("A", broken)]).rows == []
    assert charts.strip_rows([("A", [1.0, math.inf, math.nan])]) == [{"line": "A", "distance": 1.0}]


def test_copies_are_told_from_samples_that_are_as_far_away_as_real_ones() -> None:
    real = [10 + place / 100 for place in range(200)]
    assert charts.copying([0.1] * 200, real).startswith("learnt by heart: 100% come")
    assert charts.copying([0.1] * 60 + real[60:], real).startswith("look for copies: 30% come")
    assert charts.copying(list(real), real).startswith("no sign of copies: 5% come")
    assert "median is 11, theirs 11" in charts.copying(list(real), real)
    assert charts.copying([1.0] * 3, real) == "too few samples to say anything of copies."
