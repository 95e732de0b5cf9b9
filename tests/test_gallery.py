"""The page of pretrained checkpoints, what it reads, and what other pages take from it."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest
from tiny_runs import train_tiny

from ganplay import paths, pictures
from ganplay.charts import gallery as shares
from ganplay.checkpoint import load_discriminator, load_generator
from ganplay.export import export_run
from ganplay.latent.sampling import sample
from ganplay.runs import manager as managers
from ganplay.ui import gallery, gallery_compare, gallery_data, samples, weights
from ganplay.ui.navigation import FOLDER


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("trained")
    run = train_tiny(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANPLAY_HOME", str(home))
        return export_run(run, tmp_path_factory.mktemp("exported") / "tiny", discriminator=True)


@pytest.fixture
def folder(tmp_path, home, monkeypatch) -> Path:
    """An empty folder of bundled checkpoints."""
    made = tmp_path / "checkpoints"
    made.mkdir()
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: made)
    monkeypatch.setattr(samples, "bundled_checkpoints", lambda: made)
    monkeypatch.setattr(managers.Manager, "start", lambda self: None)
    st.cache_resource.clear()
    st.cache_data.clear()
    return made


def put(exported: Path, folder: Path, name: str, **metrics: object) -> Path:
    """A checkpoint of that name, with some entries of its metrics changed."""
    shutil.copytree(exported, folder / name)
    known = json.loads((exported / "metrics.json").read_text())
    (folder / name / "metrics.json").write_text(json.dumps(known | metrics))
    return folder / name


def figure(metric: str, name: str, value: float, real: float, **about: object) -> dict:
    return {
        "metric": metric, "name": name, "value": value, "spread": None, "real": real, "real_spread": None,
        "features": "some classifier", "samples": 297, "real_samples": 297, "real_split": "test",
        "reference": "train", "reference_samples": 1_500, "better": "lower", "group": "", "spread_of": "", "note": "",
    } | about  # fmt: skip


def scores(to_test: float, recall: float) -> dict:
    figures = [
        figure("frechet-distance", "FD", to_test + 1, 3.0),
        figure("frechet-distance", "FD, to the test split", to_test, 2.0, reference="test", real_split="train"),
        figure("precision-recall", "recall (some classifier)", recall, 0.9, better="higher"),
    ]
    return {"features": "some", "samples": 297, "reference": "train", "seed": 0, "figures": figures, "notes": []}


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(Path(gallery.__file__).with_name("router.py")), default_timeout=60).run()
    app.switch_page(str(FOLDER / "gallery.py"))
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def texts(app: AppTest) -> str:
    boxes = (app.markdown, app.caption, app.info, app.success, app.warning)
    return "\n".join(one.value for kind in boxes for one in kind)


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_documents_come_first_and_what_is_no_generator_is_left_out(exported, folder):
    put(exported, folder, "zebra", document="000")
    put(exported, folder, "ours", document="")
    put(exported, folder, "paper", document="arXiv 1802.05957")
    put(exported, folder, "ape", document="004")
    put(exported, folder, "broken", document="000")
    (folder / "broken" / "config.json").write_text("{")
    (folder / "classifier").mkdir()
    (folder / "classifier" / "config.json").write_text('{"format": "ganplay-classifier-1"}')
    put(exported, folder, "weightless", document="000")
    (folder / "weightless" / "model.safetensors").unlink()
    assert list(gallery_data.bundled()) == ["zebra", "ape", "paper", "ours"]


def test_a_replaced_checkpoint_is_read_again(exported, folder):
    put(exported, folder, "one", seconds=1.0)
    assert gallery_data.bundled()["one"].about["seconds"] == 1.0
    (folder / "one" / "metrics.json").write_text("{}")
    found = gallery_data.bundled()["one"]
    assert found.about["seconds"] is None
    assert gallery_data.points("one", found.stamp) == []


def test_the_zip_holds_every_file_as_it_is(exported, folder):
    put(exported, folder, "one")
    with zipfile.ZipFile(io.BytesIO(gallery_data.zipped("one", ""))) as archive:
        assert set(archive.namelist()) == {f"one/{name}" for name in gallery_data.files("one")}
        for path in (folder / "one").iterdir():
            assert archive.read(f"one/{path.name}") == path.read_bytes()


def test_the_card_is_shown_without_front_matter_and_picture(exported, folder):
    put(exported, folder, "one")
    text = gallery_data.card("one", "")
    assert "library_name" not in text and "<img" not in text
    assert "## Train it again" in text


def test_all_checkpoints_are_seen_at_once_with_what_is_known_of_them(exported, folder):
    put(exported, folder, "one", scores=scores(12.0, 0.25), document="001", seconds=90.0)
    put(exported, folder, "two")
    app = opened()
    assert not app.exception and not app.error
    assert labels(app).count("Card and files") == 2
    told = texts(app)
    for words in (
        "`one` · document 001 · Digits, 32 x 32 · 320 images · 90 s", "FD to the test set 12 (training images 2)",
        "recall 0.25 (real 0.90)", "Not measured.",
    ):  # fmt: skip
        assert words in told


def test_without_any_checkpoint_the_page_says_how_to_make_one(folder):
    app = opened()
    assert not app.exception
    assert "ganplay export RUN FOLDER" in texts(app)


def test_prepared_comparisons_are_offered_where_their_checkpoints_are(exported, folder):
    put(exported, folder, "duke-dcgan")
    assert not any(label.startswith("Document") for label in labels(opened()))
    put(exported, folder, "duke-wgan")
    app = opened()
    (label,) = [label for label in labels(app) if label.startswith("Document")]
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    assert "".join(app.query_params["models"]) == "duke-dcgan,duke-wgan"
    assert "What the document says" in texts(app)
    assert app.multiselect[0].value == ["duke-dcgan", "duke-wgan"]
    next(button for button in app.button if button.label == "All checkpoints").click()
    app.run()
    assert "models" not in app.query_params
    assert "Card and files" in labels(app)


def test_two_to_four_are_chosen_by_hand(exported, folder):
    for name in ("one", "two"):
        put(exported, folder, name)
    app = opened()
    compare = next(button for button in app.button if button.label == "Compare")
    assert compare.disabled
    app.multiselect[0].set_value(["one", "two"])
    app.run()
    app.multiselect[0].set_value(["two", "one"])
    next(button for button in app.button if button.label == "Compare").click()  # before the page was drawn again
    app.run()
    assert not app.exception
    assert "".join(app.query_params["models"]) == "two,one"
    app.multiselect[0].set_value(["one"])
    app.run()
    assert "".join(app.query_params["models"]) == "one"


@pytest.mark.parametrize("models", ["nonsense", "../..", "%00", "x" * 5_000, "one,nonsense"])
def test_unknown_names_in_the_address_are_told_and_the_page_works(exported, folder, models):
    put(exported, folder, "one")
    app = opened(models=models)
    assert not app.exception
    assert "There is no checkpoint" in texts(app)


def test_the_nearest_to_the_test_images_is_named_beside_what_the_reader_said(exported, folder):
    put(exported, folder, "far", scores=scores(30.0, 0.5))
    put(exported, folder, "near", scores=scores(4.0, 0.5))
    app = opened(models="far,near")
    assert "Nearest is **near**: near 4, far 30; training images 2." in texts(app)
    app.radio[0].set_value("far")
    app.run()
    assert "You said *far*. Nearest is **near**" in texts(app)


def test_scores_of_other_data_are_not_ranked(exported, folder):
    put(exported, folder, "one", scores=scores(30.0, 0.5))
    other = put(exported, folder, "two", scores=scores(4.0, 0.5))
    config = json.loads((other / "config.json").read_text())
    config["recipe"]["dataset"]["classes"] = ["3"]
    (other / "config.json").write_text(json.dumps(config))
    app = opened(models="one,two")
    assert not app.exception
    assert not app.success and not app.radio
    assert "They learned from different data" in texts(app)


def test_pictures_are_the_samples_of_the_seed_and_equal_for_equal_weights(exported, folder):
    for name in ("one", "two"):
        put(exported, folder, name)
    first, second = (gallery_compare.picture(name, "", 7) for name in ("one", "two"))
    assert first == second != gallery_compare.picture("one", "", 8)
    count, columns = gallery_compare.SAMPLES, gallery_compare.COLUMNS
    drawn = pictures.grid(sample(load_generator(exported), 7, count), columns)
    shown = Image.open(io.BytesIO(first))
    factor = shown.width // drawn.width
    middle = np.asarray(shown)[factor // 2 :: factor, factor // 2 :: factor].astype(int)
    assert np.abs(middle - np.asarray(drawn).astype(int)).mean() < 4  # JPEG


def test_other_noise_is_the_next_seed(exported, folder):
    put(exported, folder, "one")
    app = opened(models="one")
    next(button for button in app.button if button.label == "Other noise").click()
    app.run()
    assert app.number_input[0].value == 1


def test_the_share_of_small_gradients_is_taken_of_each_layers_own_entries():
    layers = {"first": [25.0, 100, 1.0], "second": [1.0, 4, 1.0], "none": [0, 0, 0.0]}
    points = [
        {"images": 10, "gradients": {"discriminator": layers}},
        {"images": 20},
        {"images": 30, "gradients": {"discriminator": {"first": [100.0, 100, 1.0]}}},
    ]
    assert [point["images"] for point in shares.with_gradients(points)] == [10, 30]
    points.append({"images": 40, "gradients": {"discriminator": layers | {"second": [3.0, 4, 1.0]}}})
    found = {(row["images"], row["line"]): row["value"] for row in shares.share_rows(points, "discriminator")}
    assert found == {
        (10, "layer 1"): 0.25, (10, "layer 2"): 0.25, (30, "layer 1"): 1.0, (40, "layer 1"): 0.25,
        (40, "layer 2"): 0.75,
    }  # fmt: skip
    assert shares.share_rows(points, "generator") == []
    chart = shares.share_chart([], 2, "title").to_dict()
    assert chart["encoding"]["y"]["scale"]["domain"] == [0, 1]


def test_a_small_picture_shows_the_first_rows_whole(exported, folder):
    put(exported, folder, "one")
    assert samples.GAP == pictures.GAP
    with Image.open(exported / "samples.webp") as opened_file:
        whole = np.asarray(opened_file.convert("RGB"))
    rows = 4 * (32 + pictures.GAP) + pictures.GAP  # of 8 columns
    shown = Image.open(io.BytesIO(samples.small("one")))
    factor = shown.width // whole.shape[1]
    assert shown.size == (whole.shape[1] * factor, rows * factor)
    middle = np.asarray(shown)[factor // 2 :: factor, factor // 2 :: factor].astype(int)
    assert np.abs(middle - whole[:rows].astype(int)).mean() < 4  # JPEG


def test_home_shows_at_most_four_the_featured_ones_first(exported, folder):
    for name in ("a", "b", "c", "d", "e", "quick-digits"):
        put(exported, folder, name)
    assert samples.chosen() == ["quick-digits", "a", "b", "c"]
    with pytest.raises(ValueError, match="cannot be read"):
        samples.small("nothing")


def test_a_bundled_discriminator_is_looked_into_and_copied(exported, folder):
    put(exported, folder, "one")
    chosen = weights.choice("quick-digits", "checkpoint:one")
    assert weights.has_trained(chosen, "discriminator")
    stored = load_discriminator(exported).state_dict()
    found = weights._network(chosen, "discriminator")
    for name, value in found.state_dict().items():
        assert torch.equal(value, stored[name])
    assert found is not weights._network(chosen, "discriminator")


def test_without_a_bundled_discriminator_the_untrained_one_stands_in(exported, folder):
    path = put(exported, folder, "one")
    (path / "discriminator.safetensors").unlink()
    chosen = weights.choice("quick-digits", "checkpoint:one")
    assert not weights.has_trained(chosen, "discriminator")
    assert weights.has_trained(chosen, "generator")
    trained, shown = load_discriminator(exported).state_dict(), weights._network(chosen, "discriminator").state_dict()
    assert any(not torch.equal(value, trained[name]) for name, value in shown.items())
