"""The games of the smallest GAN: what can be played, where it goes, and its figures, each computed once for all."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import streamlit as st

from ganplay.charts import failure_dirac as figures
from ganplay.charts.style import colour
from ganplay.losses import losses
from ganplay.penalties import penalties
from ganplay.scenarios import dirac
from ganplay.ui import contenders, drawing, links

BASE = "toy-ring"  # whose loss and penalties the form changes; nothing else of it matters here
ORDERS = {
    "simultaneous": ("simultaneous", 1),
    "alternating, D once": ("alternating", 1),
    "alternating, D five times": ("alternating", 5),
}
SIDE = 17  # arrows in a row of the plane
WEIGHT = 1.0  # of a penalty in the table of all games
KINK = 1e3  # an eigenvalue beyond it is no derivative: the field has a kink at (0, 0)


class Game(NamedTuple):
    """What is played; plain data.

    Attributes:
        text: loss and penalties as `links.to_text` writes them.
    """

    text: str
    consensus: float = 0.0


def _text(loss: str, penalty: str = "", **fields: float) -> str:
    said = [BASE, f"loss={loss}", *([f"penalties={penalty}"] if penalty else [])]
    return ";".join(said + [f"penalties.{penalty}.{name}={value:g}" for name, value in fields.items()])


PRESETS = {
    "The first GAN": Game(_text("minimax")),
    "Non-saturating": Game(_text("non-saturating")),
    "WGAN, clipped at 1": Game(_text("wasserstein", "weight-clip", limit=1)),
    "Penalty 0.3": Game(_text("minimax", "r1", weight=0.3)),
    "Penalty 1 (critical)": Game(_text("minimax", "r1", weight=1)),
    "Consensus 1": Game(_text("minimax"), 1.0),
}


class Setting(NamedTuple):
    """Where the game starts and how it moves; plain data."""

    theta: float
    psi: float
    step: float
    steps: int

    @property
    def radius(self) -> float:
        """The distance from (0, 0) at the start."""
        return math.hypot(self.theta, self.psi)


@st.cache_data(show_spinner="Playing …", max_entries=200)
def walk(game: Game, setting: Setting, order: str, critic_steps: int) -> list[tuple[float, float]]:
    """The places (θ, ψ) of one path, the start first."""
    path = _played(game).path((setting.theta, setting.psi), setting.step, setting.steps, order, critic_steps)
    return [tuple(place) for place in path.tolist()]


@st.cache_data(show_spinner=False, max_entries=200)
def eigenvalues(game: Game) -> list[complex]:
    """The two eigenvalues at (0, 0); none where the field has a kink there."""
    found = [complex(value) for value in _played(game).eigenvalues()]
    return [] if any(not abs(value) < KINK for value in found) else found


def said(game: Game) -> str:
    """A game in words: its loss and its penalties with their weights."""
    made = links.from_text(game.text).recipe()
    parts = [made.loss.kind, *(f"{one.kind} {_first_field(one)}".strip() for one in made.penalties)]
    return " + ".join(parts + ([f"consensus {game.consensus:g}"] if game.consensus else []))


def _first_field(penalty: Any) -> str:
    return next((f"{value:g}" for value in penalty.values().values() if isinstance(value, float)), "")


def _played(game: Game) -> dirac.DiracGan:
    made = links.from_text(game.text).recipe()
    return dirac.DiracGan(made.loss, made.penalties, game.consensus)


@st.cache_data(show_spinner=False, max_entries=100)
def plane(game: Game, setting: Setting) -> dict[str, Any]:
    """The field with the paths in it."""
    import torch

    paths = {name: walk(game, setting, *order) for name, order in ORDERS.items()}
    half = figures.reach(paths)
    side = torch.linspace(-half, half, SIDE, dtype=torch.float64)
    places = torch.cartesian_prod(side, side)  # (SIDE * SIDE, 2)
    arrows = torch.stack(_played(game).field(places[:, 0], places[:, 1]), 1)
    rows = figures.arrow_rows(places.tolist(), arrows.tolist())
    names, colours = _legend()
    return drawing.plain(figures.plane(rows, figures.path_rows(paths), names, colours, half))


@st.cache_data(show_spinner=False, max_entries=100)
def radii(game: Game, setting: Setting) -> dict[str, Any]:
    """The distances over the steps."""
    paths = {name: walk(game, setting, *order) for name, order in ORDERS.items()}
    return drawing.plain(figures.radii(figures.path_rows(paths), *_legend()))


def _legend() -> tuple[list[str], list[str]]:
    return list(ORDERS), [colour(index) for index in range(len(ORDERS))]


@st.cache_data(show_spinner=False, max_entries=100)
def eigenvalue_figure(game: Game, step: float) -> dict[str, Any]:
    """This game's eigenvalues among those of all others."""
    known = {said(one): eigenvalues(one) for one in (*_every_game(), game)}
    return drawing.plain(figures.eigenvalues(figures.eigenvalue_rows(known, said(game)), step))


