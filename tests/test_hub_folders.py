"""Model folders that anybody may have made: each trick costs one sentence, and neither memory nor time."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ganplay import model_folder, paths
from ganplay.building import build_networks
from ganplay.checkpoint import MODEL_FORMAT, load_discriminator, load_generator
from ganplay.export import stored_tensors
from ganplay.recipes import recipe, recipes
from ganplay.tensors import write_tensors


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of a bundled model folder, to be spoiled."""
    return Path(shutil.copytree(paths.bundled_checkpoints() / "quick-digits", tmp_path / "strange"))


def refused(folder: Path, read=load_generator) -> str:
    with pytest.raises(ValueError) as raised:
        read(folder)
    text = str(raised.value)
    assert text.endswith(".") and "\n" not in text and len(text) < 400, text
    return text


def change(folder: Path, path: str, value: object) -> None:
    """Sets one place of config.json, such as "recipe.generator.widths"."""
    content = json.loads((folder / "config.json").read_text())
    *way, last = path.split(".")
    inner = content
    for step in way:
        inner = inner[step]
    inner[last] = value
    (folder / "config.json").write_text(json.dumps(content))


def rewrite(folder: Path, **changes: torch.Tensor | None) -> None:
    """Writes the weights anew with right checksums, some of them changed, left out or added."""
    file = folder / "model.safetensors"
    tensors = {name: value for name, value in (load_file(file) | changes).items() if value is not None}
    write_tensors(file, tensors, {"format": MODEL_FORMAT, "images": "1"})


@pytest.fixture
def weight(folder) -> str:
    """The name of some weight in the file."""
    return next(name for name, value in load_file(folder / "model.safetensors").items() if value.ndim == 4)


HUGE, DEEP = 10**12, "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("recipe.generator.widths", [HUGE, HUGE], "allowed is"),
        ("recipe.generator.widths", [2048] * 3, "do not fit the"),
        ("recipe.generator.widths", [], "entries"),
        ("recipe.latent", 1024, "do not fit the|shape"),
        ("recipe.latent", -1, "allowed is"),
        ("recipe.image_size", HUGE, "allowed is"),
        ("recipe.ema_decay", float("nan"), "must be a number"),
        ("recipe.generator.std", float("inf"), "must be a number"),
        ("recipe.generator.kind", "os.system", "There is no generator"),
        ("recipe.generator.kind", "__import__('os')", "There is no generator"),
        ("recipe.generator.kind", ["dcgan"], "must be an object with a kind"),
        ("recipe.generator.kind", "x" * 100_000, "There is no generator"),
        ("recipe.generator.kind", "resnet", "has no setting|has no weight|do not fit"),
        ("recipe.generator", None, "must be an object with a kind"),
        ("recipe.dataset", {"kind": "pictures", "name": "../../etc"}, "name of a picture set"),
        ("recipe.dataset", {"kind": "pictures", "name": "/etc/passwd"}, "name of a picture set"),
        ("recipe.dataset", {"kind": "digits", "classes": [["0"]]}, "must be text"),
        ("recipe.penalties", [{"kind": "r1"}] * 9_000, "each may be given once"),
        ("recipe.batch_size", "64; rm -rf", "must be a whole number"),
        ("recipe.title", "<b>\n</b>" * 3, "title"),
        ("recipe.title", "x" * 5_000, "title"),
        ("recipe.title", 7, "must be text"),
        ("recipe.unknown", 1, "has no setting unknown"),
        ("recipe", [], "A recipe is a JSON object"),
        ("recipe", "x" * 900_000, "A recipe is a JSON object"),
        ("images", "many", "must be a whole number"),
        ("images", -1, "must be a whole number"),
        ("images", True, "must be a whole number"),
        ("images", 10**300, "must be a whole number"),
        ("format", "ganplay-classifier-1", "has the format 'ganplay-classifier-1'"),
        ("format", ["x" * 5_000], "has the format"),
    ],
)
def test_a_config_of_tricks_is_refused_in_one_sentence(folder, path, value, said):
    import re

    change(folder, path, value)
    assert re.search(said, refused(folder))


