"""Every test gets a home of its own, and two processor threads at the most."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """GANPLAY_HOME in a folder that is deleted with the test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GANPLAY_HOME", str(folder))
    return folder
