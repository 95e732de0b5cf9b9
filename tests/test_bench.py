"""`ganplay bench`: what it prints and writes, what it refuses, and that its processes never stay behind."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from statistics import median

import pytest

import ganplay
from ganplay import benchmarks, cli
from ganplay.benchmarks import Options, Table, machine, report, training
from ganplay.benchmarks.children import Child
from ganplay.data.cifar10 import Cifar10
from ganplay.recipes import recipe
from ganplay.runs.limits import cores

TABLE = Table(
    "Two rows", "How it was done.", ("what", "images/s", "MB"), (("first|one", 1234.5, None), ("second", 0.125, 7)),
    ({"windows": [1.0, 2.0]}, {"windows": [3.0]}),
)  # fmt: skip


@pytest.fixture
def call(capsys):
    """Calls the command line in this process; gives exit code, output and errors."""

    def run(*words):
        try:
            code = cli.main(["bench", *map(str, words)])
        except SystemExit as end:
            code = end.code
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_small_benchmark_from_start_to_end(call, tmp_path):
    path = tmp_path / "new" / "figures.json"
    code, out, err = call(
        "training", "--recipes", "quick-digits", "--seconds", 0.2, "--windows", 1, "--threads", 1, "--precision",
        "fp32", "--json", path,
    )  # fmt: skip
    assert code == 0, err
    assert "quick-digits: window 1 of 1" in err
    content = json.loads(path.read_text())
    assert content["machine"]["processor"] in out
    assert content["machine"]["torch"] in out
    assert content["machine"]["cores"] == cores()
    assert content["ganplay"] == ganplay.__version__
    (table,) = content["tables"]
    (row,), (raw,) = table["rows"], table["raw"]
    assert (table["part"], row["recipe"], row["arithmetic"]) == ("training", "quick-digits", "fp32")
    (ours,), (textbook,) = raw["ours"], raw["textbook"]
    for window in (ours, textbook):
        assert window["rounds"] >= 2
        assert window["seconds"] >= 0.2
        assert window["memory"] > 50e6
        assert 28 * window["rounds"] <= window["images"] <= 64 * window["rounds"]  # an epoch's last batch has 28
    speed = ours["images"] / ours["seconds"]
    assert row["ours images/s"] == pytest.approx(speed)
    assert row["ratio"] == pytest.approx(speed / (textbook["images"] / textbook["seconds"]))
    assert row["ours GFLOP/s"] == pytest.approx(speed * raw["flop_an_image"] / 1e9)
    assert row["share of it, %"] == pytest.approx(100 * row["ours GFLOP/s"] / median(raw["matrix_product_gflops"]))
    assert len(raw["matrix_product_gflops"]) == 2  # before the window and behind it


def test_help_lists_every_part_without_torch():
    program = (
        "import sys\nfrom ganplay.cli import main\n"
        "try: main(['bench', '--help'])\nexcept SystemExit: print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.endswith("False\n")
    for part in benchmarks.PARTS:
        assert f"  {part}" in result.stdout
        assert len(benchmarks.about(part)) > 20
        assert benchmarks.about(part) in result.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trainning"], "There is no part 'trainning' of the benchmark; choose among training"),
        (["--recipes", "duke-dcgam"], "There is no recipe 'duke-dcgam'; choose one of"),
        (["--seconds", "0"], "--seconds is 0; it must be above 0, at most 3,600."),
        (["--seconds", "nan"], "--seconds is nan; it must be above 0, at most 3,600."),
        (["--threads", "0"], "--threads is 0; it must be a whole number from 1 to 1,024."),
        (["--windows", "-1"], "--windows is -1; it must be a whole number from 1 to 1,000."),
    ],
)
def test_mistakes_are_refused_in_a_sentence(call, words, sentence):
    code, out, err = call(*words)
    assert (code, out) == (cli.MISUSED, "")
    assert err.startswith(f"ganplay: {sentence}")
    assert err.count("\n") == 1


def test_text_and_markdown_have_every_row():
    for drawn in (report.text(TABLE), report.markdown(TABLE)):
        assert "Two rows" in drawn
        assert "How it was done." in drawn
        rows = [line for line in drawn.split("\n") if "first" in line or "second" in line]
        assert len(rows) == 2
        assert "1,234" in rows[0]
        assert "-" in rows[0]
        assert "0.12" in rows[1]
    assert report.markdown(TABLE).count("\n| ") == 4
    assert r"first\|one" in report.markdown(TABLE)
    assert "| --- | ---: | ---: |" in report.markdown(TABLE)
    columns = [line.rstrip() for line in report.text(TABLE).split("\n")[2:5]]
    assert len({len(line) for line in columns}) == 1  # numbers stand to the right


def test_json_keeps_every_figure():
    content = json.loads(json.dumps(report.plain(TABLE)))
    assert content["rows"][0] == {"what": "first|one", "images/s": 1234.5, "MB": None}
    assert [row["what"] for row in content["rows"]] == ["first|one", "second"]
    assert content["raw"][1] == {"windows": [3.0]}


def test_missing_data_gives_way_to_the_embedded_digits(monkeypatch):
    monkeypatch.setattr(Cifar10, "available", lambda self: False)
    found, replaced = training._on_this_machine(recipe("munich-hyper"))
    assert replaced
    assert found.dataset.kind == "digits"
    assert found.shapes == recipe("munich-hyper").shapes
    assert found.generator == recipe("munich-hyper").generator
    assert training._on_this_machine(recipe("toy-ring")) == (recipe("toy-ring"), False)


class Sham:
    """A side that trains without training: rates by side and window."""

    RATES = {"textbook": [100.0, 50.0, 80.0], "ours": [300.0, 200.0, 320.0]}

    def __init__(self, side, recipe, threads):
        self.side, self.asked = side, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def ready(self):
        pass

    def window(self, seconds, rounds):
        self.asked.append((seconds, rounds))
        speed = ([1e9] + self.RATES[self.side])[len(self.asked) - 1]  # the warm-up must not count
        return {"images": speed * seconds, "rounds": rounds, "seconds": max(seconds, 1e-9), "memory": 2_000_000}


def test_a_row_has_medians_and_the_ratios_of_windows_that_follow_each_other(monkeypatch):
    monkeypatch.setattr(training, "Child", Sham)
    monkeypatch.setattr(training, "peak", lambda precision, threads: 1.0)
    table = training.measure(Options(3.0, 1, lambda sentence: None, 3, ("toy-ring",), ("fp32",)))
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert (row["textbook images/s"], row["ours images/s"]) == (80, 300)
    assert row["ratio"] == 4
    assert row["lowest to highest ratio"] == "3.00 to 4.00"
    assert row["ours peak memory, MB"] == 2
    assert row["share of it, %"] == pytest.approx(100 * row["ours GFLOP/s"])


def test_the_matrix_product_leaves_the_threads_as_they_were():
    import torch

    before = torch.get_num_threads()
    assert 0 < machine.peak("fp32", 1) < math.inf
    assert torch.get_num_threads() == before


def test_peak_memory_never_falls():
    before = machine.peak_memory()
    block = b"x" * 200_000_000
    during = machine.peak_memory()
    assert during >= len(block)
    del block
    assert machine.peak_memory() >= during >= before


def test_a_child_ends_with_its_parent_even_within_a_window():
    child = Child("ours", recipe("toy-ring"), 1)
    try:
        child.ready()
        child._tell({"seconds": 600, "rounds": 1})
        child._process.stdin.close()  # as the system does for a parent that was killed
        assert child._process.wait(20) == 0
    finally:
        child._process.kill()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups of this kind")
def test_ctrl_c_ends_the_children():
    with pytest.raises(KeyboardInterrupt), Child("ours", recipe("toy-ring"), 1) as child:
        assert os.getpgid(child._process.pid) != os.getpgrp()  # the terminal tells the parent alone
        raise KeyboardInterrupt
    assert child._process.poll() is not None


def test_a_child_that_cannot_do_its_work_says_why():
    with Child("textbook", recipe("toy-ring").change({"flip_labels": 0.1}), 1) as child:
        with pytest.raises(ValueError, match=r"^flip_labels is 0\.1"):
            child.ready()
        with pytest.raises(ChildProcessError, match="'textbook' ended with code 0"):
            child.window(1.0, 1)
    with Child("ours", recipe("toy-ring"), 1) as child:
        child._process.kill()
        with pytest.raises(ChildProcessError, match="'ours' ended with code"):
            child.ready()
