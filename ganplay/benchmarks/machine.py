"""The machine a figure was measured on, and what its processor does when nothing is in its way."""

from __future__ import annotations

import os
import platform
import sys
import time
from dataclasses import dataclass

import torch

from ganplay.environment import processor
from ganplay.runs.limits import cores

SIDE = 2048  # of the square matrices
PRODUCTS = 5  # of which the fastest counts
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Machine:
    """What a reader must know beside every figure.

    Attributes:
        instructions: the widest that matrix products have: "AMX", "AVX512-BF16", "AVX512" or "none of AMX, AVX512".
        load: processes that wanted a core over the last minute, None where the system does not tell.
    """

    processor: str
    cores: int
    instructions: str
    torch: str
    python: str
    system: str
    load: float | None


def machine() -> Machine:
    """This machine, now."""
    return Machine(
        processor(),
        cores(),
        _instructions(),
        torch.__version__,
        platform.python_version(),
        f"{platform.system()} {platform.release()}",
        round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    )


def _instructions() -> str:
    found = getattr(torch.cpu, "get_capabilities", dict)()
    known = (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-BF16"), ("avx512_f", "AVX512"))
    return next((name for flag, name in known if found.get(flag)), "none of AMX, AVX512")


def peak(precision: str, threads: int) -> float:
    """GFLOP/s (10^9 multiplications and additions a second) of a product of two matrices with 2048 rows and columns.

    The fastest of a few in a row; measure it again between whatever is compared with it.

    Args:
        precision: "fp32" or "bf16".
        threads: processor threads; torch has its former number again afterwards.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        left, right = (torch.full((SIDE, SIDE), 0.5, dtype=TYPES[precision]) for _ in range(2))
        made = torch.empty_like(left)
        torch.mm(left, right, out=made)
        return 2 * SIDE**3 / min(_timed(left, right, made) for _ in range(PRODUCTS)) / 1e9
    finally:
        torch.set_num_threads(before)


def _timed(left: torch.Tensor, right: torch.Tensor, made: torch.Tensor) -> float:
    started = time.perf_counter()
    torch.mm(left, right, out=made)
    return time.perf_counter() - started


def peak_memory() -> int | None:
    """The most bytes that this process ever had in memory at once, None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024  # Linux counts in KiB
