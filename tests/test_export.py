"""A run as a model folder."""

from __future__ import annotations

import argparse
import dataclasses
import json
import runpy
import shlex
import shutil
import time
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from safetensors.torch import load_file
from stand_in_classifier import install
from tiny_runs import train_tiny
from torch import nn

from ganplay import cli, export
from ganplay.card import training_command
from ganplay.checkpoint import LoadedGenerator, load_discriminator, load_generator
from ganplay.commands import train
from ganplay.commands.flags import base_recipe
from ganplay.commands.flags import changes as given
from ganplay.evaluation import SAMPLES, evaluate
from ganplay.export import export_run, significant, stored_tensors
from ganplay.latent.sampling import sample
from ganplay.pictures import GAP
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.runs.worker import work
from ganplay.scores import limits
from ganplay.sources import RUN, open_source


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


def test_the_picture_of_large_images_has_fewer_of_them(tmp_path):
    torch.manual_seed(0)
    made = recipe("iisc-dcgan").change({"generator.widths": (8, 8, 8, 8)})
    drawn = export.picture(LoadedGenerator(made, 0, made.generator.build(made.shapes).eval()))
    assert drawn.size == (5 * (64 + GAP) + GAP, 4 * (64 + GAP) + GAP)


def test_curves_keep_ends_scores_and_five_digits_when_thinned(run, folder, of_this_home, tmp_path, monkeypatch):
    points = run.metrics()
    kept = json.loads((folder / "metrics.json").read_text())["points"]
    assert [point["images"] for point in kept] == [point["images"] for point in points]
    for point, exact in zip(kept, points, strict=True):
        assert point["generator_loss"] == pytest.approx(exact["generator_loss"], rel=5e-5)
    monkeypatch.setattr(export, "POINTS", 5)
    monkeypatch.setattr(export, "GRADIENTS", 3)
    thinned = json.loads((export_run(run, tmp_path / "thin") / "metrics.json").read_text())["points"]
    assert (thinned[0], thinned[-1]) == (kept[0], kept[-1])
    assert [point["images"] for point in thinned] == [32, 96, 160, 256, 320]
    assert [point["images"] for point in thinned if "gradients" in point] == [32, 160, 320]

    scored = [{**point, "score": 1.5} if point["images"] in (64, 224) else point for point in points]
    monkeypatch.setattr(Run, "metrics", lambda run: scored)
    thinned = json.loads((export_run(run, tmp_path / "scored") / "metrics.json").read_text())["points"]
    assert [point["images"] for point in thinned] == [32, 64, 96, 160, 224, 256, 320]
    assert [point["images"] for point in thinned if point["score"]] == [64, 224]


def test_numbers_are_rounded_to_significant_digits_and_whole_ones_stay():
    given = {"a": [123456.789, 0.000123456, -2.0], "images": 1234567, "b": float("nan"), "c": None, "d": (True, "x")}
    assert significant(given, 3) == {
        "a": [123000, 0.000123, -2], "images": 1234567, "b": None, "c": None, "d": [True, "x"],
    }  # fmt: skip


def test_the_discriminator_is_written_when_asked_for_and_is_the_runs_within_half_precision(run, of_this_home, tmp_path):
    written = export_run(run, tmp_path / "both", discriminator=True)
    stored = load_file(written / "discriminator.safetensors")
    of_run = load_discriminator(run.checkpoints()[0]).state_dict()
    assert stored.keys() == of_run.keys()
    for name, value in of_run.items():
        torch.testing.assert_close(stored[name].float(), value.float(), rtol=1e-3, atol=1e-4)
    assert "`discriminator.safetensors`" in (written / "README.md").read_text()


def test_weights_that_are_not_finite_are_refused(run, of_this_home, tmp_path, monkeypatch):
    loaded = load_generator(run.checkpoints()[0])
    with torch.no_grad():
        next(loaded.module.parameters()).view(-1)[0] = float("nan")
    monkeypatch.setattr(export, "open_source", lambda key: loaded)
    with pytest.raises(ValueError, match="its training diverged, so there is nothing to export"):
        export_run(run, tmp_path / "tiny")
    assert list(tmp_path.iterdir()) == []


