"""Every page under Streamlit's own test driver: what a reader does, sees, and gets told when it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from ganplay.recipes import recipe
from ganplay.runs import manager as managers
from ganplay.runs import store
from ganplay.runs.folder import Run, Status
from ganplay.ui import forms, sketch
from ganplay.ui.navigation import ENTRIES, FOLDER

ROUTER = str(Path(forms.__file__).with_name("router.py"))


class Idle(managers.Manager):
    """A manager that never starts a worker: runs stay in the queue."""

    def start(self) -> None:
        return


@pytest.fixture(autouse=True)
def no_workers(monkeypatch, home):
    """Each test has its own home, so it needs its own manager and empty caches."""
    monkeypatch.setattr(managers, "Manager", Idle)
    st.cache_resource.clear()
    st.cache_data.clear()


def opened(name: str = "home", **query: str | list[str]) -> AppTest:
    """A page as its address opens it."""
    app = AppTest.from_file(ROUTER, default_timeout=60).run()  # the driver must see the pages before it can switch
    app.switch_page(str(FOLDER / f"{name}.py"))
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def button(app: AppTest, label: str):
    return next(found for found in app.button if found.label == label)


def select(app: AppTest, label: str, place: int = 0):
    return [found for found in app.selectbox if found.label == label][place]


def said(app: AppTest) -> str:
    """All that the page tells in boxes."""
    boxes = [*app.error, *app.warning, *app.info, *app.success]
    return "\n".join(box.value for box in boxes)


def points(count: int, grow: bool) -> list[dict]:
    """Lines of a metrics file; the first layer's count of small gradients grows tenfold or stays."""
    return [
        {
            "images": 100 * (place + 1), "round": place + 1, "seconds": 1.0 * place, "rate": 100.0, "score": None,
            "discriminator_loss": 1.0, "generator_loss": 2.0, "penalty": 0.0, "accuracy_real": 0.9,
            "accuracy_fake": 0.8,
            "gradients": {
                "discriminator": {"blocks.0": [99 if grow and place >= count / 2 else 9, 500, 1.0]},
                "generator": {"project": [0, 700, 0.5]},
            },
        }
        for place in range(count)
    ]  # fmt: skip


