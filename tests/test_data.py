"""Data sets hold what they say, and the decoded cache is shared, whole and mapped rather than read."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from filelock import FileLock
from PIL import Image
from real_data import needs

from ganplay import environment, files, paths
from ganplay.data import datasets, hub, resident, room
from ganplay.data.catalogue import describe
from ganplay.data.images import ImageSet, fit
from ganplay.data.points import COUNTS

POINTS = [kind for kind in datasets if len(datasets[kind].native) == 1]
PLANE = {"line", "two-gaussians", "ring", "grid", "swiss-roll", "two-moons", "spiral", "blobs"}
PLANE |= {"drawn", "ring-outliers"}


@pytest.fixture(scope="module")
def decoded(tmp_path_factory):
    """Loads a real set at its native size, decoding it once for all tests of this file."""
    folder = tmp_path_factory.mktemp("decoded")

    def load(kind, split, **settings):
        needs(kind)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GANPLAY_HOME", str(folder))
            return resident.load(datasets[kind](**settings), datasets[kind].native, split)

    return load


def as_parquet(path, count=20, shape=(28, 28), label=3):
    """A small file in the form of the Hub's sets: PNG bytes and labels."""
    rows = []
    for index in range(count):
        target = io.BytesIO()
        Image.fromarray(np.full(shape, index, np.uint8)).save(target, "PNG")
        rows.append({"bytes": target.getvalue(), "path": None})
    pyarrow.parquet.write_table(pyarrow.table({"image": rows, "label": [label] * count}), path)
    return path


# The embedded digits


def test_digits_are_those_of_scikit_learn():
    reference = pytest.importorskip("sklearn.datasets").load_digits()
    parts = [datasets["digits"]().read(split, resident.ignore) for split in ("train", "test")]
    images = np.concatenate([part[0] for part in parts])[:, 0]
    assert np.array_equal(np.round(images * (16 / 255)), reference.images)
    assert np.array_equal(np.concatenate([part[1] for part in parts]), reference.target)


def test_digits_splits_do_not_overlap_and_hold_every_class():
    sizes = {}
    for split in ("train", "test"):
        samples = resident.load(datasets["digits"](), (1, 28, 28), split)
        assert samples.values.shape[1:] == (1, 28, 28) and set(samples.labels.tolist()) == set(range(10))
        sizes[split] = len(samples)
    assert sizes == {"train": 1_500, "test": 297}


# The real sets of the Hub


@pytest.mark.parametrize(
    ("kind", "split", "count"),
    [("mnist", "train", 60_000), ("mnist", "test", 10_000), ("cifar10", "train", 50_000), ("cifar10", "test", 10_000)],
)
def test_real_sets_are_complete(decoded, kind, split, count):
    samples = decoded(kind, split)
    assert samples.values.shape == (count, *datasets[kind].native) and samples.values.dtype == torch.uint8
    assert samples.labels.dtype == torch.int64 and samples.class_names == datasets[kind].class_names
    per_class = torch.bincount(samples.labels, minlength=10)
    if kind == "cifar10":
        assert per_class.tolist() == [count // 10] * 10
    elif split == "train":  # the counts that LeCun's page gives
        assert per_class.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


def test_only_horses_are_left_by_the_filter(decoded):
    everything, horses = decoded("cifar10", "train"), decoded("cifar10", "train", classes=("horse",))
    assert len(horses) == 5_000 and horses.class_names == ("horse",) and horses.labels.unique().tolist() == [0]
    assert torch.equal(horses.values, everything.values[everything.labels == 7])


# Class filter


def test_filtered_labels_are_renumbered_in_label_order_and_share_the_cache():
    everything = resident.load(datasets["digits"](), (1, 8, 8))
    files_before = set(paths.cache_folder().iterdir())
    some = resident.load(datasets["digits"](classes=("7", "3")), (1, 8, 8))
    assert some.class_names == ("3", "7") == datasets["digits"](classes=("7", "3")).class_names
    assert torch.equal(some.values[some.labels == 1], everything.values[everything.labels == 7])
    assert len(some) == ((everything.labels == 3) | (everything.labels == 7)).sum()
    assert set(paths.cache_folder().iterdir()) == files_before


@pytest.mark.parametrize("kind", ["digits", "mnist", "fashion-mnist", "cifar10"])
def test_an_unknown_class_is_refused_with_the_known_ones(kind):
    with pytest.raises(ValueError, match="unicorn") as caught:
        datasets[kind](classes=("unicorn",))
    assert all(name in str(caught.value) for name in datasets[kind].class_names)


def test_every_image_set_has_the_class_filter():
    images = [datasets[kind] for kind in datasets if len(datasets[kind].native) == 3]
    assert images and all(issubclass(dataset, ImageSet) for dataset in images)


# Size, channels and values


def test_black_is_minus_one_and_white_is_one():
    values = torch.tensor([0, 255, 51], dtype=torch.uint8).view(3, 1, 1, 1)
    samples = resident.Samples(values, torch.tensor([4, 5, 6]), ())
    images, labels = samples.batch(torch.tensor([1, 0, 1]))
    assert images.dtype == torch.float32 and images.flatten().tolist() == [1.0, -1.0, 1.0]
    assert labels.tolist() == [5, 4, 5] and len(samples) == 3


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 32, 32), (3, 28, 28), (1, 64, 64)])
def test_images_take_the_shape_of_the_recipe(shape):
    images, _ = resident.load(datasets["digits"](), shape, "test").batch(torch.arange(5))
    assert images.shape == (5, *shape) and images.min() >= -1 and images.max() <= 1


