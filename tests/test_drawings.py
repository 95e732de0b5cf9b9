"""Every drawing against the samples it shows, and against the two texts that make it again."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganplay import checkpoint, cli, pictures, sources
from ganplay.commands import __name__ as commands
from ganplay.drawings import canvas, drawings
from ganplay.drawings.arithmetic import Arithmetic
from ganplay.drawings.classes import Classes
from ganplay.drawings.interpolate import Interpolate
from ganplay.drawings.sample import Sample
from ganplay.latent import sampling
from ganplay.latent.arithmetic import combine, parse
from ganplay.latent.noise import seeded
from ganplay.recipes import recipe
from ganplay.state import State

ROOT = Path(__file__).parent.parent
SIDE, GAP = 32, pictures.GAP
TINY = {"generator": "dcgan", "generator.widths": "8,8", "generator.std": 0.3, "discriminator.widths": "8,8"}
RECIPES = {
    "digits": recipe("quick-digits").change(TINY),
    "classes": recipe("quick-digits").change(
        TINY | {"generator.conditioning": "batch-norm-embedding", "discriminator.conditioning": "projection"}
    ),
    "points": recipe("toy-ring"),
}
# Drawings of this file with fields other than their defaults; every other registered one is drawn as it is.
CHOSEN = {
    "sample": Sample(seed=5, count=6, columns=3, class_="7", truncation=0.7),
    "interpolate": Interpolate(
        seeds=(3, 4, 5), steps=4, method="lerp", classes=("1", "2", "3"), class_path="spherical", loop=True
    ),
    "arithmetic": Arithmetic(terms=("-1:3", "0.5:4/5/6"), normalise="length", class_="4"),
    "classes": Classes(seed=9, columns=3, classes=("8", "1"), truncation=1.5),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Checkpoint files of untrained generators by name."""
    folder, found = tmp_path_factory.mktemp("models of nobody"), {}
    for name, made in RECIPES.items():
        found[name] = folder / f"{name}.safetensors"
        checkpoint.save(found[name], State.initial(made))
    return found


@pytest.fixture(scope="module")
def models(files):
    return {name: sources.resolve(str(path), allow_paths=True) for name, path in files.items()}


def cells(picture, count, columns, top=0, left=0):
    """The pictures (count, H, W, 3) of a grid whose gaps begin at (left, top)."""
    pixels = np.asarray(picture.convert("RGB"))
    places = [divmod(index, columns) for index in range(count)]
    corners = [(top + GAP + row * (SIDE + GAP), left + GAP + column * (SIDE + GAP)) for row, column in places]
    return np.stack([pixels[y : y + SIDE, x : x + SIDE] for y, x in corners])


def same(found, samples):
    """Whether pictures (N, H, W, 3) show the samples (N, C, H, W), but for the rounding of other batches."""
    return np.abs(found.astype(int) - pictures.to_bytes(samples).astype(int)).max() <= 1


def command_line(text):
    """The words behind `python -m ganplay` as a shell would hand them over, and the file they write."""
    words = shlex.split(text)
    assert words[:3] == ["python", "-m", "ganplay"]
    assert words[-2] == "--out"
    return words[3:], Path(words[-1])


# The two texts
@pytest.mark.parametrize("kind", drawings.names())
def test_every_drawing_has_its_verb(kind):
    assert kind in cli.VERBS
    assert (ROOT.joinpath(*commands.split(".")) / f"{kind}.py").is_file()


@pytest.mark.parametrize("kind", drawings.names())
@pytest.mark.parametrize("name", ["digits", "classes"])
def test_the_command_beside_a_picture_makes_the_same_picture(kind, name, files, models, tmp_path, monkeypatch):
    drawing = CHOSEN.get(kind) if name == "classes" else None
    drawing = drawing or drawings[kind]()
    try:
        expected = drawing.draw(models[name])
    except ValueError as error:
        assert "unconditional" in str(error)
        assert (kind, name) == ("classes", "digits")
        return
    monkeypatch.chdir(tmp_path)
    words, file = command_line(drawing.command(str(files[name])))
    assert cli.main([*words, "--scale", "1"]) == 0
    with Image.open(file) as picture:
        assert pictures.png(picture) == pictures.png(expected)


@pytest.mark.parametrize("kind", CHOSEN)
def test_the_command_names_what_was_chosen_and_nothing_else(kind):
    drawing = drawings[kind]()
    assert drawing.command("some name") == f"python -m ganplay {kind} 'some name' --out {kind}.png"
    text = CHOSEN[kind].command("x")
    assert "--out" in text
    for word in {"sample": ["--class 7"], "arithmetic": ["--terms=-1:3,+0.5:4/5/6"], "interpolate": ["--loop"],
                 "classes": ["--classes 8,1"]}[kind]:  # fmt: skip
        assert f" {word} " in text


