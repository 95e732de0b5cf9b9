"""Listing and opening what can be sampled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from ganplay import checkpoint, opening, paths, sources
from ganplay.export import export_run
from ganplay.hub import cache
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.sources import open_source, resolve


@pytest.fixture
def run(template, home, monkeypatch, tmp_path) -> Run:
    """The run in a home of this test's own, and an empty folder of bundled checkpoints."""
    shutil.copytree(template, home)
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: tmp_path / "checkpoints")
    return store.list_runs()[0]


@pytest.fixture
def bundled(run, tmp_path) -> Path:
    return export_run(run, tmp_path / "checkpoints" / "tiny-digits")


def test_an_empty_home_without_checkpoints_lists_nothing(home, monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: tmp_path / "none")
    assert sources.sources() == []


def test_checkpoints_and_runs_are_listed_with_what_they_saw(run, bundled):
    first, second = sources.sources()
    assert (first.key, first.kind, first.title) == ("checkpoint:tiny-digits", "checkpoint", "Quick digits")
    assert first.detail == "digits, 320 images seen"
    assert (second.key, second.kind, second.title) == (f"run:{run.id}", "run", "Tiny quick-digits")
    assert second.detail == "digits, 320 images seen, finished"


def test_a_run_without_a_checkpoint_is_not_listed_and_says_so_when_opened(run):
    shutil.rmtree(run.folder / "checkpoints")
    assert sources.sources() == []
    with pytest.raises(ValueError, match="'Tiny quick-digits' has no checkpoint yet"):
        open_source(f"run:{run.id}")


def test_listing_imports_no_torch(run, bundled):
    code = "import sys; from ganplay.sources import sources; sources(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ, cwd=Path(__file__).parent.parent)


def test_the_same_weights_are_opened_once(run):
    assert open_source(f"run:{run.id}") is open_source(f"run:{run.id}")


def test_a_run_that_trained_on_gives_its_newest_weights(run):
    old = open_source(f"run:{run.id}")
    state = checkpoint.load(run.checkpoints()[0])
    state.images += 64
    with torch.no_grad():
        next(state.average.parameters()).add_(1)
    checkpoint.save(run.folder / "checkpoints" / f"{state.images:09d}.safetensors", state)
    new = open_source(f"run:{run.id}")
    assert (old.images, new.images) == (320, 384)
    torch.testing.assert_close(next(new.module.parameters()), next(old.module.parameters()) + 1)


def test_a_replaced_checkpoint_of_the_same_name_is_read_again(run, bundled):
    old = open_source("checkpoint:tiny-digits")
    shutil.rmtree(bundled)
    export_run(run, bundled)
    assert open_source("checkpoint:tiny-digits") is not old


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint"])
def test_a_damaged_newest_checkpoint_gives_the_one_before(run, damage):
    (run.folder / "checkpoints" / "000000999.safetensors").write_bytes(damage)
    assert open_source(f"run:{run.id}").images == 320


