"""What the studio serves as files: pictures, animations and archives, kept by content and deleted when they are old."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import zipfile
from collections.abc import Mapping
from pathlib import Path

from gradio.utils import get_upload_folder
from PIL import Image

from ganplay import pictures

LARGEST = 16 * 2**20  # bytes of one file
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of each file in an archive, so that equal pictures are equal archives


def keep(content: bytes, name: str) -> str:
    """The path of a file of this content among those that Gradio serves, and deletes when they are old.

    Gradio itself would write equal pictures to one file in place: of many viewers of one seed, some saw it empty.

    Raises:
        ValueError: the file would be larger than the studio sends.
    """
    if len(content) > LARGEST:
        raise ValueError(
            f"The file would have {len(content) / 2**20:.1f} MiB and the studio sends at most {LARGEST / 2**20:.0f} "
            f"MiB; ask for fewer pictures."
        )
    path = Path(get_upload_folder()) / hashlib.sha256(content).hexdigest() / name
    if not touch(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{secrets.token_hex(8)}{path.suffix}")
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    return str(path)


def touch(path: Path | str) -> bool:
    """Makes a kept file as good as new; False when it is gone."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def archive(images: Mapping[str, Image.Image], name: str) -> str:
    """The path of a ZIP file of pictures by name, each a PNG."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:  # a PNG is compressed already
        for inside, image in images.items():
            packed.writestr(zipfile.ZipInfo(inside, _EPOCH), pictures.png(image))
    return keep(buffer.getvalue(), name)
