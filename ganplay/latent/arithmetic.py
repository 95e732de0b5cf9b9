"""Weighted sums of latent vectors (arXiv 1511.06434, section 6.3.2; document 000, section 3.4 and figure 7)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ganplay.latent.noise import LARGEST_SEED, seeded, typical_length
from ganplay.recipe import Recipe

NORMALISE = ("none", "length")
LARGEST_WEIGHT, MOST_SEEDS = 10.0, 16
_TERM = re.compile(r"(?:([+-]?(?:\d{1,9}\.?\d{0,9}|\.\d{1,9})) *:)? *(\d{1,10}(?: */ *\d{1,10})*)", re.ASCII)


@dataclass(frozen=True)
class Term:
    """A weight times the average of the first latents of some seeds. As text: `+1:3/4/5`, `-0.5:7`."""

    weight: float
    seeds: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.weight:+.6g}:{'/'.join(map(str, self.seeds))}"


def parse(text: str) -> Term:
    """The term that a person wrote as `WEIGHT:SEED/SEED/...`; without `WEIGHT:` the weight is 1.

    Raises:
        ValueError: it is no such text, or a number is out of its range.
    """
    found = _TERM.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"The term {text.strip()[:60]!r} is not a weight and its seeds; write it as +1:3/4/5 or -0.5:7."
        )
    weight = round(float(found[1] or 1), 4) + 0.0  # all that the term's own text shows; never -0
    seeds = tuple(int(seed) for seed in found[2].split("/"))
    if abs(weight) > LARGEST_WEIGHT:
        raise ValueError(f"The weight of the term {text.strip()[:60]!r} is {weight:g}; -10 to 10 are allowed.")
    if max(seeds) > LARGEST_SEED:
        raise ValueError(
            f"The term {text.strip()[:60]!r} has the seed {max(seeds)}; 0 to {LARGEST_SEED:,} are allowed."
        )
    if len(seeds) > MOST_SEEDS:
        raise ValueError(f"The term {text.strip()[:60]!r} averages {len(seeds)} seeds; 1 to {MOST_SEEDS} are allowed.")
    return Term(weight, seeds)


@dataclass(frozen=True)
class Sum:
    """A weighted sum with all that went into it.

    Attributes:
        parts: for each term the latents (seeds, z) of its seeds.
        averages: (terms, z).
        result: (z,).
    """

    parts: tuple[Tensor, ...]
    averages: Tensor
    result: Tensor


def combine(recipe: Recipe, terms: Sequence[Term], normalise: str = "none") -> Sum:
    """The sum of the terms: each the weight times the average of its seeds' latents.

    Args:
        normalise: "length" rescales the result to the typical length of the noise, sqrt(z) for a normal one. Averages
            of n draws are shorter by sqrt(n), sums of k terms longer by sqrt(k), and a generator has only seen the
            typical length.

    Raises:
        ValueError: there is no such normalisation, or the terms cancel so that there is nothing to rescale.
    """
    if normalise not in NORMALISE:
        raise ValueError(f"There is no normalisation {normalise!r}; choose one of {', '.join(NORMALISE)}.")
    parts = tuple(torch.cat([seeded(recipe, seed, 1) for seed in term.seeds]) for term in terms)
    averages = torch.stack([part.mean(0) for part in parts])
    result = averages.new_tensor([term.weight for term in terms]) @ averages
    if normalise == "length":
        length = float(result.norm())
        if length < 1e-3 * math.sqrt(recipe.latent):
            raise ValueError("The terms cancel: their sum has no direction to keep; choose normalise none.")
        result = result * (typical_length(recipe) / length)
    return Sum(parts, averages, result)
