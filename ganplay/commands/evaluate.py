"""`ganplay evaluate`."""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ganplay.commands.drawing import SOURCE_HELP

if TYPE_CHECKING:
    from ganplay.evaluation import Evaluation
    from ganplay.metrics.figure import Figure

HEADINGS = ("figure", "value", "real data", "features", "samples", "reference")


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = (
        "Every row says what samples were compared by, how many were generated and which real samples they were\n"
        "compared with; 'real data' is the same figure for real samples in their place. Only the features 'inception'\n"
        "give figures called FID, KID or IS; they are downloaded once (96 MB) and are slow without a graphics card.\n"
        "Example: ganplay evaluate quick-digits --csv figures.csv"
    )
    parser.add_argument("source", help=SOURCE_HELP)
    parser.add_argument("--samples", type=int, default=10_000, help="how many to generate (default 10000)")
    parser.add_argument(
        "--features", default="auto", help="inception, mnist-classifier, cifar10-classifier, pixels or auto (default)"
    )
    parser.add_argument("--reference", default="train", help="split to compare with, train (default) or test")
    parser.add_argument("--metrics", default="", help="names of the metrics, with commas (default all)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the samples (default 0)")
    parser.add_argument("--csv", type=Path, help="also write the figures to this CSV file")
    parser.add_argument("--json", type=Path, help="also write the whole evaluation to this JSON file")


def execute(options: argparse.Namespace) -> int:
    from ganplay.commands.progress import Bar
    from ganplay.evaluation import evaluate
    from ganplay.metrics.figures import MEASURES

    chosen = [name for name in options.metrics.split(",") if name] or list(MEASURES)
    with Bar() as bar:
        found = evaluate(
            options.source,
            samples=options.samples,
            features=options.features,
            reference=options.reference,
            seed=options.seed,
            metrics=chosen,
            progress=bar.show,
            allow_paths=True,
        )
    print("\n".join(_report(found)))
    for path, content in ((options.csv, _csv(found)), (options.json, json.dumps(found.to_json(), indent=1) + "\n")):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8", newline="")
            print(f"{path}: written")
    return 0


def _report(found: Evaluation) -> list[str]:
    rows = [HEADINGS, *map(_row, found.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    right = {1, 2, 4}  # columns of numbers
    table = [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    title = f"{found.title or found.source}: {found.dataset}, {found.images:,} images seen, seed {found.seed}"
    remarks = dict.fromkeys([*found.notes, *(figure.note for figure in found.figures if figure.note)])
    return [title, "", *table, "", *remarks, f"Took {found.seconds:,.0f} s."]


def _row(figure: Figure) -> tuple[str, ...]:
    reference = figure.reference + (f", {figure.reference_samples:,}" if figure.reference_samples else "")
    return (
        figure.name,
        _number(figure.value, figure.spread),
        _number(figure.real, figure.real_spread),
        figure.features,
        f"{figure.samples:,}",
        reference,
    )


def _number(value: float | None, spread: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if spread is None else f"{value:.4g} ± {spread:.2g}"


def _csv(found: Evaluation) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, found.columns(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found.rows())
    return text.getvalue()
