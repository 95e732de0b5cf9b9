"""The pictures of a zip or a folder as one array, within bounds on their number, pixels and time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from time import monotonic

import numpy as np
from PIL import Image

from ganplay.data.decoding import open_picture, pixels
from ganplay.data.images import Progress
from ganplay.data.sources import FILE_BYTES, Member, open_members

FEWEST = 16
MOST = 20_000
TOTAL_PIXELS = 5_000_000_000  # decoded in all, as a zip of a few MB can hold thousands of huge plain pictures
SECONDS = 300.0
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True, eq=False)
class Found:
    """What a source holds.

    Attributes:
        images: uint8 (N, 3, S, S), S the largest short side up to 64.
        labels: N numbers, all 0 when there are no classes.
        class_names: in label order.
        skipped: each file left out, with the reason why, sorted.
    """

    images: np.ndarray
    labels: list[int]
    class_names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


def read_pictures(source: Path, progress: Progress) -> Found:
    """Decodes every picture of a zip or a folder; nothing is written.

    Raises:
        ValueError: the source is refused, holds too few or too many pictures or pixels, or takes too long.
    """
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
    return Found(_stack(images), list(labels.values()), class_names, tuple(sorted(skipped)))


def _decode_all(
    source: Path, members: list[Member], progress: Progress
) -> tuple[dict[PurePosixPath, np.ndarray], list[tuple[str, str]]]:
    decoded: dict[PurePosixPath, np.ndarray] = {}
    skipped: list[tuple[str, str]] = []
    started, total = monotonic(), 0
    for index, member in enumerate(members):
        if index % 20 == 0:
            progress(f"Reading {source.name}: {index:,} of {len(members):,} files", index / len(members))
        if monotonic() - started > SECONDS:
            done = f"{index:,} of {len(members):,} files were read in {SECONDS / 60:g} minutes"
            raise ValueError(f"'{source.name}' takes too long ({done}); import fewer or smaller pictures.")
        try:
            if member.path in decoded:
                raise ValueError("a second file of this name")
            picture = open_picture(_read(member))
            total += picture.width * picture.height
            if total <= TOTAL_PIXELS:
                decoded[member.path] = pixels(picture)
        except ValueError as error:
            skipped.append((str(member.path), str(error)))
        if total > TOTAL_PIXELS:
            most = f"{TOTAL_PIXELS / 1e9:g} gigapixels, which is the most allowed"
            raise ValueError(f"'{source.name}' holds more than {most}; import fewer or smaller pictures.")
        if len(decoded) > MOST:
            raise ValueError(f"'{source.name}' holds more than {MOST:,} pictures, which is the most allowed.")
    progress(f"Read {len(decoded):,} pictures", 1.0)
    return decoded, skipped


def _read(member: Member) -> bytes:
    if member.size > FILE_BYTES:
        raise ValueError(f"{member.size / 1e6:,.0f} MB; a file may have up to {FILE_BYTES / 1e6:.0f}")
    try:
        return member.read()
    except Exception as error:  # damaged archives raise anything from zlib.error to EOFError
        raise ValueError(f"cannot be read ({str(error).rstrip('.')[:100] or type(error).__name__})") from None


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
