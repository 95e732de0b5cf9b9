"""The main script of the pages: it sets what all pages share and runs the one that was asked for."""

from __future__ import annotations

import streamlit as st

from ganplay.ui.navigation import ENTRIES, page

ABOUT = "**ganplay** shows why GANs work and why they break: train, compare and sample them here."


def main() -> None:
    """Runs the chosen page."""
    st.set_page_config(page_icon="🎭", layout="wide", menu_items={"About": ABOUT})
    st.navigation([page(name) for name in ENTRIES]).run()


if __name__ == "__main__":  # a process that was spawned imports the main script again
    main()