def test_scores_stand_in_the_metrics_and_on_the_card(run, of_this_home, tmp_path, monkeypatch):
    install(monkeypatch, "digits-classifier")
    written = export_run(run, tmp_path / "measured", samples=150)
    scores = json.loads((written / "metrics.json").read_text())["scores"]
    distances = {one["reference"]: one for one in scores["figures"] if one["metric"] == "frechet-distance"}
    assert set(distances) == {"train", "test"}
    assert (distances["test"]["real_split"], distances["train"]["real_split"]) == ("train", "test")
    assert all(one["samples"] == 150 for one in distances.values())
    expected = evaluate(load_generator(written), samples=150, reference="test", metrics=["frechet-distance"]).figures[0]
    assert distances["test"]["value"] == pytest.approx(expected.value, rel=1e-4)
    assert distances["test"]["real"] == pytest.approx(expected.real, rel=1e-4)
    text = (written / "README.md").read_text()
    times = expected.value / expected.real
    assert f"is {times:.3g} times that of training images" in text
    for one in scores["figures"]:
        assert one["group"] or f"| {one['name']} | {one['value']:.4g}" in text


def test_limits_follow_the_figures():
    def figure(metric, name, value, real, **about):
        return {"metric": metric, "name": name, "value": value, "real": real, "group": "", "reference": "train"} | about

    made = recipe("quick-digits")
    good = [figure("precision-recall", "recall (x)", 0.8, 0.9), figure("ms-ssim", "MS-SSIM", 0.3, 0.3)]
    unknown = [figure("frechet-distance", "FD (x)", None, 10.0, reference="test")]
    assert len(limits(made, good + unknown)) == 2  # what any unconditional generator cannot do
    bad = [
        figure("precision-recall", "recall (x)", 0.2, 0.9), figure("precision-recall", "precision (x)", 0.1, 0.9),
        figure("ms-ssim", "MS-SSIM", 0.9, 0.3), figure("neighbours", "distance", 1.0, 9.0),
        figure("frechet-distance", "FD (x)", 50.0, 10.0, reference="test"),
        figure("recognised", "recognised: cat", 0.25, 0.9, group="cat"),
        figure("recognised", "recognised: dog", 0.75, 0.9, group="dog"),
    ]  # fmt: skip
    told = " ".join(limits(made, bad))
    for words in ("some sample, is 0.2", "precision is 0.1", "MS-SSIM is 0.9", "by heart", "5 times", "cat: 25.0%"):
        assert words in told


def test_the_card_tells_what_it_is_and_how_to_get_it(folder):
    card = (folder / "README.md").read_text()
    metadata = ModelCard(card).data
    assert (metadata.library_name, metadata.license) == ("ganplay", "mit")
    assert metadata.pipeline_tag == "unconditional-image-generation"
    assert {"gan", "dcgan", "non-saturating"} == set(metadata.tags)
    for words in (
        "# Quick digits: `tiny`", "`quick-digits`", "Digits (8 x 8 scans)", "320 real images seen in", ", 1 thread, ",
        "python -m ganplay sample tiny --seed 0", 'from_pretrained("tiny")', "(64, 1, 32, 32)", "CC BY 4.0",
        "python -m ganplay export RUN checkpoints/tiny --no-scores",
    ):  # fmt: skip
        assert words in card


def test_a_card_of_a_documents_recipe_names_document_data_and_classes(home, tmp_path):
    changes = {"generator.conditioning": "concat", "discriminator.conditioning": "projection"}
    made = train_tiny(home, "cs229-fcgan", dataset="digits", **{"dataset.classes": "3,5"}, **changes)
    card = (export_run(made, tmp_path / "pair") / "README.md").read_text()
    assert 'document 001, "A Foray into GANs" (Yip, Tan)' in card
    assert "only 3, 5" in card
    assert "class-conditional" in ModelCard(card).data.tags
    assert "unconditional:" not in card
    metrics = json.loads((tmp_path / "pair" / "metrics.json").read_text())
    assert (metrics["base"], metrics["document"]) == ("cs229-fcgan", "001")


def test_a_recipe_made_by_hand_follows_no_document(run, of_this_home, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "info", run.info | {"base": None})
    card = (export_run(run, tmp_path / "own") / "README.md").read_text()
    assert "made by hand, nearest to `quick-digits`" in card
    assert json.loads((tmp_path / "own" / "metrics.json").read_text())["document"] == ""


