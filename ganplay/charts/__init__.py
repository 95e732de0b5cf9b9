"""Figures: pure functions from plain data to Altair charts, drawn over images seen."""
