"""What is measured beside the page: figures of a checkpoint's samples, spikes, and errors as sentences."""

from __future__ import annotations

import io
import json
import shutil

import pytest
import torch
from failure_story import SMALL
from PIL import Image
from tiny_runs import train_tiny

from ganplay.diagnosis.measures import fakes
from ganplay.pictures import GAP
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.ui import failure_measuring, failure_spikes
from ganplay.ui.shared import written

pytestmark = pytest.mark.usefixtures("no_workers")


@pytest.fixture
def digits_run(template, home):
    """A finished run on the digits, in a home of the test's own."""
    shutil.copytree(template, home)
    return store.list_runs()[0]


def test_copies_are_the_samples_above_their_nearest_training_samples(digits_run):
    run = digits_run
    name = run.checkpoints()[0].name
    found = failure_measuring.copies(run.id, name).result(60)
    with Image.open(io.BytesIO(found["picture"])) as drawn:
        width, height = drawn.size
    rows, row = 2 * failure_measuring.SHOWN // failure_measuring.ROW, failure_measuring.ROW
    side = run.recipe().image_size + GAP
    assert width * (rows * side + GAP) == height * (row * side + GAP)


def test_a_spectrum_is_that_of_the_samples_and_its_shares_sum_to_one(digits_run):
    run = digits_run
    name = run.checkpoints()[0].name
    found = failure_measuring.spectra(run.id, name).result(60)
    assert sum(found["made"]) == pytest.approx(1) and sum(found["real"]) == pytest.approx(1)
    made, _ = fakes(failure_measuring._state(run.id, name), failure_measuring.COMPARED, average=True)
    highest = made.double() - made.double().mean((2, 3), keepdim=True)
    signs = (-1.0) ** torch.arange(made.shape[-1])  # the wave of one sign change a pixel, without a transform
    size = made.shape[-1]
    along = (highest * signs).sum(3).square().sum() * size + (highest * signs[:, None]).sum(2).square().sum() * size
    total = 2 * highest.square().sum() * size**2
    assert found["made"][-1] == pytest.approx(float(along / total), rel=1e-6)


def test_a_run_without_anything_to_measure_is_told_in_a_sentence():
    run = store.create(recipe("toy-ring").change(SMALL))
    asked = failure_measuring.verdict("mode-collapse", (("G five times as fast", run.id, ()),))
    with pytest.raises(ValueError, match="has saved nothing yet"):
        asked.result(60)


def test_a_verdict_without_the_broken_training_asks_for_it(home):
    run = train_tiny(home, "toy-ring", **{key: value for key, value in SMALL.items() if "every" not in key})
    asked = failure_measuring.verdict("mode-collapse", (("D as fast", run.id, ()),))
    with pytest.raises(ValueError, match="The claim is about “G five times as fast” too"):
        asked.result(60)


def test_the_samples_of_a_spikes_interval_are_those_that_the_run_saw(digits_run):
    run = digits_run
    lines = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    network, layer = "discriminator", next(iter(lines[-1]["largest_gradients"]["discriminator"]))
    lines[5]["largest_gradients"][network][layer] = 1e6
    (run.folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = failure_spikes._spikes(run.id, written(run), 10.0)
    assert (found[0]["layer"], found[0]["images"]) == (layer, [lines[4]["images"], lines[5]["images"]])
    _, count, shown = failure_spikes._picture(run.id, *found[0]["images"])
    assert count == shown == lines[5]["images"] - lines[4]["images"]