def test_colour_becomes_grey_by_its_luma_and_grey_becomes_three_equal_channels():
    colour = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8).reshape(3, 3, 1, 1)
    assert next(fit(colour, (1, 1, 1))).flatten().tolist() == [76, 150, 29]
    assert next(fit(colour[:, :1], (3, 1, 1))).tolist() == colour[:, :1].repeat(3, 1).tolist()


def test_resizing_is_close_to_pillows():
    image = np.random.default_rng(0).integers(0, 256, (1, 1, 48, 48), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(image[0, 0]).resize((20, 20), Image.Resampling.BICUBIC))
    ours = next(fit(image, (1, 20, 20)))[0, 0]
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_all_chunks_of_a_large_set_arrive_in_order():
    images = (np.arange(2_500) % 251).astype(np.uint8).reshape(-1, 1, 1, 1).repeat(2, 2).repeat(2, 3)
    assert np.array_equal(np.concatenate(list(fit(images, (1, 4, 4))))[:, 0, 0, 0], images[:, 0, 0, 0])


@pytest.mark.parametrize("shape", [(2, 28, 28), (28, 28), (1, 0, 28), (2,)])
def test_an_impossible_shape_is_refused(shape):
    with pytest.raises(ValueError, match="shape"):
        resident.load(datasets["digits"](), shape)


def test_an_unknown_split_is_refused():
    with pytest.raises(ValueError, match="train, test"):
        resident.load(datasets["digits"](), (1, 8, 8), "validation")


# The cache


def prepared():
    """The one file of decoded images in the cache."""
    (path,) = (path for path in paths.cache_folder().glob("*.npy") if "labels" not in path.name)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="other systems may keep a private copy of a changed file")
def test_the_resident_tensor_shares_memory_with_the_file():
    samples = resident.load(datasets["digits"](), (1, 16, 16))
    path = prepared()
    assert samples.values[0, 0, 0, 0] != 123
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - samples.values.numel())
        file.write(bytes([123]))
    assert samples.values[0, 0, 0, 0] == 123


def test_writing_to_the_tensor_leaves_the_file_alone(recwarn):
    samples = resident.load(datasets["digits"](), (1, 8, 8))
    before = prepared().read_bytes()
    samples.values.fill_(9)
    assert prepared().read_bytes() == before and not recwarn.list


def test_the_second_use_decodes_nothing(monkeypatch):
    first = resident.load(datasets["digits"](), (1, 8, 8))
    monkeypatch.setattr(datasets["digits"], "read", lambda *_: pytest.fail("decoded twice"))
    second = resident.load(datasets["digits"](), (1, 8, 8))
    assert torch.equal(first.values, second.values) and torch.equal(first.labels, second.labels)


