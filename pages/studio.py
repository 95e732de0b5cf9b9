"""The studio inside a page, in the light or dark of the pages."""

from __future__ import annotations

import streamlit as st

st.markdown("Sample and interpolate what was trained here. [Open the studio alone](/studio/)")
st.caption("Just after the server has started, the studio needs some ten seconds to appear.")
st.iframe(f"/studio/?__theme={st.context.theme.type or 'light'}", height=950)
