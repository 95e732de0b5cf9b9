"""Data sets as views need them: what is on this computer, and never a download."""

from __future__ import annotations

from ganplay.contracts import Dataset
from ganplay.data.hub import HubSet
from ganplay.data.images import Progress
from ganplay.data.resident import Samples, ignore, load, prepared_path


def load_local(dataset: Dataset, shape: tuple[int, ...], split: str, progress: Progress = ignore) -> Samples:
    """One split at a shape, as `resident.load` gives it, from what is on this computer.

    Decoding it for the first time still takes seconds to a minute, see `prepared`.

    Raises:
        ValueError: it would have to be downloaded; or what `load` raises.
    """
    check_local(dataset, shape, split)
    return load(dataset, shape, split, progress)


def check_local(dataset: Dataset, shape: tuple[int, ...], split: str) -> None:
    """Raises a ValueError when `load_local` would have to download; the sentence says how a person does that."""
    if isinstance(dataset, HubSet) and not prepared(dataset, shape, split) and not dataset.available():
        size = "" if shape[1:] == dataset.native[1:] else f" --size {shape[-1]}"
        raise ValueError(
            f"The images of {dataset.title} are not on this computer; fetch them once with "
            f"`python -m ganplay data fetch {dataset.kind}{size}`."
        )


def prepared(dataset: Dataset, shape: tuple[int, ...], split: str) -> bool:
    """True when `load_local` gives the split at once: it is decoded at this shape, or small and bundled.

    Raises:
        ValueError: it is a picture set that is gone.
    """
    return dataset.bundled or prepared_path(dataset, shape, split).is_file()
