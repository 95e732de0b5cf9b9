"""What the studio is made of, without a server: files, long work, sources in words, controls, colours."""

from __future__ import annotations

import os
import socket
import threading
import tomllib
import zipfile
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch
from browser import free_port
from fastapi import FastAPI
from PIL import Image
from pixels import pixels
from tiny_runs import train_tiny

from ganplay import cli, sources
from ganplay.checkpoint import LoadedGenerator
from ganplay.drawings.sample import Sample
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.state import State
from ganplay.studio import actions, app, controls, files, lanes, look
from ganplay.studio.tabs import arithmetic, game, interpolate, sample

DIGITS = recipe("quick-digits")
TOLD = DIGITS.change({"generator.conditioning": "concat", "discriminator.conditioning": "projection"})


def model(made: Recipe) -> LoadedGenerator:
    return LoadedGenerator(made, 1_000, State.initial(made).average)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


def test_equal_contents_are_one_file_that_is_written_once(temporary):
    first = files.keep(b"content", "a.png")
    Path(first).touch()
    stamp = Path(first).stat().st_ino
    assert files.keep(b"content", "a.png") == first
    assert files.keep(b"other", "a.png") != first
    assert Path(first).read_bytes() == b"content"
    assert Path(first).stat().st_ino == stamp


def test_a_file_in_use_becomes_as_good_as_new_and_a_lost_one_is_missed(temporary):
    path = Path(files.keep(b"content", "a.png"))
    os.utime(path, (0, 0))
    assert files.touch(path)
    assert path.stat().st_mtime > 1_000_000_000
    path.unlink()
    assert not files.touch(path)


def test_no_file_is_larger_than_the_studio_sends(temporary, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 1_000)
    with pytest.raises(ValueError, match="ask for fewer pictures"):
        files.keep(bytes(1_001), "large.png")
    assert not list(temporary.rglob("*.png"))


def test_an_archive_holds_each_sample_at_its_own_size(temporary, monkeypatch):
    made = model(TOLD)
    monkeypatch.setattr(sources, "open_source", lambda key: made)
    path = sample.archive("checkpoint:any", 7, 12, 0.5, "")
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        assert names[:2] == ["seed-7-0000-0.png", "seed-7-0001-1.png"]
        assert names[11] == "seed-7-0011-1.png"  # ten classes, again from the first
        with packed.open(names[3]) as file, Image.open(file) as picture:
            expected = Sample(seed=7, count=12, truncation=0.5).samples(made)[3]
            assert picture.size == (32, 32)
            assert np.abs(pixels(picture)[..., 0] - (expected[0].numpy() + 1) * 127.5).max() <= 1
    assert sample.archive("checkpoint:any", 7, 12, 0.5, "") == path


def test_beyond_64_the_grid_grows_in_both_directions_unless_each_class_has_a_column():
    assert sample.drawing(model(DIGITS), 0, 64, 0, "").columns == 0
    assert sample.drawing(model(DIGITS), 0, 256, 0, "").columns == 16
    assert sample.drawing(model(TOLD), 0, 256, 0, "").columns == 0
    assert sample.drawing(model(TOLD), 0, 256, 0, "3").columns == 16


def test_key_pictures_beyond_the_chosen_number_and_classes_nobody_chose_are_left_out():
    seeds, classes = (9, 8, 7, 6, 5, 4), ("", "3", "", "", "", "5")
    way = interpolate.drawing(model(TOLD), 3, *seeds, *classes, "lerp", "spherical", 0, True)
    assert (way.seeds, way.classes, way.class_path, way.loop) == ((9, 8, 7), ("0", "3", "0"), "spherical", True)
    way = interpolate.drawing(model(TOLD), 2, *seeds, *[""] * 6, "slerp", "spherical", 0, False)
    assert (way.classes, way.class_path) == ((), "linear")
    way = interpolate.drawing(model(DIGITS), 2, *seeds, *classes, "slerp", "spherical", 0, False)
    assert (way.classes, way.class_path) == ((), "linear")


def test_terms_without_seeds_are_left_out_and_one_is_needed():
    given = (1, -1.5, None, 2, "3 / 4", "5", "", " ", "none", "")
    assert arithmetic.drawing(model(DIGITS), *given).terms == ("+1:3/4", "-1.5:5")
    with pytest.raises(ValueError, match="No term has seeds"):
        arithmetic.drawing(model(DIGITS), *given[:4], "", "", "", "", "none", "")


def test_the_class_control_knows_the_classes_of_the_generator_alone():
    value, update = controls.fit_class(model(TOLD), "7", "any")
    assert value == "7"
    assert update["visible"]
    assert [choice[1] for choice in update["choices"]] == ["", *"0123456789"]
    value, update = controls.fit_class(model(DIGITS), "7", "any")
    assert value == ""
    assert not update["visible"]


