"""What a click on a part of the model shows: its formula, its layers and its settings."""

from __future__ import annotations

import itertools
from typing import Any

import streamlit as st

from ganplay.contracts import Network
from ganplay.recipe import Recipe
from ganplay.ui import forms, teaching

NOISES = {
    "gaussian": r"z \sim \mathcal N(0, I)", "uniform": r"z \sim \mathcal U[-1, 1]",
    "truncated": r"z \sim \mathcal N(0, I),\ |z_i| \le 2",
}  # fmt: skip
TITLES = {
    "noise": "Noise z", "generator": "Generator G", "fakes": "Fakes G(z)", "real": "Real points x",
    "discriminator": "Discriminator D", "predictions": "Predictions", "loss_d": "Loss of D", "loss_g": "Loss of G",
}  # fmt: skip


def show(part: str, recipe: Recipe) -> None:
    """Draws the card of one part of a GAN."""
    with st.container(border=True):
        st.markdown(f"**{TITLES[part]}**")
        CARDS[part](recipe)


def formulas(recipe: Recipe) -> dict[str, str]:
    """Both losses as plain text, {"d", "g"}, for places without LaTeX."""
    parts = [plain(one) for one in recipe.loss.formula.split(r"\qquad")]
    return {"d": parts[0].strip(" ,"), "g": parts[1].strip(" ,")}


def plain(formula: str) -> str:
    """The LaTeX of our losses without its commands."""
    written = {r"\tfrac12": "½", r"\log": "log", r"\max": "max", "-": "−", r"^2": "²", "e^{": "exp{"}
    for command, text in written.items():
        formula = formula.replace(command, text)
    return formula.replace("{", "(").replace("}", ")")


def layers(network: Network, inputs: int, outputs: int) -> list[dict[str, Any]]:
    """The fully connected layers of a network: what goes in, what comes out, how many weights and biases."""
    widths = (inputs, *network.widths, outputs)
    last = len(widths) - 2
    return [
        {
            "layer": place + 1, "values in": before, "values out": after, "parameters": (before + 1) * after,
            "then": network.activation if place < last else getattr(network, "output", "linear"),
        }
        for place, (before, after) in enumerate(itertools.pairwise(widths))
    ]  # fmt: skip


def _noise(recipe: Recipe) -> None:
    st.latex(NOISES[recipe.noise] + rf",\quad z \in \mathbb R^{{{recipe.latent}}}")
    st.markdown(
        f"{recipe.batch_size} such vectors an update. The picture shows a grid of them"
        + (", most likely in the middle." if recipe.noise != "uniform" else ", all equally likely.")
    )


def _generator(recipe: Recipe) -> None:
    st.latex(rf"G: \mathbb R^{{{recipe.latent}}} \to \mathbb R^2,\quad \tilde x = G(z)")
    st.markdown(
        "The picture shows where G puts the grid of noise: a cell is fuller where more of the noise is squeezed into "
        "its area. Where the grid is folded or crushed onto a few places, modes are missing."
    )
    st.dataframe(layers(recipe.generator, recipe.latent, 2), hide_index=True)
    _settings(recipe, "generator_optimiser", "generator_steps")


def _fakes(recipe: Recipe) -> None:
    st.latex(r"\tilde x = G(z)")
    st.markdown("Always of the same noise vectors, so that you can follow each point through time.")


def _real(recipe: Recipe) -> None:
    st.markdown(" ".join((type(recipe.dataset).__doc__ or recipe.dataset.title).split()))
    _settings(recipe, "dataset")


def _discriminator(recipe: Recipe) -> None:
    said = r"f(x) \in \mathbb R" if recipe.loss.scores else r"D(x) = \sigma(f(x)) \in (0, 1)"
    st.latex(rf"f: \mathbb R^2 \to \mathbb R,\quad {said}")
    st.markdown(
        "The picture shows its verdict at every place of the plane: blue where it says *real*, orange where *fake*."
        + (" This one is a critic: its scores have no unit, so the colours compare places only." if recipe.loss.scores
           else "")
    )  # fmt: skip
    st.dataframe(layers(recipe.discriminator, 2, 1), hide_index=True)
    _settings(recipe, "discriminator_optimiser", "critic_steps")


def _predictions(recipe: Recipe) -> None:
    st.markdown(
        "How often D gives which verdict, from *fake* on the left to *real* on the right: about real points above the "
        "middle, about fakes below it. When both look alike, D can only guess."
    )


def _loss(recipe: Recipe, which: int) -> None:
    parts = recipe.loss.formula.split(r"\qquad")
    st.latex(parts[which].strip(" ,"))
    for penalty in recipe.penalties if which == 0 else ():
        st.markdown(f"plus **{penalty.kind}**")
        st.latex(teaching.in_lines(penalty.formula))
    st.markdown(teaching.worked_example(type(recipe.loss)))
    _settings(recipe, "loss", *(["penalties"] if which == 0 else []))


def _settings(recipe: Recipe, *slots: str) -> None:
    """The values of some parts in one line."""
    shown = [s for s in recipe.settings() if s.path.split(".")[0] in slots]
    values = [f"{forms.label(s.path)} **{_written(s.value)}**" for s in shown if s.value not in ((), "")]
    if values:
        st.markdown(" · ".join(values))


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


CARDS = {
    "noise": _noise, "generator": _generator, "fakes": _fakes, "real": _real, "discriminator": _discriminator,
    "predictions": _predictions, "loss_d": lambda recipe: _loss(recipe, 0), "loss_g": lambda recipe: _loss(recipe, 1),
}  # fmt: skip
