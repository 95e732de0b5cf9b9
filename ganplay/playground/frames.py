"""What a browser is sent of a world: frames, and the real points once.

A frame is a JSON object, about 8 kB for each member:

- `seq`: grows with every frame; `at`, `last`: iteration shown, furthest one reached; `target`: the iteration that a
  journey through time or a replay is on its way to, else null;
- `playing`, `speed` (iterations a frame at most), `rate` (iterations a second, measured);
- `stage`: null, or 0 to 4 in slow motion (`stages`); then `numbers`, by name, are the first member's, and each member
  has its own `numbers` and a `batch`: `real` and, once they are made, `fakes`, as int16 pairs;
- `extent`: half the width of the plane that is shown; `error`: a sentence, or null; `script`: the text of a link to
  this moment;
- `members`: for each GAN

  - `fakes`: points of the same latents in all frames, int16 pairs, x / extent * 32767; outside the plane they lie on
    its edge, and -32768 is no number;
  - `heat`: uint8, side * side, rows from low to high y: 0 is fake and 255 real. A probability where the loss has one;
    a critic's score between `low` and `high` otherwise (`scores` is true). `low`, `high`: range of the logits;
  - `warped`, `warped_shape`: where the generator puts a grid of latents, int16 pairs;
  - `arrows`: int16 quadruples x, y, u, v of the first fakes: minus the gradient of G's loss there, (u, v) in units of
    `arrow_scale` / 32767, which is the length of the longest one;
  - `loss_d`, `loss_g`, `penalty`, `accuracy_real`, `accuracy_fake`: means of the newest iterations, null before them;
  - `measures`: see `measures`; null until they were first computed; and `measured`, the iteration they are of.

All integers are little-endian, in base64.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganplay.contracts import Loss
from ganplay.playground.groups import Group, extent, points
from ganplay.playground.past import COLUMNS, number
from ganplay.playground.world import World
from ganplay.recipe import Recipe
from ganplay.tiny import View, plan

FULL = 32_767
POINTS, SIDE, LINES, ARROWS = 400, 41, 21, 64  # of a frame; 8 frames a second of these cost a core a few per cent
COARSE = 21  # side of the map of a D that sees samples together, where a point costs forty times as much
REAL = 1_000  # real points that are shown


class Camera:
    """Takes the pictures of one world; knows where it looked last."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._views: dict[tuple[int, ...], tuple[Any, tuple[Recipe, ...], View]] = {}

    def members(self) -> list[dict[str, Any]]:
        """The members' part of a frame, without measures and stages."""
        found: dict[int, dict[str, Any]] = {}
        for group in self._world.groups:
            found |= dict(zip(group.members, self._pictures(group), strict=True))
        newest = self._world.newest()
        for member, losses in enumerate(newest):
            found[member] |= {name: number(losses[name]) if losses else None for name in COLUMNS}
        return [found[member] for member in range(len(self._world))]

    def _view(self, group: Group) -> View:
        gan, recipes, view = self._views.get(group.members, (None, (), None))
        if gan is not group.gan or recipes != group.gan.recipes:
            recipes = group.gan.recipes
            side = COARSE if any(map(plan.sees_together, recipes)) else SIDE
            view = View(group.gan, extent(recipes[0].dataset), points=POINTS, side=side, lines=LINES)
            self._views[group.members] = group.gan, recipes, view
        return view

    def _pictures(self, group: Group) -> list[dict[str, Any]]:
        """Of each member of a group."""
        frame = self._view(group).frame()
        starts = frame.fakes[:, :ARROWS]
        pulls = group.gan.gradients(starts)
        found = []
        for place, recipe in enumerate(group.gan.recipes):
            width = extent(recipe.dataset)
            arrows, scale = _arrows(starts[place], pulls[place], width)
            found.append({
                "fakes": pairs(frame.fakes[place], width),
                **_heat(frame.heat[place], recipe),
                "warped": pairs(frame.warped[place], width),
                "warped_shape": list(frame.warped[place].shape[:-1]),
                "arrows": arrows,
                "arrow_scale": scale,
            })  # fmt: skip
        return found


def real(world: World) -> dict[str, Any]:
    """The real points of the first member's set, and the centres of its modes where it has any."""
    dataset = world.recipes[0].dataset
    width = extent(dataset)
    centres = [list(map(float, row)) for row in dataset.centres()] if hasattr(dataset, "centres") else []
    return {"points": pairs(points(dataset).values[:REAL], width), "extent": width, "centres": centres}


def pairs(values: Tensor, width: float) -> str:
    """Points (..., 2) as int16 pairs."""
    return _text(_integers(values.numpy() / width))


def _integers(shares: np.ndarray) -> np.ndarray:
    """Shares of the full range as int16; what is no number becomes -32768."""
    whole = np.rint(np.clip(shares, -1, 1) * FULL)
    return np.where(np.isfinite(shares), whole, -FULL - 1).astype("<i2")


def probabilities(logits: Tensor, loss: Loss) -> Tensor:
    """D's verdict from 0 to 1: a probability where the loss has one, else the share of the way up to the best score."""
    if loss.scores:
        low, high = _range(logits)
        return ((logits - low) / max(high - low, 1e-12)).nan_to_num(0.5).clamp(0, 1)
    if loss.boundary:  # logits are the verdict itself, as with least squares
        return (logits - loss.boundary + 0.5).nan_to_num(0.5).clamp(0, 1)
    return torch.sigmoid(logits).nan_to_num(0.5)


def _range(logits: Tensor) -> tuple[float, float]:
    finite = logits[logits.isfinite()]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def _heat(logits: Tensor, recipe: Recipe) -> dict[str, Any]:
    """D's map (side, side) as bytes, with the range of its logits."""
    low, high = _range(logits)
    levels = probabilities(logits, recipe.loss).mul(255).round().to(torch.uint8)
    return {
        "heat": _text(levels.numpy()), "heat_side": len(logits), "low": number(low), "high": number(high),
        "scores": recipe.loss.scores,
    }  # fmt: skip


def _arrows(starts: Tensor, pulls: Tensor, width: float) -> tuple[str, float | None]:
    """Quadruples of points (M, 2) and what pulls at them (M, 2), and the length of the longest."""
    lengths = pulls.norm(dim=1)
    lengths = lengths[lengths.isfinite()]
    scale = float(lengths.max()) if len(lengths) else 0.0
    shares = np.concatenate([starts.numpy() / width, pulls.numpy() / (scale or 1.0)], 1)
    return _text(_integers(shares)), number(scale)


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def thinned(rows: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the rows, evenly spread; the first and the last stay."""
    if len(rows) <= most:
        return list(rows)
    return [rows[(len(rows) - 1) * step // (most - 1)] for step in range(most)]
