"""The game of real or generated: fair, the same each time, and telling nothing before it is answered."""

import copy
import io
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import binom
from tiny_runs import train_tiny
from torch import nn

from ganplay import game, paths, sources
from ganplay.contracts import Critique
from ganplay.data.digits import Digits
from ganplay.data.resident import load
from ganplay.metrics.discriminator import as_in_training

KEY = "checkpoint:quick-digits"
SMALL = {"image_size": 32, "generator.widths": "8,8,8", "discriminator.widths": "8,8,8"}


def decoded(content, side=32):
    """The picture of a round at its own size, uint8 (H, W)."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)[:: image.height // side, :: image.width // side]


def truth(key, seed, split="test"):
    return [entry["real"] for entry in game.verdict(key, seed, [True] * game.ROUNDS, split)["rounds"]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Keys of tiny runs by the kind of their discriminator, in one home."""
    home = tmp_path_factory.mktemp("runs")
    norm = {"discriminator.norm": "none", "generator.norm": "none"}
    conditional = {"generator.conditioning": "concat", "discriminator.conditioning": "projection"}
    changes = {
        "plain": norm,
        "batch": {"discriminator.norm": "batch"},
        "critic": norm | {"loss": "wasserstein"},
        "conditional": norm | conditional,
    }
    runs = {name: train_tiny(home, **SMALL, **change) for name, change in changes.items()}
    return home, {name: f"run:{run.id}" for name, run in runs.items()}


@pytest.fixture
def runs(trained, monkeypatch):
    home, keys = trained
    monkeypatch.setenv("GANPLAY_HOME", str(home))
    return keys


# What is shown


def test_a_game_is_the_same_each_time_and_another_with_another_seed():
    first = [game.picture(KEY, 1, place) for place in range(game.ROUNDS)]
    assert first == [game.picture(KEY, 1, place) for place in range(game.ROUNDS)]
    assert len(set(first)) == game.ROUNDS
    assert not set(first) & {game.picture(KEY, 2, place) for place in range(game.ROUNDS)}
    assert truth(KEY, 1) != truth(KEY, 2)


@pytest.mark.parametrize("split", ["test", "train"])
def test_real_rounds_show_pictures_of_the_split_and_others_do_not(split):
    known = {image.numpy().tobytes() for image in load(Digits(), (1, 32, 32), split).values[:, 0]}
    real = truth(KEY, 5, split)
    assert 0 < sum(real) < game.ROUNDS
    shown = [decoded(game.picture(KEY, 5, place, split)).tobytes() in known for place in range(game.ROUNDS)]
    assert shown == real


def test_the_size_of_a_file_tells_nothing():
    sizes = {len(game.picture(KEY, seed, place)) for seed in range(3) for place in range(game.ROUNDS)}
    assert len(sizes) == 1


def test_every_pixel_becomes_an_equal_square():
    with Image.open(io.BytesIO(game.picture(KEY, 0, 0))) as image:
        assert image.size == (256, 256) and image.mode == "L"
        small = np.asarray(image)[::8, ::8]
        np.testing.assert_array_equal(np.asarray(image), small.repeat(8, 0).repeat(8, 1))


def test_coins_are_fair_and_independent_of_each_other():
    coins = np.array([truth(KEY, seed) for seed in range(150)])
    low, high = binom.ppf([1e-4, 1 - 1e-4], coins.size, 0.5)
    assert low <= coins.sum() <= high
    same = (coins[:, 1:] == coins[:, :-1]).sum()
    low, high = binom.ppf([1e-4, 1 - 1e-4], coins[:, 1:].size, 0.5)
    assert low <= same <= high
    assert coins.sum(1).std() == pytest.approx(20**0.5 / 2, rel=0.25), "the number of real rounds varies"


def test_a_conditional_games_hint_is_the_class_of_the_real_picture(runs):
    test = load(Digits(), (1, 32, 32), "test")
    label = {image.numpy().tobytes(): int(one) for image, one in zip(test.values[:, 0], test.labels, strict=True)}
    key = runs["conditional"]
    real = truth(key, 3)
    hints = [game.hint(key, 3, place) for place in range(game.ROUNDS)]
    for place in range(game.ROUNDS):
        if real[place]:
            assert hints[place] == str(label[decoded(game.picture(key, 3, place)).tobytes()])
    assert {hint for hint, one in zip(hints, real, strict=True) if not one} <= set("0123456789")
    assert game.hint(KEY, 3, 0) == ""


# What the answers were worth


def test_nothing_is_said_of_rounds_without_an_answer():
    whole = truth(KEY, 4)
    for count in (0, 1, 7):
        found = game.verdict(KEY, 4, [False] * count)
        assert [entry["real"] for entry in found["rounds"]] == whole[:count]
        assert found["answered"] == count and not found["finished"]
    assert game.verdict(KEY, 4, [])["sentence"] == ""
    assert game.verdict(KEY, 4, [True] * game.ROUNDS)["finished"]


def test_right_answers_are_counted():
    answers = truth(KEY, 6)
    assert game.verdict(KEY, 6, answers)["right"] == 20
    answers[3] = not answers[3]
    found = game.verdict(KEY, 6, answers)
    assert found["right"] == 19
    assert [entry["round"] for entry in found["rounds"] if not entry["right"]] == [3]


