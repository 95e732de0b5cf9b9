"""What a diagnosis says: one finding for each thing that the numbers show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SEVERITIES = ("trouble", "doubt", "fine")


@dataclass(frozen=True)
class Remedy:
    """Something to try.

    Attributes:
        changes: of the recipe's settings, for `Recipe.change`; empty where it is no change of settings.
    """

    sentence: str
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing that curves, probes or samples show.

    Attributes:
        name: stable, for programs: "d-separates", "oscillates", ...
        title: in a few words.
        evidence: the numbers, in a sentence or two.
        what_to_try: remedies, the likeliest first.
        severity: "trouble", "doubt" (it may be wanted, or needs another look), or "fine".
        images: the images seen between which it shows.
    """

    name: str
    title: str
    evidence: str
    what_to_try: tuple[Remedy, ...]
    severity: str
    images: tuple[int, int]
