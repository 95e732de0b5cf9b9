"""Shared parts of the Streamlit pages."""
