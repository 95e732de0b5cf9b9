"""Every test gets a home of its own, and two processor threads at the most."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


def pytest_collection_modifyitems(items):
    """With `-n 2 --dist loadgroup` a file's tests share a process, and one process has all that open a browser: two
    browsers at once would take the processor from the servers that they wait for.
    """
    for item in items:
        browses = not {"browser", "chromium"}.isdisjoint(vars(item.module))
        item.add_marker(pytest.mark.xdist_group("browser" if browses else item.module.__name__))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """GANPLAY_HOME in a folder that is deleted with the test."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GANPLAY_HOME", str(folder))
    return folder


@pytest.fixture
def no_workers(monkeypatch, home):
    """The pages' manager never starts a worker, so that runs stay in the queue; what they measure in the background
    runs in threads; caches begin empty.
    """
    import streamlit as st

    from ganplay.runs import manager
    from ganplay.ui import background

    monkeypatch.setattr(manager.Manager, "start", lambda self: None)
    monkeypatch.setattr(background, "executor", lambda alive: ThreadPoolExecutor(2))
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A home with one finished run, to be copied for each test."""
    from tiny_runs import train_tiny

    folder = tmp_path_factory.mktemp("template")
    train_tiny(folder)
    return folder
