"""Architectures: every recipe's networks, layer by layer, beside what its document prints."""

from __future__ import annotations

from ganplay.ui.architectures import architectures

architectures()
