"""Home: what a GAN is in one picture, and where to go from here. It imports nothing heavy: it is the first page."""

from __future__ import annotations

import streamlit as st

from ganplay.ui.navigation import ENTRIES, page
from ganplay.ui.samples import chosen, small
from ganplay.ui.shared import attempt, manager, show_notice
from ganplay.ui.sketch import ALT, gan

START_SECONDS = 60


def start() -> str:
    """Starts the quick recipe on the digits; the run's id."""
    from ganplay.recipes import recipe  # imports the networks, and torch with them

    changed = recipe("quick-digits").change({"stop_seconds": START_SECONDS})
    return manager().submit(changed, "Quick digits, one minute", "quick-digits").id


st.title("See why GANs work, and why they break")
show_notice()
left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
with left:
    st.image(gan(st.context.theme.type or "light"), width="stretch", alt=ALT)
with right:
    st.markdown(
        "A **forger** makes pictures from noise. A **detective** sees them mixed with real ones and says which is "
        "which. Each learns from the other's mistakes. When the game goes well, the forgeries become good. When it "
        "does not, they all look the same, or learning stops: find out why."
    )
    if st.button("Train one now: 60 seconds", type="primary", icon="▶️", width="stretch"):
        id = attempt(start)
        if id is None:
            st.rerun()
        st.switch_page(page("train"), query_params={"runs": id})
    st.caption("On handwritten digits that come with the program. Nothing is downloaded.")

names = chosen()
if names:
    st.subheader("Drawn by generators that come with the program")
    for column, name in zip(st.columns(max(3, len(names))), names, strict=False):
        try:
            column.image(small(name), caption=name, width="stretch")
        except ValueError as error:
            column.caption(str(error))
    st.page_link(page("gallery"), label="All of them, compared", icon=ENTRIES["gallery"].icon)

st.subheader("Which page answers which question")
for name, entry in ENTRIES.items():
    if name != "home":
        question, link = st.columns([3, 1], vertical_alignment="center")
        question.markdown(entry.question)
        with link:
            st.page_link(page(name), label=entry.title, icon=entry.icon)
