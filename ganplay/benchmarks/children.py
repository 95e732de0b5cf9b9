"""The parent's end of the processes that train: one a side, told over a pipe when to work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from typing import Any

from ganplay.processes import child_environment
from ganplay.recipe import Recipe

PATIENCE = 2.0  # seconds for a child to end by itself


class Child:
    """One side of a comparison in a process of its own; leave its `with` block and the process is gone.

    Args:
        side: one of `child.SIDES`.
        recipe: what it trains.
        threads: processor threads it may use.

    Raises:
        ChildProcessError: (by any method) the process ended without an answer; the sentence has its last words.
        ValueError: (by any method) the recipe cannot be trained so.
    """

    def __init__(self, side: str, recipe: Recipe, threads: int) -> None:
        self.side = side
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ganplay.benchmarks.child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=child_environment(None), text=True,
            encoding="utf-8", start_new_session=os.name != "nt",  # so that Ctrl-C is the parent's business alone
        )  # fmt: skip
        self._tell({"side": side, "recipe": recipe.to_json(), "threads": threads})

    def __enter__(self) -> Child:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            pipe.close()
        try:
            self._process.wait(0 if error else PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def ready(self) -> None:
        """Waits until the side is set up and has trained one round."""
        self._hear()

    def window(self, seconds: float, rounds: int) -> dict[str, Any]:
        """Lets it train for at least so many seconds and rounds: {"images", "rounds", "seconds", "memory"}."""
        self._tell({"seconds": seconds, "rounds": rounds})
        return self._hear()

    def _tell(self, content: Mapping[str, Any]) -> None:
        try:
            self._process.stdin.write(json.dumps(content) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._lost() from None

    def _hear(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise self._lost()
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def _lost(self) -> ChildProcessError:
        self._process.wait()
        self._errors.seek(0)
        words = self._errors.read().decode("utf-8", "replace").strip().split("\n")[-1][:200]
        return ChildProcessError(
            f"The process of the side '{self.side}' ended with code {self._process.returncode}"
            + (f": {words.rstrip('.')}" if words else "; perhaps the memory was not enough")
        )
