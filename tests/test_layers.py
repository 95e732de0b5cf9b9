"""The rules of the house that a program can check: imports point one way, nothing is unpickled, pages are thin."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ganplay"
SOURCES = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"])

# Lower layers never import higher ones. A module's layer is that of the longest prefix listed here.
LAYERS = {
    "ganplay": 10, "ganplay.registry": 0, "ganplay.options": 0, "ganplay.paths": 0, "ganplay.files": 0,
    "ganplay.randomness": 0, "ganplay.processes": 0, "ganplay.memory": 0, "ganplay.environment": 0,
    "ganplay.precision": 0,
    "ganplay.contracts": 1, "ganplay.tensors": 1, "ganplay.augment": 2, "ganplay.documents": 2,
    "ganplay.classifiers": 3,
    "ganplay.models": 2, "ganplay.losses": 2, "ganplay.penalties": 2, "ganplay.data": 2, "ganplay.metrics": 3,
    "ganplay.optimisers": 2, "ganplay.probes": 6, "ganplay.pictures": 2, "ganplay.latent": 4,
    "ganplay.latent.sampling": 7, "ganplay.latent.directions": 7, "ganplay.game": 8,
    "ganplay.recipe": 3, "ganplay.building": 4, "ganplay.unrolling": 5, "ganplay.advice": 4, "ganplay.recipes": 4,
    "ganplay.state": 5, "ganplay.widening": 5, "ganplay.checkpoint": 5, "ganplay.tiny": 6,
    "ganplay.scenarios": 6,
    "ganplay.trainer": 6, "ganplay.acceleration": 7, "ganplay.runs": 7,
    "ganplay.layout": 0, "ganplay.model_folder": 5, "ganplay.opening": 7, "ganplay.hub": 8,
    "ganplay.sources": 8, "ganplay.export": 8, "ganplay.card": 8, "ganplay.scores": 8,
    "ganplay.charts": 8, "ganplay.drawings": 8,
    "ganplay.evaluation": 8, "ganplay.evaluations": 8, "ganplay.benchmarks": 8,
    "ganplay.playground": 8,
    "ganplay.hosting": 0, "ganplay.space": 8, "ganplay.classroom": 8,
    "ganplay.stories": 8, "ganplay.diagnosis": 8,
    "ganplay.studies": 8,
    "ganplay.commands": 9, "ganplay.cli": 9, "ganplay.__main__": 9, "ganplay.ui": 9, "ganplay.studio": 9,
    "pages": 10, "app": 10,
}  # fmt: skip
VIEWS = ("pages", "app", "ganplay.ui", "ganplay.studio")


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path):
    """Every imported module of a file, the ones inside functions and `from package import module` too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def layer(module):
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length])
        if prefix in LAYERS and (length > 1 or prefix in ("ganplay", "app", "pages")):
            return LAYERS[prefix]
    return None


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_point_one_way(path):
    own = layer(module_name(path))
    for imported in imports(path):
        if imported.startswith("ganplay."):
            assert layer(imported) <= own, f"{module_name(path)} imports {imported}"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_only_views_import_streamlit_or_gradio(path):
    if not module_name(path).startswith(VIEWS):
        assert not {name for name in imports(path) if name.split(".")[0] in ("streamlit", "gradio")}


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=module_name)
def test_pages_do_no_arithmetic(path):
    assert not {name for name in imports(path) if name.split(".")[0] in ("torch", "numpy", "scipy")}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_nothing_is_unpickled_or_executed(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert not {name for name in imports(path) if name.split(".")[0] in ("pickle", "dill", "cloudpickle", "joblib")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("torch.load", "eval", "exec", "os.system"), called
            for keyword in node.keywords:
                flags = (keyword.arg, getattr(keyword.value, "value", None))
                assert flags not in (("shell", True), ("allow_pickle", True)), called


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_files_stay_readable(path):
    assert len(path.read_text("utf-8").splitlines()) <= 320


def test_code_is_formatted_and_lint_free():
    for arguments in (["check"], ["format", "--check"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "."], cwd=ROOT, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout + result.stderr
