"""What a child process asks about its parent."""

from __future__ import annotations

import os
import select


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
