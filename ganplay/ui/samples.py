"""Pictures of the checkpoints that come with the program."""

from __future__ import annotations

from pathlib import Path

from ganplay.paths import bundled_checkpoints

MOST = 4


def bundled() -> list[tuple[str, Path]]:
    """Name and picture of the first bundled checkpoints; empty when none are there."""
    found = sorted(bundled_checkpoints().glob("*/samples.webp"))
    return [(path.parent.name, path) for path in found[:MOST]]
