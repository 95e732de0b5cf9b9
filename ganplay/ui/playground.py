"""The page "2-D playground": one or two small GANs on points, live, to be stopped, changed and taken back in time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ganplay.charts import playground as charts
from ganplay.ui import (
    drawing,
    playground_parts,
    playground_settings,
    playground_share,
    playground_stories,
    playground_world,
    teaching,
)
from ganplay.ui.navigation import ENTRIES
from ganplay.ui.playground_canvas import FIRST_LAYERS, LAYERS, PARTS, canvas
from ganplay.ui.shared import show_notice

if TYPE_CHECKING:
    from ganplay.playground.script import Script

IDEA = r"""
$\min_G \max_D\; \mathbb E_{x}[\log D(x)] + \mathbb E_{z}[\log(1 - D(G(z)))]$ · A generator $G$ turns noise $z$ into
points; a discriminator $D$ learns to tell them from real ones; $G$ follows the gradient of $D$'s verdict to places that
look real. In the plane all of it can be seen: what $D$ says of **every** place, where $G$ puts **every** noise vector,
and where its loss pulls each fake.
"""
QUESTION = (
    "The first GAN here learns eight Gaussians on a ring. How many of the eight will it cover after 2,000 iterations?"
)
ANSWERS = {"one or two": (0, 2), "three to six": (3, 6), "seven or eight": (7, 8)}
ASKED = 2_000  # iterations
WHY = r"""
For a fixed $G$ the best discriminator is $D^*(x) = p(x) / (p(x) + q(x))$, with the densities $p$ of real and $q$ of
generated points, and $G$'s loss then measures how far $q$ is from $p$ (arXiv 1406.2661, theorem 1). In practice both
move in turn, by small steps:

- **$G$ sees $D$'s slope only where its own fakes are.** A mode that no fake is near pulls at nothing. That is why modes
  are missed, and why all fakes may hop from mode to mode together (*mode collapse*).
- **KL** asks whether real points are covered by fakes, so it is large when modes are missing; **reverse KL** over modes
  asks whether fakes are spread over the modes as they should be; **JS** stays below $\ln 2$ = 0.693 whatever happens.
- **Covered** means: a mode has at least one of 2,500 samples within three standard deviations; **high quality** is the
  share of samples that are within three standard deviations of some mode (arXiv 1705.07761).
