"""Downloads a model from the Hub into a folder of ours, with a deadline that holds whatever the network does.

The Hub's client may block for minutes on a network that is half alive, and a thread cannot be stopped: so a process
of its own does it and is killed at the deadline. Progress is what it has written so far.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ganplay.environment import limit
from ganplay.files import read_json
from ganplay.hub import cache
from ganplay.hub.errors import UnreachableError, offline
from ganplay.hub.reference import MAIN, Reference
from ganplay.hub.request import RESULT, Request
from ganplay.processes import child_environment

Progress = Callable[[str, float], None]
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
OLDER = "The copy on this computer is what there is."  # how the last report ends when the Hub could not be asked
_LOOK = 0.1  # seconds between two looks at a download
_GRACE = 5.0  # seconds after the deadline in which nobody should have had to kill the process
_NOTES = 100_000  # bytes that the client keeps beside the files meanwhile
_TRUE = ("1", "ON", "YES", "TRUE")  # as the Hub's client reads its variables


def download(repository: str, revision: str = MAIN, progress: Progress | None = None, use_token: bool = True) -> Path:
    """The model folder of a repository at a revision, brought up to date if the Hub can be reached, else as it was.

    Args:
        repository: owner/name.
        progress: called with a sentence and the finished share, 0 to 1; see `OLDER`.
        use_token: send the token of the environment (HF_TOKEN), and accept what was downloaded with one. False for
            whatever somebody else asked for: they must not read what only the token's owner may.

    Raises:
        ValueError: one sentence for anything that can go wrong; GANPLAY_DOWNLOAD_SECONDS (60) is the deadline,
            GANPLAY_DOWNLOAD_MB (200) the largest size, GANPLAY_HUB_GB (2) what all downloads together may take.
    """
    reference, show = Reference(repository, revision), progress or (lambda *_: None)
    token = environment_token() if use_token else ""
    present = cache.find(reference, restricted=use_token)
    if is_offline():
        if present is None:
            raise offline(reference)
        show(f"HF_HUB_OFFLINE is set. {OLDER}", 1.0)
        return present
    seconds = limit("GANPLAY_DOWNLOAD_SECONDS", 60, "seconds")
    try:
        with cache.loading(seconds + 2 * _GRACE) as folder:
            megabytes = limit("GANPLAY_DOWNLOAD_MB", 200, "megabytes")
            request = Request(
                repository, revision, str(folder), str(present or ""), int(megabytes * 1e6), seconds + _GRACE, token,
                public=not use_token,
            )  # fmt: skip
            result = _run(request, reference, seconds, show)
            if "error" in result:
                raise (UnreachableError if result["unreachable"] else ValueError)(result["error"])
            about = cache.About(repository, revision, str(result["commit"]), bool(result["restricted"]))
            return cache.put(folder, about)
    except UnreachableError as error:
        if present is None or cache.find(reference, restricted=use_token) is None:
            raise
        show(f"{error} {OLDER}", 1.0)
        return present
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(f"{repository} could not be stored in '{cache.hub_folder()}': {reason}.") from None


def environment_token() -> str:
    """The token of the environment, empty where there is none. Nobody prints or stores it."""
    return next((os.environ[name].strip() for name in TOKENS if os.environ.get(name, "").strip()), "")


def is_offline() -> bool:
    """True when the environment forbids the Hub's client to use the network."""
    return any(os.environ.get(name, "").upper() in _TRUE for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"))


def _run(request: Request, reference: Reference, seconds: float, progress: Progress) -> dict[str, Any]:
    """What the process answers; it is dead afterwards, however this ends."""
    folder, end = Path(request.folder), time.monotonic() + seconds
    process = subprocess.Popen(
        [sys.executable, "-m", "ganplay.hub.worker"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=_environment(folder), start_new_session=os.name != "nt",
    )  # fmt: skip
    try:
        with suppress(BrokenPipeError):  # it died at once, which its result will not say
            process.stdin.write(json.dumps(asdict(request)).encode())
            process.stdin.close()
        progress(f"Asking the Hub about {reference.repository}", 0.0)
        while process.poll() is None:
            if time.monotonic() > end:
                raise UnreachableError(_too_slow(reference, seconds, _tell(folder, reference, progress)))
            time.sleep(_LOOK)
            if _tell(folder, reference, progress) > cache.planned(folder) + _NOTES:
                raise ValueError(f"{reference.repository} is larger than it was announced to be; it was not kept.")
    finally:
        process.kill()
        process.wait()
    try:
        return read_json(folder / RESULT)
    except ValueError:
        raise ValueError(f"The download of {reference.repository} ended unexpectedly; try again.") from None


def _tell(folder: Path, reference: Reference, progress: Progress) -> int:
    """Reports the bytes on disk, and returns them."""
    total = cache.planned(folder)
    done = cache.size(folder / cache.FILES)
    if total:
        told = f"Downloading {reference.repository}: {min(done, total) / 1e6:.1f} of {total / 1e6:.1f} MB"
        progress(told, min(1.0, done / total))
    return done


def _too_slow(reference: Reference, seconds: float, done: int) -> str:
    heard = f"only {done / 1e6:.1f} MB had arrived" if done else "the Hub had not answered"
    return (
        f"The download of {reference.repository} was stopped: after {seconds:g} seconds {heard}; try again, or raise "
        "GANPLAY_DOWNLOAD_SECONDS."
    )


def _environment(folder: Path) -> dict[str, str]:
    """Ours without tokens; the client keeps to the folder of the download, to HTTP and to itself."""
    kept = {name: value for name, value in child_environment().items() if name not in (*TOKENS, "HF_OIDC_RESOURCE")}
    return kept | {
        "HF_HOME": str(folder / "client"), "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_XET": "1",
    }  # fmt: skip
