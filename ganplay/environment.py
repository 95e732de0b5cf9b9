"""What the machine and its environment variables say: numeric limits, the device, the processor's name."""

from __future__ import annotations

import math
import os
import platform
from pathlib import Path

MOST = 10**9  # of any limit, so that arithmetic with it stays finite


def limit(variable: str, default: float, unit: str) -> float:
    """The number in an environment variable, or `default` where it is not set.

    Args:
        unit: a plural for the message, such as "gigabytes" (10^9 bytes).

    Raises:
        ValueError: the variable is not a positive number of at most 10^9.
    """
    text = os.environ.get(variable, str(default))
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= MOST:
        raise ValueError(f"{variable} is {text!r}; it must be a number of {unit} above 0, at most {MOST:,}.")
    return number


def chosen_device() -> str:
    """Where runs compute: GANPLAY_DEVICE, "cpu" by default, or "cuda" for a graphics card.

    Raises:
        ValueError: the variable is something else.
    """
    device = os.environ.get("GANPLAY_DEVICE", "cpu")
    if device not in ("cpu", "cuda"):
        raise ValueError(f"GANPLAY_DEVICE is {device!r}; it must be 'cpu' or 'cuda'.")
    return device


def size_text(count: int) -> str:
    """A number of bytes in GB or MB, both decimal."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def processor() -> str:
    """The processor's name, or its architecture where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return next(filter(None, [*names, platform.processor(), platform.machine()]), "unknown processor")
