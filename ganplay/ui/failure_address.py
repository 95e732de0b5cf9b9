"""Choices of the page "Failure modes" by name in its address, kept while other pages are visited.

Streamlit's own binding writes the labels that a reader sees; these are names, which stay when a title is mended.
"""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st


def begin(name: str, options: Collection[str], default: str) -> None:
    """Sets the widget with the key `name`, before it is drawn, to what the address says or was last chosen.

    A name in the address that is none of the options is told, and the default is taken.
    """
    asked = st.query_params.get(name)
    if asked is not None and asked != st.session_state.get(_asked(name)):  # a link, not the reader's own choice
        if asked in options:
            st.session_state[name] = asked
        else:
            st.warning(f"There is no “{asked[:60]}” here; another one is shown.")
    elif st.session_state.get(name) not in options and st.session_state.get(_asked(name)) in options:
        st.session_state[name] = st.session_state[_asked(name)]
    if st.session_state.get(name) not in options:
        st.session_state[name] = default


def keep(name: str, value: str) -> None:
    """Writes what was chosen into the address."""
    st.session_state[_asked(name)] = value
    st.query_params[name] = value


def _asked(name: str) -> str:
    return f"asked:{name}"
