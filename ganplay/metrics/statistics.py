"""Sets of samples with their features, mean and covariance; those of real data are computed once and kept on disk.

A kept file belongs to a data set with its class filter, a shape, a split, a feature set and a count. Its content is
checked when it is read: a damaged one is made again. The files lie in the cache of prepared images, may take a tenth of
GANPLAY_CACHE_GB beside them, and those least recently used give way.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from torch import Tensor

from ganplay.contracts import Dataset
from ganplay.data.images import ImageSet
from ganplay.data.resident import Samples, ignore, load
from ganplay.data.room import GRACE, touch
from ganplay.environment import limit
from ganplay.metrics.features import BATCH, describe, feature_set, loaded
from ganplay.metrics.frechet import Gaussian, gaussian
from ganplay.paths import cache_folder
from ganplay.randomness import generator_for
from ganplay.tensors import read_tensors, write_tensors

VERSION = 1  # raise it when the same name would stand for other numbers
HEADER = 1_000  # bytes of a file beside its tensors, about
SHARE = 0.1  # of GANPLAY_CACHE_GB, for all these files together
Progress = Callable[[str, float], None]


@dataclass(frozen=True, eq=False)
class SampleSet:
    """Some samples and what a feature set says of them.

    Attributes:
        samples: where they come from.
        indices: int64 (n,), which of `samples` they are.
        features: float32 (n, F).
        logits: float32 (n, K), or None where the features have none.
        gaussian: mean and covariance of the features.
    """

    samples: Samples
    indices: Tensor
    features: Tensor
    logits: Tensor | None
    gaussian: Gaussian

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def labels(self) -> Tensor:
        """int64 (n,), the classes that the samples were drawn from."""
        return self.samples.labels[self.indices]

    def batch(self, places: Tensor) -> Tensor:
        """The samples at these places of the set, float32 (len, *sample)."""
        return self.samples.batch(self.indices[places])[0]


def measure(
    samples: Samples,
    indices: Tensor,
    kind: str,
    progress: Callable[[float], None] | None = None,
    turn: AbstractContextManager | None = None,
) -> SampleSet:
    """Describes the samples at `indices` by the feature set `kind`; see `features.describe`."""
    batches = (samples.batch(part)[0] for part in indices.split(BATCH))
    found = describe(loaded(kind), batches, len(indices), progress, turn)
    return SampleSet(samples, indices, found.features, found.logits, gaussian(found.features))


def real_samples(
    dataset: Dataset,
    shape: tuple[int, ...],
    split: str,
    kind: str,
    count: int,
    progress: Progress = ignore,
    turn: AbstractContextManager | None = None,
) -> SampleSet:
    """A fixed random choice of real samples with their features, from the cache where it is there.

    Args:
        count: how many; all of the split when it has no more.

    Raises:
        ValueError: the data or the features cannot be had.
    """
    samples = load(dataset, shape, split, progress)
    count = min(count, len(samples))
    indices = torch.randperm(len(samples), generator=generator_for(0, "real samples"))[:count]
    path = cached_path(dataset, shape, split, kind, count)
    tensors = _read(path, len(indices))
    if tensors is None:
        sentence = f"Describing {count:,} real samples ({split})"
        loaded(kind, progress)
        made = measure(samples, indices, kind, lambda share: progress(sentence, share), turn)
        tensors = {"features": made.features, "mean": made.gaussian.mean, "covariance": made.gaussian.covariance}
        tensors |= {} if made.logits is None else {"logits": made.logits}
        _write(path, tensors)
    known = Gaussian(tensors["mean"], tensors["covariance"])
    return SampleSet(samples, indices, tensors["features"], tensors.get("logits"), known)


def cached_path(dataset: Dataset, shape: tuple[int, ...], split: str, kind: str, count: int) -> Path:
    """The file of a choice of real samples; it begins like the prepared images of the set and is deleted with them."""
    content = dataset.content() if isinstance(dataset, ImageSet) else "1"
    about = [
        VERSION,
        dataset.kind,
        dataset.values(),
        content,
        list(shape),
        split,
        kind,
        feature_set(kind).stamp(),
        count,
    ]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder() / f"{dataset.kind}.{content}.{kind}.{split}.{digest}.safetensors"


def _read(path: Path, count: int) -> dict[str, Tensor] | None:
    """The tensors of a kept file, or None when it is missing, cut off, changed or of another count."""
    try:
        tensors, _ = read_tensors(path)
    except (OSError, ValueError):
        return None
    if not {"features", "mean", "covariance"} <= set(tensors) or len(tensors["features"]) != count:
        return None
    touch(path)
    return tensors


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    """Keeps the tensors if there is room; what cannot be kept is only computed again another time."""
    needed = sum(value.nbytes for value in tensors.values()) + HEADER
    with suppress(OSError, Timeout):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name("cache.lock"), timeout=10):  # shared with the writers of prepared images
            if _make_room(path, needed):
                write_tensors(path, tensors, {})


def _make_room(path: Path, needed: int) -> bool:
    """Deletes kept files, least recently used first, until `needed` bytes more fit; False when they never will."""
    allowed = SHARE * limit("GANPLAY_CACHE_GB", 4, "gigabytes") * 1e9
    found = []
    for other in path.parent.glob("*.safetensors"):
        with suppress(FileNotFoundError):
            if other != path:
                found.append((other.stat().st_mtime, other.stat().st_size, other))
    used = sum(size for _, size, _ in found)
    for last_use, size, other in sorted(found):
        if used + needed <= allowed:
            break
        if needed <= allowed and abs(time.time() - last_use) >= GRACE:
            other.unlink(missing_ok=True)
            used -= size
    return used + needed <= allowed