def test_the_python_beside_pictures_and_animations_makes_them_again(files, models, tmp_path):
    moving = Interpolate(seeds=(1, 2), steps=3, animate=True, frame_ms=200)
    pairs = [(CHOSEN["arithmetic"], "classes"), (Sample(seed=3), "points"), (moving, "digits")]
    program = "\n".join(drawing.python(str(files[name])) for drawing, name in pairs)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, timeout=240)
    for drawing, name in pairs[:2]:
        with Image.open(tmp_path / drawing.file) as picture:
            assert pictures.png(picture) == pictures.png(drawing.draw(models[name]))
    check_animation(tmp_path / "interpolate.webp", moving.frames(models["digits"]))


def test_the_command_of_an_animation_makes_the_same_frames(files, models, tmp_path, monkeypatch):
    drawing = Interpolate(seeds=(1, 2), steps=3, animate=True, frame_ms=200)
    monkeypatch.chdir(tmp_path)
    words, file = command_line(drawing.command(str(files["digits"])))
    assert cli.main(words) == 0
    check_animation(file, drawing.frames(models["digits"]))


def check_animation(path, frames):
    assert path.suffix == ".webp"
    with Image.open(path) as moving:
        assert moving.n_frames == len(frames) == 4
        assert moving.info["loop"] == 0
        for index, frame in enumerate(frames):
            moving.seek(index)
            assert np.array_equal(np.asarray(moving.convert("RGB")), np.asarray(frame))
            assert moving.info["duration"] == 200


# What the pictures show
def test_a_sample_grid_shows_the_samples_of_its_seed_and_class(models):
    drawing = CHOSEN["sample"]
    expected = sampling.sample(models["classes"], 5, 6, 7, 0.7)
    assert torch.equal(drawing.samples(models["classes"]), expected)
    assert same(cells(drawing.draw(models["classes"]), 6, 3), expected)


@pytest.mark.parametrize(("columns", "size"), [(0, (4, 3)), (7, (7, 2))])
def test_a_strip_has_a_row_for_each_segment_or_the_chosen_columns(models, columns, size):
    drawing = Interpolate(seeds=(3, 4, 5), steps=4, loop=True, columns=columns)
    picture = drawing.draw(models["digits"])
    assert picture.size == tuple(count * (SIDE + GAP) + GAP for count in size)
    found = cells(picture, 12, size[0])
    ends = torch.cat([sampling.sample(models["digits"], seed, 1) for seed in (3, 4, 4, 5, 5, 3)])
    assert same(found[[0, 3, 4, 7, 8, 11]], ends)


def test_an_animation_goes_there_and_back_without_standing_still(models):
    drawing = Interpolate(seeds=(3, 4, 5), steps=4, animate=True)
    strip = cells(drawing.draw(models["digits"]), 8, 4)
    order = [0, 1, 2, 3, 5, 6, 7, 6, 5, 3, 2, 1]  # 4 is 3 once more
    check_frames(drawing.frames(models["digits"]), strip[order])


def test_an_animation_of_a_loop_goes_around_without_standing_still(models):
    drawing = Interpolate(seeds=(3, 4), steps=4, loop=True)
    strip = cells(drawing.draw(models["digits"]), 8, 4)
    check_frames(drawing.frames(models["digits"]), strip[[0, 1, 2, 3, 5, 6]])


def check_frames(frames, expected):
    assert len(frames) == len(expected)
    for frame, picture in zip(frames, expected, strict=True):
        assert frame.size == (256, 256)
        assert np.array_equal(np.asarray(frame), picture.repeat(8, 0).repeat(8, 1))


def test_classes_are_rows_and_noises_are_columns(models):
    drawing, model = CHOSEN["classes"], models["classes"]
    picture = drawing.draw(model)
    left = picture.width - (3 * (SIDE + GAP) + GAP)
    assert left > 0  # room for the names
    found = cells(picture, 6, 3, left=left)
    z = seeded(model.recipe, 9, 3, 1.5)
    expected = torch.cat([model.module(z, torch.full((3,), label)) for label in (8, 1)])
    assert same(found, expected)
    margin = np.asarray(picture)[:, :left]
    rows = [margin[GAP + row * (SIDE + GAP) :][:SIDE] for row in (0, 1)]
    assert all((row != pictures.INK).any() for row in rows)
    assert not np.array_equal(*rows)


def test_all_classes_are_drawn_where_none_is_chosen(models):
    picture = Classes(columns=2).draw(models["classes"])
    assert picture.height == 10 * (SIDE + GAP) + GAP


