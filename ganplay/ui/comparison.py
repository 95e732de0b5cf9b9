"""The steps of the page "Train side by side"."""

from __future__ import annotations

import secrets

import streamlit as st

from ganplay import trainer
from ganplay.charts.curves import settled
from ganplay.recipe import Recipe
from ganplay.runs.folder import Run
from ganplay.ui import contenders, links, live, teaching
from ganplay.ui.datasets import show_import
from ganplay.ui.forking import fork_form
from ganplay.ui.shared import attempt, manager, runs, show_notice

IDEA = r"""
Two networks learn from each other: the **generator** $G$ turns noise $z$ into pictures, the **discriminator** $D$
learns to tell them from real ones, and $G$ learns to be taken for real. In the first GAN both pull at one number:
"""
GAME = (
    r"\small\begin{gathered}\min_G \, \max_D \; V(D, G)\\"  # two lines, so that a phone shows it whole
    r"V = \mathbb{E}_x[\log D(x)] + \mathbb{E}_z[\log(1 - D(G(z)))]\end{gathered}"
)
QUESTION = "When the pictures have become good, how often will the discriminator recognise a generated one?"
ANSWERS = ("almost always", "about every second time", "almost never")
WHY = r"""
A loss that falls is not progress here: each network's loss is measured against the other, and both learn. If $G$ were
perfect, $D$ could only guess, and $D = 1/2$ everywhere gives a discriminator loss of $2 \ln 2 \approx 1.39$ and an
accuracy of 1/2. A discriminator near 100 % still sees a difference; the gradient it sends back tells the generator
which one. What matters is in the pictures, so watch them and the curves together. (Goodfellow et al., arXiv
1406.2661; the curves run over images seen, because a round of a WGAN sees five times as many as a round of a DCGAN.)
"""


def compare() -> None:
    """Draws the page: the setup when no run is chosen, else the runs."""
    st.title("Train side by side")
    teaching.step("Idea", "two networks, one game")
    st.markdown(IDEA)
    st.latex(GAME)
    show_import()
    ids = _watched()
    _predict(ids)
    recipes = _see(ids) if ids else _do()
    if recipes:
        with st.expander("**Why** · what each network minimises, with an example by hand"):
            teaching.losses(recipes)
    with st.expander("**Why** · what the curves can and cannot say"):
        st.markdown(WHY)
    with st.expander("**Code** · the whole training loop"):
        teaching.source(trainer.train)


def _watched() -> list[str]:
    """The runs in the address; those looked at last when the reader comes back from another page."""
    if "runs" in st.query_params:
        ids = links.run_ids(st.query_params["runs"])
    elif "recipe" in st.query_params:
        ids = []
    else:
        ids = st.session_state.get("watched", [])
        if ids:
            st.query_params["runs"] = ",".join(ids)
    st.session_state["watched"] = ids
    return ids


def _predict(ids: list[str]) -> None:
    teaching.step("Predict", "before you look")
    chosen = teaching.predict(QUESTION, ANSWERS, "accuracy")
    if chosen and ids:
        st.fragment(run_every=live.CHARTS if live.is_active(ids) else None)(_compare_prediction)(ids, chosen)


def _compare_prediction(ids: list[str], chosen: str) -> None:
    said = []
    for series in live.series(ids):
        value = settled(series.points, "accuracy_fake")
        if series.judges and value is not None and len(series.points) >= 10:
            said.append(f"**{value:.0%}** for {series.label}")
    if said:
        st.info(f"You said *{chosen}*. Lately it was {'; '.join(said)}.")


def _do() -> list[Recipe]:
    """Draws the form; the recipes as they are now."""
    teaching.step("Do", "choose who competes")
    _load_link()
    show_notice()
    chosen, problem = contenders.setup()
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Start", icon="▶️", type="primary", disabled=bool(problem), key="start"):
            _start(chosen)
        with st.popover("Share this setup", icon="🔗", disabled=bool(problem)):
            st.caption("Whoever opens this link finds the form filled in like this.")
            st.code(links.address(links.query(chosen)), language=None, wrap_lines=True)
    if problem:
        st.caption("Start is possible once the sentence above is dealt with.")
    return _recipes(chosen)


def _load_link() -> None:
    """Fills the form from the address, once for each link; says what of it could not be read as long as it is there."""
    texts = st.query_params.get_all("recipe")
    if not texts:
        return
    found, sentences = links.parse(texts)
    if found and st.session_state.get("link") != texts:
        contenders.load(found)
    st.session_state["link"] = texts
    for sentence in sentences:
        st.warning(f"The link could not be read in full. {sentence}")


def _start(chosen: list[links.Contender]) -> None:
    group = secrets.token_hex(4)
    started: list[Run] = []
    for one, name in zip(chosen, contenders.names(chosen), strict=True):
        run = attempt(manager().submit, one.recipe(), name, one.base, group)
        if run is None:
            break
        started.append(run)
    if started:
        st.session_state["watched"] = [run.id for run in started]
        st.query_params.from_dict({"runs": ",".join(run.id for run in started)})
    st.rerun()


def _see(ids: list[str]) -> list[Recipe]:
    """Draws the runs; the recipes of those that can be read."""
    teaching.step("See", "pictures and curves, live")
    found, _ = runs(ids)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("New comparison", icon="🆕", on_click=_leave, args=(None,))
        if found:
            st.button("Same setup again", icon="🔁", on_click=_leave, args=([run.id for run in found],))
            _share(found)
    if not found:
        live.watch(ids)  # says which runs are unknown
        return []
    fork_form(ids)
    live.watch(ids)
    return _recipes(_contenders(found))


def _recipes(contenders: list[links.Contender]) -> list[Recipe]:
    """The recipes of contenders, without those that are not allowed."""
    readable = []
    for one in contenders:
        try:
            readable.append(one.recipe())
        except ValueError:
            continue
    return readable


def _share(found: list[Run]) -> None:
    with st.popover("Share", icon="🔗"):
        st.caption("Watch these runs, for everybody who reaches this server:")
        st.code(links.address(links.run_query(run.id for run in found)), language=None, wrap_lines=True)
        recipes = _contenders(found)
        if recipes:
            st.caption("Train the same anew, on any ganplay:")
            st.code(links.address(links.query(recipes)), language=None, wrap_lines=True)


def _contenders(found: list[Run]) -> list[links.Contender]:
    """The recipes of runs; those that cannot be read are left out."""
    readable = []
    for run in found:
        try:
            readable.append(links.contender(run.recipe(), run.info["base"]))
        except ValueError:
            continue
    return readable


def _leave(ids: list[str] | None) -> None:
    """Goes back to the form, filled with the recipes of runs or as it was."""
    found = _contenders(runs(ids)[0]) if ids else []
    if found:
        contenders.load(found)
    st.session_state["watched"] = []
    st.session_state.pop("forking", None)
    st.query_params.clear()
