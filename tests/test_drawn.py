"""Drawings as data: the text of a drawing, what it refuses, and its life in a recipe, the trainer and the engine."""

import json
import math

import numpy as np
import pytest
import torch

from ganplay.data import datasets
from ganplay.data.drawn import DrawnPoints, read_drawing, write_drawing
from ganplay.data.resident import load
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.tiny import TinyGan

STEP = 4 / 255  # between neighbouring values of a coordinate


def scattered(count, seed=0):
    return np.random.default_rng(seed).uniform(-2, 2, (count, 2))


@pytest.mark.parametrize("count", [1, 2, 3, 100, 256])
def test_a_drawing_comes_back_within_half_a_step(count):
    points = scattered(count)
    text = write_drawing(points)
    assert len(text) <= 683 and text.isascii() and not set(text) & set("+/=,&?# ")
    back = read_drawing(text)
    assert len(back) == count
    distance = np.abs(points[:, None] - back[None]).max(2).min(1)
    assert distance.max() <= STEP / 2 + 1e-12
    assert write_drawing(back) == text


def test_one_drawing_has_one_text_and_points_outside_move_to_the_edge():
    points = scattered(20)
    assert write_drawing(points) == write_drawing(points[::-1]) == write_drawing(np.concatenate([points, points[:3]]))
    assert read_drawing(write_drawing([(9, -9), (0, 2)])).tolist() == [[pytest.approx(0, abs=STEP), 2], [2, -2]]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has 0 points"),
        ("AAA+", "must be url-safe base64"),
        ("AB CD", "must be url-safe base64"),
        ("ÄÄÄÄ", "must be url-safe base64"),
        ("AAAA", "cut off: 4 characters"),  # three bytes: a point and a half
        ("A", "cut off: 1 characters"),
        ("A" * 686, "has 257 points; 1 to 256"),
        ("A" * 10_000, "10,000 characters"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(text, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        recipe("toy-ring").change({"dataset": "drawn", "dataset.points": text})
    assert str(caught.value).count(". ") == 0 and len(str(caught.value)) < 200


@pytest.mark.parametrize("points", [[], [(0, math.nan)], scattered(300)], ids=["none", "nan", "many"])
def test_a_drawing_that_cannot_be_written_is_said(points):
    with pytest.raises(ValueError, match="drawing"):
        write_drawing(points)


def test_samples_lie_around_the_drawn_points_equally_often():
    places = [(-1.0, 0.5), (0.0, -1.0), (1.5, 1.5)]
    dataset = DrawnPoints(points=write_drawing(places), sigma=0.03)
    samples = load(dataset, (2,)).values.double()
    distances = torch.cdist(samples, torch.tensor(places, dtype=torch.float64))
    nearest = distances.argmin(1)
    assert distances.min(1).values.max() < 6 * 0.03 + STEP
    assert ((torch.bincount(nearest) / len(samples)) * 3 - 1).abs().max() < 0.05
    offsets = samples - torch.from_numpy(read_drawing(dataset.points))[nearest]
    assert offsets.std() == pytest.approx(0.03, rel=0.02)


def test_the_drawing_is_all_of_a_recipe_that_travels():
    made = recipe("toy-ring").change({"dataset": "drawn", "dataset.points": write_drawing(scattered(256))})
    assert Recipe.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert made.hash != recipe("toy-ring").change({"dataset": "drawn"}).hash
    assert recipe("toy-ring").change(made.difference(recipe("toy-ring"))) == made


def test_a_drawing_is_learnt_by_the_tiny_engine():
    made = recipe("toy-ring").change({"dataset": "drawn", "batch_size": 16, "generator.widths": "8"})
    gan = TinyGan(made)
    assert gan.advance(5).discriminator_loss.isfinite().all()
    assert datasets["drawn"] is DrawnPoints
