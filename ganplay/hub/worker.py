"""The process that talks to the Hub for one download; killed when it takes too long, which a thread cannot be.

It reads a request as JSON from standard input and leaves `result.json` in the request's folder. A token arrives
through the pipe alone: no command line or environment of this process holds it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganplay.environment import size_text
from ganplay.files import write_atomically
from ganplay.hub import cache
from ganplay.hub.errors import UnreachableError, sentence
from ganplay.hub.reference import Reference
from ganplay.hub.request import RESULT, Request
from ganplay.layout import CONFIG, CONFIG_BYTES, FILES, NEEDED

_ANSWER = 10.0  # seconds for the first question
_PIECE = 2**18  # bytes between two looks at the disk, so that progress can be seen


def main() -> None:
    """Does what standard input asks for, and writes how it went."""
    request = Request(**json.load(sys.stdin))
    watchdog = threading.Timer(request.seconds, os._exit, (1,))
    watchdog.daemon = True
    watchdog.start()
    write_atomically(Path(request.folder) / RESULT, json.dumps(answer(request)))


def answer(request: Request) -> dict[str, Any]:
    """How a download went: {"commit", "restricted"}, or {"error", "unreachable"} with a sentence."""
    reference = Reference(request.repository, request.revision)
    try:
        return _download(request, reference, Path(request.folder))
    except Exception as error:  # anything a network, a disk or the Hub's client may come up with
        told = sentence(error, reference, public=request.public)
        return {"error": str(told), "unreachable": isinstance(told, UnreachableError)}


def _download(request: Request, reference: Reference, folder: Path) -> dict[str, Any]:
    """Asks for sizes, makes room, fetches what is missing and checks each file against what was announced."""
    from huggingface_hub import HfApi, constants, hf_hub_download

    constants.DOWNLOAD_CHUNK_SIZE = _PIECE  # of this process alone; the client has no other switch
    token = request.token or False
    info = HfApi(token=token).model_info(
        reference.repository, revision=reference.revision, timeout=_ANSWER, expand=["sha", "private", "gated"]
    )
    listed = HfApi(token=token).get_paths_info(reference.repository, list(FILES), revision=info.sha)
    files = [file for file in listed if getattr(file, "size", None) is not None and file.path in FILES]
    _check(files, reference, request.most_bytes)
    cache.make_room(folder, reference, sum(file.size for file in files))
    for file in files:
        place, old = folder / cache.FILES / file.path, Path(request.present, file.path)
        if request.present and _is_intact(old, file):
            shutil.copyfile(old, place)
            continue
        hf_hub_download(reference.repository, file.path, revision=info.sha, token=token, local_dir=folder / cache.FILES)
        if not _is_intact(place, file):
            raise ValueError(f"{file.path} of {reference.repository} arrived damaged: its checksum differs; try again.")
    shutil.rmtree(folder / cache.FILES / ".cache", ignore_errors=True)  # the client's own notes
    return {"commit": info.sha, "restricted": bool(token and (info.private or info.gated))}


def _check(files: Sequence[Any], reference: Reference, most_bytes: int) -> None:
    """Refuses what is no model of ours or too large, by names and sizes alone."""
    sizes = {file.path: file.size for file in files}
    missing = [name for name in NEEDED if name not in sizes]
    if missing:
        raise ValueError(
            f"{reference.repository} has no {' and no '.join(missing)}, so it is no model of ganplay, which "
            f"would have {' and '.join(NEEDED)}."
        )
    if sizes[CONFIG] > CONFIG_BYTES:
        raise ValueError(
            f"The {CONFIG} of {reference.repository} has {size_text(sizes[CONFIG])}; at most {size_text(CONFIG_BYTES)} "
            "are read."
        )
    total = sum(sizes.values())
    if total > most_bytes:
        raise ValueError(
            f"{reference.repository} has {size_text(total)}; at most {size_text(most_bytes)} are downloaded "
            "(GANPLAY_DOWNLOAD_MB)."
        )


def _is_intact(path: Path, file: Any) -> bool:
    """True when the file at `path` is the one that was announced: by SHA-256 for large files, else by git's name."""
    try:
        content = path.read_bytes() if path.stat().st_size == file.size else None
    except OSError:
        return False
    if content is None:
        return False
    if file.lfs is not None:
        return hashlib.sha256(content).hexdigest() == file.lfs.sha256
    named = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
    return named.hexdigest() == file.blob_id


if __name__ == "__main__":
    main()
