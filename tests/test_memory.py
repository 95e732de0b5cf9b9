"""A process that trains keeps its memory between steps, unless it was told from outside what to do."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

import pytest

from ganplay import memory
from ganplay.processes import child_environment

HELD = """
import os, sys
from ganplay import memory
if sys.argv[1] == "keep":
    memory.keep()
import torch

def held():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = held()
for _ in range(3):
    piece = torch.ones(64 * 2**20, dtype=torch.uint8)
    del piece
print(held() - before)
"""
GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallopt")


def held(word: str, **variables: str) -> int:
    """Bytes that a process holds after it has freed 64 MB."""
    inherited = {name: value for name, value in child_environment().items() if name != memory.LARGE_PAGES}
    command = [sys.executable, "-c", HELD, word]
    return int(subprocess.run(command, env=inherited | variables, stdout=subprocess.PIPE, check=True, text=True).stdout)


@pytest.mark.skipif(not GLIBC, reason="only glibc has these settings")
def test_what_is_freed_is_kept_for_the_next_step() -> None:
    assert held("keep") > 60 * 2**20
    assert held("leave") < 30 * 2**20
    assert held("keep", MALLOC_MMAP_THRESHOLD_="131072", MALLOC_TRIM_THRESHOLD_="131072") < 30 * 2**20


def test_a_setting_from_outside_stays(monkeypatch) -> None:
    monkeypatch.setenv(memory.LARGE_PAGES, "0")
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "131072")
    memory.keep()
    assert os.environ[memory.LARGE_PAGES] == "0"
