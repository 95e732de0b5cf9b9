"""GanModel, publishing and pulling; and the proof that nothing of it can reach a pickle."""

from __future__ import annotations

import ast
import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from hub_stand_in import TOKEN, Hub, stand_in_hub
from huggingface_hub import constants
from safetensors.torch import load_file

import ganplay
from ganplay import paths
from ganplay.building import build_networks
from ganplay.checkpoint import load_generator
from ganplay.cli import main
from ganplay.hub import GanModel, cache
from ganplay.hub.publishing import publish, stage
from ganplay.latent.noise import seeded
from ganplay.layout import FILES
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run

ROOT = Path(__file__).parent.parent
DIGITS = paths.bundled_checkpoints() / "quick-digits"


@pytest.fixture(scope="module")
def server():
    with stand_in_hub() as hub:
        yield hub


@pytest.fixture
def hub(server, monkeypatch, tmp_path) -> Hub:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # read before any test
    monkeypatch.setattr(constants, "ENDPOINT", server.address)  # uploads are sent by this process
    server.clear()
    return server


@pytest.fixture
def model() -> GanModel:
    return GanModel.from_pretrained("quick-digits")


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name in FILES}


def same(one: GanModel, other: GanModel) -> bool:
    """Equal to the bit, in weights and in what comes out."""
    z = seeded(one.recipe, 3, 4)
    weights = [model.module.state_dict() for model in (one, other)]
    equal = all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    return equal and weights[0].keys() == weights[1].keys() and torch.equal(one(z), other(z))


def test_a_model_draws_what_its_checkpoint_draws(model):
    loaded = load_generator(DIGITS)
    z = seeded(loaded.recipe, 1, 5)
    assert (model.recipe, model.images, model.training) == (loaded.recipe, 120_000, False)
    assert torch.equal(model(z), loaded.module(z))
    assert ganplay.GanModel is GanModel


def test_a_saved_model_is_loaded_again_to_the_bit(model, tmp_path):
    model.save_pretrained(tmp_path / "saved")
    assert same(model, GanModel.from_pretrained(tmp_path / "saved"))
    assert load_generator(tmp_path / "saved").recipe == model.recipe
    assert {value.dtype for value in load_file(tmp_path / "saved" / "model.safetensors").values()} <= {
        torch.float16, torch.float32, torch.int64,
    }  # fmt: skip
    assert {file.name for file in (tmp_path / "saved").iterdir()} == {"config.json", "model.safetensors", "README.md"}


def test_weights_that_half_precision_would_change_are_saved_whole(tmp_path):
    made = recipe("modern-sngan-projection")
    generator, _ = build_networks(made)
    model = GanModel(made, 7, generator)
    model.save_pretrained(tmp_path / "saved")
    again = GanModel.from_pretrained(str(tmp_path / "saved"))
    assert again.images == 7
    assert all(torch.equal(a, b) for a, b in zip(generator.parameters(), again.parameters(), strict=True))


def test_a_model_is_a_copy_of_its_own(model):
    with torch.no_grad():
        next(model.parameters()).add_(1)
    assert not same(model, GanModel.from_pretrained("quick-digits"))


def test_a_model_comes_from_the_hub_by_any_of_its_names(hub, model):
    hub.add("someone/digits", files_of(DIGITS))
    assert same(model, GanModel.from_pretrained("someone/digits"))
    hub.repositories.clear()  # now on this computer
    assert same(model, GanModel.from_pretrained("hub:someone/digits"))
    loaded = ganplay.load("hub:someone/digits")
    assert torch.equal(loaded.module(seeded(loaded.recipe, 0, 2)), model(seeded(loaded.recipe, 0, 2)))
    with pytest.raises(ValueError, match="no model someone/digits on the Hub"):
        GanModel.from_pretrained("someone/digits", revision="v2")


@pytest.mark.parametrize(
    "name", ["someone/nothing", "nothing", "./nothing/at/all", "../..", "hub:x", "checkpoint:../x"]
)
def test_a_name_of_nothing_is_one_sentence(hub, name):
    with pytest.raises(ValueError) as raised:
        GanModel.from_pretrained(name)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


