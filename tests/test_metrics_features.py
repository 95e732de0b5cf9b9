"""Feature sets: which one is chosen, what figures are called, where weights come from, and what is kept on disk."""

import hashlib
import io
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image
from stand_in_classifier import install

from ganplay.classifiers import store
from ganplay.data.cifar10 import Cifar10
from ganplay.data.digits import Digits
from ganplay.data.fashion_mnist import FashionMnist
from ganplay.data.mnist import Mnist
from ganplay.data.pictures import Pictures
from ganplay.data.points import Ring
from ganplay.data.resident import load
from ganplay.metrics import statistics
from ganplay.metrics.features import choose, describe, feature_set, features, figure_name, inception, loaded, resized
from ganplay.metrics.statistics import cached_path, measure, real_samples

GREY, COLOUR = (1, 28, 28), (3, 32, 32)


@pytest.fixture(autouse=True)
def no_weights(monkeypatch, tmp_path):
    """Neither a bundled classifier nor Inception, whatever this computer has."""
    monkeypatch.setattr(store, "names", lambda: ())
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


# Names


@pytest.mark.parametrize("kind", features.names())
def test_trap_11_only_inception_lends_its_names_to_figures(kind):
    chosen = feature_set(kind)
    names = [figure_name(metric, chosen) for metric in ("frechet-distance", "kernel-distance", "classifier-score")]
    if kind == "inception":
        assert names == ["FID", "KID", "IS"]
    else:
        assert not chosen.standard
        assert all(f"({chosen.title})" in name for name in names)
        assert not {"FID", "KID", "IS"} & set(" ".join(names).split())
        assert "inception" not in " ".join(names).lower()


def test_names_read_as_asked():
    assert figure_name("frechet-distance", feature_set("cifar10-classifier")) == "FD (CIFAR-10 classifier)"
    assert figure_name("classifier-score", feature_set("mnist-classifier")) == "classifier score (MNIST classifier)"
    assert figure_name("precision", feature_set("pixels")) == "precision (pixels)"


# Choice


def test_pixels_are_chosen_where_nothing_else_can_be_had():
    for dataset, shape in ((Mnist(), GREY), (Cifar10(), COLOUR), (Ring(), (2,))):
        assert choose(dataset, shape) == "pixels"


@pytest.mark.parametrize(
    ("dataset", "shape", "expected"),
    [
        (Mnist(), GREY, "mnist-classifier"),
        (Digits(), (1, 32, 32), "digits-classifier"),
        (FashionMnist(), GREY, "pixels"),
        (Cifar10(), COLOUR, "cifar10-classifier"),
        (Cifar10(classes=("horse",)), (3, 64, 64), "cifar10-classifier"),
        (Cifar10(), (1, 32, 32), "pixels"),
        (Pictures(), (3, 64, 64), "cifar10-classifier"),
        (Ring(), (2,), "pixels"),
    ],
)
def test_a_bundled_classifier_is_chosen_for_what_it_was_trained_on(monkeypatch, dataset, shape, expected):
    monkeypatch.setattr(store, "names", lambda: ("cifar10-classifier", "digits-classifier", "mnist-classifier"))
    assert choose(dataset, shape) == expected


def test_inception_comes_first_for_images_when_its_weights_are_here(monkeypatch):
    monkeypatch.setattr(store, "names", lambda: ("cifar10-classifier",))
    monkeypatch.setattr(inception.Inception, "available", lambda self: True)
    assert choose(Cifar10(), COLOUR) == "inception"
    assert choose(FashionMnist(), GREY) == "inception"
    assert choose(Ring(), (2,)) == "pixels"


def test_an_unknown_feature_set_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no feature set 'vgg'; choose one of .*inception.*pixels"):
        feature_set("vgg")


# Describing


def test_enlarging_and_shrinking_agree_with_pillow():
    source = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
    image = torch.from_numpy(source.astype(np.float32) / 127.5 - 1)[None, None]
    for side in (16, 28, 75):
        picture = Image.fromarray(source.astype(np.float32), "F").resize((side, side), Image.Resampling.BICUBIC)
        expected = np.clip(np.asarray(picture) / 127.5 - 1, -1, 1)
        np.testing.assert_allclose(resized(image, (1, side, side))[0, 0].numpy(), expected, atol=2e-3)


