"""The studio inside a page, in the light or dark of the pages, with what the page's own link asks for."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

HEIGHT = 1_300  # pixels that the tallest tabs need on a wide screen

asked = {name: st.query_params[name] for name in ("source", "tab", "seed") if name in st.query_params}
alone = f"/studio/?{urlencode(asked)}" if asked else "/studio/"
st.markdown(f"Draw from what was trained here, or from any model of the Hub. [Open the studio alone]({alone})")
st.caption("Just after the server has started, the studio needs some ten seconds to appear.")
st.iframe(f"/studio/?{urlencode({**asked, '__theme': st.context.theme.type or 'light'})}", height=HEIGHT)
