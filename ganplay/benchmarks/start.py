"""How long a person waits for the command line's help and for what the Home page needs, beside the import of torch.

Every figure is that of a fresh process. The sides take turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import ganplay
from ganplay.benchmarks import Options, Table

HOME = (
    "app",
    "ganplay.ui.router",
    "ganplay.ui.navigation",
    "ganplay.ui.samples",
    "ganplay.ui.shared",
    "ganplay.ui.sketch",
)
ROOT = Path(ganplay.__file__).resolve().parent.parent  # where app.py lies beside the package
SIDES = {
    "python -c pass": ("-c", "pass"),
    "python -m ganplay --help": ("-m", "ganplay", "--help"),
    "import of what Home needs": ("-c", f"import {', '.join(HOME)}"),
    "import torch": ("-c", "import torch"),
}
COLUMNS = ("process", "seconds", "least", "most", "share of import torch, %")
NOTE = (
    "Wall time of a fresh Python process from start to end, medians over turns of all rows. Files are in the system's "
    "cache after a first turn that does not count."
)
FEWEST = 3  # turns


def measure(options: Options) -> Table:
    """One row for each process; turns go on until each had at least `options.windows`, and three.

    Raises:
        subprocess.CalledProcessError: a process failed.
    """
    times: dict[str, list[float]] = {name: [] for name in SIDES}
    for turn in range(1 + max(FEWEST, options.windows)):
        options.say(f"start: turn {turn}")
        for name, arguments in SIDES.items():
            took = _seconds(arguments)
            if turn:
                times[name].append(took)
    yardstick = median(times["import torch"])
    rows = tuple(
        (name, median(found), min(found), max(found), 100 * median(found) / yardstick) for name, found in times.items()
    )
    raw = tuple({"process": name, "seconds": found} for name, found in times.items())
    return Table("From the command to the first sign of life", NOTE, COLUMNS, rows, raw)


def _seconds(arguments: tuple[str, ...]) -> float:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True
    )
    return time.perf_counter() - started