@pytest.mark.parametrize("changes", [
    {}, {"seed": 7, "title": "It's mine"}, {"loss": "wasserstein", "penalties": "weight-clip,r1"},
    {"generator.widths": "64,32", "augment": "color,translation", "loss.average": "true", "stop_images": 999_999},
])  # fmt: skip
def test_the_command_on_the_card_makes_the_same_recipe_again(run, changes):
    made = run.recipe().change(changes)
    model = LoadedGenerator(made, made.stop_images, nn.Identity())
    command = shlex.split(training_command(run, model))
    assert command[:4] == ["python", "-m", "ganplay", "train"]
    parser = argparse.ArgumentParser()
    train.configure(parser, command[4:])
    options = parser.parse_args(command[4:])
    assert base_recipe(options.recipe).change(given(options)) == made
    assert (options.threads, options.label) == (1, run.label)


def test_the_command_stops_where_a_run_was_ended_by_hand(run):
    model = LoadedGenerator(run.recipe(), 96, nn.Identity())
    assert "--stop-images 96 " in training_command(run, model)


def test_a_command_whose_learning_rates_fall_keeps_its_end_and_the_card_says_where_to_stop(
    home, of_this_home, tmp_path, monkeypatch
):
    run = of_this_home
    falling = run.recipe().change({"decay_images": 1_000, "stop_images": 9_000})
    command = training_command(run, LoadedGenerator(falling, 96, nn.Identity()))
    assert "--decay-images 1000 " in command
    assert "--stop-images 9000 " in command
    loaded = open_source(RUN + run.id)
    monkeypatch.setattr(export, "load_generator", lambda _: dataclasses.replace(loaded, recipe=falling))
    text = (export_run(run, tmp_path / "falling") / "README.md").read_text()
    assert f"These weights had seen {loaded.images:,} images: stop it there." in text


def test_the_card_of_a_fork_tells_what_was_set_before(home, run, tmp_path):
    parent = Run(run.id, home / "runs" / run.id)
    shutil.copytree(run.folder, parent.folder)
    settings = {"generator.widths": "96,48,32", "loss": "hinge", "stop_images": 352}
    child = store.fork(parent, settings)
    assert work(child).state == "finished"
    grandchild = store.fork(child, {"stop_images": 384})
    assert work(grandchild).state == "finished"
    card = (export_run(grandchild, tmp_path / "told") / "README.md").read_text()
    of_parent = "- up to 320 images: `loss` non-saturating, `generator.widths` 96,48,24, `stop_images` 320\n"
    assert of_parent + "- up to 352 images: `stop_images` 352\n" in card
    parent.write_status(dataclasses.replace(parent.status(), images=640, updated=time.time()))
    assert "- at first: `loss` non-saturating" in (export_run(child, tmp_path / "more") / "README.md").read_text()
    store.delete(parent)
    assert (
        "- at first: a run that can no longer be read\n"
        in (export_run(child, tmp_path / "lost") / "README.md").read_text()
    )


def test_the_cards_python_example_runs(folder, monkeypatch):
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    (folder.parent / "example.py").write_text(code)
    monkeypatch.chdir(folder.parent)
    assert runpy.run_path("example.py")["samples"].shape == (64, 1, 32, 32)


def test_the_verb_measures_by_default_and_refuses_too_few_samples(of_this_home, tmp_path, monkeypatch, capsys):
    asked = {}
    monkeypatch.setattr(export, "export_run", lambda run, folder, **options: asked.update(options) or folder)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "model.safetensors").write_bytes(bytes(2_500_000))
    assert cli.main(["export", of_this_home.id, str(tmp_path / "a")]) == 0
    assert "model.safetensors: 2.5 MB" in capsys.readouterr().out
    assert (asked["samples"], asked["discriminator"]) == (SAMPLES, False)
    assert cli.main(["export", of_this_home.id, str(tmp_path / "a"), "--no-scores", "--discriminator"]) == 0
    assert (asked["samples"], asked["discriminator"]) == (0, True)
    assert cli.main(["export", of_this_home.id, str(tmp_path / "a"), "--samples", "3"]) == cli.MISUSED
    assert "samples is 3; it must be 100 to 60,000." in capsys.readouterr().err


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

    monkeypatch.setattr(export, "write_pieces", full)
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
