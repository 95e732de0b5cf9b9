"""Train side by side: the same data, seed and noise for up to four recipes."""

from __future__ import annotations

from ganplay.ui.comparison import compare

compare()
