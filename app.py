"""The server: the pages at / and the Gradio studio at /studio/, one process, one port.

Start it with `streamlit run app.py`, `python app.py --port 8501` or `uvicorn app:app`.
"""

from __future__ import annotations

from ganplay.ui.server import arguments, prepare_environment

prepare_environment()  # before Streamlit, Gradio and the Hub's client read it

import streamlit as st  # noqa: E402

from ganplay.ui.server import ROUTER, lifespan, routes  # noqa: E402

app = st.App(ROUTER, lifespan=lifespan, routes=routes())

if __name__ == "__main__":
    app.run(config=arguments())
