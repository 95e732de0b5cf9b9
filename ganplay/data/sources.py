"""The files inside a zip or a folder that somebody gives us, checked before any of them is opened.

Nothing is ever extracted: a member of a zip is decompressed in memory, never beyond the size that its header states.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from ganplay.environment import limit

UPLOAD_MEGABYTES = 200  # of the zip, as much as the pages accept; the environment's GANPLAY_UPLOAD_MB takes its place
UNPACKED_BYTES = 2_000_000_000  # of all members of a zip together
MEMBERS = 50_000
FILE_BYTES = 128_000_000  # of one picture file; a larger one is skipped
DIRECTORY_BYTES = 32_000_000  # of a zip's table of contents, which is read whole
IGNORED = {"__macosx", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Member:
    """One file of a source.

    Attributes:
        path: its place within the source.
        size: bytes, as stated; `read` never returns more.
        read: its content; raises some exception when it is damaged.
    """

    path: PurePosixPath
    size: int
    read: Callable[[], bytes]


@contextmanager
def open_members(source: Path) -> Iterator[list[Member]]:
    """The files in a zip or a folder, sorted by path, without hidden ones and what operating systems leave behind.

    Raises:
        ValueError: it is missing, neither zip nor folder, too large, encrypted, or has links or paths that lead out.
    """
    if not source.exists():
        raise ValueError(f"There is no file or folder '{source}'.")
    if source.is_dir():
        yield sorted(_folder_members(source), key=lambda member: member.path)
        return
    _check_size(source)
    try:
        file = source.open("rb")
    except OSError as error:
        raise ValueError(f"'{source.name}' cannot be opened: {error.strerror or error}.") from None
    with file:
        _check_directory(source, file)
        try:
            archive = zipfile.ZipFile(file)
        except Exception as error:  # damaged tables of contents raise anything from BadZipFile to struct.error
            raise ValueError(f"'{source.name}' cannot be read as a zip: {str(error).rstrip('.')}.") from None
        yield sorted(_zip_members(source, archive), key=lambda member: member.path)


def upload_megabytes() -> float:
    """The largest zip allowed, in MB.

    Raises:
        ValueError: GANPLAY_UPLOAD_MB is not a positive number.
    """
    return limit("GANPLAY_UPLOAD_MB", UPLOAD_MEGABYTES, "megabytes")


def _check_size(source: Path) -> None:
    if not source.is_file():
        raise ValueError(f"'{source.name}' is neither a zip nor a folder.")
    megabytes, most = source.stat().st_size / 1e6, upload_megabytes()
    if megabytes > most:
        raise ValueError(f"'{source.name}' has {megabytes:,.1f} MB; a zip may have up to {most:,g} MB.")


def _check_directory(source: Path, file: BinaryIO) -> None:
    """Bounds the table of contents before `zipfile` turns each entry into an object, whatever its counts claim."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65_557))  # the end record with the longest comment
    tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) < place + 22:
        raise ValueError(f"'{source.name}' is not a zip, or it was cut off.")
    length, offset = (int.from_bytes(tail[place + at : place + at + 4], "little") for at in (12, 16))
    if offset == 0xFFFFFFFF or tail[max(0, place - 20) : place].startswith(b"PK\x06\x07"):
        raise ValueError(f"'{source.name}' is in the Zip64 format of huge archives; pack fewer files into a plain zip.")
    too_many = ValueError(f"'{source.name}' has more than {MEMBERS:,} entries; pack fewer files into it.")
    if length > DIRECTORY_BYTES:
        raise too_many
    end = size - len(tail) + place
    file.seek(max(0, end - length))
    if file.read(length).count(b"PK\x01\x02") > MEMBERS:
        raise too_many
    file.seek(0)


def _zip_members(source: Path, archive: zipfile.ZipFile) -> list[Member]:
    members, unpacked = [], 0
    for entry in archive.infolist():
        path = _safe_path(source, entry.orig_filename)
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ValueError(f"'{source.name}' holds the symbolic link '{path}'; pack the pictures themselves.")
        if entry.flag_bits & 0x41:
            raise ValueError(f"'{source.name}' is encrypted; pack it without a password.")
        unpacked += entry.file_size
        if not entry.is_dir() and not _ignored(path):
            members.append(Member(path, entry.file_size, _zip_reader(archive, entry)))
    if unpacked > UNPACKED_BYTES:
        most = f"{UNPACKED_BYTES / 1e9:g} GB"
        raise ValueError(f"'{source.name}' unpacks to {unpacked / 1e9:,.1f} GB; up to {most} are allowed.")
    return members


def _zip_reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        # Other methods decompress whole blocks at once, whose size no header bounds.
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise zipfile.BadZipFile("its compression is not the usual one of zip files")
        with archive.open(entry) as file:
            content = file.read(entry.file_size)
            if len(content) < entry.file_size or file.read(1):
                raise zipfile.BadZipFile("it is not as long as its header says")
        return content

    return read


def _safe_path(source: Path, name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    drive = bool(path.parts) and path.parts[0][1:2] == ":"
    if path.is_absolute() or ".." in path.parts or drive or "\0" in name:
        raise ValueError(f"'{source.name}' holds the path {name[:80]!r}, which leads out of it; nothing was imported.")
    return path


def _folder_members(source: Path) -> list[Member]:
    members: list[Member] = []
    for folder, names, files in os.walk(source):
        names[:] = [name for name in names if not _ignored(PurePosixPath(name))]
        for name in [*names, *files]:
            place = Path(folder, name)
            path = PurePosixPath(place.relative_to(source).as_posix())
            if _ignored(path):
                continue
            if place.is_symlink():
                raise ValueError(f"'{source.name}' holds the symbolic link '{path}'; copy the pictures themselves.")
            if name in files and place.is_file():
                members.append(Member(path, place.stat().st_size, place.read_bytes))
        if len(members) > MEMBERS:
            raise ValueError(f"'{source.name}' has more than {MEMBERS:,} files; choose a smaller one.")
    return members


def _ignored(path: PurePosixPath) -> bool:
    return any(part.startswith(".") or part.lower() in IGNORED for part in path.parts)
