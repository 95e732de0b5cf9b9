"""The page "Class" under Streamlit's own test driver: what a teacher and a student do, see, and get told."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from ganplay.classroom import board, exercises, store
from ganplay.classroom.exercises import Exercise
from ganplay.runs import store as runs
from ganplay.runs.folder import Run, Status
from ganplay.ui import classroom_board, classroom_exercise, classroom_pictures, forms
from ganplay.ui.navigation import FOLDER

ROUTER = str(Path(forms.__file__).with_name("router.py"))
EVIL = "<img src=x onerror=alert(1)> **b** $x$"


pytestmark = pytest.mark.usefixtures("no_workers")


def opened(**query: str | list[str]) -> AppTest:
    app = AppTest.from_file(ROUTER, default_timeout=60).run()
    app.switch_page(str(FOLDER / "classroom.py"))
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def button(app: AppTest, label: str):
    return next(found for found in app.button if found.label == label)


def field(app: AppTest, label: str):
    return next(
        found
        for found in [*app.text_input, *app.text_area, *app.number_input, *app.selectbox, *app.multiselect, *app.toggle]
        if found.label == label
    )


def said(app: AppTest) -> str:
    return "\n".join(box.value for box in [*app.error, *app.warning, *app.caption])


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def a_class(
    open: tuple[str, ...] = ("generator_optimiser.learning_rate",), title: str = "Which loss?", task: str = "Look."
) -> tuple[str, str, Exercise]:
    room, key = store.make("11b")
    one = exercises.compose(title, task, [("quick-digits", {"seed": 5}), ("quick-digits", {"loss": "hinge"})], open)
    store.add_exercise(room.code, key, one)
    return room.code, key, one


# The teacher


def test_a_teacher_makes_a_class_and_sees_the_key_until_it_is_written_down() -> None:
    app = opened()
    field(app, "Title").set_value("11b")
    button(app, "Make").click()
    app.run()
    assert not app.exception
    code = "".join(app.query_params["class"])
    key = app.code[0].value
    assert store.find(code).is_key(key)
    button(app, "I have written it down").click()
    app.run()
    assert not any(block.value == key for block in app.code)
    assert field(app, "Make an exercise") is not None  # this session keeps the key


def composing(code: str, key: str) -> AppTest:
    """The page of a class on which the teacher has opened the form of a new exercise."""
    app = opened(**{"class": code})
    field(app, "Teacher's key").set_value(key)
    button(app, "Unlock").click()
    app.run()
    field(app, "Make an exercise").set_value(True)
    app.run()
    return app


def test_a_teacher_makes_an_exercise_with_the_form_of_the_training_page() -> None:
    code, key, _ = a_class()
    app = composing(code, key)
    assert button(app, "Make the exercise").disabled
    field(app, "Title of the exercise").set_value("Seeds")
    field(app, "Task, in plain text").set_value("Try three seeds.")
    field(app, "Seed").set_value(11)
    field(app, "What students may change; all else is hidden from them").set_value(["seed", "loss"])
    app.run()
    button(app, "Make the exercise").click()
    app.run()
    assert not app.exception and not app.error
    made = store.find(code).exercises[-1]
    assert (made.title, made.task, made.open) == ("Seeds", "Try three seeds.", ("seed", "loss"))
    first, second = made.recipe(0), made.recipe(1)
    assert (first.seed, second.seed) == (11, 11)
    assert first.score_every > 0 and first.metric.features == "digits-classifier"
    assert second.loss.kind == "wasserstein" and second.penalties[0].kind == "weight-clip"
    assert not field(app, "Make an exercise").value
    assert [told.value for told in app.toast] == ["The exercise is made. Its link is on the page."]


def test_the_press_that_makes_an_exercise_takes_along_the_fields_left_by_it() -> None:
    code, key, _ = a_class()
    app = composing(code, key)
    field(app, "Title of the exercise").set_value("Seeds")
    app.run()
    field(app, "Title of the exercise").set_value("Three seeds")
    field(app, "Task, in plain text").set_value("Try them.")
    field(app, "What students may change; all else is hidden from them").set_value(["seed"])
    button(app, "Make the exercise").click()
    app.run()
    made = store.find(code).exercises[-1]
    assert (made.title, made.task, made.open) == ("Three seeds", "Try them.", ("seed",))


def test_what_a_teacher_chose_stays_while_the_form_has_a_mistake_or_another_part() -> None:
    code, key, _ = a_class()
    app = composing(code, key)
    field(app, "What students may change; all else is hidden from them").set_value(["seed", "loss"])
    field(app, "Title of the exercise").set_value("Seeds")
    app.run()
    for data in ("ring", "digits"):
        field(app, "Data").set_value(data)
        app.run()
        assert button(app, "Make the exercise").disabled == (data == "ring")
        assert field(app, "What students may change; all else is hidden from them").value == ["seed", "loss"]
        assert field(app, "Title of the exercise").value == "Seeds"


@pytest.mark.parametrize("key", ["", "wrong", "aaaa-aaaa-aaaa-aaaa"])
def test_without_the_key_nothing_of_the_teachers_is_there(key: str) -> None:
    code, _, one = a_class()
    app = opened(**{"class": code})
    field(app, "Teacher's key").set_value(key)
    button(app, "Unlock").click()
    app.run()
    assert "not the teacher's key" in said(app)
    assert not any(found.label == "Make an exercise" for found in app.toggle)
    assert not any(found.label == "Yes, delete it" for found in app.button)
    app.text_input(key="delete-key").set_value(key or "x").run()
    button(app, "Yes, delete the class").click()
    app.run()
    assert "not the teacher's key" in said(app)
    assert store.find(code).exercises == (one,)


def test_the_key_deletes_an_exercise_and_the_class() -> None:
    code, key, _ = a_class()
    app = opened(**{"class": code})
    field(app, "Teacher's key").set_value(key)
    button(app, "Unlock").click()
    app.run()
    button(app, "Yes, delete it").click()
    app.run()
    assert store.find(code).exercises == ()
    app.text_input(key="delete-key").set_value(key).run()
    button(app, "Yes, delete the class").click()
    app.run()
    assert not app.exception
    assert app.title[0].value == "Class"
    with pytest.raises(ValueError, match="There is no class"):
        store.find(code)


def test_old_classes_are_offered_for_deletion(monkeypatch) -> None:
    a_class()
    assert not any(found.label == "Delete" for found in opened().button)
    later = time.time() + (store.UNUSED_DAYS + 1) * 86_400
    monkeypatch.setattr(store.time, "time", lambda: later)
    app = opened()
    button(app, "Delete").click()
    app.run()
    assert not app.exception and not list(store._codes())


# The student


@pytest.mark.parametrize("code", ["../../etc", "BBBBBB", "x" * 4_000, EVIL])
def test_an_unknown_class_in_the_address_is_told_and_another_can_be_joined(code: str) -> None:
    app = opened(**{"class": code})
    assert not app.exception
    assert "class" in said(app)
    made, _, _ = a_class()
    field(app, "Code of the class").set_value(made.lower())
    button(app, "Open").click()
    app.run()
    assert not app.exception and not app.error
    assert f"**{made}**" in "\n".join(text.value for text in app.markdown)


@pytest.mark.parametrize("id", ["nonsense", "00000000", EVIL, "x" * 4_000])
def test_an_unknown_exercise_in_the_address_is_told_and_the_class_is_shown(id: str) -> None:
    code, _, _ = a_class()
    app = opened(**{"class": code, "exercise": id})
    assert not app.exception
    assert "has no exercise" in said(app)
    assert button(app, "Open")


def test_a_student_sees_the_task_and_only_what_is_open_and_starts_with_it() -> None:
    code, _, one = a_class()
    app = opened(**{"class": code, "exercise": one.id})
    assert not app.exception
    assert one.task in html(app)
    shown = {found.label for found in [*app.number_input, *app.selectbox, *app.multiselect, *app.toggle]}
    assert shown == {"Learning rate"}
    assert button(app, "Start").disabled
    field(app, "Your name, as the board shows it").set_value("Ada")
    app.number_input[1].set_value(0.0005)
    app.run()
    button(app, "Start").click()
    app.run()
    assert not app.exception and not app.error
    made = {run.recipe().loss.kind: run for run in runs.list_runs()}
    assert set(made) == {"non-saturating", "hinge"}
    assert made["non-saturating"].recipe() == one.recipe(0)
    changes = {"generator_optimiser.learning_rate": 0.0005}
    assert made["hinge"].recipe() == one.recipe(1).change(changes)
    about = {"class": code, "exercise": one.id, "student": "Ada"}
    assert made["hinge"].info["lesson"] == about | {"changes": changes}
    assert made["non-saturating"].info["lesson"] == about | {"changes": {}}
    assert store.find(code).names == ("Ada",)
    assert {row["run"] for row in board.rows(code)} == {run.id for run in made.values()}


def test_a_student_who_comes_back_from_the_board_finds_the_own_runs() -> None:
    code, _, one = a_class()
    app = opened(**{"class": code, "exercise": one.id})
    field(app, "Your name, as the board shows it").set_value("Ada")
    app.run()
    button(app, "Start").click()
    app.run()
    address = app.query_params["runs"]
    button(app, "Board of the class").click()
    app.run()
    assert "runs" not in app.query_params
    button(app, "Open").click()
    app.run()
    assert app.query_params["runs"] == address
    assert field(app, "Your name, as the board shows it").value == "Ada"


def test_when_there_is_room_for_one_run_of_two_that_one_is_shown_with_the_reason(monkeypatch) -> None:
    monkeypatch.setenv("GANPLAY_QUEUE", "1")
    code, _, one = a_class()
    app = opened(**{"class": code, "exercise": one.id})
    field(app, "Your name, as the board shows it").set_value("Ada")
    app.run()
    button(app, "Start").click()
    app.run()
    (run,) = runs.list_runs()
    assert "".join(app.query_params["runs"]) == run.id
    assert "The queue is full" in said(app)


def test_a_link_that_holds_the_whole_exercise_opens_it_without_a_class() -> None:
    one = exercises.compose("Wörds & more", "Say: 1;2\n=%", [("quick-digits", {"loss": "hinge"})], ("seed", "loss"))
    received = parse_qs(classroom_exercise.query(one))
    app = opened(**received)
    assert not app.exception and not app.error
    assert "Wörds &amp; more" in html(app) and "Say: 1;2\n=%" in html(app)
    assert {found.label for found in [*app.number_input, *app.selectbox]} == {"Seed", "Loss"}
    field(app, "Seed").set_value(9)
    app.run()
    button(app, "Start").click()
    app.run()
    (run,) = runs.list_runs()
    assert run.recipe() == one.recipe(0).change({"seed": 9})
    assert "lesson" not in run.info
    assert "".join(app.query_params["runs"]) == run.id


@pytest.mark.parametrize(
    ("query", "said_of_it"),
    [
        ({"recipe": "nonsense"}, "nonsense"),
        ({"recipe": "quick-digits;seed=x"}, "seed"),
        ({"recipe": "quick-digits", "open": "dataset"}, "cannot be opened"),
        ({"recipe": "quick-digits", "title": "x" * 99}, "title"),
        ({"recipe": "quick-digits", "task": "x" * 2_000}, "task"),
    ],
)
def test_a_link_that_holds_no_exercise_is_told(query: dict, said_of_it: str) -> None:
    app = opened(**query)
    assert not app.exception
    assert said_of_it in said(app) and button(app, "Make")


def test_an_address_with_more_in_it_opens_nothing_more() -> None:
    code, _, one = a_class()
    app = opened(**{"class": code, "exercise": one.id, "open": "seed,loss", "recipe": "duke-wgan;seed=9", "seed": "9"})
    assert {found.label for found in [*app.number_input, *app.selectbox, *app.multiselect]} == {"Learning rate"}
    field(app, "Your name, as the board shows it").set_value("Ada")
    app.run()
    button(app, "Start").click()
    app.run()
    assert {run.recipe().hash for run in runs.list_runs()} == {one.recipe(0).hash, one.recipe(1).hash}


@pytest.mark.parametrize("name", ["<b>Ada</b>", "=SUM(A1)", "a/../b"])
def test_a_name_that_is_none_is_told_and_nothing_starts(name: str) -> None:
    code, _, one = a_class()
    app = opened(**{"class": code, "exercise": one.id})
    field(app, "Your name, as the board shows it").set_value(name)
    app.run()
    button(app, "Start").click()
    app.run()
    assert "The name is" in said(app)
    assert not runs.list_runs() and store.find(code).names == ()


def test_starting_again_and_again_ends_with_a_sentence() -> None:
    code, _, one = a_class()
    app = opened(**{"class": code, "exercise": one.id})
    field(app, "Your name, as the board shows it").set_value("Ada")
    app.run()
    for _ in range(3):
        button(app, "Start").click()
        app.run()
    assert len(runs.list_runs()) == board.MOST_ACTIVE
    assert "Ada has 4 runs that train or wait" in said(app)


# The board


def left(code: str, one: Exercise, student: str, score: float | None = None) -> Run:
    """A run on the board, as a worker might have left it."""
    made = runs.create(one.recipe(0), f"{student}: quick", lesson=board.lesson(code, one, student, {"loss": "hinge"}))
    points = [
        {"images": 10 * place, "discriminator_loss": 1.0 / place, "generator_loss": 1.0, "score": score}
        for place in range(1, 5)
    ]
    (made.folder / "metrics.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    (made.folder / "samples").mkdir(exist_ok=True)
    Image.new("RGB", (600, 300), (200, 10, 10)).save(made.sample_path(40))
    made.write_status(Status("running", images=40))
    return made


def test_the_board_shows_each_run_with_its_picture_its_score_and_its_link() -> None:
    code, _, one = a_class()
    first, second = left(code, one, "Ada", 3.5), left(code, one, "Bo", 7.25)
    drawn = html(opened(**{"class": code}))
    for run in (first, second):
        assert f'href="/train?runs={run.id}"' in drawn
        assert f'src="{classroom_pictures.address(run.id, 40)}"' in drawn
    assert "★ 3.5" in drawn and "★ 7.25" not in drawn and "7.25" in drawn
    assert drawn.count('class="gp-curve"') == 2 and "hinge" in drawn


def test_the_board_is_sorted_and_filtered() -> None:
    code, key, one = a_class()
    other = exercises.compose("Another", "", [("quick-digits", {})], ())
    store.add_exercise(code, key, other)
    left(code, one, "Cy", 9.0)
    left(code, one, "Ada", 2.0)
    left(code, other, "Bo", 5.0)
    app = opened(**{"class": code})

    def names() -> list[str]:
        text = html(app)
        return sorted(("Ada", "Bo", "Cy"), key=lambda name: text.find(f">{name}<"))

    field(app, "Sort by").set_value("score")
    app.run()
    assert names() == ["Ada", "Bo", "Cy"]
    field(app, "Sort by").set_value("student")
    field(app, "Exercise").set_value(one.id)
    app.run()
    assert ">Bo<" not in html(app) and ">Ada<" in html(app)


def test_nothing_that_anybody_typed_becomes_markup() -> None:
    room, key = store.make(EVIL)
    one = exercises.compose(EVIL, EVIL, [("quick-digits", {})], ())
    store.add_exercise(room.code, key, one)
    run = left(room.code, one, "Ada")
    info = run.info
    info["lesson"]["student"] = info["label"] = EVIL
    info["lesson"]["changes"] = {EVIL: EVIL}
    (run.folder / "run.json").write_text(json.dumps(info))  # as if the checks had been passed
    for query in ({"class": room.code}, {"class": room.code, "exercise": one.id}):
        app = opened(**query)
        assert not app.exception
        assert "<img src=x" not in html(app) and "&lt;img src=x" in html(app)
        assert not any("**b**" in text.value or "<img" in text.value for text in [*app.markdown, *app.title])


def test_the_board_is_drawn_once_for_everybody_who_looks_in_the_same_moment(monkeypatch) -> None:
    code, _, one = a_class()
    left(code, one, "Ada")
    read = []
    rows = board.rows
    monkeypatch.setattr(board, "rows", lambda code: read.append(code) or rows(code))
    monkeypatch.setattr(classroom_board, "_tick", lambda: 1)
    for _ in range(5):
        assert ">Ada<" in html(opened(**{"class": code}))
    assert len(read) == 1
    monkeypatch.setattr(classroom_board, "_tick", lambda: 2)
    opened(**{"class": code})
    assert len(read) == 2


def test_a_picture_is_served_small_and_what_is_none_is_not_found() -> None:
    code, _, one = a_class()
    run = left(code, one, "Ada")
    client = TestClient(Starlette(routes=[classroom_pictures.route()]))
    answer = client.get(classroom_pictures.address(run.id, 40))
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    with Image.open(io.BytesIO(answer.content)) as drawn:
        assert drawn.size == (256, 128)
    for wrong in (f"/thumbnails/{run.id}/41.jpg", "/thumbnails/..%2f..%2fetc/40.jpg", f"/thumbnails/{run.id}/x.jpg",
                  "/thumbnails/20261121-231500-quick-digits-3f2a/40.jpg", f"/thumbnails/{run.id}/-1.jpg"):  # fmt: skip
        assert client.get(wrong).status_code == 404


def test_recipes_that_this_version_does_not_know_are_told() -> None:
    code, _, one = a_class()
    path = next(Path(store.home() / "classes").glob("*.json"))
    content = json.loads(path.read_text())
    content["exercises"][0]["recipes"][0]["base"] = "of-tomorrow"
    path.write_text(json.dumps(content))
    app = opened(**{"class": code, "exercise": one.id})
    assert not app.exception
    assert "of-tomorrow" in said(app) and button(app, "Start").disabled
