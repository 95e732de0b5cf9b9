"""Feature study: one switch at a time against a base, with several seeds."""

from __future__ import annotations

from ganplay.ui.study import feature_study

feature_study()
