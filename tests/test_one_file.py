"""The README's promise: one file adds a loss, a penalty or a network to the command line, the pages and the tests."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DIFFS = re.findall(r"```diff\n\+\+\+ (\S+)\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
COMMAND = re.search(r"```bash\npython -m ganplay (train --loss .*)\n```", (ROOT / "README.md").read_text("utf-8"))[1]
FORM = """
from ganplay.recipe import SLOTS
from ganplay.recipes import recipe
from ganplay.ui import forms
forms.settings_form(recipe("quick-digits").change({"penalties": "drift"}), "form")
"""
PAGE = f"""
from streamlit.testing.v1 import AppTest
page = AppTest.from_string({FORM!r}, default_timeout=60).run()
assert not page.exception, page.exception
shown = {{option for box in [*page.selectbox, *page.multiselect] for option in box.options}}
assert {{"total-variation", "drift", "coordinates"}} <= shown, shown
assert any("Weight epsilon" in (field.help or "") for field in page.number_input)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package and its tests with the README's diffs applied, and what to run there."""
    folder = tmp_path_factory.mktemp("copy")
    for part in ("ganplay", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path, lines in DIFFS:
        assert all(line.startswith("+") for line in lines.splitlines())
        assert not (folder / path).exists()
        (folder / path).write_text("".join(line[1:] + "\n" for line in lines.splitlines()), "utf-8")

    def run(*words):
        environment = os.environ | {"PYTHONPATH": str(folder), "GANPLAY_HOME": str(folder / "home")}
        return subprocess.run(
            [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )

    return run


def test_the_readme_adds_a_loss_a_penalty_and_a_network():
    assert [str(Path(path).parent) for path, _ in DIFFS] == ["ganplay/losses", "ganplay/penalties", "ganplay/models"]


def test_the_command_line_trains_with_them(copy):
    done = copy("-m", "ganplay", *COMMAND.split(), "--stop-images", "256", "--sample-every", "256")
    assert done.returncode == 0, done.stderr
    assert "256 images" in done.stdout


def test_the_pages_offer_them(copy):
    done = copy("-c", PAGE)
    assert done.returncode == 0, done.stderr


def test_the_tests_cover_them(copy):
    files = [f"tests/test_{noun}.py" for noun in ("losses", "penalties", "networks")]
    names = ("total-variation", "drift", "coordinates")
    done = copy("-m", "pytest", "-p", "no:cacheprovider", *files, "-k", " or ".join(names), "-rp")
    assert done.returncode == 0, done.stdout
    for name in names:
        assert re.search(rf"PASSED \S*{name}", done.stdout), f"no test ran over {name}\n{done.stdout}"


def test_the_diffs_pass_the_linter(copy):
    done = copy("-m", "ruff", "check", *[path for path, _ in DIFFS])
    assert done.returncode == 0, done.stdout
