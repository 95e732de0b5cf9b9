"""Samples beside their nearest training images, for generators that are known to copy."""

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.neighbors import NearestNeighbors
from stand_in_classifier import install
from torch import nn

from ganplay import cli, pictures
from ganplay.checkpoint import LoadedGenerator
from ganplay.data.hub import HubSet
from ganplay.data.resident import load, prepared_path
from ganplay.data.room import beside
from ganplay.drawings.neighbours import BLIND, Neighbours, waiting
from ganplay.latent.sampling import sample
from ganplay.metrics.features import describe, loaded, rounded
from ganplay.recipes import recipe
from ganplay.sources import resolve

DIGITS = recipe("quick-digits")
SHAPE = (1, 32, 32)


class Copies(nn.Module):
    """A generator of training images, one after the other, changed by `change`."""

    def __init__(self, change=lambda images: images):
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.change = change

    def forward(self, z, y=None):
        return self.change(load(DIGITS.dataset, SHAPE).batch(torch.arange(len(z)) * 7)[0])


def model(**options):
    return LoadedGenerator(DIGITS, 0, Copies(**options).eval())


def test_copies_are_found_at_distance_zero():
    rows, _ = Neighbours(count=6, nearest=2).find(model())
    labels = load(DIGITS.dataset, SHAPE).labels
    assert [row.sample for row in rows] == list(range(6))
    for place, row in enumerate(rows):
        assert row.indices[0] == 7 * place
        assert row.distances[0] == 0 < row.distances[1]
        assert row.classes == tuple(str(int(labels[index])) for index in row.indices)


def test_neighbours_are_those_of_scikit_learn():
    generator = resolve("quick-digits")
    rows, _ = Neighbours(seed=4, count=5, nearest=3).find(generator)
    training = load(DIGITS.dataset, SHAPE)
    table = training.batch(torch.arange(len(training)))[0].flatten(1).numpy()
    queries = rounded(sample(generator, 4, 5)).flatten(1).numpy()
    distances, indices = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(table).kneighbors(queries)
    assert [list(row.indices) for row in rows] == indices.tolist()
    np.testing.assert_allclose([row.distances for row in rows], distances, atol=1e-3)


def test_the_distance_does_not_see_mirrored_or_shifted_copies():
    plain, mirrored, shifted = (
        Neighbours(count=8, nearest=1).find(model(change=change))[0]
        for change in (lambda x: x, lambda x: x.flip(3), lambda x: x.roll(3, 3))
    )
    assert max(row.distances[0] for row in plain) == 0
    for rows in (mirrored, shifted):
        assert min(row.distances[0] for row in rows) > 2
    assert "mirrored" in BLIND["pixels"] and "shifted" in BLIND["pixels"]


def test_the_picture_shows_each_sample_left_of_its_neighbours():
    rows, image = Neighbours(count=3, nearest=2).find(model())
    pixels, gap = np.asarray(image), pictures.GAP
    training = load(DIGITS.dataset, SHAPE)
    for place, row in enumerate(rows):
        top = gap + place * (32 + gap)
        line = pixels[top : top + 32]
        right = line[:, -(gap + 32) :][:, :32]
        middle = line[:, -2 * (gap + 32) :][:, :32]
        left = line[:, gap : gap + 32]
        expected = [np.asarray(training.values[index])[0] for index in row.indices]
        np.testing.assert_array_equal(left[..., 0], expected[0], "the sample is a copy of its nearest")
        np.testing.assert_array_equal(middle[..., 0], expected[0])
        np.testing.assert_array_equal(right[..., 0], expected[1])


def test_features_compare_what_the_classifier_sees(monkeypatch):
    install(monkeypatch, "digits-classifier")
    generator = resolve("quick-digits")
    rows, _ = Neighbours(count=4, nearest=2, features="classifier").find(generator)
    training, function = load(DIGITS.dataset, SHAPE), loaded("digits-classifier")
    images = training.batch(torch.arange(len(training)))[0]
    table = describe(function, images.split(100), len(images)).features
    queries = describe(function, [sample(generator, 0, 4)], 4).features
    distances, indices = torch.cdist(queries.double(), table.double()).topk(2, largest=False)
    np.testing.assert_allclose([row.distances for row in rows], distances, atol=2e-3)
    assert [row.indices[0] for row in rows] == indices[:, 0].tolist()


def test_bundled_data_never_keep_anybody_waiting():
    assert waiting(resolve("quick-digits")) == "" == waiting(resolve("quick-digits"), "classifier")


@pytest.fixture
def offline(monkeypatch):
    """A computer without CIFAR-10, on which nothing may be downloaded."""

    def download(*_):
        raise AssertionError("a view must not download")

    monkeypatch.setattr(HubSet, "_cached", lambda *_: None)
    monkeypatch.setattr(HubSet, "_download", download)


@pytest.mark.parametrize(("name", "size"), [("duke-dcgan", ""), ("iisc-dcgan", " --size 64")])
def test_data_that_are_not_here_are_named_with_the_command_that_fetches_them(offline, name, size):
    generator = LoadedGenerator(recipe(name), 0, Copies())
    sentence = f"fetch them once with `python -m ganplay data fetch cifar10{size}`"
    for attempt in (Neighbours().find, waiting):
        with pytest.raises(ValueError, match=sentence):
            attempt(generator)


def test_views_are_warned_of_what_takes_minutes(monkeypatch):
    made = recipe("duke-dcgan")
    generator = LoadedGenerator(made, 0, Copies())
    monkeypatch.setattr(HubSet, "available", lambda _: True)
    assert "decoded first" in waiting(generator)
    path = prepared_path(made.dataset, made.shapes.sample, "train")
    path.parent.mkdir(parents=True)
    np.save(path, np.zeros((30, 3, 32, 32), np.uint8))
    labels, names = beside(path)
    np.save(labels, np.zeros(30, np.int64))
    names.write_text('["airplane"]')
    assert waiting(generator) == ""
    assert "look at 30 training images first" in waiting(generator, "classifier")


def test_points_and_unknown_images_are_refused():
    ring = recipe("toy-ring")
    with pytest.raises(ValueError, match="generator makes points"):
        Neighbours().find(LoadedGenerator(ring, 0, ring.generator.build(ring.shapes)))
    clothes = recipe("quick-digits").change({"dataset": "fashion-mnist"})
    with pytest.raises(ValueError, match="No bundled classifier knows the images of"):
        waiting(LoadedGenerator(clothes, 0, Copies()), "classifier")


def test_the_command_line_says_the_distances_and_writes_the_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    drawing = Neighbours(seed=2, count=2, nearest=3)
    rows, image = drawing.find(resolve("quick-digits"))
    searches = []
    find = Neighbours.find
    monkeypatch.setattr(Neighbours, "find", lambda *given: searches.append(given) or find(*given))
    words = drawing.command("quick-digits").split()[3:]
    assert cli.main([*words, "--out", "neighbours.txt"]) != 0
    assert not searches  # an impossible file is refused before anything is searched
    assert cli.main([*words, "--scale", "1"]) == 0
    assert len(searches) == 1
    said = capsys.readouterr().out
    for row in rows:
        assert f"{row.distances[0]:.3g} ({row.classes[0]})" in said
    with Image.open("neighbours.png") as written:
        assert written.convert("RGB").tobytes() == image.tobytes()
