"""The checkpoints that come with the repository: complete, small enough, as their cards say, and in the README."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganplay
from ganplay.cli import main
from ganplay.commands.models import COLUMNS, markdown
from ganplay.export import picture
from ganplay.paths import bundled_checkpoints
from ganplay.scores import distances_to_test

ROOT = Path(__file__).parent.parent
NAMES = sorted(path.parent.name for path in bundled_checkpoints().glob("*/samples.webp"))
BEGIN, END = "<!-- models -->", "<!-- /models -->"
MEGABYTE = 1_000_000


@pytest.mark.parametrize("name", NAMES)
def test_its_picture_is_what_its_weights_draw(name):
    drawn = np.asarray(picture(ganplay.load(name)).convert("RGB")).astype(int)
    with Image.open(bundled_checkpoints() / name / "samples.webp") as stored:
        difference = np.abs(np.asarray(stored.convert("RGB")).astype(int) - drawn)
    assert difference.max() <= 3  # another processor may round otherwise


@pytest.mark.parametrize("name", NAMES)
def test_it_was_measured_against_unseen_images_and_says_so(name):
    folder = bundled_checkpoints() / name
    scores = json.loads((folder / "metrics.json").read_text("utf-8"))["scores"]
    generated, training = distances_to_test(scores["figures"])
    card = (folder / "README.md").read_text("utf-8")
    assert f"{scores['samples']:,}" in card
    assert generated > training > 0
    assert f"{generated:.4g}" in card


def test_no_file_is_a_burden():
    files = [path for path in bundled_checkpoints().rglob("*") if path.is_file()]
    assert max(path.stat().st_size for path in files) <= 25 * MEGABYTE
    assert sum(path.stat().st_size for path in files) < 150 * MEGABYTE


def test_the_readme_repeats_the_table(capsys):
    """After a new checkpoint: put the output of `python -m ganplay models --markdown` between the markers."""
    assert main(["models", "--markdown"]) == 0
    printed = capsys.readouterr().out.strip()
    found = re.search(f"{BEGIN}\n(.*?)\n?{END}", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert found[1].strip() == printed == markdown()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines()]
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert sorted(row[0].strip("`") for row in rows[2:]) == NAMES


def test_everything_that_can_be_sampled_is_listed(capsys):
    assert main(["models"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert set(NAMES) <= set(listed)
