"""What a person waits for first needs no torch, and the rest is loaded behind the page that is up already."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ganplay
from ganplay.benchmarks import Options, start
from ganplay.ui import server

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "gradio", "altair"}


def loaded_after(code: str) -> set[str]:
    """The heavy modules that a fresh process has after `code`."""
    program = f"import sys\n{code}\nprint('loaded:', *sorted({HEAVY} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(result.stdout.rsplit("loaded:", 1)[1].split())


def test_a_loaded_module_would_be_seen() -> None:
    assert loaded_after("sys.modules['torch'] = sys") == {"torch"}


@pytest.mark.parametrize("module", start.HOME)
def test_what_home_imports_needs_nothing_heavy(module: str) -> None:
    assert loaded_after(f"import {module}") == set()


def test_the_python_of_the_readme_runs_and_public_names_stay_what_they_are(home) -> None:
    """A module of a public name's own name would take its place as soon as anything imports it."""
    text = (ROOT / "README.md").read_text("utf-8")
    (code,) = (part.split("```")[0] for part in text.split("```python\n")[1:] if "ganplay.train(" in part)
    code += "\nassert pictures.shape == (16, 1, 32, 32) and pictures.abs().max() <= 1"
    code += f"\nassert all(callable(getattr(ganplay, name)) for name in {ganplay.__all__})"
    assert loaded_after(code) == {"torch"}


def test_the_help_needs_nothing_heavy() -> None:
    code = "import ganplay.cli\ntry: ganplay.cli.main(['--help'])\nexcept SystemExit: pass"
    assert loaded_after(code) == set()


def test_drawing_the_home_page_with_its_samples_needs_nothing_heavy(home) -> None:
    code = (
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('ganplay/ui/router.py', default_timeout=60).run()\n"
        "assert not app.exception, app.exception\n"
        "assert any('Drawn by generators' in one.value for one in app.subheader)\n"
        "from ganplay.ui.shared import manager\n"
        "manager().close()"
    )
    assert loaded_after(code) <= {"altair"}


def test_every_page_that_is_not_home_is_loaded_in_the_background() -> None:
    views = set()
    for path in (ROOT / "pages").glob("*.py"):
        if path.stem not in ("home", "studio", "runs"):
            lines = path.read_text("utf-8").splitlines()
            views |= {line.split()[1] for line in lines if line.startswith("from ganplay.ui.")}
    assert views and views <= set(server.OPENED_LATER)


def test_the_benchmark_of_the_start_measures_each_side_and_divides_by_torch(monkeypatch) -> None:
    seconds = {"-c": 2.0, "-m": 1.0}
    monkeypatch.setattr(start, "_seconds", lambda arguments: seconds[arguments[0]])
    table = start.measure(Options(1.0, 1, lambda sentence: None, windows=1))
    assert [row[0] for row in table.rows] == list(start.SIDES)
    shares = {row[0]: row[4] for row in table.rows}
    assert shares["python -m ganplay --help"] == 50.0 and shares["import torch"] == 100.0
    assert all(len(row["seconds"]) == start.FEWEST for row in table.raw)