@pytest.mark.parametrize("text", [DEEP, "", "[]", "null", "7", '"x"', "{", '{"a":' * 5_000, "\x00", "9" * 5_000])
def test_what_is_no_object_at_all_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    assert refused(folder)


def test_a_config_that_is_too_large_is_not_even_read(folder, monkeypatch):
    (folder / "config.json").write_text(" " * 10**6 + "{}")
    monkeypatch.setattr(model_folder, "read_json", lambda path: pytest.fail("it was read"))
    assert "more than 1,000,000 bytes" in refused(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(folder):
    (folder / "config.json").unlink()
    os.mkfifo(folder / "config.json")
    assert "config.json is missing" in refused(folder)


def test_missing_files_are_named(folder):
    (folder / "model.safetensors").unlink()
    assert "no model.safetensors" in refused(folder)
    (folder / "config.json").unlink()
    assert "config.json is missing" in refused(folder)


def test_a_recipe_of_huge_networks_is_refused_without_reading_weights(folder, monkeypatch):
    monkeypatch.setattr(model_folder, "read_pieces", lambda *_: pytest.fail("the weights were read"))
    change(folder, "recipe.generator.widths", [2048, 2048])
    assert "weights, which do not fit the" in refused(folder)


def test_a_file_far_larger_than_its_networks_is_refused_without_being_read(folder, monkeypatch):
    monkeypatch.setattr(model_folder, "read_pieces", lambda *_: pytest.fail("the weights were read"))
    with (folder / "model.safetensors").open("r+b") as file:
        file.truncate(10**11)  # a hole, no bytes on the disk
    assert "do not fit the 100,000,000,000 bytes" in refused(folder)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipe": "cs229-baseline", "generator.maps": 1024, "image_size": 64}, "billion multiply-adds"),
        ({"recipe": "modern-r3gan", "generator.blocks": 8, "generator.widths": (1024,) * 3}, "billion multiply-adds"),
    ],
)
def test_a_model_whose_samples_would_keep_a_server_busy_is_refused(changes, said):
    import re

    made = recipe(changes.pop("recipe")).change(changes)
    with pytest.raises(ValueError) as raised:
        model_folder.check_work(made, model_folder.blueprint(made, "generator"), "generator")
    assert re.search(said, str(raised.value))


def test_a_model_whose_samples_would_fill_the_memory_is_refused(monkeypatch):
    """The first map of these widths, 96 x 8 x 8, is the largest: each stage halves its maps and doubles both sides."""
    made = recipe("quick-digits")
    network = model_folder.blueprint(made, "generator")
    monkeypatch.setattr(model_folder, "MOST_VALUES", 256 * 96 * 8 * 8)
    model_folder.check_work(made, network, "generator")
    monkeypatch.setattr(model_folder, "MOST_VALUES", 256 * 96 * 8 * 8 - 1)
    with pytest.raises(ValueError, match=r"needs maps of .* GB for 256 samples"):
        model_folder.check_work(made, network, "generator")


def test_work_is_that_of_the_layer_table(monkeypatch):
    from ganplay.probes.layers import totals

    made = recipe("munich-hyper")
    network = model_folder.blueprint(made, "generator")
    exact = totals(made)["generator"].multiply_adds / 1e9
    monkeypatch.setenv("GANPLAY_MODEL_WORK", str(exact * 1.001))
    model_folder.check_work(made, network, "generator")
    monkeypatch.setenv("GANPLAY_MODEL_WORK", str(exact * 0.999))
    with pytest.raises(ValueError, match=r"takes 0\.3 billion multiply-adds a sample; .* \(GANPLAY_MODEL_WORK\)"):
        model_folder.check_work(made, network, "generator")


