"""One experiment at a time in a process of its own: started from a page, watched by all, ended with the server."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from ganplay.files import read_json
from ganplay.paths import home
from ganplay.processes import child_environment
from ganplay.scenarios.results import Measured, read

KEPT = 50  # results on disk; the oldest go first


class State(NamedTuple):
    """What becomes of an experiment: "none", "running", "failed" or "done"."""

    state: str
    sentence: str = ""
    share: float = 0.0


class Jobs:
    """The experiments of one server. What they found lies in `experiments/` of the home."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen | None = None
        self._key = ""

    def start(self, arguments: Sequence[str]) -> str:
        """Starts `python -m ganplay experiment` with these arguments unless its result is there; its key.

        Raises:
            ValueError: another experiment is running.
            OSError: it cannot be started.
        """
        key = key_of(arguments)
        with self._lock:
            if _path(key).exists() or (self._running() and self._key == key):
                return key
            if self._running():
                raise ValueError("Another experiment is running on this server; start yours when it has ended.")
            folder = _path(key).parent
            folder.mkdir(parents=True, exist_ok=True)
            for old in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
                old.unlink(missing_ok=True)
            for part in ("progress", "log"):
                _path(key, part).unlink(missing_ok=True)
            self._child, self._key = _spawn(key, arguments), key
        return key

    def stop(self) -> None:
        """Ends the experiment that is running, if any."""
        with self._lock:
            if self._running():
                self._child.kill()
                self._child.wait()
                self._key = ""

    def look(self, key: str) -> State:
        """What becomes of the experiment with this key."""
        if _path(key).exists():
            return State("done")
        if self._key != key:
            return State("none")
        if self._running():
            try:
                said = read_json(_path(key, "progress"))
                return State("running", str(said["sentence"]), float(said["share"]))
            except (KeyError, TypeError, ValueError):
                return State("running", "Starting", 0.0)
        lines = (
            _path(key, "log").read_text("utf-8", "replace").strip().splitlines() if _path(key, "log").exists() else []
        )
        return State("failed", lines[-1][-300:] if lines else "The experiment ended without a word; start it again.")

    def _running(self) -> bool:
        """False too for a child that has written its result and is only taking itself apart."""
        return self._child is not None and self._child.poll() is None and not _path(self._key).exists()


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The server's one place for experiments."""
    return Jobs()


def key_of(arguments: Sequence[str]) -> str:
    """Names the files of an experiment, whatever its arguments are."""
    return hashlib.sha256("\n".join(arguments).encode()).hexdigest()[:24]


def result(key: str) -> Measured:
    """What an experiment found.

    Raises:
        ValueError: it has not, or the file is damaged.
    """
    return read(_path(key))


def _path(key: str, part: str = "") -> Path:
    names = {"": f"{key}.json", "progress": f"{key}.progress", "log": f"{key}.log"}
    return home() / "experiments" / names[part]


def _spawn(key: str, arguments: Sequence[str]) -> subprocess.Popen:
    """A child whose standard input ends when this process does, which ends the child."""
    out = ["--out", str(_path(key)), "--progress", str(_path(key, "progress"))]
    command = [sys.executable, "-m", "ganplay", "experiment", *arguments, *out]
    with _path(key, "log").open("wb") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=log, env=child_environment(),
            start_new_session=os.name != "nt",
        )  # fmt: skip
    with suppress(AttributeError, OSError):  # Windows has no such call
        os.setpriority(os.PRIO_PROCESS, child.pid, 5)  # below those whose pages wait
    return child
