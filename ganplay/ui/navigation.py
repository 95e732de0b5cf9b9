"""The pages by name, for the menu and for links between them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit.navigation.page import StreamlitPage

FOLDER = Path(__file__).resolve().parents[2] / "pages"


class Entry(NamedTuple):
    """One line of the menu.

    Attributes:
        question: what the page answers, for the table on Home.
    """

    title: str
    icon: str
    address: str
    question: str


ENTRIES = {
    "home": Entry("Home", "🏠", "", "What is a GAN?"),
    "gallery": Entry(
        "Pretrained", "🖼️", "pretrained", "What do trained generators draw, and which comes nearest to real data?"
    ),
    "train": Entry("Train side by side", "🥊", "train", "Which recipe learns faster, and what do the curves say?"),
    "playground": Entry("2-D playground", "🎯", "playground", "How do two networks play, step by step, in the plane?"),
    "vanishing_gradients": Entry(
        "Vanishing gradients", "📉", "vanishing-gradients", "Do the gradients of early layers die out?"
    ),
    "failure_modes": Entry(
        "Failure modes", "🔨", "failure-modes", "How does a GAN break, how is it diagnosed, and what cures it?"
    ),
    "feature_study": Entry(
        "Feature study", "🎚️", "feature-study", "Which tricks make a difference that is larger than chance?"
    ),
    "architectures": Entry("Architectures", "🏗️", "architectures", "What is inside each network, layer by layer?"),
    "evaluate": Entry("Evaluate", "📏", "evaluate", "How good is a generator, in figures that say what they compare?"),
    "studio": Entry("Studio", "🎨", "sampler", "What can a generator draw, and what lies between two pictures?"),
    "runs": Entry("Runs", "🗂️", "runs", "What has been trained here, and what may be deleted?"),
    "classroom": Entry("Class", "🏫", "classroom", "How does a whole class train and compare, each on their own?"),
}


def page(name: str) -> StreamlitPage:
    """The page called `name`."""
    entry = ENTRIES[name]
    return st.Page(
        FOLDER / f"{name}.py",
        title=entry.title,
        icon=entry.icon,
        url_path=entry.address or None,
        default=name == "home",
    )
