"""Class: exercises for students, and a board of their runs side by side."""

from __future__ import annotations

from ganplay.ui.classroom import classroom

classroom()