def test_a_cut_off_newest_checkpoint_gives_the_one_before(run):
    whole = run.checkpoints()[0].read_bytes()
    (run.folder / "checkpoints" / "000000999.safetensors").write_bytes(whole[: len(whole) // 2])
    assert open_source(f"run:{run.id}").images == 320


def test_a_run_with_damaged_checkpoints_only_is_refused_in_one_sentence(run):
    for path in run.checkpoints():
        path.write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"^No checkpoint of the run 'Tiny quick-digits' can be read; .*\.$"):
        open_source(f"run:{run.id}")


def test_a_damaged_bundled_checkpoint_is_listed_as_such_and_refused(run, bundled):
    (bundled / "config.json").write_text("{")
    assert sources.sources()[0].detail == "its config.json is damaged"
    with pytest.raises(ValueError, match="damaged"):
        open_source("checkpoint:tiny-digits")


@pytest.mark.parametrize(
    "key",
    [
        "", "run:", "checkpoint:", "run:../../x", "checkpoint:..", "checkpoint:../template", "checkpoint:/etc",
        "folder:", "folder:..", "folder:../../etc", "folder:/etc", "folder:nothing", "folder:.hidden", "hub:",
        "hub:someone", "hub:../..", "hub:someone/nothing", "hub:a/b@../../x", "hub:a/b/c", "hub:a--b@main",
        "nothing", "run:20261121-231500-quick-digits-3f2a", "checkpoint:a/b", "checkpoint:a\x00b", None, 7,
    ],
)  # fmt: skip
def test_unknown_keys_and_paths_are_refused_in_one_sentence(run, bundled, key):
    with pytest.raises(ValueError) as raised:
        open_source(key)
    assert str(raised.value).endswith(".") and "\n" not in str(raised.value)


def test_bare_names_and_ids_open_what_their_keys_open(run, bundled):
    assert resolve("tiny-digits") is open_source("checkpoint:tiny-digits")
    assert resolve(run.id) is open_source(f"run:{run.id}")
    assert resolve(f"run:{run.id}") is open_source(f"run:{run.id}")


def test_paths_open_only_where_they_are_allowed(run, bundled):
    file = run.checkpoints()[0]
    for path in (str(file), str(bundled)):
        assert resolve(path, allow_paths=True).images == 320
        with pytest.raises(ValueError, match="There is no checkpoint or run"):
            resolve(path)
        with pytest.raises(ValueError, match="There is no checkpoint or run"):
            open_source(path)


def test_an_unknown_name_is_answered_with_the_known_keys(run, bundled):
    with pytest.raises(ValueError, match=rf"checkpoint:tiny-digits, run:{run.id}"):
        resolve("tiny-digit", allow_paths=True)


def test_only_the_last_few_stay_open(run, tmp_path):
    for number in range(opening.OPEN_AT_ONCE + 3):
        copy = tmp_path / f"copy-{number}.safetensors"
        shutil.copy(run.checkpoints()[0], copy)
        resolve(str(copy), allow_paths=True)
    assert len(opening._cache) == opening.OPEN_AT_ONCE
    assert next(reversed(opening._cache))[0] == copy


def test_many_threads_get_one_and_the_same_generator(run, monkeypatch):
    loads = []
    real = checkpoint.load_generator
    monkeypatch.setattr(checkpoint, "load_generator", lambda path: loads.append(path) or real(path))
    run.checkpoints()[0].touch()  # a stamp that no other test has opened
    found = []
    threads = [threading.Thread(target=lambda: found.append(open_source(f"run:{run.id}"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len({id(one) for one in found}) == 1
    assert len(loads) == 1


@pytest.fixture
def folder(run, home) -> Path:
    """A model folder where the operator keeps his own."""
    return export_run(run, home / "models" / "mine", discriminator=True)


@pytest.fixture
def download(run) -> Path:
    """What a download from the Hub leaves on this computer."""
    return downloaded(run, "someone/digits")


def downloaded(run: Run, repository: str, restricted: bool = False) -> Path:
    with cache.loading(60) as under_way:
        export_run(run, under_way / cache.FILES)
        return cache.put(under_way, cache.About(repository, "v1/final", "0" * 40, restricted))


def test_folders_and_downloads_are_listed_between_checkpoints_and_runs(run, bundled, folder, download):
    assert [(source.kind, source.key) for source in sources.sources()] == [
        ("checkpoint", "checkpoint:tiny-digits"), ("folder", "folder:mine"), ("hub", "hub:someone/digits@v1/final"),
        ("run", f"run:{run.id}"),
    ]  # fmt: skip
    assert {source.detail for source in sources.sources()[:3]} == {"digits, 320 images seen"}


def test_what_a_person_types_opens_what_the_key_opens(run, bundled, folder, download):
    shorts = {source.key: sources.short(source.key) for source in sources.sources()}
    assert list(shorts.values()) == ["tiny-digits", "folder:mine", "hub:someone/digits@v1/final", run.id]
    for key, short in shorts.items():
        assert resolve(short) is open_source(key)
        assert resolve(short, allow_paths=True) is open_source(key)


def test_folders_may_lie_elsewhere(run, folder, monkeypatch, tmp_path):
    shutil.move(folder.parent, tmp_path / "elsewhere")
    assert not any(source.kind == "folder" for source in sources.sources())
    monkeypatch.setenv("GANPLAY_MODELS", str(tmp_path / "elsewhere"))
    assert open_source("folder:mine").images == 320


def test_an_opened_download_was_used_last(download):
    about = download / cache.ABOUT
    os.utime(about, (1, 1))
    open_source("hub:someone/digits@v1/final")
    assert about.stat().st_mtime > 1


def test_a_key_that_is_not_downloaded_says_how_to_and_asks_no_network(run, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    with pytest.raises(ValueError, match=r"someone/else is not on this computer yet; .*ganplay pull someone/else"):
        open_source("hub:someone/else")
    with pytest.raises(ValueError, match="not on this computer yet"):
        resolve("hub:someone/else")
    assert not sources.has_discriminator("hub:someone/else")


def test_what_a_token_opened_is_for_the_command_line_alone(run):
    downloaded(run, "someone/secret", restricted=True)
    key = "hub:someone/secret@v1/final"
    assert key not in [source.key for source in sources.sources()]
    with pytest.raises(ValueError, match="not on this computer yet"):
        open_source(key)
    assert resolve(key, allow_paths=True).images == 320


def test_the_discriminator_of_runs_and_folders_judges_samples(run, bundled, folder):
    assert sources.has_discriminator(f"run:{run.id}") and sources.has_discriminator("folder:mine")
    assert not sources.has_discriminator("checkpoint:tiny-digits")
    whole, stored = sources.open_discriminator(f"run:{run.id}"), sources.open_discriminator("folder:mine")
    assert stored is sources.open_discriminator("folder:mine") and not stored.training
    x = torch.randn(4, 1, 32, 32)
    torch.testing.assert_close(whole(x).logits, stored(x).logits, atol=0.02, rtol=0.02)  # stored in half precision
    with pytest.raises(ValueError, match="tiny-digits comes without its discriminator"):
        sources.open_discriminator("checkpoint:tiny-digits")
    for key in ("run:x", "folder:x", None):
        assert not sources.has_discriminator(key)
        with pytest.raises(ValueError):
            sources.open_discriminator(key)


def test_a_refusal_names_a_dozen_and_counts_the_others(monkeypatch, tmp_path):
    monkeypatch.setenv("GANPLAY_MODELS", str(tmp_path))
    for number in range(15):
        (tmp_path / f"model-{number:02}").mkdir()
        for file in ("config.json", "model.safetensors"):
            (tmp_path / f"model-{number:02}" / file).write_text("{}")
    with pytest.raises(ValueError, match=r"'gone' in GANPLAY_MODELS; there is model-00, .*, model-11 and 3 more[.]$"):
        sources.folder_of("folder:gone")


def test_generator_and_discriminator_of_one_folder_are_kept_apart(folder):
    generator = open_source("folder:mine")
    discriminator = sources.open_discriminator("folder:mine")
    assert open_source("folder:mine") is generator
    assert sources.open_discriminator("folder:mine") is discriminator


def test_large_networks_leave_room_in_memory(run, bundled, folder, monkeypatch):
    monkeypatch.setattr(opening, "OPEN_BYTES", 1)
    first, second = open_source("folder:mine"), open_source("checkpoint:tiny-digits")
    assert list(opening._cache.values()) == [second]
    assert open_source("folder:mine") is not first


def test_a_stranger_s_title_stays_one_short_line_in_the_list(folder):
    config = json.loads((folder / "config.json").read_text())
    config["recipe"]["title"] = "two\nlines " + "x" * 1_000
    (folder / "config.json").write_text(json.dumps(config))
    source = next(source for source in sources.sources() if source.kind == "folder")
    assert source.title.startswith("two lines xxx") and len(source.title) == 80
    (folder / "config.json").write_text('{"recipe": {"title": "x", "dataset": {}}, "images": 1e999}')
    assert sources.sources()[0].detail == "its config.json is damaged"
