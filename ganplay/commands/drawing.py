"""What the verbs that draw share: flags made from a drawing's fields, and the picture's file."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

SOURCE_HELP = "the name of a bundled checkpoint, a run's id, hub:OWNER/NAME, or a path to a checkpoint file or folder"
_PREFIX = "field:"
Draw = Callable[[Any, Any], "Image.Image"]  # of a drawing and a model


def configure(parser: argparse.ArgumentParser, kind: str, *examples: str) -> None:
    """The flags of the drawing registered as `kind`, in the parser of its verb.

    Args:
        examples: command lines behind `ganplay KIND`, for the end of the help.
    """
    from ganplay.drawings import drawings, flag
    from ganplay.options import option_fields

    part = drawings[kind]
    parser.add_argument("source", help=SOURCE_HELP)
    for field, annotation in option_fields(part):
        about = field.metadata["option"]
        allowed = about.range_text()
        text = f"{about.help} {f'({allowed}; ' if allowed else '('}now {_shown(field.default)})".replace("%", "%%")
        settings: dict[str, Any] = {"dest": _PREFIX + field.name, "help": text}
        if annotation is bool:
            settings["action"] = argparse.BooleanOptionalAction
        else:
            settings["metavar"] = field.name.rstrip("_").upper().replace("_", "-")
        parser.add_argument(flag(field.name), **settings)
    moves = f", or {kind}.webp with --animate" if _can_move(part) else ""
    parser.add_argument("--out", type=Path, help=f"the picture file (default {kind}.png{moves})")
    moves = "; 1 for an animation, which is large enough" if _can_move(part) else ""
    parser.add_argument("--scale", type=int, help=f"enlarge each pixel this many times (1 to 16; default 2{moves})")
    if examples:
        parser.epilog = "Examples:\n" + "\n".join(f"  ganplay {kind} {example}" for example in examples)


def execute(options: argparse.Namespace, kind: str, draw: Draw | None = None) -> int:
    """Draws the picture that the flags describe, writes its file and says where it is.

    Args:
        draw: draws in the drawing's stead and may say more; it is called once all flags are known to be allowed.
    """
    from ganplay.drawings import canvas, drawings
    from ganplay.sources import resolve

    drawing = drawings[kind](**chosen(options))
    path = options.out or Path(drawing.file)
    scale = (1 if drawing.animate else 2) if options.scale is None else options.scale
    if not 1 <= scale <= 16:
        raise ValueError(f"scale is {scale}; it must be 1 to 16.")
    canvas.file_kind(path, drawing.animate)  # an impossible file is refused before anything is computed
    model = resolve(options.source, allow_paths=True)
    written = drawing.save(model, path, scale, [draw(drawing, model)] if draw else None)
    count = f"{len(written)} frames of " if len(written) > 1 else ""
    print(f"{path}: {count}{written[0].width} x {written[0].height} pixels")
    return 0


def chosen(options: argparse.Namespace) -> dict[str, Any]:
    """The fields given on the command line, as text."""
    given = {name.removeprefix(_PREFIX): value for name, value in vars(options).items() if name.startswith(_PREFIX)}
    return {name: value for name, value in given.items() if value is not None}


def _can_move(part: type) -> bool:
    """True when the drawing has a field that makes an animation of it."""
    from ganplay.options import option_fields

    return any(field.name == "animate" for field, _ in option_fields(part))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return (",".join(map(str, value)) if isinstance(value, tuple) else str(value)) or "empty"
