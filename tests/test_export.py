"""A run as a model folder."""

from __future__ import annotations

import json
import runpy
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tiny_runs import train_tiny
from torch import nn

from ganplay import export
from ganplay.checkpoint import load_generator
from ganplay.export import export_run, stored_tensors
from ganplay.latent.sampling import sample
from ganplay.recipe import Recipe
from ganplay.runs.folder import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    return train_tiny(tmp_path_factory.mktemp("exported"))


@pytest.fixture
def of_this_home(run, monkeypatch) -> Run:
    monkeypatch.setenv("GANPLAY_HOME", str(run.folder.parent.parent))
    return run


@pytest.fixture
def folder(home, of_this_home, tmp_path) -> Path:
    return export_run(of_this_home, tmp_path / "tiny")


def test_the_folder_has_the_files_of_a_model_repository(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "model.safetensors", "README.md", "metrics.json", "samples.webp"}


def test_every_file_may_be_read_by_whoever_may_read_the_first(folder):
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


def test_samples_of_the_folder_are_the_runs_within_half_precision(run, folder):
    of_run, of_folder = load_generator(run.checkpoints()[0]), load_generator(folder)
    assert (of_folder.images, of_folder.recipe) == (of_run.images, of_run.recipe)
    torch.testing.assert_close(sample(of_folder, 3, 16), sample(of_run, 3, 16), rtol=0, atol=5e-3)


def test_samples_of_the_folder_are_exactly_those_of_the_halved_weights(run, folder):
    of_run = load_generator(run.checkpoints()[0])
    with torch.no_grad():
        for parameter in of_run.module.parameters():
            parameter.copy_(parameter.half())
    assert torch.equal(sample(load_generator(folder), 3, 16), sample(of_run, 3, 16))


def test_weights_are_half_and_statistics_full_precision(run, folder):
    weights = {name for name, _ in load_generator(run.checkpoints()[0]).module.named_parameters()}
    stored = load_file(folder / "model.safetensors")
    assert {stored[name].dtype for name in weights} == {torch.float16}
    assert {value.dtype for name, value in stored.items() if name.endswith("running_var")} == {torch.float32}


def test_a_weight_too_large_for_half_precision_stays_whole():
    module = nn.Linear(2, 1)
    with torch.no_grad():
        module.weight.fill_(1e6)
    stored = stored_tensors(module)
    assert torch.equal(stored["weight"], torch.full((1, 2), 1e6))
    assert stored["bias"].dtype == torch.float16


def test_the_recipe_survives(run, folder):
    config = json.loads((folder / "config.json").read_text())
    assert Recipe.from_json(config["recipe"]) == run.recipe()
    assert config["images"] == 320


def test_the_picture_is_drawn_by_the_stored_weights(folder):
    from ganplay import pictures

    drawn = pictures.grid(sample(load_generator(folder), 0, 64))
    with Image.open(folder / "samples.webp") as stored:
        assert stored.convert("RGB").tobytes() == drawn.tobytes()


def test_curves_keep_their_ends_when_thinned(run, folder, of_this_home, tmp_path, monkeypatch):
    points = run.metrics()
    assert json.loads((folder / "metrics.json").read_text())["points"] == points
    monkeypatch.setattr(export, "POINTS", 4)
    thinned = json.loads((export_run(run, tmp_path / "thin") / "metrics.json").read_text())["points"]
    assert len(thinned) == 4 < len(points)
    assert (thinned[0], thinned[-1]) == (points[0], points[-1])


def test_the_card_tells_what_it_is_and_how_to_sample_it(folder):
    card = (folder / "README.md").read_text()
    front, body = card.removeprefix("---\n").split("\n---\n", 1)
    fields = dict(line.split(": ", 1) for line in front.splitlines() if ": " in line)
    assert fields == {
        "library_name": "ganplay", "license": "mit", "pipeline_tag": "unconditional-image-generation",
    }  # fmt: skip
    for words in (
        "# Quick digits", "`quick-digits`", "`batch_size` = 16", "Digits (8 x 8 scans)", "320 real images seen in",
        " 1 thread, ", "python -m ganplay sample PATH/TO/tiny", 'load_generator(Path("tiny"))', "(64, 1, 32, 32)",
    ):  # fmt: skip
        assert words in body


def test_the_cards_python_example_runs(folder, monkeypatch):
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    (folder.parent / "example.py").write_text(code)
    monkeypatch.chdir(folder.parent)
    assert runpy.run_path("example.py")["samples"].shape == (64, 1, 32, 32)


def test_a_folder_with_content_is_refused_and_left_alone(of_this_home, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty; choose a new folder"):
        export_run(of_this_home, tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(home, of_this_home, tmp_path):
    (tmp_path / "empty").mkdir()
    assert load_generator(export_run(of_this_home, tmp_path / "empty")).images == 320


def test_nothing_is_left_behind_when_writing_fails(home, of_this_home, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "write_tensors", full)
    with pytest.raises(OSError, match="No space left"):
        export_run(of_this_home, tmp_path / "below" / "tiny")
    assert list((tmp_path / "below").iterdir()) == []


def test_a_run_without_a_checkpoint_is_refused(home, run, monkeypatch, tmp_path):
    shutil.copytree(run.folder, home / "runs" / run.id, ignore=shutil.ignore_patterns("checkpoints"))
    with pytest.raises(ValueError, match="has no checkpoint yet"):
        export_run(Run(run.id, home / "runs" / run.id), tmp_path / "tiny")
    assert not (tmp_path / "tiny").exists()


def test_a_run_of_points_exports_a_scatter(home, tmp_path):
    run = train_tiny(home, "toy-ring", score_every=0)
    folder = export_run(run, tmp_path / "ring")
    assert sample(load_generator(folder), 0, 5).shape == (5, 2)
    with Image.open(folder / "samples.webp") as picture:
        assert picture.width == picture.height
    assert "pipeline_tag" not in (folder / "README.md").read_text()
