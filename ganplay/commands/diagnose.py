"""`ganplay diagnose`."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganplay.diagnosis import Finding


def configure(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parser.epilog = (
        "RUN is a run's id, or the name of a bundled checkpoint, of which the curves alone are read.\n"
        "Example: ganplay diagnose quick-digits"
    )
    parser.add_argument("run", metavar="RUN", help="a run's id, or a bundled checkpoint")
    parser.add_argument("--curves", action="store_true", help="read the curves alone and measure no samples")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def execute(options: argparse.Namespace) -> int:
    findings = _findings(options.run, not options.curves)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        print("\n\n".join(map(text, findings)))
    return 0


def text(finding: Finding) -> str:
    """A finding in lines: title, where it shows, evidence, what to try."""
    first, last = finding.images
    lines = [f"{finding.title} ({finding.severity}, {first:,} to {last:,} images)", f"  {finding.evidence}"]
    for remedy in finding.what_to_try:
        changes = " ".join(f"{path}={_value(value)}" for path, value in remedy.changes.items())
        lines.append(f"  Try: {remedy.sentence}{f' ({changes})' if changes else ''}")
    return "\n".join(lines)


def _findings(name: str, measured: bool) -> list[Finding]:
    from ganplay.diagnosis import diagnose
    from ganplay.diagnosis.measures import measures
    from ganplay.runs import store
    from ganplay.stories.story import End

    if not store.is_id(name):
        return _of_checkpoint(name)
    end = End.of(store.find(name))
    found = measures(end.state) if measured and not end.diverged else {}
    return diagnose(end.points, end.recipe, found, end.diverged)


def _of_checkpoint(name: str) -> list[Finding]:
    from ganplay import sources
    from ganplay.diagnosis import diagnose
    from ganplay.files import read_json
    from ganplay.model_folder import read_config

    folder = sources.folder_of(sources.CHECKPOINT + name)
    try:
        points = read_json(folder / "metrics.json")["points"]
    except (KeyError, OSError, TypeError, ValueError):
        raise ValueError(f"The checkpoint {name} comes without the curves of its training.") from None
    return diagnose(points, read_config(folder).recipe)


def _value(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else f"{value}"
