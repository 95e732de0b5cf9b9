"""`ganplay models`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

COLUMNS = (
    "checkpoint", "document", "data", "images seen", "trained in", "Fréchet distance to test images",
    "of training images", "recognised as asked", "weights",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.add_argument("--markdown", action="store_true", help="print the bundled checkpoints with their scores")


def execute(options: argparse.Namespace) -> int:
    from ganplay.sources import short, sources

    if options.markdown:
        print(markdown())
        return 0
    for source in sources():
        print(f"{short(source.key):48} {source.kind:12} {source.title} ({source.detail})")
    return 0


def markdown() -> str:
    """The bundled checkpoints with their scores as a Markdown table, sorted by document and name."""
    lines = [COLUMNS, tuple("---" if place < 3 else "---:" for place in range(len(COLUMNS)))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [*lines, *sorted(_rows(), key=_order)])


def _rows() -> list[tuple[str, ...]]:
    from ganplay import paths
    from ganplay.files import read_json
    from ganplay.sources import CHECKPOINT, sources

    rows = []
    for source in sources():
        if source.key.startswith(CHECKPOINT):
            folder = paths.bundled_checkpoints() / source.key.removeprefix(CHECKPOINT)
            about = read_json(folder / "metrics.json")
            size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
            rows.append(_row(folder.name, read_json(folder / "config.json"), about, size))
    return rows


def _row(name: str, config: Mapping[str, Any], about: Mapping[str, Any], size: int) -> tuple[str, ...]:
    from ganplay.commands.recipes import data
    from ganplay.recipe import Recipe
    from ganplay.scores import distances_to_test

    figures = (about.get("scores") or {}).get("figures", [])
    distances = distances_to_test(figures) or (None, None)
    recognised = [one["value"] for one in figures if one["metric"] == "recognised" and not one["group"]]
    return (
        f"`{name}`", about.get("document") or "ours", data(Recipe.from_json(config["recipe"])),
        f"{config['images']:,}", _duration(about.get("seconds")), *map(_number, distances),
        f"{recognised[0]:.1%}" if recognised else "", f"{size / 1e6:.1f} MB",
    )  # fmt: skip


def _order(row: tuple[str, ...]) -> tuple[bool, str, str]:
    return not row[1].isdigit(), row[1], row[0]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds / 60:,.0f} min" if seconds >= 600 else f"{seconds:,.0f} s"