def test_an_equation_shows_the_samples_their_averages_and_the_sum(models):
    terms = ("+1:3/4/5", "-0.5:7")
    model = models["digits"]
    pixels = np.asarray(Arithmetic(terms=terms).draw(model))
    made = combine(model.recipe, [parse(term) for term in terms])
    z = torch.cat([*made.parts, made.averages, made.result.unsqueeze(0)])
    wanted = pictures.to_bytes(model.module(z)).astype(int)
    bottom = GAP + 3 * (SIDE + GAP) + 6
    assert pixels.shape[0] == bottom + SIDE + GAP
    rows = [GAP, GAP + SIDE + GAP, GAP + 2 * (SIDE + GAP), bottom, bottom, bottom]
    order = [0, 1, 2, 4, 5, 6]  # the average of the second term's only seed, 3, is drawn once, as 5
    at = []
    for y, index in zip(rows, order, strict=True):
        fits = [
            x for x in range(pixels.shape[1] - SIDE)
            if np.abs(pixels[y : y + SIDE, x : x + SIDE].astype(int) - wanted[index]).max() <= 1
        ]  # fmt: skip
        assert fits, f"sample {index} is not in the row at {y}"
        at.append(fits[0])
    assert at[0] == at[1] == at[2] == at[3] < at[4] < at[5]


@pytest.mark.parametrize(
    ("weights", "signs"),
    [((1, -1, 0.5), ["", "-", "+0.5", "="]), ((-1, 1, -2), ["-", "+", "-2", "="]), ((0.25,), ["0.25", "="])],
)
def test_an_equation_writes_weights_but_no_1(models, monkeypatch, weights, signs):
    written = []
    monkeypatch.setattr(canvas, "write", lambda image, text, x, y: written.append(text))
    Arithmetic(terms=tuple(f"{weight}:{index}" for index, weight in enumerate(weights))).draw(models["digits"])
    assert written == signs


@pytest.mark.parametrize("drawing", [Sample(count=5), Interpolate(steps=3), Arithmetic()], ids=lambda one: one.kind)
def test_points_are_a_scatter_that_is_enlarged_smoothly(models, drawing):
    picture = drawing.draw(models["points"])
    assert picture.size == (320, 320)
    shown = np.asarray(drawing.show(models["points"]))
    assert shown.shape == (640, 640, 3)
    doubled = np.asarray(picture).repeat(2, 0).repeat(2, 1)
    assert (shown != doubled).any()


def test_frames_of_points_show_one_after_the_other(models):
    frames = Interpolate(steps=3).frames(models["points"])
    made = sampling.strip(models["points"], (0, 1), 3)
    assert len(frames) == 4
    assert np.array_equal(np.asarray(frames[1]), np.asarray(canvas.draw(made[1:2], models["points"].recipe.dataset, 1)))


# The canvas
def test_single_images_are_the_samples_without_a_frame(models):
    samples = sampling.sample(models["classes"], 0, 3)
    found = canvas.singles(samples, models["classes"].recipe.dataset)
    assert np.array_equal(np.stack([np.asarray(one) for one in found]), pictures.to_bytes(samples))


@pytest.mark.parametrize(("width", "factor"), [(34, 10), (274, 3), (900, 1), (1500, 1)])
def test_a_picture_is_enlarged_in_whole_pixels_up_to_900(width, factor):
    pixels = np.random.default_rng(0).integers(0, 256, (4, width, 3), np.uint8)
    shown = np.asarray(canvas.enlarge(Image.fromarray(pixels)))
    assert np.array_equal(shown, pixels.repeat(factor, 0).repeat(factor, 1))


def test_a_grey_grid_is_enlarged_in_one_channel():
    shown = canvas.enlarge(pictures.grid(torch.zeros(4, 1, 8, 8), 2))
    assert shown.mode == "L"
    assert np.array_equal(np.asarray(shown.convert("RGB"))[0, 0], pictures.INK)


def test_names_in_any_script_have_a_place_beside_their_row():
    grid = pictures.grid(torch.zeros(2, 1, 20, 20), 1)
    picture = canvas.captioned(grid, ["Pferd ö", "馬"], 22)
    assert picture.height == grid.height
    assert np.array_equal(np.asarray(picture)[:, -grid.width :], np.asarray(grid))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_keeps_its_grey_levels_times_and_loop(kind, tmp_path):
    source = np.random.default_rng(0)
    grey = [source.integers(0, 256, (16, 16, 1), np.uint8).repeat(3, 2) for _ in range(3)]
    path = tmp_path / f"moving.{kind.lower()}"
    path.write_bytes(canvas.encode([Image.fromarray(frame) for frame in grey], kind, 120))
    with Image.open(path) as moving:
        assert (moving.format, moving.n_frames, moving.info["loop"]) == (kind, 3, 0)
        for index, frame in enumerate(grey):
            moving.seek(index)
            assert np.array_equal(np.asarray(moving.convert("RGB")), frame)
            assert moving.info["duration"] == 120
