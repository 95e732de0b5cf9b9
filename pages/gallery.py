"""Pretrained: every checkpoint that comes with the program, beside each other and compared."""

from __future__ import annotations

from ganplay.ui.gallery import gallery

gallery()
