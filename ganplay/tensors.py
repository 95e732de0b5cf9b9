"""Named tensors in a safetensors file, written atomically and checked when read. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from ganplay.files import write_atomically


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], parts: Sequence[str] = ()
) -> None:
    """Writes tensors, metadata and checksums to a safetensors file, as a whole or not at all.

    Args:
        parts: prefixes of names whose tensors can be read alone.
    """
    plain = {name: value.detach().to("cpu").contiguous() for name, value in tensors.items()}
    checksums = {_key(prefix): _checksum(below(plain, prefix)) for prefix in ("", *parts)}
    write_atomically(path, serialise(plain, {**metadata, **checksums}))


def read_tensors(path: Path, prefix: str = "") -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors whose name starts with `prefix`, which is removed, and the metadata of a file by `write_tensors`.

    Args:
        prefix: empty for the whole file, or one of the `parts` it was written with.

    Raises:
        ValueError: the file is missing, or damaged so that it cannot be read or its checksum differs.
    """
    if not path.is_file():
        raise ValueError(f"There is no checkpoint {path.name}.")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            names = [name for name in list(file.keys()) if name.startswith(prefix)]
            tensors = below({name: file.get_tensor(name) for name in names}, prefix)
    except SafetensorError as error:
        raise ValueError(f"The checkpoint {path.name} is damaged or incomplete and cannot be read.") from error
    if metadata.get(_key(prefix)) != _checksum(tensors):
        raise ValueError(f"The checkpoint {path.name} is damaged: its content does not match its checksum.")
    return tensors, metadata


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose name starts with `prefix`, under the rest of their name."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _key(prefix: str) -> str:
    return f"checksum of {prefix}" if prefix else "checksum"


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().view(-1).view(torch.uint8).numpy() if tensors[name].numel() else b"")
    return digest.hexdigest()
