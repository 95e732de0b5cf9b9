"""The studio inside a page, in the light or dark of the pages."""

from __future__ import annotations

import streamlit as st

st.markdown("Sample, interpolate and compare generators. [Open the studio alone](/studio/)")
st.iframe(f"/studio/?__theme={st.context.theme.type or 'light'}", height=950)
