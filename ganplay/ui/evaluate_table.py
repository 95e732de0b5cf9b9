"""The figures of evaluations as a table and as files: one row a figure, one column a model, real data beside them."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, NamedTuple

from ganplay.evaluations.asks import Ask

BETTER = {"lower": "↓ lower is better", "higher": "↑ higher is better", "real": "≈ best where real data is"}
LINE = "1px solid rgba(128,128,128,.28)"
RISKY = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would take text that begins so for a formula
Figure = dict[str, Any]


class Model(NamedTuple):
    """One column of the table.

    Attributes:
        result: as `ganplay.evaluations.results.find` gives it.
    """

    label: str
    colour: str
    ask: Ask
    result: dict[str, Any]

    @property
    def evaluation(self) -> dict[str, Any]:
        """The figures and what they are about, as `Evaluation.to_json` has them."""
        return self.result["evaluation"]

    @property
    def figures(self) -> list[Figure]:
        """All figures, those of single classes too."""
        return self.evaluation["figures"]


def groups(models: Sequence[Model]) -> list[list[Model]]:
    """The models that may be compared: same data, same shape, same features, as many samples."""
    found: dict[str, list[Model]] = {}
    for model in models:
        about = [model.evaluation[name] for name in ("features", "samples", "reference")]
        found.setdefault(json.dumps([model.result["data"], about], sort_keys=True), []).append(model)
    return list(found.values())


def rows(models: Sequence[Model], single: bool = False) -> list[tuple[str, list[Figure | None]]]:
    """The rows of the table: a figure's name and the figure of each model, None where a model has none.

    Args:
        single: True for the figures of single classes, False for all others.
    """
    known = [figure for model in models for figure in model.figures if _single(figure) == single]
    metrics = list(dict.fromkeys(figure["metric"] for figure in known))  # all of one metric below each other
    names = dict.fromkeys(figure["name"] for figure in sorted(known, key=lambda one: metrics.index(one["metric"])))
    return [(name, [_named(model.figures, name) for model in models]) for name in names]


def value_text(value: float | None, spread: float | None) -> str:
    """A figure with as many digits as its spread has sense for."""
    if value is None or not math.isfinite(value):
        return "–"
    if not spread or not math.isfinite(spread) or spread < 1e-8:  # none, or the rounding of computers
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
    decimals = min(8, max(0, 1 - math.floor(math.log10(abs(spread)))))
    return f"{value:,.{decimals}f} ± {spread:,.{decimals}f}"


def literal(text: str) -> str:
    """Text that Markdown shows as it is: names of runs are somebody's words."""
    return re.sub(r"([\\`*_\[\]$:<>~#])", r"\\\1", text)


def table(models: Sequence[Model], found: Sequence[tuple[str, list[Figure | None]]]) -> tuple[str, list[str]]:
    """The table as HTML, and the notes that its small numbers refer to."""
    notes: dict[str, int] = {}
    heads = "".join(_head(model) for model in models)
    colours = [model.colour for model in models]
    body = "".join(_row(name, figures, colours, notes) for name, figures in found)
    style = "border-collapse:collapse;width:100%;font-size:.93rem;line-height:1.3"
    html = (
        f"<div style='overflow-x:auto'><table style='{style}'><thead><tr><th style='{_cell()}'>figure</th>{heads}"
        f"<th style='{_cell()}'>real data</th></tr></thead><tbody>{body}</tbody></table></div>"
    )
    return html, list(notes)


def as_csv(models: Sequence[Model]) -> str:
    """Every figure of every model, each row complete in itself."""
    text = io.StringIO()
    found = [_flat(model, figure) for model in models for figure in model.figures]
    if found:
        writer = csv.DictWriter(text, list(found[0]), lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: _harmless(value) for name, value in row.items()} for row in found)
    return text.getvalue()


def as_json(models: Sequence[Model]) -> str:
    """Everything that the page shows of every model, without the pictures."""
    plain = [
        {"model": one.label, "settings": one.ask.to_json(), **one.evaluation, "neighbours": one.result["neighbours"]}
        for one in models
    ]
    return json.dumps(plain, indent=1) + "\n"


