"""Stories of the playground: a question, two GANs that answer it beside each other, and what they really did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from ganplay.recipe import Recipe
from ganplay.stories.story import Story
from ganplay.ui import playground_surface, playground_world

if TYPE_CHECKING:
    from ganplay.playground.script import Script

PAGE = "playground"
CHOSEN, RUNNING = "playground:story", "playground:running"
FIELDS = {"modes": "modes covered", "high_quality": "high quality", "kl": "KL", "js": "JS", "reverse_kl": "reverse KL"}


@st.cache_data(show_spinner=False)
def offered() -> dict[str, str]:
    """The titles of this page's stories by name."""
    from ganplay.stories import stories

    return {kind: stories[kind].title for kind in stories if stories[kind].page == PAGE}


def story(kind: str) -> Story:
    """The story called `kind`."""
    from ganplay.stories import stories

    return stories[kind]()


def offer() -> None:
    """Draws the choice of a story, its question and its button."""
    titles = offered()
    with st.container(border=True):
        kind = st.selectbox(
            "A story: a question, your prediction, one click", list(titles), None, format_func=titles.get, key=CHOSEN,
            placeholder="choose one, or play freely below",
        )  # fmt: skip
        if kind is None:
            return
        one = story(kind)
        if kind == playground_surface.KIND:
            playground_surface.section(one)
            return
        predicted = st.radio(one.question, one.answers, None, key=f"playground:says:{kind}", horizontal=True)
        breaks, *cures = one.recipes(0)
        left, middle, right = st.columns([3, 1, 2], vertical_alignment="bottom")
        cure = left.selectbox(f"Beside “{breaks}”", cures, key=f"playground:cure:{kind}") if cures else None
        seed = middle.number_input("Seed", 0, 2**31 - 1, 0, key=f"playground:seed:{kind}")
        if right.button("Play it", type="primary", width="stretch", disabled=predicted is None,
                        help="Choose an answer first." if predicted is None else None):  # fmt: skip
            labels = [breaks, *([cure] if cure else [])]
            recipes = one.recipes(seed)
            playground_world.start([fit(recipes[label]) for label in labels], play=True)
            st.session_state[RUNNING] = {"story": kind, "labels": labels, "says": predicted, "seed": seed}
            st.rerun()


def fit(recipe: Recipe) -> Recipe:
    """A story's recipe without what only a run folder needs, so that its link is short."""
    from ganplay.recipes import recipe as registered

    shown = ("title", "stop_", "log_", "sample_", "score_")
    return recipe.change({s.path: s.value for s in registered("toy-ring").settings() if s.path.startswith(shown)})


def rounds(recipe: Recipe) -> int:
    """Iterations that the story trains this recipe for."""
    return max(1, recipe.stop_images // (recipe.batch_size * recipe.critic_steps))


def running(script: Script) -> dict[str, Any] | None:
    """The story that the playground is about; None once the reader has gone on to something else."""
    stored = st.session_state.get(RUNNING)
    if stored is None:
        return None
    known = story(stored["story"]).recipes(stored["seed"])
    recipes = [known[label] for label in stored["labels"]]
    same = tuple(map(fit, recipes)) == tuple(map(fit, playground_world.recipes(script)))
    return stored | {"rounds": max(map(rounds, recipes))} if same else None


def judge(told: Mapping[str, Any], curves: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """What the GANs of a running story did, as soon as both are as old as the story asks.

    Args:
        told: as `running` gave it.
        curves: of each GAN.
    """
    one, until = story(told["story"]), told["rounds"]
    with st.container(border=True):
        st.markdown(f"**{one.title}**")
        found = [at(rows, until) for rows in curves]
        if not all(found):
            st.markdown(
                f"You said *{told['says']}*. At iteration {until:,} the two are compared; time travel works too."
            )
            return
        st.markdown(f"You said *{told['says']}*. At iteration {found[0]['at']:,} of just these two GANs:")
        st.dataframe([_row(label, row) for label, row in zip(told["labels"], found, strict=True)], hide_index=True)
        right = "as you said" if told["says"] == one.answer else "which is not what you said"
        st.markdown(
            f"The story's answer is **{one.answer}**, {right}. It claims, to be compared with the numbers above:"
        )
        st.markdown(f"> {one.claim} ({one.source})")
        st.markdown(one.why)
        _over_seeds(one)


def _over_seeds(one: Story) -> None:
    """What many seeds came to, to be seen beside the papers' counts and the reader's own pair."""
    from ganplay.stories.verified import verified

    known = verified(one)
    if known is not None:
        first, last = known.seeds
        st.markdown(
            f"**Ours, from seeds {first} to {last}**: it held on {known.held} of {last - first + 1}. Means at "
            "the end, with the averaged weights of G (smallest to largest):"
        )
        st.dataframe([_spread(label, spread) for label, spread in known.spread.items()], hide_index=True)
    st.caption(f"`python -m ganplay verify {one.kind}` trains all of it from ten seeds and counts.")


def _spread(label: str, spread: Mapping[str, tuple[float, float, float]]) -> dict[str, str]:
    shown = {FIELDS[name]: spread[name] for name in FIELDS if name in spread}
    forms = {name: ".0%" if name == FIELDS["high_quality"] else ".3g" for name in shown}
    cells = {
        name: f"{mean:{forms[name]}} ({low:{forms[name]}} to {high:{forms[name]}})"
        for name, (mean, low, high) in shown.items()
    }
    cells["modes covered"] += f" of {spread['modes_of'][0]:.0f}"
    return {"GAN": label} | cells


def at(curves: Sequence[Mapping[str, Any]], until: int) -> Mapping[str, Any] | None:
    """The first measures from this iteration on, None when there are none yet."""
    return next((row for row in curves if row["at"] >= until and row.get("kl") is not None), None)


def _row(label: str, row: Mapping[str, Any]) -> dict[str, Any]:
    said = {name: row.get(field) for field, name in FIELDS.items() if row.get(field) is not None}
    if "modes covered" in said:
        said["modes covered"] = f"{row['modes']} of {row['of']}"
        said["high quality"] = f"{row['high_quality']:.0%}"
    return {"GAN": label} | said