def _every_game() -> list[Game]:
    """Every loss of the registry alone and with each penalty, of weight 1 where it has one."""
    weights = {name: {"weight": WEIGHT} if "weight" in penalties[name]().values() else {} for name in penalties}
    alone = [Game(_text(loss)) for loss in losses]
    return alone + [Game(_text(loss, name, **fields)) for loss in losses for name, fields in weights.items()]


@st.cache_data(show_spinner=False, max_entries=20)
def table(step: float) -> list[dict[str, Any]]:
    """A row for every loss with every penalty."""
    rows = []
    for game in _every_game():
        values = eigenvalues(game)
        made = links.from_text(game.text).recipe()
        penalty = contenders.summary({"penalties": [one.kind for one in made.penalties]})
        rows.append({
            "loss": made.loss.kind, "penalty": penalty, "eigenvalues": ", ".join(map(_complex, values)) or "kink",
            "|1 + hλ|": round(_growth(values, step), 4) if values else None, "near (0, 0)": _said_rest(values),
        })  # fmt: skip
    return rows


def _growth(values: list[complex], step: float) -> float:
    return max(abs(1 + step * value) for value in values)


def said_eigenvalues(values: list[complex], step: float) -> str:
    """What the eigenvalues mean for a step of this size."""
    if not values:
        return (
            "**No eigenvalues here.** The penalty wants a slope of 1 and has a kink at ψ = 0, so the field has no "
            "derivative at (0, 0), and the game cannot come to rest there."
        )
    growth = _growth(values, step)
    what = "grows" if growth > 1.000001 else "shrinks" if growth < 0.999999 else "stays"
    return (
        f"**Eigenvalues {' and '.join(map(_complex, values))}: {_said_rest(values)}.** Near (0, 0) one simultaneous "
        f"step of {step:g} multiplies the distance by {growth:.4g} in the long run: it {what}. On the dashed circle "
        "that factor is 1; inside it is below."
    )


def _said_rest(values: list[complex]) -> str:
    if not values:
        return "a kink: no rest"
    most = max(value.real for value in values)
    turning = any(abs(value.imag) > 1e-5 for value in values)
    if most < -1e-5:
        return "small steps come to rest" + (" in a spiral" if turning else " without turning")
    if most > 1e-5:
        return "small steps move away"
    return "small steps turn round it" if turning else "one way without a pull: they say nothing"


def _complex(value: complex) -> str:
    real, imaginary = round(value.real, 3) + 0.0, round(value.imag, 3) + 0.0
    if not imaginary:
        return f"{real:g}"
    sign = "+" if imaginary > 0 else "-"
    return f"{real:g} {sign} {abs(imaginary):g}i" if real else f"{'-' if imaginary < 0 else ''}{abs(imaginary):g}i"
