"""How much the runs of one home may use, from the environment."""

from __future__ import annotations

import math
import os

GIGABYTE = 10**9


def quota_bytes() -> int:
    """Bytes the runs may use: GANPLAY_DISK_GB gigabytes (10^9 bytes), 5 by default.

    Raises:
        ValueError: the variable is not a positive number.
    """
    text = os.environ.get("GANPLAY_DISK_GB", "5")
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = math.nan
    if not 0 < gigabytes < math.inf:
        raise ValueError(f"GANPLAY_DISK_GB is {text!r}; it must be a number of gigabytes above 0.")
    return int(gigabytes * GIGABYTE)


def concurrent_runs() -> int:
    """How many runs may train at once: GANPLAY_CONCURRENT_RUNS, by default the number of processor cores.

    Raises:
        ValueError: the variable is not a whole number above 0.
    """
    text = os.environ.get("GANPLAY_CONCURRENT_RUNS", str(cores()))
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"GANPLAY_CONCURRENT_RUNS is {text!r}; it must be a whole number above 0.")
    return int(text)


def cores() -> int:
    """Processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
