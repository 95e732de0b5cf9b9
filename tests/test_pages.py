"""Every page under Streamlit's own test driver: what a reader does, sees, and gets told when it cannot be."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ganplay.losses import losses
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run, Status
from ganplay.runs.manager import Manager
from ganplay.ui import datasets, forms, live, server, sketch, teaching
from ganplay.ui.navigation import ENTRIES, FOLDER

ROUTER = str(Path(forms.__file__).with_name("router.py"))


pytestmark = pytest.mark.usefixtures("no_workers")


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
    select(app, "Contender 1").set_value("cs229-skip")
    app.run()
    assert "link" in said(app)  # for as long as it is the page's address
    assert select(app, "Contender 1").value == "cs229-skip"


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
    app.radio[0].set_value("both alike")
    app.run()
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


def tick(app: AppTest, *rows: int) -> AppTest:
    """Ticks rows of the table of runs, as a browser reports it."""
    app.session_state[app.dataframe[0].key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return app.run()


def test_runs_that_were_confirmed_are_deleted_and_no_others() -> None:
    first, second = ended("quick-digits"), ended("duke-dcgan")
    app = tick(opened("runs"), store.list_runs().index(first))
    assert any("Delete 1 run " in text.value for text in app.markdown)
    newest = ended("duke-wgan")  # starts while the reader looks at the question: the rows move
    assert store.list_runs()[0].id == newest.id
    next(found for found in app.button if found.key == "delete").click()
    app.run()
    assert not app.exception
    assert {run.id for run in store.list_runs()} == {second.id, newest.id}


def test_a_selection_does_not_move_to_another_run_when_the_table_changes() -> None:
    run = ended("quick-digits")
    app = tick(opened("runs"), 0)
    assert any(text.value == f"**{run.label}**" for text in app.markdown)
    ended("duke-wgan")
    app.run()
    assert not any(found.key == "delete" for found in app.button)


def test_a_long_run_offers_at_most_200_moments_with_the_first_newest_and_chosen_one() -> None:
    known = list(range(0, 500_000, 100))
    offered = live.moments([known, known[:7]], chosen=1_300)
    assert len(offered) <= live.MOMENTS == 200
    assert (offered[0], offered[-1]) == (0, known[-1])
    assert 1_300 in offered
    assert set(offered) <= set(known)
    assert live.moments([[0, 5], [3]], chosen=live.NEWEST) == [0, 3, 5]
    assert set(live.moments([known])[:-1]) <= set(live.moments([[*known, 500_000]]))  # a new one moves none


def test_a_full_disk_is_one_sentence_wherever_something_is_written(monkeypatch) -> None:
    def full(*values: object, **named: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "recipe.json")

    monkeypatch.setattr(Manager, "submit", full)
    monkeypatch.setattr(Manager, "fork", full)
    app = opened("train")
    button(app, "Start").click()
    assert "No space left" in said(app.run())
    assert not app.exception
    run = ended()
    app = opened("train", runs=run.id)
    app.session_state["forking"] = run.id
    app.run()
    next(found for found in app.number_input if found.label == "Batch size").set_value(17)
    app.run()
    next(found for found in app.button if found.key == "start-fork").click()
    assert "No space left" in said(app.run())
    assert not app.exception


def test_the_last_point_appears_although_the_images_were_counted_before_it_was_written() -> None:
    run = ended()
    app = opened("train", runs=run.id)
    app.radio[0].set_value("almost always")
    assert "80%" in said(app.run())
    late = [point | {"images": 2_000 + point["images"], "accuracy_fake": 0.25} for point in points(100, False)]
    with (run.folder / "metrics.jsonl").open("a") as file:
        file.writelines(json.dumps(point) + "\n" for point in late)
    assert "25%" in said(app.run())


@pytest.mark.parametrize("name", losses.names())
def test_the_page_shows_the_formula_and_the_worked_example_of_the_chosen_loss(name: str) -> None:
    loss = losses[name]
    app = opened("train", recipe=f"quick-digits;loss={name};penalties=weight-clip")
    texts, formulas = [text.value for text in app.markdown], "".join(found.value for found in app.latex)
    assert any(teaching.worked_example(loss) == text for text in texts)
    assert r"\mathrm{clip}" in formulas
    assert loss.formula.split(r", \q")[0] in formulas
    run = store.create(recipe("quick-digits").change({"loss": name}), base="quick-digits")
    assert any(teaching.worked_example(loss) == text.value for text in opened("train", runs=run.id).markdown)


def zip_of_pictures() -> bytes:
    import io
    import zipfile

    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for place in range(17):
            picture = io.BytesIO()
            Image.new("RGB", (12, 12), (place * 10, 3, 4)).save(picture, "PNG")
            file.writestr(f"p{place}.png", picture.getvalue())
    return memory.getvalue()


def importing() -> AppTest:
    """The page after a click on Import."""
    app = opened("train")
    select(app, "Data").set_value("pictures")
    app.run()
    app.file_uploader[0].upload("pets.zip", zip_of_pictures(), "application/zip")
    app.run()
    button(app, "Import").click()
    return app.run()


def test_imports_run_one_at_a_time_and_the_lock_is_free_afterwards() -> None:
    with datasets._importing:
        app = importing()
    assert not app.exception
    assert "Another import is running" in said(app)
    assert "Imported 17 pictures" in said(importing())
    assert "There already is a picture set 'pets'" in said(importing())
    assert not datasets._importing.locked()


def test_a_set_of_pictures_is_deleted_where_it_is_chosen() -> None:
    app = importing()
    assert select(app, "Set of pictures").value == "pets"
    button(app, "Yes, delete them").click()
    app.run()
    assert not app.exception
    assert datasets.picture_sets() == ()
    assert not any(found.label == "Set of pictures" for found in app.selectbox)
    assert button(app, "Start").disabled


def test_the_browsers_limit_of_an_upload_is_that_of_the_import(monkeypatch) -> None:
    from streamlit import config

    before = config.get_option("server.maxUploadSize")
    try:
        monkeypatch.setenv("GANPLAY_UPLOAD_MB", "12.5")
        server.limit_uploads()
        assert config.get_option("server.maxUploadSize") == 13
        monkeypatch.delenv("GANPLAY_UPLOAD_MB")
        server.limit_uploads()
        assert config.get_option("server.maxUploadSize") == 200
    finally:
        config.set_option("server.maxUploadSize", before)


@pytest.mark.parametrize("variable", ["GANPLAY_DISK_GB", "GANPLAY_CONCURRENT_RUNS", "GANPLAY_UPLOAD_MB"])
def test_a_wrong_setting_ends_the_server_at_its_start_with_one_sentence(variable: str) -> None:
    root = Path(server.__file__).parents[2]
    code = "from ganplay.ui.server import prepare_environment; prepare_environment()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=os.environ | {variable: "much"}, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{variable} is 'much'" in done.stderr


@pytest.mark.parametrize("name", losses.names())
def test_a_worked_example_is_told_with_its_inputs_its_steps_and_both_results(name: str) -> None:
    example, told = losses[name].example, teaching.worked_example(losses[name])
    for number in (*example.real, *example.fake):
        assert f"{number:g}" in told
    assert example.working in told.replace("$", "")
    assert told.endswith(f"$L_D$ = {example.discriminator:.4g} and $L_G$ = {example.generator:.4g}.")


def test_a_run_is_looked_at_often_when_it_is_young_and_seldom_when_it_rests() -> None:
    run = store.create(recipe("quick-digits"), base="quick-digits")
    assert live.pace([run.id]) == live.FAST
    run.write_status(Status("queued", seconds=live.EARLY))
    assert live.pace([run.id]) == live.STEADY
    assert live.pace([run.id, store.create(recipe("quick-digits"), base="quick-digits").id]) == live.FAST
    run.write_status(Status("finished", seconds=live.EARLY))
    assert live.pace([run.id]) == live.pace([]) == live.SLOW
