"""What every set of images shares: the class filter, and bringing images to the size and channels of a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate

from ganplay.contracts import Dataset
from ganplay.options import option

SPLITS = ("train", "test")
Progress = Callable[[str, float], None]
Arrays = tuple[np.ndarray, np.ndarray, tuple[str, ...]]  # what `Dataset.read` returns
CHUNK = 1_000  # images resized at once
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, what Pillow's "L" uses


@dataclass(frozen=True)
class ImageSet(Dataset):
    """Base of every set of images.

    `class_names` of an instance are those that the filter leaves, in label order; `read` ignores the filter, so that
    one decoded array serves every choice of classes.

    Raises:
        ValueError: `classes` names a class that the set does not have.
    """

    classes: tuple[str, ...] = option(
        (), "Keep only the images of these classes, for instance horse; empty keeps all.", length=(0, 100)
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_names:
            object.__setattr__(self, "class_names", self.chosen(self.class_names))

    def content(self) -> str:
        """Letters, digits, '-' and '_' that change when the images do: a part of the name of the decoded file."""
        return "1"

    def available(self) -> bool:
        """True when it can be read now, without a network."""
        return self.bundled

    def chosen(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of `names` that the filter leaves, in their order.

        Raises:
            ValueError: the filter asks for a class that is not among `names`.
        """
        unknown = [name for name in self.classes if name not in names]
        if unknown:
            known = ", ".join(names) or "none"
            raise ValueError(f"classes has {', '.join(map(repr, unknown))}; the classes of {self.kind} are {known}.")
        return tuple(name for name in names if name in self.classes) if self.classes else names


def fit(images: np.ndarray, shape: tuple[int, int, int]) -> Iterator[np.ndarray]:
    """Images at another size and number of channels, a chunk at a time so that no second copy of a set is held.

    Bicubic with antialiasing; colour becomes grey by its luma, grey becomes colour by repetition.

    Args:
        images: uint8 (N, C, H, W) with one or three channels.
        shape: the wanted (C, H, W).

    Yields:
        uint8 (n, *shape), n up to 1,000.
    """
    change = _change(images.shape[1], shape)
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK]
        if chunk.shape[1:] == shape:
            yield np.ascontiguousarray(chunk)
        else:
            values = change(torch.from_numpy(np.array(chunk)).float())
            yield values.add(0.5).clamp(0, 255).to(torch.uint8).numpy()  # bicubic overshoots beside sharp edges


def _change(channels: int, shape: tuple[int, int, int]) -> Callable[[torch.Tensor], torch.Tensor]:
    def change(values: torch.Tensor) -> torch.Tensor:  # float (n, C, H, W) -> float (n, *shape)
        if channels == 3 and shape[0] == 1:
            values = (values * torch.tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)
        if tuple(values.shape[2:]) != shape[1:]:
            values = interpolate(values, shape[1:], mode="bicubic", antialias=True, align_corners=False)
        return values.expand(-1, shape[0], -1, -1)

    return change
