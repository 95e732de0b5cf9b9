"""`ganplay recipes --markdown`, and the README that repeats it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganplay.cli import main
from ganplay.commands.recipes import COLUMNS, document, in_millions, markdown
from ganplay.probes.layers import totals
from ganplay.recipes import recipe, recipes

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- recipes -->", "<!-- /recipes -->"


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    """The cells of every recipe's line."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown().splitlines()[2:]]


def test_every_recipe_has_one_line(rows) -> None:
    assert sorted(row[0] for row in rows) == sorted(f"`{name}`" for name in recipes)
    assert {len(row) for row in rows} == {len(COLUMNS)}


def test_the_lines_say_what_the_recipes_are(rows) -> None:
    found = {row[0].strip("`"): row for row in rows}
    assert found["duke-wgan"][1:5] == ["000", "cifar10, 3x32x32", "12,140,035", "694,721"]
    assert found["duke-wgan"][7:] == ["wasserstein, weight-clip", "none"]
    assert found["iisc-dcgan"][3:5] == ["12,658,435", "2,765,633"]  # as document 003 counts
    assert found["iisc-sagan"][3:5] == ["1,516,060", "217,866"]  # and a gamma each
    assert found["iisc-sagan"][8] == "G concat, D channel"
    assert found["toy-ring"][2] == "ring, 2-D points"
    for name, row in found.items():
        counts = totals(recipe(name))
        assert row[5] == in_millions(counts["generator"].multiply_adds)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("duke-dcgan", "000"), ("cs229-skip", "001"), ("kth-simple", "002"), ("iisc-sagan", "003"),
     ("munich-failure", "004"), ("quick-digits", "ours"), ("modern-r3gan", "arXiv 2501.05441")],
)  # fmt: skip
def test_the_document_is_read_from_where_the_recipe_stands(name: str, expected: str) -> None:
    assert document(name) == expected


def test_counts_are_written_short() -> None:
    assert [in_millions(count) for count in (512, 4_352, 100_000, 273_219_584)] == [
        "0.5 k",
        "4.4 k",
        "0.1 M",
        "273.2 M",
    ]


def test_the_verb_prints_the_table_and_refuses_a_name_beside_it(capsys) -> None:
    assert main(["recipes", "--markdown"]) == 0
    assert capsys.readouterr().out.strip() == markdown()
    assert main(["recipes", "quick-digits", "--markdown"]) == 2
    assert "leave out the name" in capsys.readouterr().err


def test_the_readme_repeats_the_table() -> None:
    """After a change of a recipe: put the output of `python -m ganplay recipes --markdown` between the markers."""
    found = re.search(f"{BEGIN}\n(.*?)\n{END}", README.read_text("utf-8"), re.DOTALL)
    assert found, f"README.md has no {BEGIN} ... {END}"
    assert found[1].strip() == markdown()