- The arrows are the gradient of $G$'s own loss at each fake, turned downhill. Where they vanish, $G$ learns nothing.
"""
PACE = 3.0  # seconds between two looks at the curves while it plays
SPEEDS = ((1, "1 a frame"), (5, "5 a frame"), (20, "20 a frame"), (60, "60 a frame"), (1000, "full speed"))
DRAWN = {"extent": 1.5, "most": 256}  # half the width of the sheet; points on it


def playground() -> None:
    """Draws the page."""
    st.title(ENTRIES["playground"].title)
    hidden = playground_share.hidden()
    if "idea" not in hidden:
        teaching.step("Idea", "two networks play against each other in the plane")
        st.markdown(IDEA)
    predicted = None
    if "predict" not in hidden:
        teaching.step("Predict", "before you press play")
        predicted = teaching.predict(QUESTION, tuple(ANSWERS), "playground")
    show_notice()
    if "stories" not in hidden:
        playground_stories.offer()
    teaching.step("Do", "play, step, look inside, change")
    script = playground_world.current()
    if script is None:
        return
    st.fragment(_live)(hidden, predicted)
    if "settings" not in hidden:
        _settings(script)
    if "why" not in hidden:
        with st.expander("**Why** · what the plane shows, and how the figures are measured"):
            st.markdown(WHY)
            teaching.losses(playground_world.recipes(script))
    if "export" not in hidden:
        playground_share.export(script)
    if "code" not in hidden:
        with st.expander("**Code** · the five stages of an iteration, and how a playground becomes a link"):
            _code()


def names(script: Script) -> list[str]:
    """What the GANs are called: as their story calls them, or by what differs where there are two."""
    told = playground_stories.running(script)
    if told:
        return told["labels"]
    return ["The GAN"] if len(script.recipes) == 1 else playground_world.names(script)


# The live view


def _live(hidden: Sequence[str], predicted: str | None) -> None:
    """The canvas, the card of a clicked part, and the curves; run again for each of them alone."""
    script = playground_world.current()
    if script is None:
        return
    seen = canvas(_told(script, hidden), key=f"canvas:{playground_world.id()}")
    if seen.lost == playground_world.id():
        playground_world.forget()
        st.rerun()
    if seen.now and playground_world.settle(seen.now):
        st.rerun()  # the settings show what holds at this moment
    _remember("part", seen.part)
    _remember("layers", ",".join(seen.layers) or "none" if seen.layers is not None else None)
    recipes = playground_world.recipes(script)
    part = st.query_params.get("part")
    if part in PARTS:
        playground_parts.show(part, recipes[min(int(seen.member or 0), len(recipes) - 1)])
    if "curves" not in hidden:
        teaching.step("See", "what the curves say")
        playing = bool(seen.now and seen.now.get("playing"))
        if seen.now is None:  # nothing is known of the process that trains yet
            st.caption("The curves begin with the first iteration: press play.")
        else:
            st.fragment(run_every=PACE if playing else None)(_curves)(predicted)


def _told(script: Script, hidden: Sequence[str]) -> dict[str, Any]:
    recipes = playground_world.recipes(script)
    layers = st.query_params.get("layers")
    chosen = FIRST_LAYERS if layers is None else [name for name in layers.split(",") if name in LAYERS]
    part = st.query_params.get("part")
    return {
        "id": playground_world.id(), "script": playground_world.text(), "names": names(script),
        "formulas": [playground_parts.formulas(recipe) for recipe in recipes], "noise": recipes[0].noise,
        "dataset": repr(recipes[0].dataset), "layers": list(chosen), "part": part if part in PARTS else None,
        "hide": list(hidden), "page": ENTRIES["playground"].address, "speeds": SPEEDS, "drawing": DRAWN,
        "play": playground_world.plays(),
    }  # fmt: skip


def _remember(name: str, value: str | None) -> None:
    """Keeps a choice of the canvas in the address; None is none yet, and nothing chosen leaves it."""
    if value == "":
        st.query_params.pop(name, None)
    elif value is not None and st.query_params.get(name) != value:
        st.query_params[name] = value


def _curves(predicted: str | None) -> None:
    script = playground_world.current()
    if script is None:
        return
    labels, recipes = names(script), playground_world.recipes(script)
    found = [playground_world.curves(member) for member in range(len(recipes))]
    if min(map(len, found)) < 2:
        st.caption("The curves begin with the first iteration: press play.")
        return
    told = playground_stories.running(script)
    if told:
        playground_stories.judge(told, found)
    else:
        _compare(predicted, script, found[0])
    modes = len(recipes[0].dataset.centres()) if hasattr(recipes[0].dataset, "centres") else 0
    judged = not any(recipe.loss.scores for recipe in recipes)
    if len(labels) > 1:
        drawing.legend(zip(charts.MEMBERS, labels, strict=False))
    shown = charts.figures(bool(modes), judged)
    members = list(zip(labels, found, strict=True))
    for start in range(0, len(shown), 3):
        for name, column in zip(shown[start : start + 3], st.columns(3), strict=False):
            with column:
                rows = charts.rows(name, members)
                drawing.show(_form(name, tuple(labels), modes), rows, f"{name}:{playground_world.id()}")


def _compare(predicted: str | None, script: Script, curves: Sequence[dict[str, Any]]) -> None:
    """The prediction beside what the first GAN did when it was there."""
    recipe = playground_world.recipes(script)[0]
    if predicted is None or (recipe.dataset.kind, getattr(recipe.dataset, "modes", 0)) != ("ring", 8):
        return
    later = [row for row in curves if row["at"] >= ASKED and row.get("modes") is not None]
    if not later:
        st.info(f"You said *{predicted}*. Play on to iteration {ASKED:,} to see.")
        return
    first = later[0]
    low, high = ANSWERS[predicted]
    word = "That is what happened" if low <= first["modes"] <= high else "It went otherwise"
    st.success(
        f"You said *{predicted}*. {word}: at iteration {first['at']:,} it covered {first['modes']} of {first['of']} "
        f"modes, and {first['high_quality']:.0%} of its samples were of high quality."
    )


@st.cache_data(show_spinner=False, max_entries=64)
def _form(name: str, labels: tuple[str, ...], modes: int) -> dict[str, Any]:
    """A figure without data."""
    return drawing.plain(charts.chart(name, labels, modes))


# Settings


def _settings(script: Script) -> None:
    pair = len(script.recipes) > 1
    with st.expander("**Settings** · data, noise, networks, losses, optimisers", expanded=False):
        both = st.toggle("Two GANs side by side, on the same data and noise", pair, key=f"pair:{playground_world.id()}",
                         help="Both start over at iteration 0, first alike; then change one of them.")  # fmt: skip
        if both != pair:
            recipes = playground_world.recipes(script)
            playground_world.start((recipes[0], recipes[0]) if both else recipes[:1])
            st.rerun()
        now = playground_world.recipes(script)
        try:
            wanted = playground_settings.form(now, names(script), playground_world.form_key())
            changed = playground_world.apply(wanted)
        except ValueError as error:
            st.error(str(error))
            return
    if changed:
        st.rerun()  # the canvas above knows the new data and formulas


def _code() -> None:
    from ganplay.playground import script, stages

    teaching.source(stages.SlowMotion, script.Script)
