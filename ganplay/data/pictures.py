"""One's own pictures: a zip or a folder is imported once under a name, and a recipe carries only that name.

So a recipe in a shared link can choose among imported sets, but never read a folder of the machine that runs it.
A set is the folder <pictures>/<name>/ with `pictures.npy`, uint8 (N, 3, S, S), and `pictures.json`.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock

from ganplay.data import datasets
from ganplay.data.decoding import SIDE
from ganplay.data.images import Arrays, ImageSet, Progress
from ganplay.data.importing import Found, read_pictures
from ganplay.data.resident import ignore
from ganplay.environment import limit, size_text
from ganplay.files import atomic_file, read_json, write_atomically
from ganplay.options import option
from ganplay.paths import cache_folder, pictures_folder

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@datasets.register("pictures")
@dataclass(frozen=True)
class Pictures(ImageSet):
    """An imported set. Every tenth picture is for testing; class names are known while the set exists."""

    name: str = option("", "Name under which the pictures were imported.")

    title = "Own pictures"
    native = (3, SIDE, SIDE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name:
            _check_name(self.name)
            try:
                names = tuple(self._about()["class_names"])
            except ValueError:  # a recipe outlives its pictures; reading them is what fails
                return
            chosen = tuple(name for name in names if name in self.classes) if self.classes else names
            object.__setattr__(self, "class_names", chosen)

    def content(self) -> str:
        return f"{self.name}.{self._about()['sha256'][:12]}"

    def check(self) -> None:
        self._about()

    def available(self) -> bool:
        return _folder(self.name).is_dir() if self.name else bool(picture_sets())

    def read(self, split: str, progress: Progress) -> Arrays:
        """Images uint8 (N, 3, S, S), labels int64 (N,), class names.

        Raises:
            ValueError: no such set, or its files are damaged.
        """
        about = self._about()
        try:
            images = np.load(_folder(self.name) / "pictures.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            images = np.empty(0)
        labels = np.asarray(about["labels"], np.int64)
        if images.dtype != np.uint8 or images.ndim != 4 or len(images) != len(labels):
            raise ValueError(_damaged(self.name))
        test = np.arange(len(labels)) % 10 == 9
        part = test if split == "test" else ~test
        return images[part], labels[part], tuple(about["class_names"])

    def _about(self) -> dict:
        """The JSON beside the pictures: class_names, labels, sha256.

        Raises:
            ValueError: no set is chosen, there is none of this name, or it is damaged.
        """
        if not self.name or not _folder(self.name).is_dir():
            known = ", ".join(found.name for found in picture_sets()) or "none yet"
            missing = f"There is no picture set '{self.name}'" if self.name else "No picture set is chosen"
            raise ValueError(f"{missing}; imported are: {known}.")
        about = read_json(_folder(self.name) / "pictures.json")
        if not isinstance(about, dict) or not {"class_names", "labels", "sha256"} <= set(about):
            raise ValueError(_damaged(self.name))
        return about


@dataclass(frozen=True)
class PictureSet:
    """One line of the list of imported sets."""

    name: str
    count: int
    class_names: tuple[str, ...]


@dataclass(frozen=True)
class ImportReport:
    """What an import kept, and each file it skipped with the reason why."""

    name: str
    count: int
    class_names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


def picture_sets() -> tuple[PictureSet, ...]:
    """The imported sets by name; a damaged one is left out."""
    found = []
    for about in sorted(pictures_folder().glob("*/pictures.json")):
        if NAME.fullmatch(about.parent.name):
            try:
                content = read_json(about)
                found.append(PictureSet(about.parent.name, len(content["labels"]), tuple(content["class_names"])))
            except (ValueError, KeyError, TypeError):
                continue
    return tuple(found)


def delete_pictures(name: str) -> None:
    """Removes a set and what was decoded from it.

    Raises:
        ValueError: there is no such set.
    """
    _check_name(name)
    if not _folder(name).is_dir():
        raise ValueError(f"There is no picture set '{name}'.")
    # Renamed first: a deletion that is cut short leaves no half set under the name.
    doomed = pictures_folder() / f".deleted-{name}-{secrets.token_hex(4)}"
    try:
        _folder(name).rename(doomed)
    except OSError as error:
        raise ValueError(f"The picture set '{name}' could not be deleted: {error.strerror or error}.") from None
    shutil.rmtree(doomed, ignore_errors=True)
    for prepared in cache_folder().glob(f"{Pictures.kind}.{name}.*"):
        try:
            prepared.unlink(missing_ok=True)
        except OSError:  # still mapped by a run on Windows; it is only a cache
            continue


def import_pictures(source: Path, name: str, progress: Progress = ignore) -> ImportReport:
    """Decodes the pictures of a zip or a folder and stores them as the set `name`.

    Subfolders become classes when there are at least two of them (below a folder that holds everything, if there is
    one); pictures beside them are then skipped. Nothing is written until all is decoded.

    Raises:
        ValueError: the name is taken or not allowed, the source is refused, it holds too few or too many pictures or
            takes too long, or all sets together would take more than GANPLAY_PICTURES_GB gigabytes, by default 1.
    """
    source = Path(source)
    _check_name(name)
    if _folder(name).exists():
        raise ValueError(f"There already is a picture set '{name}'; choose another name or delete it first.")
    _check_room(name, 1)
    found = read_pictures(source, progress)
    _store(name, found)
    return ImportReport(name, len(found.images), found.class_names, found.skipped)


def _store(name: str, found: Found) -> None:
    """The folder appears under its name complete, or not at all."""
    content = found.images.tobytes() + json.dumps([found.labels, found.class_names]).encode()
    digest = hashlib.sha256(content).hexdigest()
    about = {"class_names": list(found.class_names), "labels": found.labels, "sha256": digest}
    building = pictures_folder() / f".new-{name}-{secrets.token_hex(4)}"
    try:
        pictures_folder().mkdir(parents=True, exist_ok=True)
        with FileLock(pictures_folder() / "pictures.lock"):  # two imports at once do not both take the last room
            for cut_short in (*pictures_folder().glob(".new-*"), *pictures_folder().glob(".deleted-*")):
                shutil.rmtree(cut_short, ignore_errors=True)
            _check_room(name, found.images.nbytes)
            with atomic_file(building / "pictures.npy") as file:
                np.save(file, found.images, allow_pickle=False)
            write_atomically(building / "pictures.json", json.dumps(about))
            building.rename(_folder(name))
    except OSError as error:
        if _folder(name).exists():
            raise ValueError(f"There already is a picture set '{name}'; choose another name.") from None
        reason = error.strerror or error
        raise ValueError(f"The pictures could not be written to '{pictures_folder()}': {reason}.") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _check_room(name: str, needed: int) -> None:
    """Refuses a set that would take all sets beyond their bound.

    Args:
        needed: bytes of the set; 1 while it is not decoded yet.
    """
    allowed = int(limit("GANPLAY_PICTURES_GB", 1, "gigabytes") * 1e9)
    used = 0
    for file in pictures_folder().glob("[!.]*/*"):
        with suppress(FileNotFoundError):  # deleted at this moment
            used += file.stat().st_size
    if used + needed > allowed:
        raise ValueError(
            f"'{name}' does not fit: the imported pictures take {size_text(used)} and may take {size_text(allowed)}; "
            "delete a set first (ganplay data delete NAME) or raise GANPLAY_PICTURES_GB."
        )


def _damaged(name: str) -> str:
    return f"The picture set '{name}' is damaged; delete it and import it again."


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(
            f"The name of a picture set is {name!r}; it may have up to 40 lower-case letters, digits, '-' and '_', "
            "and begins with a letter or digit."
        )


def _folder(name: str) -> Path:
    return pictures_folder() / name
