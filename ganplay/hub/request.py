"""What a download's process is asked for, and the file in which it answers."""

from __future__ import annotations

from dataclasses import dataclass

RESULT = "result.json"  # {"commit", "restricted"} or {"error", "unreachable"}


@dataclass(frozen=True)
class Request:
    """One download.

    Attributes:
        folder: of the download, as `cache.loading` made it.
        present: a folder with an older download, whose equal files are copied instead; or empty.
        most_bytes: of all files together.
        seconds: after which this process ends itself, should nobody have done it before.
        token: to send; empty for none.
        public: True when no token may be sent, whatever there is.
    """

    repository: str
    revision: str
    folder: str
    present: str
    most_bytes: int
    seconds: float
    token: str
    public: bool