def _flat(model: Model, figure: Figure) -> dict[str, Any]:
    evaluation = model.evaluation
    about = {name: evaluation[name] for name in ("source", "title", "dataset", "images", "seed")}
    return {"model": model.label, **about, **figure}


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(RISKY) else value


def _single(figure: Figure) -> bool:
    return bool(figure["group"])


def _named(figures: Iterable[Figure], name: str) -> Figure | None:
    return next((figure for figure in figures if figure["name"] == name), None)


def _head(model: Model) -> str:
    images = f"{model.evaluation['images']:,} images seen"
    return f"<th style='{_cell()};min-width:6.5em'>{_dot(model.colour)} {escape(model.label)}{_small(images)}</th>"


def _row(name: str, figures: Sequence[Figure | None], colours: Sequence[str], notes: dict[str, int]) -> str:
    known = [figure for figure in figures if figure is not None]
    marks = []
    for note in dict.fromkeys(figure["note"] for figure in known if figure["note"]):
        marks.append(notes.setdefault(note, len(notes) + 1))
    mark = f"<sup>{', '.join(map(str, marks))}</sup>" if marks else ""
    cells = "".join(f"<td style='{_cell()}'>{_value(figure)}</td>" for figure in figures)
    real = [None if figure is None else _number(figure["real"], figure["real_spread"]) for figure in figures]
    about_real = _joined(known, lambda figure: _real_text(figure) if figure["real"] is not None else "")
    return (
        f"<tr><td style='{_cell()};min-width:9.5em'>{escape(name)}{mark}{_small(_about(known))}</td>{cells}"
        f"<td style='{_cell()};opacity:.85'>{_real(real, colours)}{_small(about_real)}</td></tr>"
    )


def _real(numbers: Sequence[str | None], colours: Sequence[str]) -> str:
    """The figure of real data once, or for each model where they differ: its discriminator's, or of other counts."""
    known = [(number, colour) for number, colour in zip(numbers, colours, strict=True) if number is not None]
    if len({number for number, _ in known}) == 1:
        return known[0][0]
    return "<br>".join(f"{_dot(colour)} {number}" for number, colour in known)


def _value(figure: Figure | None) -> str:
    return "–" if figure is None else _number(figure["value"], figure["spread"])


def _number(value: float | None, spread: float | None) -> str:
    return f"<span style='white-space:nowrap'>{value_text(value, spread)}</span>"


def _about(known: Sequence[Figure]) -> str:
    """What a reader must know of a figure: features, samples, reference, which way is better, what the spread is."""
    said = [
        _joined(known, lambda figure: figure["features"]),
        _joined(known, lambda figure: f"{figure['samples']:,}") + " samples",
        _joined(known, _reference_text),
        BETTER.get(known[0]["better"], ""),
        _joined(known, lambda figure: f"± {figure['spread_of']}" if figure["spread_of"] else ""),
    ]
    return " · ".join(part for part in said if part)


def _reference_text(figure: Figure) -> str:
    if not figure["reference_samples"]:
        return "without a reference"
    return f"compared with {figure['reference_samples']:,} of {figure['reference']}"


def _real_text(figure: Figure) -> str:
    return f"{figure['real_samples']:,} of {figure['real_split']}"


def _joined(known: Sequence[Figure], text: Any) -> str:
    """What `text` says of the figures, once where it is the same of all."""
    return " / ".join(dict.fromkeys(found for figure in known if (found := text(figure))))


def _dot(colour: str) -> str:
    return f"<span style='color:{colour}'>●</span>"


def _small(text: str) -> str:
    if not text:
        return ""
    return f"<div style='font-size:.78rem;font-weight:400;opacity:.72;line-height:1.25'>{escape(text)}</div>"


def _cell() -> str:
    return f"border:0;border-bottom:{LINE};padding:.42rem .7rem .42rem 0;text-align:left;vertical-align:top"
