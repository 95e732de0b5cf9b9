"""The page "Failure modes" under Streamlit's test driver: break, diagnose, cure, compare; read curves; guess."""

from __future__ import annotations

import failure_story
import pytest
from failure_story import BROKEN, CURE, OTHER, TinyStory
from streamlit.testing.v1 import AppTest
from test_pages import button, ended, opened, said

from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.worker import work
from ganplay.stories.story import Verdict

pytestmark = pytest.mark.usefixtures("no_workers", "tiny_story")


@pytest.fixture
def tiny_story(monkeypatch):
    """The page knows one story, which trains for a second."""
    failure_story.register(monkeypatch)


def page(**query: str) -> AppTest:
    return opened("failure_modes", **query)


def answer(app: AppTest, text: str) -> AppTest:
    """Says what the reader expects."""
    next(radio for radio in app.radio if text in radio.options).set_value(text)
    return app.run()


def broken(app: AppTest) -> AppTest:
    """Presses the button and trains what was queued."""
    answer(app, "yes")
    button(app, "Break it").click()
    app.run()
    train_queued()
    return settled(app.run())


def settled(app: AppTest) -> AppTest:
    """The page once everything on it is measured."""
    for _ in range(100):
        if "being measured" not in texts(app):
            return app
        app.run()
    raise AssertionError("The measurements did not come.")


def train_queued() -> None:
    for run in store.list_runs():
        if run.status().state == "queued":
            assert work(run).state == "finished"


def texts(app: AppTest) -> str:
    return "\n".join(found.value for found in (*app.markdown, *app.caption)) + said(app)


def labels(app: AppTest) -> list[str]:
    return [found.label for found in app.button]


def test_nothing_is_broken_or_told_before_the_reader_has_said_what_to_expect():
    app = page()
    assert not app.exception
    assert button(app, "Break it").disabled
    assert TinyStory.claim not in texts(app) and TinyStory.why not in texts(app)
    answer(app, "yes")
    assert not button(app, "Break it").disabled
    assert TinyStory.claim in texts(app)


def test_breaking_queues_the_first_recipe_and_says_who_is_before_it():
    store.create(recipe("quick-digits"))
    app = answer(page(), "yes")
    next(found for found in app.number_input if found.label == "Seed").set_value(7)
    button(app, "Break it").click()  # the press itself leaves the field
    app.run()
    assert not app.exception
    run = next(found for found in store.list_runs() if found.label == BROKEN)
    assert run.recipe() == TinyStory().recipes(7)[BROKEN]
    assert "one run begins before it" in texts(app)
    assert "".join(app.query_params["runs"]) == run.id and "".join(app.query_params["failure"]) == "tiny-ring"


def test_a_broken_run_is_diagnosed_cured_from_its_own_seed_and_judged_with_its_cures():
    app = broken(page())
    (first,) = store.list_runs()
    assert "of 8 modes are covered" in said(app)  # measured on the samples of just this run
    next(found for found in app.button_group if found.label == "Cures to try").set_value([CURE, OTHER])
    app.run()
    button(app, "Run the cures").click()
    app.run()
    runs = {run.label: run for run in store.list_runs()}
    assert set(runs) == {BROKEN, CURE, OTHER}
    assert {run.recipe().seed for run in runs.values()} == {first.recipe().seed}
    assert {run.info["group"] for run in runs.values()} == {first.info["group"]}
    train_queued()
    settled(app.run())
    assert not app.exception
    expected = TinyStory().judge({name: run_end(runs[name]) for name in (BROKEN, CURE, OTHER)})
    assert expected.evidence in texts(app)
    table = next(found.value for found in app.dataframe if "loss of G" in found.value.columns)
    assert dict(zip(table["training"], map(float, table["loss of G"]), strict=True)) == pytest.approx(
        {name: values["loss of G"] for name, values in expected.measured.items()}, rel=1e-3
    )
    assert "you said *yes*" in said(app).lower()


def run_end(run):
    from ganplay.stories.story import End

    return End.of(run)


def test_the_address_brings_back_runs_in_another_session():
    app = broken(page())
    again = page(failure="tiny-ring", runs="".join(app.query_params["runs"]))
    assert not again.exception
    assert "Start over" in labels(again)
    assert button(again, "Break it").disabled


def test_runs_are_there_again_after_another_page_was_visited():
    app = broken(page())
    ids = app.query_params["runs"]
    from ganplay.ui.navigation import FOLDER

    app.switch_page(str(FOLDER / "runs.py")).run()
    app.query_params.clear()
    app.switch_page(str(FOLDER / "failure_modes.py"))
    app.run()
    assert not app.exception
    assert app.query_params["runs"] == ids