@pytest.mark.parametrize("damage", ["images cut", "images empty", "labels cut", "names gone", "names not JSON"])
def test_a_damaged_cache_is_rebuilt(damage):
    first = resident.load(datasets["digits"](), (1, 8, 8)).values.clone()
    what, how = damage.split(maxsplit=1)
    path = prepared()
    victim = {"images": path, "labels": path.with_suffix(".labels.npy"), "names": path.with_suffix(".classes.json")}[
        what
    ]
    content = victim.read_bytes()
    if how == "gone":
        victim.unlink()
    else:
        victim.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "not JSON": b"{"}[how])
    again = resident.load(datasets["digits"](), (1, 8, 8))
    assert torch.equal(again.values, first) and victim.read_bytes() == content


def test_two_processes_preparing_at_once_get_the_same_whole_array(home):
    code = (
        "import hashlib, sys\nsys.modules['sklearn'] = None  # the embedded digits do without it\n"
        "from ganplay.data import datasets, resident\n"
        "values = resident.load(datasets['digits'](), (3, 48, 48)).values\n"
        "print(hashlib.sha256(values.numpy().tobytes()).hexdigest())"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {process.communicate(timeout=60)[0].strip() for process in both}
    expected = resident.load(datasets["digits"](), (3, 48, 48)).values.numpy().tobytes()
    assert answers == {hashlib.sha256(expected).hexdigest()}
    assert not list(home.rglob("*.tmp"))


def test_a_second_process_waits_for_the_first_and_says_so():
    path = resident.prepared_path(datasets["digits"](), (1, 8, 8), "train")
    path.parent.mkdir(parents=True)
    told = []
    first = FileLock(path.with_suffix(".lock"))
    first.acquire()

    def tell(sentence, share):
        if not told:
            assert not path.exists()
            first.release()
        told.append(sentence)

    assert len(resident.load(datasets["digits"](), (1, 8, 8), progress=tell)) == 1_500
    assert told[0].startswith("Waiting for another process")


def test_progress_rises_to_one():
    told = []
    resident.load(datasets["digits"](), (1, 8, 8), progress=lambda sentence, share: told.append((sentence, share)))
    shares = [share for _, share in told]
    assert shares == sorted(shares) and shares[-1] == 1.0 and all(sentence for sentence, _ in told)


def test_a_full_disk_is_one_sentence_and_leaves_no_part_behind(monkeypatch, home):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ValueError, match="No space left on device"):
        resident.load(datasets["digits"](), (1, 8, 8))
    assert not [path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock"]


# The bound of the cache


@pytest.fixture
def bounded(monkeypatch):
    """Bounds the cache to so many bytes."""
    return lambda count: monkeypatch.setenv("GANPLAY_CACHE_GB", repr(count / 1e9))


def prepare(side, idle=0.0):
    """Decodes the digits at a size and lets that be so many seconds ago."""
    samples = resident.load(datasets["digits"](), (1, side, side))
    path = resident.prepared_path(datasets["digits"](), (1, side, side), "train")
    os.utime(path, (time.time() - idle,) * 2)
    return samples, path


def cached_bytes():
    return sum(file.stat().st_size for file in paths.cache_folder().iterdir())


def test_the_cache_stays_within_its_bound(bounded):
    bounded(1_000_000)
    for side in range(8, 25):
        prepare(side, idle=100)
        assert cached_bytes() < 1_001_000  # the headers are not counted
    assert len(list(paths.cache_folder().glob("*.classes.json"))) * 2 == len(list(paths.cache_folder().glob("*.npy")))


def test_the_least_recently_used_array_goes_first(bounded):
    used, unused = prepare(8, idle=300)[1], prepare(9, idle=200)[1]
    prepare(8, idle=100)
    bounded(cached_bytes() + 100_000)
    kept = prepare(10)[1]
    assert used.exists() and kept.exists() and not unused.exists()
    assert not any(file.exists() for file in room.beside(unused))


def test_every_use_counts_as_recent():
    _, path = prepare(8, idle=10_000)
    before = path.stat().st_mtime
    resident.load(datasets["digits"](), (1, 8, 8))
    assert path.stat().st_mtime > before + 9_000


def test_nothing_used_within_the_last_minute_is_evicted(bounded):
    _, path = prepare(16, idle=50)
    bounded(cached_bytes() + 10_000)
    with pytest.raises(
        ValueError, match=r"MB, of which 0\.4 MB are in use; try again in a minute or raise GANPLAY_CACHE_GB\.$"
    ):
        prepare(8)
    assert path.exists()
    os.utime(path, (time.time() - 70,) * 2)
    prepare(8)
    assert not path.exists()


def test_an_array_larger_than_the_whole_bound_is_refused_and_evicts_nothing(bounded):
    _, path = prepare(8, idle=1_000)
    bounded(300_000)
    with pytest.raises(ValueError, match=r"need 0\.4 MB and the cache may take 0\.3 MB; choose smaller images"):
        prepare(16)
    assert path.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps the file of a mapped array")
def test_samples_in_use_outlive_their_eviction(bounded):
    samples, path = prepare(16, idle=100)
    before = samples.values.clone()
    bounded(500_000)
    prepare(15)
    assert not path.exists() and torch.equal(samples.values, before)
    bounded(5_000_000)
    assert torch.equal(prepare(16)[0].values, before)


def test_an_array_that_cannot_be_deleted_still_counts(bounded, monkeypatch):
    _, path = prepare(16, idle=100)
    bounded(500_000)

    def mapped(*_, **__):
        raise PermissionError(13, "in use")

    with monkeypatch.context() as patch, pytest.raises(ValueError, match="in use"):
        patch.setattr(room.Path, "unlink", mapped)
        room.make_room(path.with_name("new.npy"), 400_000)
    assert path.exists()


def test_what_a_killed_process_left_half_written_is_removed():
    _, path = prepare(8)
    left = path.with_name(f".{path.name}.123-abcd.tmp")
    left.write_bytes(bytes(100))
    prepare(9)
    assert path.exists() and not left.exists()


@pytest.mark.parametrize("text", ["", "lots", "0", "-1", "nan", "inf"])
@pytest.mark.parametrize("variable", ["GANPLAY_CACHE_GB", "GANPLAY_PICTURES_GB", "GANPLAY_UPLOAD_MB"])
def test_a_bound_that_is_no_positive_number_is_refused_by_name(variable, text, monkeypatch):
    assert environment.limit(variable, 4, "gigabytes") == 4
    monkeypatch.setenv(variable, text)
    allowed = r"a number of gigabytes above 0, at most 1,000,000,000\.$"
    with pytest.raises(ValueError, match=rf"^{variable} is '{text}'; it must be {allowed}"):
        environment.limit(variable, 4, "gigabytes")


def test_a_bad_bound_of_the_cache_stops_a_load_in_one_sentence(monkeypatch):
    monkeypatch.setenv("GANPLAY_CACHE_GB", "lots")
    with pytest.raises(ValueError, match=r"^GANPLAY_CACHE_GB is 'lots'"):
        prepare(8)


# The Hub offline, hung, damaged


@pytest.fixture
def no_cache(monkeypatch):
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)


