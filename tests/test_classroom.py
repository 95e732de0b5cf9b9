"""Classes, exercises and the board: what is allowed, what is kept, and what nobody can get around."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from ganplay.charts.spark import sparkline
from ganplay.classroom import board, exercises, store
from ganplay.classroom.exercises import Exercise, compose
from ganplay.recipes import recipe
from ganplay.runs import store as runs
from ganplay.runs.folder import Run, Status
from ganplay.runs.worker import work

QUICK = ("quick-digits", {"stop_images": 2_000})


def exercise(open: tuple[str, ...] = ("loss", "generator_optimiser.learning_rate"), count: int = 1) -> Exercise:
    return compose("Which loss?", "Look.\nThen say.", [QUICK] * count, open)


def room(title: str = "11b") -> tuple[store.Classroom, str]:
    return store.make(title)


# Exercises


def test_an_exercise_survives_json() -> None:
    one = exercise()
    assert Exercise.parsed(json.loads(json.dumps(one.to_json()))) == one


def test_what_is_open_can_be_changed_with_all_that_belongs_to_it() -> None:
    one = exercise()
    start = one.recipe(0)
    assert start == recipe("quick-digits").change(QUICK[1])
    changed = one.attempt(0, {"loss": "hinge", "generator_optimiser.learning_rate": 5e-4})
    assert changed == start.change({"loss": "hinge", "generator_optimiser.learning_rate": 5e-4})
    assert one.attempt(0, {"loss.smoothing": 0.1}).loss.smoothing == 0.1
    assert one.attempt(0, {}) == start


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 3},
        {"stop_images": 10**9},
        {"dataset": "mnist"},
        {"penalties": "weight-clip"},
        {"generator_optimiser": "sgd"},
        {"generator_optimiser.beta1": 0.9},
        {"loss": "hinge", "batch_size": 4096},
        {"lossy": "hinge"},
        {"loss.": "hinge"},
    ],
)
def test_what_is_closed_cannot_be_changed(changes: dict) -> None:
    with pytest.raises(ValueError):
        exercise().attempt(0, changes)


def test_an_exercise_with_nothing_open_can_only_be_started() -> None:
    one = exercise(open=())
    assert one.attempt(0, {}) == one.recipe(0)
    for setting in one.recipe(0).settings():
        with pytest.raises(ValueError, match="cannot be changed in this exercise; nothing can"):
            one.attempt(0, {setting.path: setting.value})


@pytest.mark.parametrize("path", ["dataset", "dataset.classes", "metric", "score_every", "title", "loss.nonsense", ""])
def test_data_and_scores_cannot_be_opened(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be opened"):
        exercise(open=(path,))


@pytest.mark.parametrize(
    ("title", "task", "recipes", "said"),
    [
        ("", "", [QUICK], "title"),
        ("x" * 61, "", [QUICK], "title"),
        ("a\u202eb", "", [QUICK], "printable"),
        ("Fine", "x" * 1_001, [QUICK], "1,001 characters"),
        ("Fine", "", [], "0 recipes"),
        ("Fine", "", [QUICK] * 5, "5 recipes"),
        ("Fine", "", [("nothing", {})], "nothing"),
        ("Fine", "", [("quick-digits", {"seed": -1})], "seed"),
    ],
)
def test_a_senseless_exercise_is_refused_with_a_sentence(title: str, task: str, recipes: list, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        compose(title, task, recipes, ())


@pytest.mark.parametrize("name", ["quick-digits", "toy-ring"])
def test_a_scored_recipe_scores_and_is_otherwise_the_same(name: str) -> None:
    plain = recipe(name).change({"score_every": 0})
    scored = exercises.scored(plain)
    assert plain.score_every == 0 < scored.score_every <= plain.stop_images / 10
    assert {path.split(".")[0] for path in scored.difference(plain)} <= set(exercises.SCORING)
    assert exercises.scored(scored) == scored


# Classes on disk


def test_a_class_is_found_by_its_code_however_it_is_typed() -> None:
    made, _ = room("Physics & co")
    for typed in (made.code, made.code.lower(), f" {made.code[:3]}-{made.code[3:]} "):
        assert store.find(typed) == made


@pytest.mark.parametrize("code", ["", "ABCDEF", "../../x", "BCDFG", "BCDFGHJ", "BCDFG\0", "x" * 10_000, "BCDFG/"])
def test_what_is_no_code_never_becomes_a_path(code: str) -> None:
    with pytest.raises(ValueError, match="is no code of a class"):
        store.find(code)


def test_an_unknown_class_and_a_damaged_one_are_told(home: Path) -> None:
    made, _ = room()
    with pytest.raises(ValueError, match="There is no class"):
        store.find("BBBBBB" if made.code != "BBBBBB" else "CCCCCC")
    for content in ("{", "[]", "{}", '{"exercises": 3}'):
        (home / "classes" / f"{made.code}.json").write_text(content)
        with pytest.raises(ValueError, match="damaged"):
            store.find(made.code)


def test_only_the_key_changes_a_class_and_it_is_kept_nowhere(home: Path) -> None:
    made, key = room()
    one = exercise()
    for wrong in ("", "x", key[:-1], key + "x", made.key, made.salt):
        for change in (lambda k: store.add_exercise(made.code, k, one), lambda k: store.delete(made.code, k),
                       lambda k: store.remove_exercise(made.code, k, one.id)):  # fmt: skip
            with pytest.raises(ValueError, match="not the teacher's key"):
                change(wrong)
    store.add_exercise(made.code, key, one)
    assert store.find(made.code).exercise(one.id) == one
    store.remove_exercise(made.code, key.upper().replace("-", " "), one.id)
    assert store.find(made.code).exercises == ()
    plain = key.replace("-", "")
    for path in home.rglob("*"):
        if path.is_file():
            assert key not in path.read_text() and plain not in path.read_text()
    store.delete(made.code, key)
    with pytest.raises(ValueError, match="There is no class"):
        store.find(made.code)


def test_two_classes_never_share_code_or_hash() -> None:
    made = [room()[0] for _ in range(20)]
    assert len({one.code for one in made}) == len({one.key for one in made}) == len({one.salt for one in made}) == 20


def test_classes_exercises_and_names_are_limited(monkeypatch) -> None:
    monkeypatch.setattr(store, "MOST_CLASSES", 2)
    monkeypatch.setattr(store, "MOST_EXERCISES", 1)
    monkeypatch.setattr(store, "MOST_NAMES", 2)
    made, key = room()
    room()
    with pytest.raises(ValueError, match="has 2 classes"):
        room()
    store.add_exercise(made.code, key, exercise())
    with pytest.raises(ValueError, match="has 1 exercises"):
        store.add_exercise(made.code, key, exercise())
    assert [store.join(made.code, name) for name in ("Ada", "Bo", "ADA", " bo ")] == ["Ada", "Bo", "Ada", "Bo"]
    with pytest.raises(ValueError, match="has 2 names"):
        store.join(made.code, "Cy")
    assert store.find(made.code).names == ("Ada", "Bo")


@pytest.mark.parametrize("name", ["Ada", "Zoë O'Neil", "Jean-Luc P.", "李小龍", "अदिति", "7 of 9", "x" * 24])
def test_names_of_people_are_names(name: str) -> None:
    assert store.clean_name(f"  {name} ") == name


NO_NAMES = (
    "", " ", "x" * 25, "<b>", "a&b", "=1+1", "-x", "'x", "a;b", "a\u202eb", "\u0301a", "😀", "a/b", "a\0b", "[x](y)",
)  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_is_refused_with_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match=r"^The name is .*must have 1 to 24"):
        store.clean_name(name)


def test_students_who_join_at_once_are_all_kept() -> None:
    made, _ = room()
    names = [f"Student {number}" for number in range(12)]
    threads = [threading.Thread(target=store.join, args=(made.code, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(store.find(made.code).names) == sorted(names)


def test_a_class_that_nobody_used_for_long_may_be_deleted_by_anybody(monkeypatch) -> None:
    old, key = room("old")
    store.add_exercise(old.code, key, exercise())
    assert store.unused() == []
    later = time.time() + (store.UNUSED_DAYS + 1) * 86_400
    monkeypatch.setattr(store.time, "time", lambda: later)
    new, _ = room("new")  # still empty, which alone makes it unused after a day
    assert [one.code for one in store.unused()] == [old.code]
    store.delete(old.code)
    with pytest.raises(ValueError, match="key"):
        store.delete(new.code)


def test_a_start_keeps_a_class_in_use(monkeypatch) -> None:
    made, _ = room()
    later = time.time() + 2 * 86_400
    monkeypatch.setattr(store.time, "time", lambda: later)
    assert store.find(made.code).unused
    store.join(made.code, "Ada")
    assert not store.find(made.code).unused


def test_listing_needs_no_torch() -> None:
    code = (
        "import sys\nfrom ganplay.classroom import board, store\n"
        "made, key = store.make('x')\nstore.unused(), board.rows(made.code), board.table([], {})\n"
        "assert 'torch' not in sys.modules and 'streamlit' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)


# The board


def started(code: str, one: Exercise, student: str, state: str = "running", images: int = 1_000, **more) -> Run:
    """A run of an exercise as a worker might have left it."""
    about = board.lesson(code, one, student, more.pop("changes", {}))
    run = runs.create(one.recipe(0), f"{student}: quick", "quick-digits", lesson=about)
    points = [
        {"images": (place + 1) * 10, "discriminator_loss": 1.0 + place, "generator_loss": 2.0, "score": score}
        for place, score in enumerate(more.pop("scores", [None]))
    ]
    (run.folder / "metrics.jsonl").write_text("".join(json.dumps(point) + "\n" for point in points))
    (run.folder / "samples").mkdir(exist_ok=True)
    Image.new("RGB", (70, 70), (200, 10, 10)).save(run.sample_path(images))
    run.write_status(Status(state, images=images))
    return run


def test_the_board_has_the_runs_of_the_class_and_no_others() -> None:
    made, other = room()[0], room()[0]
    one = exercise()
    mine = started(made.code, one, "Ada", changes={"loss": "hinge"}, state="finished", scores=[None, 9.5, None])
    started(other.code, one, "Bo")
    runs.create(recipe("quick-digits"))
    (row,) = board.rows(made.code)
    assert (row["run"], row["student"], row["exercise"]) == (mine.id, "Ada", one.id)
    assert (row["images"], row["sample"], row["state"], row["score"]) == (1_000, 1_000, "finished", 9.5)
    assert row["changes"] == {"loss": "hinge"}
    assert row["losses"] == ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0])


def test_the_newest_score_is_found_among_many_points() -> None:
    made, one = room()[0], exercise()
    started(made.code, one, "Ada", scores=[8.0] + [None] * 60 + [5.0] + [None] * 60)
    assert board.rows(made.code)[0]["score"] == 5.0


def test_what_others_wrote_into_a_run_cannot_break_the_board() -> None:
    made, one = room()[0], exercise()
    run = started(made.code, one, "Ada")
    for lesson in (3, [], {}, {"class": made.code}, {"class": made.code, "exercise": 1, "student": "x", "changes": {}},
                   {"class": made.code, "exercise": "x", "student": None, "changes": {}}):  # fmt: skip
        (run.folder / "run.json").write_text(json.dumps(run.info | {"lesson": lesson}))
        assert board.rows(made.code) == []


def test_a_fork_belongs_to_no_class_and_a_renamed_run_still_does() -> None:
    made, one = room()[0], exercise()
    run = started(made.code, one, "Ada")
    runs.rename(run, "Another name")
    assert board.rows(made.code)[0]["label"] == "Another name"
    tiny = one.recipe(0).change({"stop_images": 64, "batch_size": 16, "sample_every": 64, "log_every": 32})
    trained = runs.create(tiny, lesson=board.lesson(made.code, one, "Bo", {}), threads=1)
    assert work(trained).state == "finished"
    runs.fork(trained, {"stop_images": 128, "loss": "hinge"})
    assert {row["run"] for row in board.rows(made.code)} == {run.id, trained.id}


def test_the_board_is_sorted_by_what_is_asked_for() -> None:
    rows = [
        {"student": "bo", "score": None, "images": 5, "created": 1.0},
        {"student": "Cy", "score": 2.0, "images": 7, "created": 3.0},
        {"student": "Ada", "score": 0.5, "images": 6, "created": 2.0},
    ]
    names = {by: [row["student"] for row in board.ordered(rows, by)] for by in ("score", "images", "student", "newest")}
    assert names == {
        "score": ["Ada", "Cy", "bo"], "images": ["Cy", "Ada", "bo"], "student": ["Ada", "bo", "Cy"],
        "newest": ["Cy", "Ada", "bo"],
    }  # fmt: skip
    with pytest.raises(ValueError, match="luck"):
        board.ordered(rows, "luck")


def test_the_table_is_read_back_as_it_was_and_holds_no_formula() -> None:
    made, one = room()[0], exercise()
    started(made.code, one, "Ada", changes={"loss": "hinge", "penalties": ["r1", "r2"]}, scores=[3.25])
    rows = board.rows(made.code)
    rows[0]["label"] = '=HYPERLINK("x"), "quoted"'
    (read,) = csv.DictReader(io.StringIO(board.table(rows, {one.id: one.title})))
    assert (read["student"], read["exercise"], read["score"], read["images"]) == ("Ada", one.title, "3.25", "1000")
    assert read["changes"] == "loss=hinge; penalties=r1,r2"
    assert read["label"] == '\'=HYPERLINK("x"), "quoted"'


def test_one_name_cannot_fill_the_queue() -> None:
    made, one = room()[0], exercise()
    for _ in range(3):
        started(made.code, one, "Ada", state="queued")
    started(made.code, one, "Ada", state="finished")
    started(made.code, one, "Bo", state="queued")
    board.refuse_more(made.code, "Ada", 1)
    with pytest.raises(ValueError, match="Ada has 3 runs that train or wait, and 4 may"):
        board.refuse_more(made.code, "Ada", 2)
    board.refuse_more(made.code, "Bo", 3)


def test_a_small_curve_shows_every_line_on_one_scale() -> None:
    from xml.etree import ElementTree

    drawn = ElementTree.fromstring(sparkline([("#111", [0.0, 1.0]), ("#222", [4.0, 2.0])], width=100, height=40))
    lines = {line.get("stroke"): line.get("points") for line in drawn}
    assert lines == {"#111": "2.0,38.0 98.0,29.0", "#222": "2.0,2.0 98.0,20.0"}
    assert sparkline([("#111", [1.0]), ("#222", [])]) == ""
    assert "nan" not in sparkline([("#111", [3.0, 3.0, 3.0])])
