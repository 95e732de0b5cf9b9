"""Runs: everything that was trained here, and the room it takes."""

from __future__ import annotations

from ganplay.ui.run_list import run_list

run_list()