@pytest.mark.parametrize("kind", ["mnist", "fashion-mnist", "cifar10"])
def test_offline_and_not_cached_names_the_embedded_digits(kind, no_cache, monkeypatch):
    def offline(*_, **__):
        raise huggingface_hub.errors.LocalEntryNotFoundError("nothing here\nand nothing there")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(ValueError, match="'digits'") as caught:
        resident.load(datasets[kind](), datasets[kind].native)
    assert kind in str(caught.value) and "\n" not in str(caught.value)


def test_a_hung_hub_is_given_up(no_cache, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_, **__: release.wait(60))
    monkeypatch.setattr(hub, "PATIENCE", 0.3)
    try:
        with pytest.raises(ValueError, match=r"nothing arrived.*'digits'"):
            resident.load(datasets["mnist"](), (1, 28, 28))
    finally:
        release.set()


@pytest.mark.parametrize("damage", ["cut", "no parquet", "other size", "unknown class"])
def test_a_damaged_download_names_the_file_and_the_embedded_digits(damage, tmp_path, monkeypatch):
    path = tmp_path / "train.parquet"
    as_parquet(path, shape=(9, 9) if damage == "other size" else (28, 28), label=77 if damage == "unknown class" else 3)
    content = path.read_bytes()
    path.write_bytes({"cut": content[: len(content) // 2], "no parquet": b"<html>"}.get(damage, content))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: str(path))
    with pytest.raises(ValueError, match="damaged") as caught:
        resident.load(datasets["mnist"](), (1, 28, 28))
    assert "'digits'" in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_download_through_the_real_client_reports_its_bytes(tmp_path):
    """A loopback server stands in for the Hub; the client has its own process, as it reads its settings once."""
    content = as_parquet(tmp_path / "train.parquet", count=30).read_bytes()

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"0123456789abcdef"')
            self.send_header("X-Repo-Commit", "0" * 40)
            self.end_headers()

        def do_GET(self):
            self.do_HEAD()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    code = (
        "from ganplay.data import datasets\ntold = []\n"
        "images, labels, _ = datasets['mnist']().read('train', lambda *one: told.append(one))\n"
        "assert images.shape == (30, 1, 28, 28) and (labels == 3).all() and (images[:, 0, 5, 5] == range(30)).all()\n"
        "print(max(share for _, share in told))"
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        environment |= {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(tmp_path / "hub"),
            "HF_HUB_OFFLINE": "0",
        }
        answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        server.shutdown()
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "1.0" and answer.stderr == ""


def test_the_progress_bar_hears_every_byte():
    transfer = hub._Transfer()
    with transfer.progress_bar()(total=200, unit="B", desc="file") as bar:
        bar.update(50)
        assert (transfer.bytes, transfer.share) == (50, 0.25)
        bar.update(150)
    assert (transfer.bytes, transfer.share) == (200, 1.0)


# Points in the plane


def test_the_sets_of_the_plane_are_all_there():
    assert set(POINTS) == PLANE


@pytest.mark.parametrize("kind", POINTS)
def test_points_are_the_same_every_time_and_differ_between_splits(kind):
    dataset = datasets[kind]()
    train, test = (resident.load(dataset, (2,), split) for split in ("train", "test"))
    assert (len(train), len(test)) == (COUNTS["train"], COUNTS["test"]) == (50_000, 10_000)
    assert train.values.dtype == torch.float32 and train.values.shape == (50_000, 2)
    assert torch.equal(train.values, resident.load(dataset, (2,), "train").values)
    assert not torch.equal(train.values[:10_000], test.values)
    assert set(train.labels.tolist()) == set(range(max(1, len(train.class_names))))
    assert train.class_names == dataset.class_names == datasets[kind].class_names
    points, labels = train.batch(torch.tensor([3, 1]))
    assert torch.equal(points, train.values[[3, 1]]) and labels.shape == (2,)


@pytest.mark.parametrize("kind", ["two-gaussians", "ring", "grid", "blobs"])
def test_points_lie_around_the_centre_of_their_label(kind):
    dataset = datasets[kind]()
    samples = resident.load(dataset, (2,))
    offset = samples.values.numpy() - dataset.centres()[samples.labels.numpy()]
    assert (
        np.abs(offset.std() / dataset.sigma - 1) < 0.02 and np.abs(offset.mean(0)).max() < 0.02 * dataset.sigma + 1e-3
    )
    shares = torch.bincount(samples.labels).float() / len(samples)
    assert (shares * len(dataset.centres()) - 1).abs().max() < 0.1


def test_points_of_the_ring_lie_on_its_radius():
    points = resident.load(datasets["ring"](modes=5, radius=3.0, sigma=0.0), (2,)).values
    assert torch.allclose(points.norm(dim=1), torch.tensor(3.0)) and len(points.round(decimals=3).unique(dim=0)) == 5
    usual = resident.load(datasets["ring"](), (2,)).values
    assert (usual.norm(dim=1) - 1).abs().max() < 0.06


def test_the_grid_has_twenty_five_modes_two_apart():
    centres = datasets["grid"]().centres()
    assert sorted(map(tuple, centres)) == [(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)]


def test_points_without_noise_satisfy_their_formula():
    line = resident.load(datasets["line"](sigma=0.0), (2,)).values
    assert torch.allclose(line[:, 1], line[:, 0] / 2)
    roll = resident.load(datasets["swiss-roll"](sigma=0.0), (2,)).values.double() * 7.5
    t = roll.norm(dim=1)
    assert torch.allclose(torch.stack([t * t.cos(), t * t.sin()], 1), roll, atol=1e-4)
    assert t.min() >= 1.5 * torch.pi - 1e-4 and t.max() <= 4.5 * torch.pi + 1e-4
    moons = resident.load(datasets["two-moons"](sigma=0.0), (2,))
    centre = torch.tensor([[-0.5, -0.25], [0.5, 0.25]])[moons.labels]
    assert torch.allclose((moons.values - centre).norm(dim=1), torch.tensor(1.0), atol=1e-5)
    spiral = resident.load(datasets["spiral"](arms=3, turns=0.0, sigma=0.0), (2,))
    angle = torch.atan2(spiral.values[:, 1], spiral.values[:, 0]) % (2 * torch.pi)
    assert torch.allclose(angle, spiral.labels * 2 * torch.pi / 3, atol=1e-5)
    assert (spiral.values.norm(dim=1).square().mean() - 1 / 2).abs() < 0.01  # r squared is uniform


def test_the_usual_blobs_do_not_touch():
    centres = datasets["blobs"]().centres()
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)[~np.eye(len(centres), dtype=bool)]
    assert apart.min() > 6 * datasets["blobs"]().sigma


def test_class_names_follow_the_number_of_modes():
    assert datasets["ring"](modes=3).class_names == ("0", "1", "2")
    assert datasets["spiral"](arms=1).class_names == ("0",)


def test_a_set_of_the_plane_has_no_image_shape():
    with pytest.raises(ValueError, match=r"\(2,\)"):
        resident.load(datasets["ring"](), (1, 28, 28))


# The catalogue and files


def test_the_catalogue_lists_every_set_without_decoding(home, monkeypatch):
    monkeypatch.setattr(datasets["digits"], "read", lambda *_: pytest.fail("decoded"))
    entries = {entry["kind"]: entry for entry in describe()}
    assert set(entries) == set(datasets) and not home.exists()
    assert all(entry["available"] for entry in entries.values() if entry["bundled"])
    assert entries["digits"]["bundled"] and entries["cifar10"]["native"] == (3, 32, 32)
    assert entries["cifar10"]["class_names"][7] == "horse" and not entries["pictures"]["available"]


def test_the_catalogue_knows_what_is_cached_or_prepared(no_cache, tmp_path, monkeypatch):
    def available():
        return next(entry for entry in describe() if entry["kind"] == "mnist")["available"]

    assert not available()
    path = as_parquet(tmp_path / "file.parquet")
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: str(path))
    assert available()
    resident.load(datasets["mnist"](), (1, 16, 16))
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)
    assert available() and describe()[-2]["prepared"] + describe()[-1]["prepared"] == ["1x16x16"]


def test_home_follows_the_environment(monkeypatch, tmp_path):
    assert paths.home() == tmp_path / "home" and paths.runs_folder() == tmp_path / "home" / "runs"
    monkeypatch.delenv("GANPLAY_HOME")
    assert paths.home().name == ".ganplay"


def test_a_failed_write_keeps_the_old_content_and_no_temporary_file(tmp_path, monkeypatch):
    path = tmp_path / "new folder" / "file.json"
    files.write_atomically(path, '{"größe": 1}')
    assert files.read_json(path) == {"größe": 1}
    monkeypatch.setattr(files.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        files.write_atomically(path, b"other")
    assert files.read_json(path) == {"größe": 1} and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [None, b"{", b"\xff\xfe", b""])
def test_reading_what_is_no_json_is_one_sentence(content, tmp_path):
    path = tmp_path / "file.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"file\.json.*(missing|not JSON)"):
        files.read_json(path)
