"""Vanishing gradients: document 000, figure 4, live for any runs."""

from __future__ import annotations

from ganplay.ui.vanishing import vanishing_gradients

vanishing_gradients()
