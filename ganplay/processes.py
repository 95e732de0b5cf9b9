"""What a child process is given, and what it asks about its parent."""

from __future__ import annotations

import os
import select
from pathlib import Path

from ganplay.paths import home


def child_environment(threads: int | None = 1) -> dict[str, str]:
    """The environment of a child that finds this package, even where it is not installed, and this home.

    Args:
        threads: that libraries may compute with; None leaves it to them.
    """
    package = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    limit = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    return {**os.environ, "GANPLAY_HOME": str(home()), "PYTHONPATH": path, **limit}


def standard_input_ended() -> bool:
    """True once nobody can write to the pipe of standard input any more. Never blocks.

    No thread that blocks in a read: on Windows, libraries that are loaded meanwhile wait for that read to return
    (numpy issue 24290), and so would the import of torch.
    """
    if os.name == "nt":
        import ctypes
        import msvcrt
        from ctypes import wintypes

        pipe = wintypes.HANDLE(msvcrt.get_osfhandle(0))
        return not ctypes.windll.kernel32.PeekNamedPipe(pipe, None, 0, None, None, None)
    readable, _, _ = select.select([0], [], [], 0)
    return bool(readable) and not os.read(0, 1024)