def test_colour_becomes_grey_by_luma_and_grey_colour_by_repetition():
    colours = torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    torch.testing.assert_close(resized(colours, (1, 8, 8)), torch.full((1, 1, 8, 8), 0.299 - 0.114))
    assert torch.equal(resized(colours[:, :1], (3, 8, 8)), torch.ones(1, 3, 8, 8))


def test_pixel_features_are_coordinates_of_points_and_at_most_16_pixels_of_images():
    describe_pixels = loaded("pixels")
    points = torch.randn(5, 2)
    assert torch.equal(describe_pixels(points).features, points)
    assert describe_pixels(torch.zeros(2, 3, 64, 64)).features.shape == (2, 3 * 16 * 16)
    assert describe_pixels(torch.zeros(2, 1, 8, 8)).features.shape == (2, 64)


def test_pictures_are_described_as_they_would_be_stored():
    stored = load(Digits(), (1, 16, 16)).batch(torch.arange(8))[0]
    off = stored + 0.003  # less than half of the 2 / 255 between two levels
    described = [describe(loaded("pixels"), [one], 8).features for one in (stored, off)]
    assert torch.equal(*described)


def test_infinite_samples_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        describe(loaded("pixels"), [torch.tensor([[1.0, float("nan")]])], 1)


def test_classifier_features_come_with_their_logits(monkeypatch):
    install(monkeypatch)
    digits = load(Digits(), (3, 32, 32), "test")
    found = describe(loaded("mnist-classifier"), [digits.batch(torch.arange(200))[0]], 200)
    assert found.features.shape == (200, 49)
    assert (found.logits.argmax(1) == digits.labels[:200]).float().mean() > 0.8


def test_a_classifier_describes_no_points(monkeypatch):
    install(monkeypatch)
    with pytest.raises(ValueError, match="need images"):
        loaded("mnist-classifier")(torch.zeros(3, 2))


# Inception


def test_the_address_and_the_checksum_belong_to_the_librarys_file():
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    assert inception.ADDRESS == URL_INCEPTION_V3
    assert f"-{inception.SHA256[:8]}.pth" in URL_INCEPTION_V3
    assert len(inception.SHA256) == 64


def serve(monkeypatch, content):
    monkeypatch.setattr(inception.urllib.request, "urlopen", lambda address, timeout: io.BytesIO(content))


def test_inception_that_cannot_be_downloaded_is_one_sentence(monkeypatch):
    def refuse(address, timeout):
        raise OSError("no network")

    monkeypatch.setattr(inception.urllib.request, "urlopen", refuse)
    assert not feature_set("inception").available()
    with pytest.raises(ValueError, match=r"could not be downloaded \(no network\); choose other features"):
        loaded("inception")


@pytest.mark.parametrize(("bytes_", "reason"), [(1000, "checksum"), (10**6, "longer")])
def test_other_bytes_than_the_published_ones_are_never_kept(monkeypatch, bytes_, reason):
    monkeypatch.setattr(inception, "BYTES", 10_000)
    serve(monkeypatch, os.urandom(bytes_))
    with pytest.raises(ValueError, match=f"could not be downloaded .*{reason}"):
        loaded("inception")
    assert not list(inception.weights_path().parent.glob("*"))


def pin(monkeypatch, content):
    """Takes `content` for the published file, on this computer already."""
    path = inception.weights_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(inception, "BYTES", len(content))


def test_nothing_that_was_downloaded_is_unpickled(monkeypatch, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "unpickled"),))

    pin(monkeypatch, pickle.dumps(Evil(), protocol=2))
    with pytest.raises(Exception, match=r"[Ww]eights"):
        loaded("inception")
    assert not (tmp_path / "unpickled").exists()


def test_a_changed_file_of_weights_is_refused(monkeypatch):
    pin(monkeypatch, b"weights")
    monkeypatch.setattr(inception, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="not the published Inception network; delete it"):
        loaded("inception")


