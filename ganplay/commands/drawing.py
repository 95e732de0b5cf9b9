"""What the verbs that draw share: flags made from a drawing's fields, and the picture's file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

SOURCE_HELP = "the name of a bundled checkpoint, a run's id, hub:OWNER/NAME, or a path to a checkpoint file or folder"
_PREFIX = "field:"


def configure(parser: argparse.ArgumentParser, kind: str) -> None:
    """The flags of the drawing registered as `kind`, in the parser of its verb."""
    from ganplay.drawings import drawings, flag
    from ganplay.options import option_fields

    parser.add_argument("source", help=SOURCE_HELP)
    for field, _ in option_fields(drawings[kind]):
        about = field.metadata["option"]
        allowed = about.range_text()
        text = f"{about.help} {f'({allowed}; ' if allowed else '('}now {_shown(field.default)})"
        name = field.name.rstrip("_").upper().replace("_", "-")
        parser.add_argument(flag(field.name), dest=_PREFIX + field.name, metavar=name, help=text.replace("%", "%%"))
    add_output(parser, f"{kind}.png")


def execute(options: argparse.Namespace, kind: str) -> int:
    """Draws the picture that the flags describe and writes its file."""
    from ganplay.drawings import drawings
    from ganplay.sources import resolve

    check_output(options)
    drawing = drawings[kind](**chosen(options))
    return save(drawing.draw(resolve(options.source, allow_paths=True)), options)


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The fields given on the command line, as text."""
    given = {name.removeprefix(_PREFIX): value for name, value in vars(options).items() if name.startswith(_PREFIX)}
    return {name: value for name, value in given.items() if value is not None}


def add_output(parser: argparse.ArgumentParser, default: str) -> None:
    """Flags of the picture a verb writes."""
    parser.add_argument("--out", type=Path, default=Path(default), help=f"the picture file (default {default})")
    parser.add_argument("--scale", type=int, default=2, help="enlarge each pixel this many times (default 2)")


def check_output(options: argparse.Namespace) -> None:
    """Raises ValueError when the scale or the file's ending is not possible, before anything is computed."""
    from PIL import Image

    if not 1 <= options.scale <= 16:
        raise ValueError(f"scale is {options.scale}; it must be 1 to 16.")
    endings = Image.registered_extensions()
    if endings.get(options.out.suffix.lower()) not in Image.SAVE:
        raise ValueError(f"{options.out} is no picture file that can be written; use an ending such as .png or .webp.")


def save(image: Any, options: argparse.Namespace) -> int:
    """Writes the picture, its kind by the file's ending, and says where it is."""
    from PIL import Image

    image = image.resize((image.width * options.scale, image.height * options.scale), Image.Resampling.NEAREST)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    image.save(options.out)
    print(f"{options.out}: {image.width} x {image.height} pixels")
    return 0


def _shown(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text or "empty"