@pytest.mark.parametrize("runs", ["../../etc", "20261121-231500-quick-digits-3f2a", "a,b,c,d,e,f", "x" * 5_000])
def test_unknown_runs_in_the_address_are_told_and_the_page_works(runs):
    app = page(failure="tiny-ring", runs=runs)
    assert not app.exception
    assert said(app)
    assert "Break it" in labels(app)


def test_a_run_of_something_else_is_left_out_with_a_sentence():
    app = page(failure="tiny-ring", runs=ended().id)
    assert not app.exception
    assert "does not train a recipe of this failure" in said(app)


def test_unknown_names_in_the_address_are_told():
    for query in ({"failure": "nonsense"}, {"part": "nonsense"}, {"part": "curves", "curves": "run:nonsense"}):
        app = page(**query)
        assert not app.exception
        assert "another one is shown" in said(app)


def test_a_full_queue_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setenv("GANPLAY_QUEUE", "1")
    store.create(recipe("quick-digits"))
    app = answer(page(), "yes")
    button(app, "Break it").click()
    app.run()
    assert not app.exception
    assert "The queue is full" in said(app)


def test_curves_of_a_run_are_read_only_after_the_readers_own_word():
    run = ended()
    app = page(part="curves", curves=f"run:{run.id}")
    assert not app.exception and not app.success
    answer(app, "it is in trouble")
    assert not app.exception
    assert "You said *it is in trouble*" in said(app)


def test_a_bundled_checkpoints_curves_are_read():
    app = answer(page(part="curves", curves="checkpoint:kth-simple"), "it learns as it should")
    assert not app.exception
    assert "By its thresholds" in said(app)


def test_a_remedy_goes_on_as_a_fork_that_sees_as_many_images_again():
    from ganplay.ui.failure_findings import go_on

    app = broken(page())
    (run,) = store.list_runs()
    child = go_on(run, {"loss": "hinge"})
    assert child.recipe() == run.recipe().change({"loss": "hinge", "stop_images": 1_920})
    assert child.info["forked_from"] == run.id and not app.exception


def test_every_part_opens():
    for part in ("lab", "dirac", "curves", "quiz"):
        app = page(part=part)
        assert not app.exception and not app.error, part


def test_the_dirac_gan_is_drawn_after_the_prediction_and_ends_where_the_golden_numbers_say():
    app = page(part="dirac", steps="40")
    assert not app.dataframe
    answer(app, "farther away")
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["order"]) == ["simultaneous", "alternating, D once", "alternating, D five times"]
    assert "You said *farther away*" in said(app)


def test_a_failure_without_trainings_is_computed_after_the_prediction(monkeypatch):
    monkeypatch.setattr(TinyStory, "recipes", lambda self, seed: {})
    monkeypatch.setattr(
        TinyStory, "verify", lambda self, seed: Verdict(seed == 3, f"Seed {seed}.", {"alone": {"seed": seed}})
    )
    app = page()
    assert button(app, "Break it").disabled
    answer(app, "yes")
    next(found for found in app.number_input if found.label == "Seed").set_value(3)
    app.run()
    button(app, "Break it").click()
    for _ in range(20):
        app.run()
        if "Seed 3." in texts(app):
            break
    assert not app.exception
    assert "The claim holds" in said(app) and "Seed 3." in texts(app)
    assert "Seed 3." in texts(answer(page(failure="tiny-ring", computed="3"), "yes"))


def test_the_quiz_offers_only_what_the_diagnosis_can_say():
    from pathlib import Path

    from ganplay import diagnosis
    from ganplay.ui.failure_quiz import USUAL

    told = "\n".join(path.read_text() for path in Path(diagnosis.__file__).parent.glob("*.py"))
    assert all(f'"{title}"' in told for title in USUAL)


def test_the_quiz_tells_the_answer_only_after_the_readers_word():
    ended()
    app = page(part="quiz")
    assert not app.exception
    radio = next(found for found in app.radio if found.label == "What do these curves show?")
    assert len(radio.options) == len(set(radio.options)) > 2
    assert "The diagnosis says" not in texts(app)
    answer(app, radio.options[0])
    assert not app.exception
    assert "The diagnosis says" in said(app)


def test_the_bundled_curves_show_broken_trainings_of_several_kinds_and_healthy_ones():
    from ganplay.ui import failure_quiz

    found = [failure_quiz._findings(case)[0] for case in failure_quiz._bundled()]
    assert len(found) >= 6
    assert len({one["title"] for one in found}) >= 4
    assert {"trouble", "fine"} <= {one["severity"] for one in found}