@pytest.mark.parametrize("count", [1, 7, 20])
def test_the_chance_of_guessing_is_the_binomial_one(count):
    for right in range(count + 1):
        assert game.chance_of(right, count) == pytest.approx(binom.sf(right - 1, count, 0.5), abs=1e-12)


def test_a_verdict_is_plain_json(runs):
    for key in (KEY, runs["plain"]):
        found = game.verdict(key, 0, [True, False])
        assert json.loads(json.dumps(found)) == found


def test_without_a_discriminator_the_game_goes_on_and_says_so(tmp_path, monkeypatch):
    copied = shutil.copytree(paths.bundled_checkpoints() / "quick-digits", tmp_path / "quick-digits")
    (copied / "discriminator.safetensors").unlink()
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: tmp_path)
    found = game.verdict(KEY, 0, [True] * 20)
    assert found["discriminator"] is None and found["beaten"] == []
    assert all(entry["discriminator"] is None for entry in found["rounds"])
    assert "without its discriminator" in found["notes"][0]
    assert "D had" not in found["sentence"]


def test_the_discriminator_judges_the_very_pictures_that_were_shown(runs):
    key = runs["plain"]
    shown = np.stack([decoded(game.picture(key, 2, place)) for place in range(game.ROUNDS)])
    images = torch.from_numpy(shown).float().div(127.5).sub(1).unsqueeze(1)
    with torch.no_grad():
        called = sources.open_discriminator(key)(images).logits > 0
    found = game.verdict(key, 2, [True] * game.ROUNDS)
    expected = [bool(one) == real for one, real in zip(called, truth(key, 2), strict=True)]
    assert [entry["discriminator"] for entry in found["rounds"]] == expected
    assert found["discriminator"] == sum(expected)
    assert found["notes"] == []


class Believer(nn.Module):
    """A discriminator that takes everything for real."""

    def forward(self, x, y=None):
        return Critique(torch.ones(len(x)))


def test_people_beat_the_discriminator_where_only_they_are_right(runs, monkeypatch):
    monkeypatch.setattr(sources, "open_discriminator", lambda key: Believer())
    answers = truth(runs["plain"], 77)
    generated = [place for place, real in enumerate(answers) if not real]
    found = game.verdict(runs["plain"], 77, answers)
    assert found["beaten"] == generated
    assert f"You beat it in round {', '.join(str(place + 1) for place in generated)}." in found["sentence"]
    assert f"D had {sum(answers)} of 20 right" in found["sentence"]
    assert game.verdict(runs["plain"], 77, [True] * game.ROUNDS)["beaten"] == []


def tables(key, seed, split="test"):
    """Logits of the real and of the generated pictures of a game and behind it, in batches as in training."""
    deal = game._deal(key, seed, split)
    size = deal.model.recipe.batch_size
    judge = as_in_training(copy.deepcopy(sources.open_discriminator(key)))
    with torch.no_grad():
        return [
            torch.cat([judge(part).logits for part in images.split(size)])
            for images in (deal.real(slice(None)), deal.generated(slice(None)))
        ]


def test_batch_norm_judges_each_kind_by_itself_and_leaves_the_shared_network_alone(runs):
    key = runs["batch"]
    before = {name: value.clone() for name, value in sources.open_discriminator(key).state_dict().items()}
    found = game.verdict(key, 1, [True] * game.ROUNDS)
    for name, value in sources.open_discriminator(key).state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    assert not any(module.training for module in sources.open_discriminator(key).modules())
    assert "whole batches of one kind" in found["notes"][0]
    real, generated = tables(key, 1)
    for place, entry in enumerate(found["rounds"]):
        called = bool((real if entry["real"] else generated)[place] > 0)
        assert entry["discriminator"] == (called == entry["real"])


def test_a_critic_calls_real_what_scores_above_the_median_of_other_pictures(runs):
    key = runs["critic"]
    found = game.verdict(key, 0, [True] * game.ROUNDS)
    real, generated = (table.numpy() for table in tables(key, 0))
    others = np.concatenate([real[game.ROUNDS :], generated[game.ROUNDS :]])
    assert len(real) >= game.CALIBRATION and f"{len(others)} other pictures" in found["notes"][0]
    for place, entry in enumerate(found["rounds"]):
        score = (real if entry["real"] else generated)[place]
        assert entry["discriminator"] == (bool((others < score).mean() >= 0.5) == entry["real"])


# What is refused


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: game.picture(KEY, 0, 20), "The round is 20"),
        (lambda: game.picture(KEY, -1, 0), "The seed is -1"),
        (lambda: game.picture(KEY, 0, True), "The round is True"),
        (lambda: game.picture(KEY, 0, 0, "valid"), "split is 'valid'"),
        (lambda: game.picture("checkpoint:none", 0, 0), "There is no"),
        (lambda: game.verdict(KEY, 0, [True] * 21), "up to 20"),
        (lambda: game.verdict(KEY, 0, ["real"]), "true"),
    ],
)
def test_impossible_games_are_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_points_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("GANPLAY_HOME", str(tmp_path))
    run = train_tiny(tmp_path, "toy-ring", log_every=160)
    with pytest.raises(ValueError, match="played with images"):
        game.picture(f"run:{run.id}", 0, 0)
