"""A data set ready to train on: decoded once into one file, memory-mapped ever after, shared by every process.

No loader workers and no Python work per image: a batch is one gather and one multiplication.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from filelock import AcquireReturnProxy, FileLock, Timeout
from torch import Tensor

from ganplay.contracts import Dataset
from ganplay.data.images import SPLITS, ImageSet, Progress, fit
from ganplay.data.room import beside, make_room, touch
from ganplay.files import atomic_file, read_json, write_atomically
from ganplay.paths import cache_folder

BYTES_BESIDE = 8  # of each image's label


def ignore(sentence: str, share: float) -> None:
    """A progress that nobody watches."""


@dataclass(frozen=True, eq=False)
class Samples:
    """One split of a data set.

    Attributes:
        values: uint8 (N, C, H, W) for images, usually mapped from a file; float32 (N, 2) for points.
        labels: int64 (N,), an index into `class_names`; all 0 when there are no classes.
        class_names: names in label order, only those that a class filter left.
    """

    values: Tensor
    labels: Tensor
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The samples at `indices`, int64 (n,).

        Returns:
            float32 (n, C, H, W) with 0 at -1 and 255 at 1, or the points (n, 2) as they are; int64 labels (n,).
        """
        # Copies whole samples, twenty times faster than `values[indices]` on images of bytes.
        values, labels = self.values.index_select(0, indices), self.labels[indices]
        if values.dtype == torch.uint8:
            values = values.float().div_(127.5).sub_(1.0)
        return values, labels


def load(dataset: Dataset, shape: tuple[int, ...], split: str = "train", progress: Progress = ignore) -> Samples:
    """One split at the size and channels of `shape`.

    The first use decodes and resizes everything, which takes seconds to a minute and may download; `progress` is told.
    Two processes may ask at once: one works, the other waits and then maps the same file. With a class filter the
    chosen images are copied into memory and their labels renumbered from 0. The decoded files of all sets share a bound
    in bytes (`room.make_room`), so what was not used for long may be decoded anew.

    Args:
        shape: (C, H, W) with one or three channels for images, (2,) for points.

    Raises:
        ValueError: the split or shape is impossible, a class is unknown, the data cannot be had or finds no room.
    """
    shape = tuple(shape)
    if split not in SPLITS:
        raise ValueError(f"The split is {split!r}; it must be one of {', '.join(SPLITS)}.")
    if not isinstance(dataset, ImageSet):
        if shape != dataset.native:
            raise ValueError(f"{dataset.kind} has samples of shape {dataset.native}; {shape} was asked for.")
        points, labels, names = dataset.read(split, progress)
        return Samples(torch.from_numpy(points), torch.from_numpy(labels), names)
    if len(shape) != 3 or shape[0] not in (1, 3) or not all(1 <= side <= 1024 for side in shape[1:]):
        raise ValueError(f"{dataset.kind} cannot be had at shape {shape}; needed are 1 or 3 channels, height, width.")
    path = prepared_path(dataset, shape, split)
    return _filter(dataset, _map(path, shape) or _prepare(dataset, shape, split, path, progress))


def prepared_path(dataset: ImageSet, shape: tuple[int, ...], split: str) -> Path:
    """The file of the decoded images; its labels and class names lie beside it."""
    size = "x".join(map(str, shape))
    return cache_folder() / f"{dataset.kind}.{dataset.content()}.{size}.{split}.npy"


def _map(path: Path, shape: tuple[int, ...]) -> Samples | None:
    """The samples in a prepared file, or None when it is missing, cut off or not what its name says."""
    labels_path, names_path = beside(path)
    try:
        # Copy on write: torch wants memory that it could write to, the file itself stays as it is.
        values = np.load(path, mmap_mode="c", allow_pickle=False)
        labels = np.load(labels_path, allow_pickle=False)
        names = read_json(names_path)
    except (OSError, ValueError, EOFError):
        return None
    whole = values.dtype == np.uint8 and labels.dtype == np.int64 and isinstance(names, list)
    if not whole or values.shape != (len(labels), *shape) or len(labels) == 0:
        return None
    touch(path)
    return Samples(torch.from_numpy(values), torch.from_numpy(labels), tuple(names))


def _prepare(dataset: ImageSet, shape: tuple[int, ...], split: str, path: Path, progress: Progress) -> Samples:
    """Decodes, resizes and writes what is missing, under a lock that other processes respect."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = _acquire(path.with_suffix(".lock"), f"prepares {dataset.title}", 0.0, progress)
    except OSError as error:
        raise ValueError(_unwritable(path, error)) from None
    with held:
        ready = _map(path, shape)  # somebody else may have finished while we waited
        if ready is not None:
            return ready
        images, labels, names = dataset.read(split, lambda sentence, share: progress(sentence, 0.8 * share))
        try:
            # One writer at a time in the whole cache: two could both take the last room.
            with _acquire(path.with_name("cache.lock"), "writes prepared images", 0.8, progress):
                make_room(path, len(images) * (math.prod(shape) + BYTES_BESIDE))
                _write(path, images, shape, labels, names, dataset, progress)
        except OSError as error:
            raise ValueError(_unwritable(path, error)) from None
    written = _map(path, shape)
    if written is None:
        raise ValueError(f"The prepared images of {dataset.kind} cannot be read back from '{path}'; is the disk sound?")
    return written


def _acquire(path: Path, task: str, share: float, progress: Progress) -> AcquireReturnProxy:
    """A held lock that is released at the end of its `with` block."""
    lock = FileLock(path)
    while True:
        try:
            return lock.acquire(timeout=1)
        except Timeout:
            progress(f"Waiting for another process that {task}", share)


def _write(
    path: Path,
    images: np.ndarray,
    shape: tuple[int, ...],
    labels: np.ndarray,
    names: tuple[str, ...],
    dataset: ImageSet,
    progress: Progress,
) -> None:
    """Labels and names first: the images' name appears last and stands for the whole."""
    labels_path, names_path = beside(path)
    with atomic_file(labels_path) as file:
        np.save(file, np.asarray(labels, np.int64), allow_pickle=False)
    write_atomically(names_path, json.dumps(list(names)))
    with atomic_file(path) as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(images), *shape)}
        np.lib.format.write_array_header_1_0(file, header)
        done = 0
        for chunk in fit(images, shape):
            file.write(chunk.tobytes())
            done += len(chunk)
            sentence = f"Resizing {dataset.title}: {done:,} of {len(images):,} images"
            progress(sentence, 0.8 + 0.2 * done / len(images))


def _filter(dataset: ImageSet, samples: Samples) -> Samples:
    if not dataset.classes:
        return samples
    names = dataset.chosen(samples.class_names)
    renumbered = torch.full((len(samples.class_names),), -1)  # old label -> new label, -1 for a class left out
    for new, name in enumerate(names):
        renumbered[samples.class_names.index(name)] = new
    labels = renumbered[samples.labels]
    kept = (labels >= 0).nonzero().squeeze(1)
    if len(kept) == 0:
        raise ValueError(f"No image of {dataset.kind} belongs to the classes {', '.join(names)}.")
    return Samples(samples.values[kept], labels[kept], names)


def _unwritable(path: Path, error: OSError) -> str:
    return f"The prepared images could not be written to '{path.parent}': {error.strerror or error}."
