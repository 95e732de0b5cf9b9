"""Evaluate: figures of any checkpoints and runs, each beside the same figure of real data."""

from __future__ import annotations

from ganplay.ui.evaluate import evaluate

evaluate()
