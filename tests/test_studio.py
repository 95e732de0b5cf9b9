"""The studio used by a program: its endpoints against the library."""

from __future__ import annotations

import copy
import os
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client.exceptions import AppError
from PIL import Image
from pixels import enlarged, nearly, pixels

from ganplay import game, pictures, sources
from ganplay.drawings.arithmetic import Arithmetic
from ganplay.drawings.classes import Classes
from ganplay.drawings.directions import Directions
from ganplay.drawings.interpolate import Interpolate
from ganplay.drawings.neighbours import Neighbours
from ganplay.drawings.sample import Sample
from ganplay.latent import sampling

pytest_plugins = ["studio_launched"]

PICTURES = {
    "sample": ["source", "seed", "count", "columns", "class_", "truncation"],
    "arithmetic": ["source", "terms", "normalise", "class_"],
    "classes": ["source", "seed", "columns", "classes", "truncation"],
    "directions": ["source", "method", "direction", "seed", "class_", "steps", "reach", "moves"],
    "neighbours": ["source", "seed", "count", "nearest", "features", "class_"],
}
OTHERS = {
    "sources": [], "fetch": ["source"], "game_picture": ["source", "seed", "round"],
    "game_verdict": ["source", "seed", "answers"],
    "interpolate": [
        "source", "first_seed", "second_seed", "method", "steps", "seeds", "classes", "class_path", "truncation",
        "loop", "columns",
    ],
    "animate": [
        "source", "seeds", "method", "steps", "classes", "class_path", "truncation", "loop", "frame_ms",
    ],
}  # fmt: skip


