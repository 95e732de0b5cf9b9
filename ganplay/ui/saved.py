"""The pictures that runs have saved."""

from __future__ import annotations

from PIL import Image

from ganplay.runs import store


def saved(id: str, images: int) -> Image.Image:
    """The picture that a run saved after so many images, in RGB.

    Raises:
        ValueError: there is no such run or picture, or it cannot be read.
    """
    path = store.find(id).sample_path(images)
    try:
        with Image.open(path) as opened:
            return opened.convert("RGB")
    except OSError as error:
        raise ValueError(f"The sample at {images:,} images cannot be read.") from error
