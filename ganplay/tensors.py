"""Named tensors in a safetensors file, written atomically and checked when read. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from ganplay.files import write_atomically

_PIECES = "pieces"  # in the metadata: how many files the tensors are spread over
_PART = re.compile(r"(?P<name>.+)\[(?P<number>[1-9][0-9]{0,3})/(?P<count>[1-9][0-9]{0,3})\]")
_HEAD = 100_000  # bytes kept free for names, shapes and metadata


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


def write_pieces(
    paths: Sequence[Path], tensors: Mapping[str, Tensor], metadata: Mapping[str, str], most_bytes: int
) -> None:
    """Writes tensors over as few of the files as keep each below `most_bytes`; what is left over goes into the last.

    A tensor that is too large by itself is cut along its first axis, into parts named `NAME[1/3]` and so on.
    """
    groups: list[dict[str, Tensor]] = [{}]
    room = most_bytes - _HEAD
    for name, value in _cut(tensors, room).items():
        filled = sum(other.nbytes for other in groups[-1].values())
        if groups[-1] and filled + value.nbytes > room and len(groups) < len(paths):
            groups.append({})
        groups[-1][name] = value
    for path, group in zip(paths, groups, strict=False):
        write_tensors(path, group, {**metadata, _PIECES: str(len(groups))})


def read_pieces(paths: Sequence[Path]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file, and of those that it goes on in, with the metadata of the first.

    Raises:
        ValueError: one of them is missing or damaged.
    """
    tensors, metadata = read_tensors(paths[0])
    count = metadata.get(_PIECES, "1")
    if count not in {str(number) for number in range(1, len(paths) + 1)}:
        raise ValueError(f"The checkpoint {paths[0].name} is damaged: it goes on in {count[:20]!r} files.")
    for path in paths[1 : int(count)]:
        tensors |= read_tensors(path)[0]
    return _joined(tensors, paths[0].name), metadata


def _cut(tensors: Mapping[str, Tensor], most_bytes: int) -> dict[str, Tensor]:
    parts = {}
    for name, value in tensors.items():
        count = min(-(-value.nbytes // most_bytes), len(value)) if value.ndim and value.nbytes > most_bytes else 1
        if count == 1:
            parts[name] = value
        else:
            cut = value.tensor_split(count)
            parts |= {f"{name}[{number}/{count}]": part for number, part in enumerate(cut, 1)}
    return parts


def _joined(tensors: Mapping[str, Tensor], file: str) -> dict[str, Tensor]:
    """The tensors whose parts `_cut` made, whole again."""
    whole = {name: value for name, value in tensors.items() if not _PART.fullmatch(name)}
    for found in sorted(filter(None, map(_PART.fullmatch, tensors)), key=lambda found: int(found["number"])):
        if found["number"] != "1":
            continue
        names = [f"{found['name']}[{number}/{found['count']}]" for number in range(1, int(found["count"]) + 1)]
        try:
            whole[found["name"]] = torch.cat([tensors[name] for name in names])
        except (KeyError, RuntimeError):
            raise ValueError(f"The checkpoint {file} is damaged: parts of '{found['name']}' do not fit.") from None
    return whole


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
