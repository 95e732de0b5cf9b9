"""How much the runs of one home may use, from the environment, and how much one run may keep."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ganplay.environment import limit

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

GIGABYTE = 10**9
MOST_PICTURES = 50_000  # of one run; each is a file of some kilobytes
MOST_POINTS = 1_000_000  # of one run's curves; each is a line of about a kilobyte
_CGROUP = Path("/sys/fs/cgroup")


def check_environment() -> None:
    """For the start of a program, so that a wrong setting is told there and not in the middle of something.

    Raises:
        ValueError: a variable is wrong; the sentence says which.
    """
    for variable in (
        "GANPLAY_DISK_GB", "GANPLAY_RUN_GB", "GANPLAY_CACHE_GB", "GANPLAY_PICTURES_GB", "GANPLAY_HUB_GB",
    ):  # fmt: skip
        limit(variable, 1, "gigabytes")
    limit("GANPLAY_DOWNLOAD_MB", 1, "megabytes")
    limit("GANPLAY_DOWNLOAD_SECONDS", 1, "seconds")
    limit("GANPLAY_MODEL_WORK", 1, "billions")
    concurrent_runs()
    queue_places()
    longest_turn()


def quota_bytes() -> int:
    """Bytes the runs may use: GANPLAY_DISK_GB gigabytes (10^9 bytes), 5 by default.

    Raises:
        ValueError: the variable is not a positive number.
    """
    return int(limit("GANPLAY_DISK_GB", 5, "gigabytes") * GIGABYTE)


def concurrent_runs() -> int:
    """How many runs may train at once: GANPLAY_CONCURRENT_RUNS, by default the number of processor cores.

    Raises:
        ValueError: the variable is not a whole number from 1 to 9,999.
    """
    return _whole("GANPLAY_CONCURRENT_RUNS", cores())


def queue_places() -> int:
    """How many runs may wait in the queue: GANPLAY_QUEUE, 20 by default.

    Raises:
        ValueError: the variable is not a whole number from 1 to 9,999.
    """
    return _whole("GANPLAY_QUEUE", 20)


class Turn(NamedTuple):
    """How much a run may train before it makes room for those that wait; infinite without a limit."""

    minutes: float = math.inf
    images: float = math.inf


def longest_turn() -> Turn:
    """The turn that GANPLAY_RUN_MINUTES and GANPLAY_RUN_IMAGES allow; no limit by default.

    Raises:
        ValueError: a variable is set and is not a positive number.
    """
    set_to = {
        unit: limit(variable, 1, unit)
        for unit, variable in (("minutes", "GANPLAY_RUN_MINUTES"), ("images", "GANPLAY_RUN_IMAGES"))
        if variable in os.environ
    }
    return Turn(**set_to)


def cores() -> int:
    """Processor cores this process may use; a container's share counts in whole cores, at least one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(min(allowed, _container_share())))


def check_amounts(recipe: Recipe) -> None:
    """Refuses a recipe that would fill a disk with small files: the size of a run is known only once it is there.

    Raises:
        ValueError: it would keep more pictures or points than a run may; names the setting and its least value.
    """
    limits = (("sample_every", MOST_PICTURES, "pictures"), ("log_every", MOST_POINTS, "points of the curves"))
    for name, most, what in limits:
        every = getattr(recipe, name)
        if recipe.stop_images > most * max(every, recipe.batch_size):  # at most one a round
            raise ValueError(
                f"{name} is {every:,}; with stop_images {recipe.stop_images:,} it must be at least "
                f"{-(-recipe.stop_images // most):,}, for a run keeps at most {most:,} {what}."
            )


def _whole(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not (text.isdecimal() and len(text) <= 4 and int(text) >= 1):
        raise ValueError(f"{name} is {text!r}; it must be a whole number from 1 to 9,999.")
    return int(text)


def _container_share() -> float:
    """Cores that the control group of a container grants, infinite without a limit; the system shows all the host's.

    Source: the Linux kernel's "Control Group v2" (cpu.max) and "CFS Bandwidth Control" (cpu.cfs_quota_us).
    """
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = ((_CGROUP / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except (OSError, ValueError):
            return math.inf
    try:
        share = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max"
        return math.inf
    return share if share > 0 else math.inf  # -1 is no limit, too
