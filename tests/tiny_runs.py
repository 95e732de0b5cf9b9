"""Runs that train for a second, for the tests of what reads runs and checkpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import Run
from ganplay.runs.worker import work

TINY = {"batch_size": 16, "stop_images": 320, "log_every": 32, "sample_every": 160}


def train_tiny(home: Path, name: str = "quick-digits", **changes: object) -> Run:
    """A finished run of a registered recipe, shortened, in the home `home`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANPLAY_HOME", str(home))
        run = store.create(recipe(name).change(TINY | changes), label=f"Tiny {name}", base=name, threads=1)
        assert work(run).state == "finished"
        return run
