"""The classifiers behind the scores learn, are stored as they are, and the bundled ones do what their cards say."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from real_data import needs
from safetensors.torch import load_file
from torch import nn

from ganplay import cli, paths
from ganplay.classifiers import store
from ganplay.classifiers.augmentation import cut_out, flip, translate
from ganplay.classifiers.network import ClassifierConfig
from ganplay.classifiers.presets import network_for, training_for
from ganplay.classifiers.training import TrainingConfig, accuracy, initial, train, triangle
from ganplay.data import datasets
from ganplay.data.resident import Samples, load

LEAST = {"mnist": 0.994, "cifar10": 0.92}  # of the test images that a bundled classifier must get right
SMALL = ClassifierConfig(dataset="digits", shape=(1, 8, 8), stem=8, widths=(16, 32))
SHORT = TrainingConfig(epochs=3, batch_size=128, translation=1, precision="fp32")


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def images(*shape, seed=0):
    return torch.rand(*shape, generator=random(seed)) * 2 - 1


@pytest.fixture
def digits():
    dataset = datasets["digits"]()
    return load(dataset, (1, 8, 8)), load(dataset, (1, 8, 8), "test")


@pytest.fixture
def call(capsys, tmp_path, monkeypatch):
    """Calls `ganplay classifier` in an empty folder; gives exit code, output and errors."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        try:
            code = cli.main(["classifier", *map(str, words), "--threads", "1"])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


# Network


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (1, 8, 8), (3, 20, 16)])
def test_logits_and_features_have_the_stated_shapes_and_are_finite(shape):
    config = ClassifierConfig(shape=shape, class_names=("a", "b", "c"), stem=4, widths=(6, 8, 12))
    classifier = initial(config, 0).eval()
    x = images(5, *shape)
    features, logits = classifier.features(x), classifier(x)
    assert features.shape == (5, 12) and classifier.width == 12
    assert logits.shape == (5, 3) and classifier.class_names == ("a", "b", "c")
    assert features.isfinite().all() and logits.isfinite().all()


@pytest.mark.parametrize("kind", ["mnist", "fashion-mnist", "cifar10", "digits"])
def test_the_usual_networks_have_128_to_512_features(kind):
    config = network_for(kind)
    assert 128 <= initial(config, 0).width <= 512
    assert config.class_names == datasets[kind].class_names and config.shape == datasets[kind].native


def test_logits_are_an_affine_map_of_the_features():
    classifier = initial(SMALL, 0).eval()
    features = classifier.features(images(4, 1, 8, 8))
    expected = (features @ classifier.head.weight.T + classifier.head.bias) / 8
    assert torch.allclose(classifier(images(4, 1, 8, 8)), expected, atol=1e-6)
    assert torch.equal(classifier.classify(features), classifier(images(4, 1, 8, 8)))


def test_a_picture_has_the_same_features_in_any_company():
    classifier = initial(SMALL, 0).eval()
    x = images(6, 1, 8, 8)
    alone = torch.cat([classifier.features(picture[None]) for picture in x])
    assert torch.allclose(classifier.features(x), alone, atol=1e-5)


def test_every_weight_gets_a_gradient():
    classifier = initial(SMALL, 0)
    classifier(images(8, 1, 8, 8)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in classifier.parameters())


@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 2), (2, 1, 3, 8), (1, 8, 8)])
def test_samples_of_another_kind_are_refused_in_one_sentence(shape):
    with pytest.raises(ValueError, match=r"it reads images \(N, 1, H, W\) of at least 4 pixels"):
        initial(SMALL, 0).features(torch.zeros(shape))


def test_more_halvings_than_pixels_are_refused():
    with pytest.raises(ValueError, match=r"shape is 1x8x8; with 4 widths .* must be 16 or more"):
        ClassifierConfig(shape=(1, 8, 8), widths=(8, 8, 8, 8))