@pytest.mark.parametrize("name", list(recipes))
def test_both_networks_of_every_recipe_of_ours_are_far_within_the_bounds(name, monkeypatch):
    monkeypatch.setenv("GANPLAY_MODEL_WORK", str(model_folder.MOST_WORK / 3))
    monkeypatch.setattr(model_folder, "MOST_VALUES", model_folder.MOST_VALUES // 3)
    for owner in ("generator", "discriminator"):
        model_folder.check_work(recipe(name), model_folder.blueprint(recipe(name), owner), owner)


def test_weights_that_are_no_numbers_are_refused(folder, weight):
    for value in (float("nan"), float("inf")):
        rewrite(folder, **{weight: load_file(folder / "model.safetensors")[weight].fill_(value)})
        assert f"has values at '{weight}' that are no numbers" in refused(folder)


def test_other_names_shapes_and_types_of_weights_are_refused(folder, weight):
    value = load_file(folder / "model.safetensors")[weight]
    rewrite(folder, **{weight: None})
    assert f"no weight '{weight}'" in refused(folder)
    rewrite(folder, **{weight: value[:1].clone()})
    assert refused(folder).endswith(f"at '{weight}', this recipe's has {tuple(value.shape)}.")
    for kind in (torch.int64, torch.bool, torch.float64, torch.complex64, torch.float8_e4m3fn):
        rewrite(folder, **{weight: value.to(kind)})
        assert f"has '{weight}' as {kind}, the generator needs torch.float32" in refused(folder)
    rewrite(folder, **{weight: value, "one.more": torch.zeros(1)})
    assert "a weight 'one.more' that this recipe's generator does not have" in refused(folder)


def test_a_file_without_our_checksum_or_with_a_changed_byte_is_refused(folder):
    file = folder / "model.safetensors"
    tensors, whole = load_file(file), file.read_bytes()
    file.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    assert "does not match its checksum" in refused(folder)
    save_file(tensors, file)
    assert "does not match its checksum" in refused(folder)


@pytest.mark.parametrize("start", [b"", b"\xff" * 8, b"\x80\x04\x95pickle", (10**6 + 1).to_bytes(8, "little")])
def test_what_is_no_safetensors_file_is_refused(folder, start):
    file = folder / "model.safetensors"
    file.write_bytes(start + file.read_bytes()[len(start) :] if start else b"")
    assert "damaged or incomplete" in refused(folder) or "do not fit" in refused(folder)


@pytest.mark.parametrize("name", ["quick-digits", "munich-failure", "modern-sngan-projection", "iisc-sagan"])
def test_a_discriminator_comes_back_as_it_was_stored(name, tmp_path):
    """Spectral norm keeps its weights and vectors under names of its own."""
    made = recipe(name)
    _, network = build_networks(made)
    config = {"format": MODEL_FORMAT, "images": 5, "recipe": made.to_json()}
    (tmp_path / "config.json").write_text(json.dumps(config))
    stored = stored_tensors(network)
    write_tensors(tmp_path / "discriminator.safetensors", stored, {"format": MODEL_FORMAT, "images": "5"})
    loaded = load_discriminator(tmp_path)
    found = loaded.state_dict()
    assert found.keys() == network.state_dict().keys()
    assert all(torch.equal(found[key], value.to(found[key].dtype)) for key, value in stored.items())
    network.load_state_dict({key: value.to(found[key].dtype) for key, value in stored.items()})
    x, y = torch.randn(3, *made.shapes.sample), torch.tensor([0, 1, 0]) if made.conditional else None
    torch.testing.assert_close(loaded(x, y).logits, network.eval()(x, y).logits.detach())


def test_a_folder_without_a_discriminator_says_so(folder):
    (folder / "discriminator.safetensors").unlink()
    assert "There is no discriminator in strange" in refused(folder, load_discriminator)


def test_images_come_from_the_config_and_weights_become_float32(folder):
    loaded = load_generator(folder)
    assert loaded.images == json.loads((folder / "config.json").read_text())["images"] == 120_000
    assert {value.dtype for value in loaded.module.parameters()} == {torch.float32}
    assert not loaded.module.training
