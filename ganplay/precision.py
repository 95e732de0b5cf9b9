"""Which arithmetic the networks compute in. Losses, penalties, optimisers and sampling always use fp32."""

from __future__ import annotations

import torch


def has_fast_bf16(device: str = "cpu") -> bool:
    """True where bf16 matrix products run in hardware: AMX or AVX512-BF16 on a processor, compute 8.0 on CUDA."""
    if torch.device(device).type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))


def chosen(precision: str, device: str = "cpu", points: bool = False) -> str:
    """ "fp32" or "bf16": what a recipe's `precision` means on this machine.

    Args:
        points: the samples are points, whose nets are so small that casting costs more than bf16 saves.
    """
    if precision == "auto":
        return "bf16" if has_fast_bf16(device) and not points else "fp32"
    return precision


def autocast(precision: str, device: str = "cpu") -> torch.autocast:
    """The context for a forward pass."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=chosen(precision, device) == "bf16")
