"""Every source of chance is an explicit generator derived from a run's seed and its purpose."""

from __future__ import annotations

import hashlib

import torch


def generator_for(seed: int, purpose: str, device: str = "cpu") -> torch.Generator:
    """A generator whose stream depends on the seed and the purpose alone, so that streams never share numbers."""
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7], "big"))