def test_fresh_weights_follow_from_the_seed_and_leave_the_global_generator_alone():
    before = torch.get_rng_state()
    first, same, other = (initial(SMALL, seed).head.weight for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first, same) and not torch.equal(first, other)


# Changes of the images


def test_translated_images_are_shifted_windows_of_the_reflected_image():
    x = images(40, 2, 5, 6)
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), (2, 2), (2, 2)], mode="reflect")
    seen = set()
    for picture, frame in zip(translate(x, 2, random()).numpy(), padded, strict=True):
        windows = {(i, j): frame[:, i : i + 5, j : j + 6] for i in range(5) for j in range(5)}
        (place,) = [place for place, window in windows.items() if np.array_equal(window, picture)]
        seen.add(place)
    assert len(seen) > 15  # of 25 places
    assert torch.equal(translate(x, 0, random()), x)


def test_flipped_images_are_themselves_or_their_mirror_images():
    x = images(50, 1, 4, 4)
    changed = flip(x, random())
    same = [torch.equal(a, b) for a, b in zip(changed, x, strict=True)]
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(changed, x, strict=True)]
    assert all(a != b for a, b in zip(same, mirrored, strict=True)) and 10 < sum(same) < 40


def test_cut_out_greys_one_square_of_each_image_and_nothing_else():
    x = images(60, 3, 12, 12)
    changed = cut_out(x, 4, random())
    grey = (changed == 0).all(1)
    assert torch.equal(changed[~grey[:, None].expand_as(x)], x[~grey[:, None].expand_as(x)])
    heights, widths = grey.any(2).sum(1), grey.any(1).sum(1)
    assert torch.equal(grey.sum((1, 2)), heights * widths)  # a full rectangle
    assert heights.max() == widths.max() == 4 and heights.min() >= 1  # less only where it leaves the image
    assert torch.equal(cut_out(x, 0, random()), x)


def test_digits_are_never_mirrored():
    assert not training_for("mnist").flip and not training_for("digits").flip and training_for("cifar10").flip


# Training


def test_the_learning_rate_rises_and_falls_once_in_straight_lines():
    shares = [0.0, 0.1, 0.2, 0.6, 1.0]
    assert [triangle(share, 0.2) for share in shares] == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0])


def test_accuracy_is_the_share_of_right_answers():
    class Constant(nn.Module):
        def forward(self, x):
            return torch.eye(3)[[1] * len(x)]

    labels = torch.tensor([0, 1, 1, 2, 1, 0, 1])
    samples = Samples(torch.zeros(7, 1, 8, 8, dtype=torch.uint8), labels, ("a", "b", "c"))
    assert accuracy(Constant(), samples, batch_size=3) == 4 / 7


def test_training_on_digits_beats_chance_by_far(digits):
    before = torch.get_rng_state()
    *_, last = train(SMALL, TrainingConfig(epochs=5, batch_size=64, translation=1), *digits)
    assert last.number == 5 and last.accuracy == accuracy(last.classifier, digits[1])
    assert last.accuracy > 0.7  # chance is 0.1
    assert torch.equal(torch.get_rng_state(), before)


def test_resumed_training_equals_an_uninterrupted_one(digits, tmp_path):
    whole = list(train(SMALL, SHORT, *digits))
    next(train(SMALL, SHORT, *digits, state=tmp_path / "state"))  # left after the first epoch
    parts = list(train(SMALL, SHORT, *digits, state=tmp_path / "state"))
    assert [row.number for row in parts] == [1, 2, 3]
    assert [(row.loss, row.accuracy) for row in parts] == [(row.loss, row.accuracy) for row in whole]
    for one, other in zip(whole[-1].classifier.parameters(), parts[-1].classifier.parameters(), strict=True):
        assert torch.equal(one, other)
    again = list(train(SMALL, SHORT, *digits, state=tmp_path / "state"))  # complete: nothing left to train
    assert [(row.loss, row.seconds) for row in again] == [(row.loss, row.seconds) for row in parts]


