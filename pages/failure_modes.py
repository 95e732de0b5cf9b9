"""Failure modes: break a GAN, let the program diagnose it, and choose the cure."""

from __future__ import annotations

from ganplay.ui.failure import failure_modes

failure_modes()
