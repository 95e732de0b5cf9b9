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
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from ganplay.data import datasets
from ganplay.data.decoding import SIDE, decode
from ganplay.data.images import Arrays, ImageSet, Progress
from ganplay.data.resident import ignore
from ganplay.data.sources import FILE_BYTES, Member, open_members
from ganplay.files import atomic_file, read_json, write_atomically
from ganplay.options import option
from ganplay.paths import cache_folder, pictures_folder

FEWEST = 16
MOST = 20_000
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


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
        ValueError: the name is taken or not allowed, the source is refused, or it holds too few or too many pictures.
    """
    source = Path(source)
    _check_name(name)
    if _folder(name).exists():
        raise ValueError(f"There already is a picture set '{name}'; choose another name or delete it first.")
    with open_members(source) as members:
        expected = sum(member.path.suffix.lower() in SUFFIXES for member in members)
        if expected > MOST:
            raise ValueError(f"'{source.name}' holds {expected:,} pictures; up to {MOST:,} are allowed.")
        decoded, skipped = _decode_all(source, members, progress)
    labels, class_names = _classes(list(decoded))
    skipped += [(str(path), "outside the class folders") for path in decoded if path not in labels]
    images = [decoded[path] for path in labels]
    if len(images) < FEWEST:
        pictures = "1 picture" if len(images) == 1 else f"{len(images)} pictures"
        first = f" (skipped: {skipped[0][0]}, {skipped[0][1]})" if skipped else ""
        raise ValueError(f"'{source.name}' holds {pictures}; at least {FEWEST} are needed{first}.")
    _store(name, _stack(images), list(labels.values()), class_names)
    return ImportReport(name, len(images), class_names, tuple(sorted(skipped)))


def _decode_all(
    source: Path, members: list[Member], progress: Progress
) -> tuple[dict[PurePosixPath, np.ndarray], list[tuple[str, str]]]:
    decoded: dict[PurePosixPath, np.ndarray] = {}
    skipped: list[tuple[str, str]] = []
    for index, member in enumerate(members):
        if index % 20 == 0:
            progress(f"Reading {source.name}: {index:,} of {len(members):,} files", index / len(members))
        reason = _too_long(member) or ("a second file of this name" if member.path in decoded else "")
        if not reason:
            try:
                content = member.read()
            except Exception as error:  # damaged archives raise anything from zlib.error to EOFError
                reason = f"cannot be read ({str(error).rstrip('.')[:100] or type(error).__name__})"
        if not reason:
            try:
                decoded[member.path] = decode(content)
            except ValueError as error:
                reason = str(error)
        if reason:
            skipped.append((str(member.path), reason))
        if len(decoded) > MOST:
            raise ValueError(f"'{source.name}' holds more than {MOST:,} pictures, which is the most allowed.")
    progress(f"Read {len(decoded):,} pictures", 1.0)
    return decoded, skipped


def _too_long(member: Member) -> str:
    if member.size <= FILE_BYTES:
        return ""
    return f"{member.size / 1e6:,.0f} MB; a file may have up to {FILE_BYTES / 1e6:.0f}"


def _classes(paths: list[PurePosixPath]) -> tuple[dict[PurePosixPath, int], tuple[str, ...]]:
    """The label of each path that has one, and the class names; all labels are 0 when there are no classes."""
    depth = 0
    while paths and all(len(path.parts) > depth + 1 for path in paths):
        if len({path.parts[depth] for path in paths}) > 1:
            break
        depth += 1
    inside = {path: _class_name(path.parts[depth]) for path in paths if len(path.parts) > depth + 1}
    names = tuple(sorted(Counter(inside.values())))
    if len(names) < 2:
        return dict.fromkeys(paths, 0), ()
    return {path: names.index(name) for path, name in inside.items()}, names


def _class_name(folder: str) -> str:
    """A folder's name as a class: printable, and without the comma that separates names in a setting."""
    clean = "".join(letter if letter.isprintable() and letter != "," else " " for letter in folder)
    return " ".join(clean.split())[:60] or "unnamed"


def _stack(images: list[np.ndarray]) -> np.ndarray:
    """Squares of different sides as one array uint8 (N, 3, S, S), S the largest of them."""
    side = max(len(image) for image in images)
    stacked = np.empty((len(images), 3, side, side), np.uint8)
    for index, image in enumerate(images):
        if len(image) < side:
            image = np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))
        stacked[index] = image.transpose(2, 0, 1)
    return stacked


def _store(name: str, images: np.ndarray, labels: list[int], class_names: tuple[str, ...]) -> None:
    """The folder appears under its name complete, or not at all."""
    digest = hashlib.sha256(images.tobytes() + json.dumps([labels, class_names]).encode()).hexdigest()
    about = {"class_names": list(class_names), "labels": labels, "sha256": digest}
    building = pictures_folder() / f".new-{name}-{secrets.token_hex(4)}"
    try:
        with atomic_file(building / "pictures.npy") as file:
            np.save(file, images, allow_pickle=False)
        write_atomically(building / "pictures.json", json.dumps(about))
        building.rename(_folder(name))
    except OSError as error:
        if _folder(name).exists():
            raise ValueError(f"There already is a picture set '{name}'; choose another name.") from None
        reason = error.strerror or error
        raise ValueError(f"The pictures could not be written to '{pictures_folder()}': {reason}.") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)


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