def ended(name: str = "quick-digits", state: str = "finished", message: str = "All seen.", grow: bool = True) -> Run:
    """A run folder made by hand."""
    made = store.create(recipe(name), label=f"Mine {name}", base=name)
    (made.folder / "metrics.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points(20, grow)))
    (made.folder / "samples").mkdir(exist_ok=True)
    for images in (0, 1_000, 2_000):
        Image.new("RGB", (66, 66), (images // 10, 90, 20)).save(made.sample_path(images))
    made.write_status(Status(state, images=2_000, seconds=20.0, message=message))
    return made


@pytest.mark.parametrize("name", ENTRIES)
def test_every_page_opens_without_any_run(name: str) -> None:
    app = opened(name)
    assert not app.exception
    assert not app.error
    heading = "See why GANs work, and why they break" if name == "home" else ENTRIES[name].title
    assert name == "studio" or app.title[0].value == heading


@pytest.mark.parametrize("name", ENTRIES)
def test_every_page_opens_with_runs_of_all_states(name: str) -> None:
    for state in ("finished", "failed", "paused", "stopped", "interrupted", "queued"):
        ended(state=state)
    app = opened(name)
    assert not app.exception


@pytest.mark.parametrize("name", ["train", "vanishing_gradients"])
@pytest.mark.parametrize("runs", ["../../etc", "20261121-231500-quick-digits-3f2a", "a,b,c,d,e,f", "%00", "x" * 5_000])
def test_unknown_runs_in_the_address_are_told_and_the_page_works(name: str, runs: str) -> None:
    app = opened(name, runs=runs)
    assert not app.exception
    assert said(app)


@pytest.mark.parametrize(
    "text", ["nonsense", "quick-digits;seed=x", "quick-digits;loss", ";;;", "quick-digits;latent=0"]
)
def test_a_bad_recipe_in_the_address_is_told_and_the_form_still_starts(text: str) -> None:
    app = opened("train", recipe=[text, "cs229-fcgan;dataset=digits;latent=9"])
    assert not app.exception
    assert "link" in said(app)
    assert select(app, "Contender 1").value == "cs229-fcgan"
    assert not button(app, "Start").disabled


def test_home_starts_the_quick_run_and_shows_it() -> None:
    app = opened("home")
    button(app, "Train one now: 60 seconds").click()
    app.run()
    (run,) = store.list_runs()
    assert run.recipe().stop_seconds == 60
    assert run.recipe().dataset.kind == "digits"
    assert run.status().state == "queued"


def test_home_shows_the_samples_of_bundled_checkpoints_and_none_when_there_are_none(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr("ganplay.ui.samples.bundled_checkpoints", lambda: tmp_path)
    assert not any("come with the program" in head.value for head in opened("home").subheader)
    (tmp_path / "one").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "one" / "samples.webp")
    app = opened("home")
    assert not app.exception
    assert any("come with the program" in head.value for head in app.subheader)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_drawing_is_well_formed_and_has_the_ink_of_the_theme(theme: str) -> None:
    from xml.etree import ElementTree

    assert ElementTree.fromstring(sketch.gan(theme)).attrib["color"] == sketch.INKS[theme]


def test_start_makes_one_run_a_contender_with_the_same_seed_and_data() -> None:
    app = opened("train", recipe=["quick-digits;seed=5", "duke-dcgan;generator.widths=8,4"])
    next(found for found in app.number_input if found.label == "Seed").set_value(7)
    app.run()
    button(app, "Start").click()
    app.run()
    assert not app.exception
    runs = store.list_runs()
    recipes = {run.info["base"]: run.recipe() for run in runs}
    assert set(recipes) == {"quick-digits", "duke-dcgan"}
    assert {(one.seed, one.dataset.kind) for one in recipes.values()} == {(7, "digits")}
    assert len({run.info["group"] for run in runs}) == 1
    assert recipes["duke-dcgan"].image_size == 32
    assert recipes["duke-dcgan"].generator.widths == (8, 4)
    assert set("".join(app.query_params["runs"]).split(",")) == {run.id for run in runs}


def test_data_that_a_contender_cannot_learn_forbids_to_start_with_a_sentence() -> None:
    app = opened("train")
    select(app, "Data").set_value("ring")
    app.run()
    assert not app.exception
    assert "needs images" in said(app)
    assert button(app, "Start").disabled


def test_one_to_four_contenders() -> None:
    app = opened("train", recipe="quick-digits")
    assert button(app, "✕").disabled
    for _ in range(3):
        button(app, "Add a contender").click()
        app.run()
    assert [found.label for found in app.selectbox if found.label.startswith("Contender")][-1] == "Contender 4"
    assert not any(found.label == "Add a contender" for found in app.button)
    button(app, "✕").click()
    app.run()
    assert any(found.label == "Add a contender" for found in app.button)


def test_a_finished_run_shows_its_pictures_its_end_and_what_can_be_done() -> None:
    run = ended()
    app = opened("train", runs=run.id)
    assert not app.exception
    assert any("2,000" in text.value for text in app.markdown)
    assert any("All seen." in text.value for text in app.caption)
    labels = {found.label for found in app.button}
    assert "Pause" not in labels
    assert {"New comparison", "Same setup again"} <= labels


def test_a_failed_run_tells_why_and_what_to_do() -> None:
    app = opened("train", runs=ended(state="failed", message="The disk is full.").id)
    assert "The disk is full." in said(app)
    assert "resume" in said(app)
    assert any(found.label == "Resume" for found in app.button)


def test_buttons_of_a_queued_run_reach_the_manager() -> None:
    run = store.create(recipe("quick-digits"), base="quick-digits")
    app = opened("train", runs=run.id)
    button(app, "Pause").click()
    app.run()
    assert run.status().state == "paused"
    button(app, "Resume").click()
    app.run()
    assert run.status().state == "queued"
    button(app, "Stop").click()
    app.run()
    assert run.status().state == "stopped"


def test_the_scrubber_goes_back_to_an_earlier_picture() -> None:
    run = ended()
    app = opened("train", runs=run.id)
    (slider,) = app.select_slider
    assert list(slider.options) == ["0", "1,000", "2,000", "live"]
    slider.set_value(1_000)
    app.run()
    assert not app.exception
    assert any("after 1,000 images" in text.value for text in app.caption)


def test_same_setup_again_fills_the_form_with_the_recipes_of_the_runs() -> None:
    changed = recipe("quick-digits").change({"loss": "wasserstein", "seed": 3})
    run = store.create(changed, base="quick-digits")
    app = opened("train", runs=run.id)
    button(app, "Same setup again").click()
    app.run()
    assert not app.exception
    assert "runs" not in app.query_params
    assert next(found for found in app.number_input if found.label == "Seed").value == 3
    button(app, "Start").click()
    app.run()
    again = next(found for found in store.list_runs() if found.id != run.id)
    assert again.recipe() == changed


def test_a_prediction_is_compared_with_what_was_measured() -> None:
    app = opened("train", runs=ended().id)
    assert "You said" not in said(app)
    app.radio[0].set_value("almost always")
    app.run()
    assert "almost always" in said(app)
    assert "80%" in said(app)


def test_the_vanishing_page_measures_growth_in_the_runs_chosen() -> None:
    grown, flat = ended(grow=True), ended("duke-wgan", grow=False)
    app = opened("vanishing_gradients", runs=f"{grown.id},{flat.id}")
    assert not app.exception
    texts = "\n".join(text.value for text in app.markdown)
    assert "× 10, from 9 to 99 of 500" in texts
    assert "**Mine duke-wgan**: the count stays about flat in every layer of the discriminator" in texts
    assert "grew most in **Mine quick-digits** (× 10.00" in said(app)


def test_the_pair_is_started_with_the_same_nets_and_data() -> None:
    app = opened("vanishing_gradients")
    button(app, "Start the pair").click()
    app.run()
    assert not app.exception
    recipes = {run.info["base"]: run.recipe() for run in store.list_runs()}
    assert recipes["duke-dcgan"].generator == recipes["duke-wgan"].generator
    assert recipes["duke-dcgan"].discriminator == recipes["duke-wgan"].discriminator
    assert {one.dataset.kind for one in recipes.values()} == {"digits"}
    assert len(app.multiselect[0].value) == 2


def test_a_full_disk_is_told_with_what_could_be_deleted(monkeypatch) -> None:
    ended()
    monkeypatch.setenv("GANPLAY_DISK_GB", "0.000001")
    app = opened("train")
    button(app, "Start").click()
    app.run()
    assert not app.exception
    assert "delete some" in said(app)
    app = opened("runs")
    assert not app.exception
    assert "nearly used up" in said(app)
    next(found for found in app.button if found.key.startswith("old:")).click()
    app.run()
    assert store.list_runs() == []


def test_an_uploaded_zip_becomes_a_set_of_pictures_and_skipped_files_are_listed(tmp_path) -> None:
    import io
    import zipfile

    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for place in range(17):
            picture = io.BytesIO()
            Image.new("RGB", (12, 12), (place * 10, 3, 4)).save(picture, "PNG")
            file.writestr(f"p{place}.png", picture.getvalue())
        file.writestr("notes.txt", "no picture")
    app = opened("train")
    select(app, "Data").set_value("pictures")
    app.run()
    assert "No picture set is chosen" in said(app)
    assert button(app, "Start").disabled
    app.file_uploader[0].upload("My Pets!.zip", memory.getvalue(), "application/zip")
    app.run()
    assert next(field for field in app.text_input if field.label == "Name of the set").value == "my-pets"
    button(app, "Import").click()
    app.run()
    assert not app.exception
    assert "Imported 17 pictures" in said(app)
    assert "1 file was skipped" in said(app)
    assert select(app, "Set of pictures").value == "my-pets"


def test_a_zip_that_is_none_gives_one_sentence() -> None:
    app = opened("train")
    select(app, "Data").set_value("pictures")
    app.run()
    app.file_uploader[0].upload("broken.zip", b"not a zip", "application/zip")
    app.run()
    button(app, "Import").click()
    app.run()
    assert not app.exception
    assert "broken.zip" in said(app)
