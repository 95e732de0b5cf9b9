"""Where the app serves others: what a Space, or the container of the Dockerfile, sets before anything reads it.

A Space says what it is in SPACE_ID and SPACE_HOST; the Dockerfile says GANPLAY_HOSTED for any other host. Whatever is
set already stays, so that each limit can be changed in a Space's settings.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

from ganplay.files import write_atomically
from ganplay.paths import home

PORT = 7860  # what a Space expects by default
LIMITS = {  # of a class of thirty on 2 cores and 16 GB; the other limits fit there as they are
    "GANPLAY_QUEUE": "60",
    "GANPLAY_RUN_MINUTES": "15",
    "GANPLAY_DISK_GB": "10",
    "GANPLAY_UPLOAD_MB": "50",
}
VOLUME = Path("/data")  # where a Space mounts what outlives a restart, and the Dockerfile makes room


def hosted() -> bool:
    """True in a Space and in the Dockerfile's container."""
    return bool(os.environ.get("SPACE_ID") or os.environ.get("GANPLAY_HOSTED"))


def prepare(volume: Path = VOLUME) -> None:
    """Sets the limits of a hosted server and the folder of its state; nothing on anybody's own computer.

    Raises:
        ValueError: no folder for the state can be used.
    """
    if not hosted():
        return
    for variable, value in LIMITS.items():
        os.environ.setdefault(variable, value)
    folders = [home()]
    if not os.environ.get("GANPLAY_HOME") and volume.is_dir():
        folders.insert(0, volume / "ganplay")
    os.environ["GANPLAY_HOME"] = str(first_usable(folders))


def first_usable(folders: Iterable[Path]) -> Path:
    """The first folder that keeps files the way runs need: made here, replaced as a whole, and locked.

    A mounted bucket may look like a folder and do none of these.

    Raises:
        ValueError: there is none; names each with the reason.
    """
    reasons = []
    for folder in folders:
        try:
            write_atomically(folder / ".writable", "")
            with FileLock(folder / ".writable.lock", timeout=2):
                return folder
        except (OSError, NotImplementedError) as error:  # Timeout, where another server is checking, is an OSError
            reasons.append(f"'{folder}' ({getattr(error, 'strerror', None) or type(error).__name__})")
    raise ValueError(f"Nothing can be kept in {' nor in '.join(reasons)}; set GANPLAY_HOME to a writable folder.")


def server_settings() -> dict[str, Any]:
    """Streamlit's settings for a page inside another site's frame; none on anybody's own computer.

    Browsers keep the cookie of its XSRF protection from such a frame, and every upload would be refused; without
    accounts there is nothing that a forged request could misuse. Connections from other sites stay refused: the
    Space's own address is the only one added.
    """
    if not hosted():
        return {}
    host = os.environ.get("SPACE_HOST")
    origins = {"server.corsAllowedOrigins": [f"https://{host}"]} if host else {}
    return {"server.enableXsrfProtection": False} | origins


def default_port() -> str:
    """PORT where it is set, else what is usual there."""
    return os.environ.get("PORT") or str(PORT if hosted() else 8501)