def test_a_state_of_other_settings_is_refused(digits, tmp_path):
    next(train(SMALL, SHORT, *digits, state=tmp_path / "state"))
    with pytest.raises(ValueError, match="belongs to a training with other settings"):
        next(train(SMALL, TrainingConfig(epochs=4), *digits, state=tmp_path / "state"))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({"batch_size": 2_000}, "has only 1500 training images"), ({"translation": 8}, "less than the 8 pixels")],
)
def test_settings_that_do_not_fit_the_images_are_refused(digits, settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        next(train(SMALL, TrainingConfig(**settings), *digits))


# Files


@pytest.fixture
def stored(tmp_path):
    """A folder with a classifier whose batch norm has seen something, and the classifier."""
    classifier = initial(SMALL, 3)
    classifier(images(16, 1, 8, 8))
    store.save(tmp_path / "stored", classifier.eval(), SHORT.values())
    return tmp_path / "stored", classifier


def test_a_stored_classifier_is_the_same_up_to_half_precision(stored):
    folder, original = stored
    loaded, state = store.load(folder), original.state_dict()
    for name, value in loaded.state_dict().items():
        expected = state[name].half().float() if state[name].ndim > 1 else state[name]
        assert torch.equal(value, expected), name
    x = images(4, 1, 8, 8, seed=1)
    assert torch.allclose(loaded.features(x), original.features(x), atol=1e-3)
    assert loaded.class_names == original.class_names and loaded.config == original.config


def test_a_loaded_classifier_is_ready_to_use_and_loading_draws_no_random_numbers(stored):
    before = torch.get_rng_state()
    loaded = store.load(stored[0])
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(module.training for module in loaded.modules())
    assert all(value.dtype == torch.float32 and not value.requires_grad for value in loaded.parameters())
    assert not loaded.features(images(2, 1, 8, 8)).requires_grad


def test_storing_a_loaded_classifier_changes_nothing(stored, tmp_path):
    store.save(tmp_path / "again", store.load(stored[0]), SHORT.values())
    first, second = (load_file(folder / "model.safetensors") for folder in (stored[0], tmp_path / "again"))
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def flip_a_bit(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (flip_a_bit, "does not match its checksum"),
        (lambda folder: (folder / "model.safetensors").unlink(), "There is no checkpoint model"),
        (lambda folder: (folder / "config.json").write_text("{"), "is not JSON"),
        (lambda folder: (folder / "config.json").unlink(), "is missing"),
        (lambda folder: change_config(folder, format="ganplay-model-1"), "holds no classifier"),
        (lambda folder: change_config(folder, network=SMALL.values() | {"stem": 9}), "do not agree"),
        (lambda folder: change_config(folder, checksum="0" * 64), "belongs to other weights"),
        (lambda folder: change_config(folder, network={"depth": 3}), "do not agree"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_sentence(stored, damage, sentence):
    damage(stored[0])
    with pytest.raises(ValueError, match=sentence):
        store.load(stored[0])


def test_only_classifiers_are_listed_and_text_is_never_a_path(stored, monkeypatch):
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: stored[0].parent)
    generator = stored[0].parent / "generator"
    generator.mkdir()
    (generator / "config.json").write_text('{"format": "ganplay-model-1"}')
    assert store.names() == ("stored",)
    assert store.load("stored").width == 32
    for text in ("generator", str(stored[0]), "../stored", ""):
        with pytest.raises(ValueError, match=r"There is no classifier .*; there is stored\."):
            store.load(text)


# Command


QUICK = ("--dataset", "digits", "--epochs", "3", "--stem", "8", "--widths", "16,32")


def test_the_command_writes_a_folder_whose_card_states_what_the_stored_weights_reach(call, digits, tmp_path):
    code, out, _ = call(*QUICK)
    assert code == 0
    folder = tmp_path / "digits-classifier"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "config.json", "metrics.json", "model.safetensors"
    ]  # fmt: skip
    measured = accuracy(store.load(folder), digits[1])
    assert f"test accuracy {measured:.2%}" in out
    figures, card = json.loads((folder / "metrics.json").read_text()), (folder / "README.md").read_text()
    assert figures["accuracy"] == pytest.approx(measured, abs=1e-5) and len(figures["epochs"]) == 3
    assert f"**{100 * measured:.2f} %** of the 297 test images" in card
    assert "classifier --dataset digits --stem 8 --widths 16,32 --epochs 3 --threads 1" in card


def test_the_command_goes_on_where_it_was_interrupted(call, tmp_path, monkeypatch):
    from ganplay.classifiers import training

    measure, calls = training.accuracy, []

    def interrupted(*arguments):
        calls.append(None)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return measure(*arguments)

    monkeypatch.setattr(training, "accuracy", interrupted)
    folder = tmp_path / "some" / "folder"
    assert call(*QUICK, "--out", folder)[0] == cli.INTERRUPTED
    assert [path.name for path in folder.iterdir()] == ["training.safetensors"]
    code, _, err = call(*QUICK, "--out", folder)
    assert code == cli.MISUSED and "add --resume" in err
    code, out, _ = call(*QUICK, "--out", folder, "--resume")
    assert code == 0 and [line[:7] for line in out.splitlines()[:3]] == ["Epoch 1", "Epoch 2", "Epoch 3"]
    assert store.load(folder).width == 32


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--dataset", "letters"], "There is no dataset 'letters'; choose one of"),
        (["--dataset", "ring"], "A classifier needs images with classes, and ring has none"),
        (["--dataset", "digits", "--epochs", "0"], "epochs is 0; allowed is 1 to 1,000"),
        (["--dataset", "digits", "--out", "full"], "exists and is not empty"),
        (["--dataset", "digits", "--resume"], "There is no unfinished training"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(call, tmp_path, words, sentence):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    code, _, err = call(*words)
    assert code == cli.MISUSED and sentence in err.splitlines()[-1]


# The bundled classifiers


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """The test split of a real set, decoded once; a missing set skips, but fails where everything must run."""
    folder = tmp_path_factory.mktemp("decoded")

    def get(kind):
        dataset = needs(kind)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GANPLAY_HOME", str(folder))
            return load(dataset, dataset.native, "test")

    return get


@pytest.mark.parametrize("kind", LEAST)
def test_bundled_classifiers_are_small_and_their_figures_agree(kind):
    folder = paths.bundled_checkpoints() / f"{kind}-classifier"
    assert folder.name in store.names()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 10_000_000
    figures, card = json.loads((folder / "metrics.json").read_text()), (folder / "README.md").read_text()
    assert figures["images"] == 10_000 and figures["accuracy"] >= LEAST[kind]
    assert f"**{100 * figures['accuracy']:.2f} %** of the 10,000 test images" in card
    assert "never FID" in card and "licen" in card


@pytest.mark.parametrize("kind", LEAST)
def test_bundled_classifiers_are_good_on_some_test_images(tested, kind):
    samples, count = tested(kind), 2_000
    part = Samples(samples.values[:count], samples.labels[:count], samples.class_names)
    least = LEAST[kind] - 3 * (LEAST[kind] * (1 - LEAST[kind]) / count) ** 0.5  # three deviations of a share
    classifier = store.load(f"{kind}-classifier")
    assert classifier.class_names == samples.class_names
    assert accuracy(classifier, part) >= least


@pytest.mark.slow
@pytest.mark.parametrize("kind", LEAST)
def test_bundled_classifiers_reach_the_stated_accuracy_on_all_test_images(tested, kind):
    measured = accuracy(store.load(f"{kind}-classifier"), tested(kind))
    stated = json.loads((paths.bundled_checkpoints() / f"{kind}-classifier" / "metrics.json").read_text())["accuracy"]
    assert measured >= LEAST[kind] and abs(measured - stated) <= 5e-4  # other arithmetic may tip a few images