def test_inception_reads_grey_pictures_of_any_size_and_gives_2048_features(monkeypatch):
    from torch_fidelity import feature_extractor_inceptionv3 as library

    with monkeypatch.context() as patch:  # the library's own network, with random weights
        patch.setattr(library, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(library.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = library.FeatureExtractorInceptionV3("random", ["2048", "logits_unbiased"])
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    pin(monkeypatch, file.getvalue())
    assert feature_set("inception").available()
    images = torch.rand(2, 1, 28, 28) * 2 - 1
    found = describe(loaded("inception"), [images], 2)
    assert found.features.shape == (2, 2048)
    assert found.logits.shape == (2, 1008)
    expected = network(images.add(1).mul(127.5).round().to(torch.uint8).expand(-1, 3, -1, -1))
    torch.testing.assert_close(found.features, expected[0])


# Reference statistics


def reference(split="train", count=300, dataset=None, shape=(1, 16, 16)):
    return real_samples(dataset or Digits(), shape, split, "pixels", count)


def test_statistics_are_those_of_the_chosen_samples():
    found = reference(count=300)
    values = found.batch(torch.arange(300)).flatten(1).double().numpy()
    assert len(set(found.indices.tolist())) == 300
    np.testing.assert_allclose(found.features.numpy(), values, atol=1e-6)
    np.testing.assert_allclose(found.gaussian.mean.numpy(), values.mean(0), atol=1e-6)
    np.testing.assert_allclose(found.gaussian.covariance.numpy(), np.cov(values.T), atol=1e-6)
    assert torch.equal(found.labels, load(Digits(), (1, 16, 16)).labels[found.indices])


def test_a_split_with_fewer_samples_gives_all_of_them():
    assert len(reference("test", 10_000)) == 297


@pytest.fixture
def counted(monkeypatch):
    """How often real samples were described."""
    calls = []

    def counting(*arguments):
        calls.append(arguments)
        return measure(*arguments)

    monkeypatch.setattr(statistics, "measure", counting)
    return calls


def test_statistics_are_computed_once(counted):
    first, second = reference(), reference()
    assert len(counted) == 1
    assert torch.equal(first.features, second.features)
    assert torch.equal(first.gaussian.covariance, second.gaussian.covariance)


@pytest.mark.parametrize(
    "other",
    [
        {"split": "test"},
        {"count": 200},
        {"shape": (1, 8, 8)},
        {"dataset": Digits(classes=("3", "4"))},
    ],
)
def test_other_samples_have_other_statistics(counted, other):
    reference()
    reference(**other)
    assert len(counted) == 2


def cut_off(content):
    return content[:-1000]


def one_bit(content):
    return content[:-500] + bytes([content[-500] ^ 1]) + content[-499:]


@pytest.mark.parametrize("damage", [cut_off, one_bit, lambda content: b"", lambda content: b"\xff" * 100])
def test_damaged_statistics_are_made_again(counted, damage):
    first = reference()
    path = cached_path(Digits(), (1, 16, 16), "train", "pixels", 300)
    path.write_bytes(damage(path.read_bytes()))
    second = reference()
    assert len(counted) == 2
    assert torch.equal(first.features, second.features)
    assert torch.equal(first.gaussian.mean, second.gaussian.mean)
    reference()
    assert len(counted) == 2


def test_new_weights_of_a_classifier_are_not_taken_for_the_old(monkeypatch):
    paths = []
    for stamp in ("one", "two"):
        monkeypatch.setattr(type(feature_set("mnist-classifier")), "stamp", lambda self, stamp=stamp: stamp)
        paths.append(cached_path(Digits(), GREY, "train", "mnist-classifier", 100))
    assert paths[0] != paths[1]


def test_kept_statistics_stay_within_their_share_of_the_cache(monkeypatch):
    monkeypatch.setattr(statistics, "GRACE", -1)
    reference(count=300)
    size = cached_path(Digits(), (1, 16, 16), "train", "pixels", 300).stat().st_size
    monkeypatch.setenv("GANPLAY_CACHE_GB", str(2.5 * size / statistics.SHARE / 1e9))
    counts = (300, 299, 298, 297)
    for age, count in enumerate(counts):
        reference(count=count)
        os.utime(cached_path(Digits(), (1, 16, 16), "train", "pixels", count), (time.time(), 1_000 + age))
    kept = [cached_path(Digits(), (1, 16, 16), "train", "pixels", count).exists() for count in counts]
    assert kept == [False, False, True, True]


def test_statistics_without_room_are_computed_all_the_same(monkeypatch, counted, home):
    monkeypatch.setenv("GANPLAY_CACHE_GB", "0.001")
    assert len(reference()) == len(reference()) == 300
    assert len(counted) == 2
    assert not list((home / "cache").glob("*.safetensors"))


def test_importing_the_package_does_not_import_the_library():
    program = (
        "import sys, ganplay\nfrom ganplay.recipes import recipe\nrecipe('quick-digits')\n"
        "import ganplay.metrics.figures\nprint('torch_fidelity' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