def test_long_work_is_reported_until_it_is_done_and_its_mistakes_are_the_callers():
    go = threading.Event()

    def work(report):
        report("half", 0.5)
        go.wait(10)

    reports = lanes.told(work)
    assert next(reports) == ("half", 0.5)
    go.set()
    assert list(reports) == []

    def wrong(report):
        raise ValueError("There is no such thing.")

    with pytest.raises(ValueError, match="There is no such thing"):
        list(lanes.told(wrong))


def test_mistakes_become_sentences_in_streams_too():
    @lanes.spoken
    def stream():
        yield 1
        raise ValueError("That was too much.")

    with pytest.raises(gr.Error, match="That was too much"):
        list(stream())


def test_heavy_work_has_a_queue_of_its_own_with_one_place():
    blocks = app.build()
    queues: dict[str, set[object]] = {}
    for event in blocks.fns.values():
        queues.setdefault(str(event.api_name), set()).add((event.concurrency_id, event.concurrency_limit))
    assert queues["directions"] == queues["neighbours"] == queues["animate"] == {("heavy", 1)}
    ((name, limit),) = queues["sample"]
    assert name == "sampling"
    assert limit >= 1


def test_only_the_newest_visitors_are_remembered(monkeypatch):
    monkeypatch.setattr(lanes, "SESSIONS", 3)
    blocks = app.build()
    gr.mount_gradio_app(FastAPI(), blocks, path="/", **app.settings())
    for visitor in "abcde":
        assert blocks.state_holder[visitor]
    assert list(blocks.state_holder.session_data) == ["c", "d", "e"]


def test_the_studio_alone_remembers_as_few(monkeypatch):
    launched = []
    monkeypatch.setattr(gr.Blocks, "block_thread", lambda blocks: launched.append(blocks))
    app.main(free_port())
    try:
        assert launched[0].state_holder.capacity == lanes.SESSIONS
    finally:
        launched[0].close()


@pytest.mark.parametrize("sent", [None, {}, [], "game", {"source": "checkpoint:quick-digits"}, {"answers": []}])
def test_what_is_no_game_is_not_played(sent):
    assert game._answers(True)(sent) == [gr.skip()] * 8


def test_a_game_that_no_page_sends_is_refused():
    wrong = {"source": "checkpoint:quick-digits", "seed": "x", "answers": []}
    with pytest.raises(gr.Error, match="seed"):
        game._answers(True)(wrong)
    with pytest.raises(gr.Error, match="nothing-of-that-name"):
        game._answers(True)({**wrong, "source": "checkpoint:nothing-of-that-name", "seed": 1})


def test_the_line_about_a_source_says_what_it_makes(home):
    digits, ring = train_tiny(home), train_tiny(home, "toy-ring", score_every=0)
    line = actions.describe(f"run:{digits.id}")
    assert line.startswith("Images of 32 x 32 pixels after *Digits (8 x 8 scans)*: 64 gaussian random numbers")
    assert "Its discriminator is here too." in line
    assert actions.describe(f"run:{ring.id}").endswith("Orange is generated, grey is real.")


def test_sources_that_are_called_the_same_can_be_told_apart(monkeypatch):
    entries = [("run:a", "Mine"), ("run:b", "Mine"), ("run:c", "Other")]
    made = [sources.Source(key, title, "run", "digits") for key, title in entries]
    monkeypatch.setattr(sources, "sources", lambda: made)
    labels = [label for label, _ in actions.choices()]
    assert labels == ["Mine (run: digits) a", "Mine (run: digits) b", "Other (run: digits)"]


@pytest.mark.parametrize(
    ("repository", "revision", "key"),
    [
        (" someone/digits ", "", "hub:someone/digits"),
        ("someone/digits", "main", "hub:someone/digits"),
        ("someone/digits", "v2", "hub:someone/digits@v2"),
        ("hub:someone/digits@v1", "v2", "hub:someone/digits@v1"),
    ],
)
def test_the_two_boxes_of_the_hub_name_one_key(repository, revision, key):
    assert actions.hub_key(repository, revision) == key


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--port", "0"], "port is 0; it must be 1 to 65535."),
        (["--models", "nowhere"], "There is no folder nowhere"),
        (["--port", "PORT"], "is in use or not allowed"),
    ],
)
def test_a_mistake_of_who_serves_the_studio_alone_is_one_sentence(words, sentence, capsys, monkeypatch, temporary):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
        assert cli.main(["studio", *(port if word == "PORT" else word for word in words)]) == cli.MISUSED
    assert sentence in capsys.readouterr().err


def test_the_colours_are_those_of_the_pages():
    pages = tomllib.loads((Path(app.__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    theme = look.theme()
    for name, ending in (("light", ""), ("dark", "_dark")):
        assert getattr(theme, f"body_background_fill{ending}") == pages[name]["backgroundColor"]
        assert getattr(theme, f"body_text_color{ending}") == pages[name]["textColor"]
        assert getattr(theme, f"slider_color{ending}") == pages[name]["primaryColor"]