def cells(picture: np.ndarray, columns: int, count: int, side: int = 32) -> list[np.ndarray]:
    """The images of an enlarged grid, at their own size."""
    factor = picture.shape[1] // (columns * (side + pictures.GAP) + pictures.GAP)
    small = picture[::factor, ::factor]
    step = side + pictures.GAP
    corners = [
        (index // columns * step + pictures.GAP, index % columns * step + pictures.GAP) for index in range(count)
    ]
    return [small[top : top + side, left : left + side] for top, left in corners]


def test_a_program_sees_every_endpoint_with_its_parameters_and_words(studio):
    endpoints = studio.client.view_api(return_format="dict")["named_endpoints"]
    names = {name: [one["parameter_name"] for one in about["parameters"]] for name, about in endpoints.items()}
    assert names == {f"/{name}": parameters for name, parameters in (PICTURES | OTHERS).items()}
    assert all(about["description"] for about in endpoints.values())
    assert all(one["label"] for about in endpoints.values() for one in about["parameters"])


def test_sources_are_what_the_library_lists(studio, key):
    listed = studio.client.predict(api_name="/sources")
    runs = [f"run:{run.id}" for run in (studio.classes, studio.ring, studio.digits)]
    assert [entry["key"] for entry in listed] == ["checkpoint:tiny-digits", *runs]
    assert listed[3] == {
        "key": key, "title": "Tiny quick-digits", "kind": "run", "detail": "digits, 320 images seen, finished",
    }  # fmt: skip


def test_a_sample_is_the_librarys_sample(studio, key):
    expected = pictures.to_bytes(sampling.sample(sources.open_source(key), 7, 10)).astype(int)
    got = cells(studio.call("sample", key, 7, 10), 8, 10)
    assert all(nearly(one, other) for one, other in zip(got, expected, strict=True))


def test_the_same_seed_gives_the_same_picture_and_another_does_not(studio, key):
    first = studio.call("sample", key, 7, 9)
    assert np.array_equal(first, studio.call("sample", key, 7, 9))
    assert not np.array_equal(first, studio.call("sample", key, 8, 9))


def test_more_samples_begin_with_the_fewer(studio, key):
    few, many = cells(studio.call("sample", key, 3, 8), 8, 8), cells(studio.call("sample", key, 3, 64), 8, 64)
    assert all(nearly(one, other) for one, other in zip(few, many, strict=False))


def test_what_is_asked_for_again_is_not_drawn_again_until_there_are_newer_weights(studio, key, monkeypatch):
    before = studio.call("sample", key, 11, 4)
    drawn = []
    draw = Sample.draw
    monkeypatch.setattr(Sample, "draw", lambda drawing, model: drawn.append(drawing) or draw(drawing, model))
    assert np.array_equal(studio.call("sample", key, 11, 4), before)
    assert drawn == []
    newer = copy.deepcopy(sources.open_source(key))  # as a run's next checkpoint is another module
    monkeypatch.setattr(sources, "open_source", lambda key: newer)
    assert np.array_equal(studio.call("sample", key, 11, 4), before)
    assert drawn == [Sample(seed=11, count=4)]


@pytest.mark.parametrize("method", ["lerp", "slerp"])
def test_the_ends_of_an_interpolation_are_the_samples_of_its_seeds(studio, key, method):
    steps = cells(studio.call("interpolate", key, 3, 4, method, 21), 7, 21)
    for index, seed in ((0, 3), (-1, 4)):
        assert nearly(steps[index], cells(studio.call("sample", key, seed, 1), 1, 1)[0])
    assert np.abs(steps[0] - steps[-1]).max() > 1


def test_every_picture_of_a_program_is_the_librarys(studio, told):
    model = sources.open_source(told)
    for name, given, drawing in (
        ("sample", {"seed": 2, "count": 20, "truncation": 0.7}, Sample(seed=2, count=20, truncation=0.7)),
        ("sample", {"class_": "7", "count": 3}, Sample(class_="7", count=3)),
        ("interpolate", {"seeds": "5,6,7", "steps": 4, "columns": 0}, Interpolate(seeds=(5, 6, 7), steps=4)),
        (
            "interpolate",
            {"steps": 7, "classes": "3,8", "class_path": "spherical"},
            Interpolate(steps=7, classes=("3", "8"), class_path="spherical", columns=7),
        ),
        ("arithmetic", {"terms": "+1:1/2,-0.5:3"}, Arithmetic(terms=("+1:1/2", "-0.5:3"))),
        ("classes", {"seed": 3, "columns": 2}, Classes(seed=3, columns=2)),
        ("directions", {"method": "sefa", "moves": "1,-2"}, Directions(method="sefa", moves=(1.0, -2.0))),
    ):
        shown = studio.call(name, told, **given)
        assert nearly(shown, enlarged(drawing.draw(model), shown)), (name, given)


def test_an_animation_goes_round_for_ever_and_begins_and_turns_at_the_seeds(studio, key):
    with Image.open(studio.client.predict(key, "3,4", steps=5, api_name="/animate")) as moving:
        assert (moving.format, moving.n_frames, moving.info["loop"]) == ("WEBP", 8, 0)  # there and back
        for frame, seed in ((0, 3), (4, 4)):
            moving.seek(frame)
            alone = pictures.to_bytes(sampling.sample(sources.open_source(key), seed, 1))[0].astype(int)
            side = moving.width // 32
            assert nearly(pixels(moving)[::side, ::side], alone)


def test_neighbours_are_the_librarys_and_come_as_numbers_too(studio, key):
    path, rows = studio.client.predict(key, 4, 3, 2, api_name="/neighbours")
    expected, image = Neighbours(seed=4, count=3, nearest=2).find(sources.open_source(key))
    with Image.open(path) as shown:
        assert nearly(pixels(shown), enlarged(image, pixels(shown)))
    assert [row["indices"] for row in rows] == [list(row.indices) for row in expected]
    assert all(row["distances"] == sorted(row["distances"]) and len(row["distances"]) == 2 for row in rows)


def test_a_game_of_a_program_is_the_librarys_and_pictures_do_not_tell(studio, key):
    paths = [Path(studio.client.predict(key, 6, place, api_name="/game_picture")) for place in range(4)]
    assert [path.read_bytes() for path in paths] == [game.picture(key, 6, place) for place in range(4)]
    assert len({(path.name, path.stat().st_size) for path in paths}) == 1
    answers = [True, False, True, True]
    assert studio.client.predict(key, 6, answers, api_name="/game_verdict") == game.verdict(key, 6, answers)


def test_what_is_here_is_fetched_already_and_nonsense_is_answered(studio, key):
    assert studio.client.predict(key, api_name="/fetch")["state"] == "ready"
    answer = studio.client.predict("hub:../../etc/passwd", api_name="/fetch")
    assert answer["state"] == "failed"
    assert "no repository" in answer["message"]


def test_defaults_of_a_program_are_those_of_the_drawings(studio, key):
    assert np.array_equal(studio.call("interpolate", key), studio.call("interpolate", key, 0, 1, "slerp", 21))
    assert np.array_equal(studio.call("sample", key), studio.call("sample", key, 0, 64))


def test_a_bundled_checkpoint_is_sampled_like_its_run(studio, key):
    assert np.abs(studio.call("sample", key, 0, 4) - studio.call("sample", "checkpoint:tiny-digits", 0, 4)).max() <= 2


def test_points_are_drawn_as_a_scatter_over_real_ones(studio):
    picture = studio.call("sample", f"run:{studio.ring.id}", 0, 200)
    colours = {tuple(colour) for colour in picture.reshape(-1, 3)}
    assert {pictures.INK, pictures.REAL, pictures.FAKE} <= colours
    assert studio.call("interpolate", f"run:{studio.ring.id}").shape == picture.shape


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("sample", ["", 0, 4], "No checkpoint or run is chosen; choose one from the list."),
        ("sample", ["run:nothing", 0, 4], "'nothing' is not the id of a run"),
        ("sample", ["checkpoint:../home", 0, 4], "There is no checkpoint '../home' in the package"),
        ("sample", ["hub:nobody/nothing", 0, 4], "nobody/nothing"),
        ("sample", [None, 0, 2000], "count is 2000; allowed is 0 to 1,024."),
        ("sample", [None, 1.5, 4], "seed is 1.5; it must be a whole number"),
        ("sample", [None, "seven", 4], "seed is 'seven'; it must be a whole number"),
        ("sample", [None, 0, 4, 0, "horse"], "The class 'horse' was asked for, but this generator is unconditional."),
        ("interpolate", [None, 0, -1, "lerp", 21], "seeds is -1"),
        ("interpolate", [None, 0, 1, "circle", 21], "method is 'circle'; allowed is one of lerp, slerp."),
        ("interpolate", [None, 0, 1, "lerp", 1], "steps is 1; allowed is 2 to 1,024."),
        ("animate", [None, "1"], "seeds has 1 entries; 2 to 6 are allowed."),
        ("arithmetic", [None, "1:x"], "The term '1:x' is not a weight and its seeds"),
        ("classes", [None], "This generator is unconditional"),
        ("directions", [None, "magic"], "method is 'magic'"),
        ("neighbours", [None, 0, 0], "count is 0"),
        ("game_picture", [None, 0, 20], "The round is 20"),
        ("game_verdict", [None, 0, ["yes"]], "The answers must be a list"),
    ],
)
def test_a_mistake_of_a_program_is_answered_in_one_sentence(studio, key, name, values, words):
    values = [key if value is None else value for value in values]
    with pytest.raises(AppError) as raised:
        studio.client.predict(*values, api_name=f"/{name}")
    assert words in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_paths_are_never_opened(studio):
    for path in (studio.digits.checkpoints()[0], studio.bundled / "tiny-digits"):
        for name in ("sample", "interpolate", "directions", "game_picture"):
            with pytest.raises(AppError, match="There is no checkpoint or run"):
                studio.client.predict(str(path), api_name=f"/{name}")


def test_many_programs_at_once_get_what_one_gets(studio, key):
    alone = [studio.call("sample", key, seed, 4) for seed in range(4)]
    found: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: studio.call("sample", key, seed % 4, 4)}))
        for seed in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert all(nearly(picture, alone[seed % 4]) for seed, picture in found.items())


def test_nobody_who_samples_waits_for_those_who_search(studio, key, monkeypatch):
    gate, search = threading.Event(), Neighbours.find
    monkeypatch.setattr(Neighbours, "find", lambda *given: gate.wait(60) and search(*given))
    searches = [studio.client.submit(key, seed, api_name="/neighbours") for seed in range(4)]
    assert studio.call("sample", key, 50, 4).shape
    assert not any(one.done() for one in searches)
    gate.set()
    assert [len(one.result(60)[1]) for one in searches] == [5] * 4


def test_a_file_that_somebody_sends_is_refused_and_leaves_nothing(studio):
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    before = set(folder.rglob("*"))
    answer = httpx.post(f"{studio.url}gradio_api/upload", files={"files": ("big.bin", bytes(100_000))})
    assert answer.status_code >= 400
    assert set(folder.rglob("*")) == before
