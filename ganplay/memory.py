"""The memory of a process that trains: kept between steps, and taken in large pages.

A step takes and frees hundreds of megabytes in large pieces. A C library gives such pieces back to the system at once,
which clears every page of 4 kB before it hands it out again: 18 to 24 % of the time of large networks on a virtual
machine of two cores (`python -m ganplay bench gains`). What is kept is about what the largest step needed.
"""

from __future__ import annotations

import os
import sys

LARGE_PAGES = "THP_MEM_ALLOC_ENABLE"  # what PyTorch reads, once, when it makes its first tensor
_MOST = 2**31 - 1  # bytes, the largest number that mallopt takes
_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h


def keep() -> None:
    """Sets this process up; to be called before its first tensor.

    Does nothing but on Linux with glibc. Settings made from outside stay: `THP_MEM_ALLOC_ENABLE`, and the C library's
    `MALLOC_TRIM_THRESHOLD_` and `MALLOC_MMAP_THRESHOLD_`.
    """
    os.environ.setdefault(LARGE_PAGES, "1")
    if sys.platform != "linux":
        return
    import ctypes  # the command line's --help is quick without it

    change = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    for variable, setting in (("MALLOC_TRIM_THRESHOLD_", _TRIM), ("MALLOC_MMAP_THRESHOLD_", _MMAP)):
        if change and variable not in os.environ:
            change(setting, _MOST)
