"""`ganplay recipes`."""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganplay.recipe import Recipe

COLUMNS = (
    "recipe", "document", "data", "parameters of G", "of D", "multiply-adds of G", "of D", "loss", "conditioning",
)  # fmt: skip
_NUMBERS = range(3, 7)  # columns set flush right


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("name", nargs="?", help="print this recipe as JSON, a file that `train --recipe` reads back")
    parser.add_argument("--markdown", action="store_true", help="print all recipes as a table for a README")


def execute(options: argparse.Namespace) -> int:
    from ganplay.recipes import recipe, recipes

    if options.name and options.markdown:
        raise ValueError(f"--markdown prints all recipes; leave out the name '{options.name}' or the flag.")
    if options.name:
        print(json.dumps(recipe(options.name).to_json(), indent=2))
    elif options.markdown:
        print(markdown())
    else:
        for name in recipes.names():
            summary = (inspect.getdoc(recipes[name]) or "").split("\n")[0]
            print(f"{name:24} {recipe(name).dataset.kind:14} {summary}")
    return 0


def markdown() -> str:
    """All recipes as a Markdown table; multiply-adds are those of one sample's forward pass."""
    from ganplay.probes.layers import totals
    from ganplay.recipes import recipe, recipes

    lines = [COLUMNS, tuple("---:" if place in _NUMBERS else "---" for place in range(len(COLUMNS)))]
    for name in sorted(recipes, key=lambda name: (not document(name).isdigit(), document(name), name)):
        made = recipe(name)
        counts = totals(made)
        g, d = counts["generator"], counts["discriminator"]
        numbers = [f"{count:,}" for count in (g.parameters, d.parameters)]
        numbers += [in_millions(count) for count in (g.multiply_adds, d.multiply_adds)]
        lines.append((f"`{name}`", document(name), data(made), *numbers, objective(made), conditioning(made)))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def document(name: str) -> str:
    """Where a recipe comes from: "001" for one of the documents, "arXiv 1802.05957", or "ours".

    Read from the first words of the recipe's module, "Document 001: ...", else from the first arXiv id in the recipe's
    own docstring.
    """
    from ganplay.recipes import recipes

    module = sys.modules[recipes[name].__module__]
    of_document = re.match(r"Document (\d{3})\b", module.__doc__ or "")
    of_paper = re.search(r"arXiv (\d{4}\.\d{4,5})", recipes[name].__doc__ or "")
    return of_document[1] if of_document else f"arXiv {of_paper[1]}" if of_paper else "ours"


def data(made: Recipe) -> str:
    """The data set with its sample's shape, and its classes where not all are used."""
    chosen = ", ".join(getattr(made.dataset, "classes", ()) or ())
    sample = made.shapes.sample
    shape = "x".join(map(str, sample)) if len(sample) == 3 else f"{sample[0]}-D points"
    return f"{made.dataset.kind}{f' ({chosen})' if chosen else ''}, {shape}"


def objective(made: Recipe) -> str:
    """The loss and what is added to it."""
    return ", ".join([made.loss.kind, *(penalty.kind for penalty in made.penalties)])


def conditioning(made: Recipe) -> str:
    """How each network is told the class of a sample."""
    if not made.conditional:
        return "none"
    return f"G {made.generator.conditioning}, D {made.discriminator.conditioning}"


def in_millions(count: int) -> str:
    """A count as "273.2 M" or "4.4 k"."""
    return f"{count / 1e6:,.1f} M" if count >= 1e5 else f"{count / 1e3:,.1f} k"
