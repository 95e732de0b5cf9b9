"""The command line as a person meets it: exit codes, one sentence for a mistake, files where it says they are."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganplay import cli
from ganplay.recipes import recipe
from ganplay.runs import store

ROOT = Path(__file__).parent.parent
TINY = ["--generator.widths", "8,8", "--discriminator.widths", "8,8", "--batch-size", "16", "--threads", "1",
        "--log-every", "64", "--sample-every", "160"]  # fmt: skip


@pytest.fixture
def call(capsys):
    """Calls the command line in this process; gives exit code, output and errors."""

    def run(*words):
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def trained(call):
    code, out, _ = call("train", "--stop-images", "320", *TINY)
    assert code == 0
    return store.find(out.split("\n")[0])


def write_pictures(folder, count, broken=()):
    folder.mkdir(parents=True)
    source = np.random.default_rng(0)
    for index in range(count):
        Image.fromarray(source.integers(0, 255, (12, 12, 3), np.uint8)).save(folder / f"{index}.png")
    for name in broken:
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\nbroken")


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_explains_itself(call, verb):
    code, out, _ = call(verb, "--help")
    assert code == 0
    assert f"ganplay {verb}" in out
    assert len(out.splitlines()) >= 5


def test_help_of_train_follows_the_chosen_parts(call):
    _, plain, _ = call("train", "--help")
    _, chosen, _ = call("train", "--recipe", "duke-wgan", "--loss", "minimax", "--help")
    assert "--penalties.weight-clip.limit" not in plain
    assert "--penalties.weight-clip.limit" in chosen
    assert "--loss.average" in chosen
    assert "2 to 4,096; now 64" in plain


def test_top_level_help_imports_no_torch():
    program = (
        "import sys\nfrom ganplay.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.endswith("False\n")


def test_training_leaves_curves_pictures_and_checkpoints(trained):
    assert trained.status().state == "finished"
    assert [point["images"] for point in trained.metrics()] == [64, 128, 192, 256, 320]
    assert trained.samples() == [0, 160, 320]
    with Image.open(trained.sample_path(320)) as picture:
        assert picture.size == (8 * 34 + 2, 8 * 34 + 2)
    assert trained.checkpoints()[0].stem == "000000320"


def test_a_paused_run_is_resumed_and_a_finished_one_is_not(call, trained):
    code, _, err = call("resume", trained.id)
    assert code == cli.MISUSED
    assert "is finished; fork it with a later stop" in err
    code, out, _ = call("runs", "fork", trained.id, "stop_images=640")
    assert code == 0
    child = re.search(r"ganplay resume (\S+)", out)[1]
    code, out, _ = call("resume", child)
    assert code == 0
    assert "Finished: 640 images" in out
    assert store.find(child).metrics()[:5] == trained.metrics()


def test_samples_and_paths_are_pictures_on_disk(call, trained, tmp_path):
    code, out, _ = call(
        "sample", trained.id, "--count", 9, "--columns", 3, "--scale", 1, "--out", tmp_path / "a" / "s.png"
    )
    assert code == 0
    assert "104 x 104 pixels" in out
    first = (tmp_path / "a" / "s.png").read_bytes()
    call("sample", trained.id, "--count", 9, "--columns", 3, "--scale", 1, "--out", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == first
    code, _, _ = call("interpolate", trained.id, "--steps", 5, "--method", "lerp", "--out", tmp_path / "path.webp")
    assert code == 0
    with Image.open(tmp_path / "path.webp") as picture:
        assert picture.size == (2 * (5 * 34 + 2), 2 * 36)


def test_an_animation_is_written_and_its_frames_are_counted(call, trained, tmp_path):
    words = ["interpolate", trained.id, "--seeds", "1,2,3", "--steps", 4, "--animate", "--out", tmp_path / "way.gif"]
    code, out, _ = call(*words)
    assert code == 0
    assert "way.gif: 12 frames of 256 x 256 pixels" in out
    with Image.open(tmp_path / "way.gif") as picture:
        assert picture.n_frames == 12


def test_a_file_that_cannot_be_written_leaves_no_part_of_it(call, trained, tmp_path):
    (tmp_path / "taken.png").mkdir()
    code, _, err = call("sample", trained.id, "--out", tmp_path / "taken.png")
    assert code == cli.FAILED
    assert "taken.png" in err
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == ["taken.png"]


def test_runs_are_listed_renamed_and_deleted(call, trained):
    assert call("runs", "rename", trained.id, "My first")[0] == 0
    assert "My first" in call("runs")[1]
    assert call("runs", "delete", trained.id)[0] == 0
    assert trained.id not in call("runs")[1]


def test_a_recipe_printed_as_json_trains_again(call, tmp_path):
    code, out, _ = call("recipes", "duke-wgan")
    assert code == 0
    assert json.loads(out) == recipe("duke-wgan").to_json()
    (tmp_path / "mine.json").write_text(json.dumps(recipe("quick-digits").to_json()))
    code, out, _ = call("train", "--recipe", tmp_path / "mine.json", "--stop-images", 32, *TINY)
    assert code == 0
    assert "Finished: 32 images" in out


def test_own_pictures_are_imported_and_trained_on(call, tmp_path):
    write_pictures(tmp_path / "good", 20, broken=("bad.png",))
    with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
        for file in sorted((tmp_path / "good").iterdir()):
            archive.write(file, file.name)
    code, out, _ = call("data", "add", "mine", tmp_path / "good.zip")
    assert code == 0
    assert "mine: 20 pictures" in out
    assert "skipped bad.png: not a picture" in out
    code, out, _ = call("train", "--dataset", "pictures", "--dataset.name", "mine", "--stop-images", 32, *TINY)
    assert code == 0
    assert call("data", "delete", "mine")[0] == 0


def test_a_port_in_use_is_one_sentence():
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "app.py", "--port", str(port)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.returncode == cli.MISUSED
    assert f"Port {port} is in use; choose another" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "--recipe", "duke-wagn"], "no recipe 'duke-wagn'; choose one of .*Did you mean 'duke-wgan'"),
        (["train", "--recipe", "missing.json"], "no readable recipe file missing.json"),
        (["train", "--batch-size", "0"], "batch_size is 0; allowed is 2 to 4,096"),
        (["train", "--batch-size", "-8"], "batch_size is -8"),
        (["train", "--image-size", "30"], "image_size is 30, which this generator cannot make.*24 or 32"),
        (["train", "--loss", "hing"], "no loss 'hing'; choose one of"),
        (["train", "--colour", "red"], "unrecognized arguments: --colour red"),
        (["train", "--threads", "0"], "threads is 0"),
        (["train", "--dataset.classes", "horse"], "horse.*0, 1, 2"),
        (["train", "--dataset", "pictures"], "No picture set is chosen; imported are: none yet"),
        (["resume", "../../etc"], "is not the id of a run"),
        (["resume", "20261121-231500-quick-digits-3f2a"], "There is no run 20261121-231500-quick-digits-3f2a"),
        (["sample", "nothing"], "no checkpoint or run 'nothing' and there is no such path"),
        (["runs", "pause", "x"], "'x' is not the id of a run"),
        (["data", "fetch", "imagenet"], "no dataset 'imagenet'"),
        (["data", "add", "mine", "nowhere"], "no file or folder 'nowhere'"),
        (["recipes", "nope"], "no recipe 'nope'"),
        (["fly"], "invalid choice: 'fly'"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(call, words, sentence):
    code, _, err = call(*words)
    assert code == cli.MISUSED
    assert re.search(sentence, err)
    assert "Traceback" not in err


def test_mistakes_about_a_source_leave_no_file(call, trained, tmp_path):
    for words, sentence in (
        (["sample", trained.id, "--count", -1], "count is -1; allowed is 0 to 1,024"),
        (["sample", trained.id, "--columns", -1], "columns is -1; allowed is 0 to 1,024"),
        (["sample", trained.id, "--scale", 99], "scale is 99; it must be 1 to 16"),
        (["sample", trained.id, "--truncation", 9], "truncation is 9.0; allowed is 0 to 3"),
        (["sample", trained.id, "--truncation", "0.01"], "The truncation is 0.01; it must be 0 for none, or 0.1 to 3"),
        (["sample", trained.id, "--class", "3"], "The class '3' was asked for, but this generator is unconditional"),
        (["interpolate", trained.id, "--steps", 1], "steps is 1; allowed is 2 to 1,024"),
        (["interpolate", trained.id, "--method", "zigzag"], "method is 'zigzag'; allowed is one of lerp, slerp"),
        (["interpolate", trained.id, "--seeds", 4], "seeds has 1 entries; 2 to 6 are allowed"),
        (["interpolate", trained.id, "--seeds", "1,x"], "seeds is 'x'; it must be a whole number"),
        (["interpolate", trained.id, "--classes", "1,2,3"], "give none, one to keep, or one for each of the 2 seeds"),
        (["interpolate", trained.id, "--steps", 400, "--seeds", "1,2,3", "--loop"], "are 1,200 pictures; at most"),
        (["interpolate", trained.id, "--frame-ms", 5], "frame_ms is 5; allowed is 20 to 2,000"),
        (["arithmetic", trained.id, "--terms", "king-man"], "The term 'king-man' is not a weight and its seeds"),
        (["arithmetic", trained.id, "--terms", ""], "terms has 0 entries; 1 to 8 are allowed"),
        (["arithmetic", trained.id, "--terms", "1:3,-1:3", "--normalise", "length"], "The terms cancel"),
        (["classes", trained.id], "This generator is unconditional"),
    ):
        code, _, err = call(*words, "--out", tmp_path / "no.png")
        assert code == cli.MISUSED
        assert sentence in err
    code, _, err = call("sample", trained.id, "--out", tmp_path / "no.exe")
    assert code == cli.MISUSED
    assert "use an ending such as .png" in err
    code, _, err = call("interpolate", trained.id, "--animate", "--out", tmp_path / "no.jpg")
    assert code == cli.MISUSED
    assert "no.jpg is no animation file; use one of the endings .gif, .webp, .png" in err
    assert not list(tmp_path.glob("no.*"))


def test_a_truncated_checkpoint_is_one_sentence(call, trained, tmp_path):
    content = trained.checkpoints()[0].read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
    code, _, err = call("sample", tmp_path / "cut.safetensors")
    assert code == cli.MISUSED
    assert "cut.safetensors is damaged or incomplete" in err


def test_three_pictures_are_too_few(call, tmp_path):
    write_pictures(tmp_path / "few", 3)
    code, _, err = call("data", "add", "few", tmp_path / "few")
    assert code == cli.MISUSED
    assert "holds 3 pictures; at least 16 are needed" in err