def test_a_repository_with_pickled_weights_alone_is_refused_and_never_unpickled(hub, monkeypatch, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    def forbidden(*_, **__):
        raise AssertionError("something was unpickled")

    for owner, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(owner, name, forbidden)
    config = (DIGITS / "config.json").read_bytes()
    hub.add("evil/model", {"config.json": config, "pytorch_model.bin": pickle.dumps(Trap())})
    with pytest.raises(ValueError, match=r"has no model\.safetensors"):
        GanModel.from_pretrained("evil/model")
    hub.add("evil/disguised", {"config.json": config, "model.safetensors": pickle.dumps(Trap()) * 6_000})
    with pytest.raises(ValueError, match=r"damaged or incomplete|do not fit"):
        GanModel.from_pretrained("evil/disguised")
    for name in ("_load_as_pickle", "_from_pretrained"):
        with pytest.raises((ValueError, TypeError)):
            getattr(GanModel, name)(tmp_path)
    assert not (tmp_path / "sprung").exists()
    hub.add("good/model", files_of(DIGITS))
    assert GanModel.from_pretrained("good/model").images == 120_000  # under the same watch


# Helpers of libraries that unpickle what they are given. The one use is of a published file of plain tensors, whose
# SHA-256 is checked before and which is read with weights_only.
UNPICKLING = {
    "load_state_dict_from_url", "load_torch_model", "load_state_dict_from_file", "from_pretrained_keras",
    "from_pretrained_fastai", "_load_as_pickle", "read_pickle",
}  # fmt: skip
CHECKED_FIRST = {("inception.py", "load_state_dict_from_url")}


def test_no_helper_that_unpickles_is_called_anywhere():
    calls = [
        (path.name, ast.unparse(node.func))
        for path in (ROOT / "ganplay").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]
    assert len(calls) > 1_000
    for file, called in calls:
        name = called.rsplit(".", 1)[-1]
        assert name not in UNPICKLING or (file, name) in CHECKED_FIRST, f"{called} in {file}"
        assert called not in ("torch.load", "torch.hub.load", "torch.jit.load", "torch.package.PackageImporter"), file


def test_publishing_without_a_token_is_one_sentence(hub, model):
    for attempt in (lambda: publish(DIGITS, "me/digits"), lambda: model.push_to_hub("me/digits")):
        with pytest.raises(ValueError, match=r"set HF_TOKEN. Nothing was uploaded\.$"):
            attempt()
    assert hub.seen == []


def test_a_published_folder_arrives_as_it_is_and_can_be_pulled(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    address = publish(DIGITS, "me/digits")
    repository = hub.repositories["me/digits"]
    assert address == f"{hub.address}/me/digits/commit/{repository.branches['main']}"
    assert repository.commits[repository.branches["main"]] == files_of(DIGITS)
    assert not repository.private
    monkeypatch.delenv("HF_TOKEN")
    assert GanModel.from_pretrained("me/digits").images == 120_000


def test_private_means_private_or_nothing(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    publish(DIGITS, "me/secret", private=True)
    assert hub.repositories["me/secret"].private
    publish(DIGITS, "me/secret", private=True)  # again is fine
    hub.add("me/public", {})
    with pytest.raises(ValueError, match="is there already and public"):
        publish(DIGITS, "me/public", private=True)
    assert hub.repositories["me/public"].commits[hub.repositories["me/public"].branches["main"]] == {}


def test_a_token_that_may_not_write_is_one_sentence(hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_anotherSecretOfMine")
    with pytest.raises(ValueError, match=r"\(401\)|may write it") as raised:
        publish(DIGITS, "me/digits")
    assert "anotherSecret" not in str(raised.value) and "\n" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_pushed_model_is_the_model(hub, monkeypatch, model):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    model.push_to_hub("me/pushed", private=True)
    assert hub.repositories["me/pushed"].private
    assert same(model, GanModel.from_pretrained("me/pushed"))  # with the token, as it is private
    assert cache.downloads() == []


@pytest.fixture
def run(template, home) -> Run:
    shutil.copytree(template, home)
    return store.list_runs()[0]


@pytest.fixture
def say(capfd):
    """Runs a verb as the command line would: its exit code, what it printed, and what it complained of."""

    def run_verb(*words: str) -> tuple[int, str, str]:
        code = main(words)
        return code, *capfd.readouterr()

    return run_verb


def test_a_dry_run_writes_and_lists_what_would_be_uploaded(hub, run, tmp_path, say):
    words = ("publish", run.id, "me/tiny", "--dry-run", str(tmp_path / "dry"))
    code, told, _ = say(*words)
    written = {file.name: file.stat().st_size for file in (tmp_path / "dry").iterdir()}
    assert code == 0 and set(written) <= set(FILES) and {"config.json", "model.safetensors"} <= set(written)
    for name, size in written.items():
        assert any(line.split() == [name, f"{size:,}", "bytes"] for line in told.splitlines())
    assert f"{sum(written.values()):,} bytes" in told
    assert hub.seen == []
    code, _, complaint = say(*words)
    assert code == 2 and "is not empty" in complaint


def test_a_run_goes_to_the_hub_and_back_and_no_token_stays_behind(hub, run, home, tmp_path, say, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    published = say("publish", run.id, "me/tiny", "--private")
    assert published[0] == 0 and hub.repositories["me/tiny"].private
    pulled = say("pull", "me/tiny", "--to", str(tmp_path / "copy"))
    assert pulled[0] == 0
    assert "320 images seen" in pulled[1] and f"ganplay sample {tmp_path / 'copy'}" in pulled[1]
    arrived = hub.repositories["me/tiny"].commits[hub.repositories["me/tiny"].branches["main"]]
    assert files_of(tmp_path / "copy") == arrived
    assert json.loads(arrived["config.json"])["images"] == 320
    assert TOKEN not in "".join(published[1:] + pulled[1:])
    for file in (file for root in (home, tmp_path) for file in root.rglob("*") if file.is_file()):
        assert TOKEN.encode() not in file.read_bytes(), file


def test_pull_says_when_it_could_not_ask_for_news(hub, say, monkeypatch):
    hub.add("me/digits", files_of(DIGITS))
    assert say("pull", "me/digits")[0] == 0
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, told, _ = say("pull", "me/digits")
    assert code == 0 and "HF_HUB_OFFLINE is set. The copy on this computer is what there is." in told
    monkeypatch.delenv("HF_HUB_OFFLINE")
    hub.trouble["/api/models/"] = 503
    assert "problem of its own (503); try again later. The copy on this computer" in say("pull", "me/digits")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("pull", "me/nothing"), "There is no model me/nothing"),
        (("pull", "nothing"), "looks like OWNER/NAME"),
        (("pull", "me/x", "--to", str(ROOT)), "is not empty"),
        (("publish", "quick-digits", "me/x"), "set HF_TOKEN"),
        (("publish", "nothing", "me/x"), "no model folder 'nothing' to publish"),
        (("publish", "quick-digits", "x"), "looks like OWNER/NAME"),
    ],
)
def test_verbs_answer_mistakes_in_one_sentence(hub, say, words, said):
    code, _, complaint = say(*words)
    told = [line for line in complaint.splitlines() if line.startswith("ganplay: ")]
    assert code == 2 and len(told) == 1 and said in told[0]


def test_a_staged_folder_holds_no_stranger_files(tmp_path):
    origin = Path(shutil.copytree(DIGITS, tmp_path / "mine"))
    (origin / "secrets.env").write_text("password")
    listed = stage(str(origin), tmp_path / "staged", "mine")
    assert [name for name, _ in listed] == [name for name in FILES if (DIGITS / name).is_file()]
    assert files_of(tmp_path / "staged") == files_of(DIGITS) and not (tmp_path / "staged" / "secrets.env").exists()


def test_a_damaged_folder_is_not_published(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    origin = Path(shutil.copytree(DIGITS, tmp_path / "mine"))
    (origin / "model.safetensors").write_bytes(b"x" * 400_000)
    with pytest.raises(ValueError, match="damaged or incomplete"):
        stage(str(origin), tmp_path / "staged", "mine")
    assert hub.seen == []
