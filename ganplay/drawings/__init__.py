"""Pictures that a generator draws, each as frozen data.

One declaration serves the verb of the command line, the tab and the endpoint of the studio, and the two texts beside
every picture that make it again: the command and the Python. A file of this folder adds one.

from ganplay.drawings.sample import Sample
Sample(seed=7, count=16).draw(ganplay.load("quick-digits")).save("samples.png")
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from PIL import Image
from torch import nn

from ganplay.drawings import canvas
from ganplay.files import atomic_file
from ganplay.options import Checked, option_fields
from ganplay.recipe import Recipe
from ganplay.registry import Registry

drawings = Registry("drawing", __name__)


class Model(Protocol):
    """What can be drawn from: a loaded generator in eval mode, with its recipe and the real images it has seen."""

    recipe: Recipe
    images: int
    module: nn.Module


@dataclass(frozen=True)
class Drawing(Checked):
    """Base of the pictures. A subclass is named after its verb, and its fields are the flags.

    A field whose name is a word of Python ends in an underscore, as `class_`, and its flag does without. A drawing that
    can also move has the fields `animate` and `frame_ms` and makes its `frames`.
    """

    title: ClassVar[str]
    # No annotations: dataclasses would give a subclass's fields of these names the first places.
    animate = False  # whether it is to be a file that moves
    frame_ms = 80  # how long a frame of it stays

    def draw(self, model: Model) -> Image.Image:
        """The picture, every pixel of a sample one pixel.

        Raises:
            ValueError: the model cannot draw it; the sentence says why.
        """
        raise NotImplementedError

    def frames(self, model: Model) -> list[Image.Image]:
        """The pictures of an animation that begins again after the last one."""
        return [self.draw(model)]

    def show(self, model: Model) -> Image.Image:
        """The picture enlarged to be seen on a page."""
        return canvas.enlarge(self.draw(model), smooth=_dots(model))

    def save(
        self, model: Model, path: str | Path, scale: int = 1, drawn: list[Image.Image] | None = None
    ) -> list[Image.Image]:
        """Writes the picture, or the animation where `animate` is set, its kind by the ending of `path`.

        Args:
            scale: how often each pixel is repeated in both directions.
            drawn: what `draw` or `frames` made, where that is at hand.

        Returns:
            what was written: one picture, or the frames.

        Raises:
            ValueError: the ending stands for no kind of file that can hold it.
        """
        kind = canvas.file_kind(path, self.animate)
        made = drawn or (self.frames(model) if self.animate else [self.draw(model)])
        made = [canvas.scaled(picture, scale, smooth=_dots(model)) for picture in made]
        with atomic_file(Path(path)) as file:
            file.write(canvas.encode(made, kind, self.frame_ms))
        return made

    def command(self, source: str) -> str:
        """The command line that makes the picture from `source`, a name, an id or a key."""
        flags = [_flag_text(name, value) for name, value in self._chosen().items()]
        return " ".join(["python -m ganplay", self.kind, shlex.quote(source), *flags, f"--out {self.file}"])

    def python(self, source: str) -> str:
        """The Python that makes the picture from `source`, a name, an id or a key."""
        part = type(self)
        fields = ", ".join(f"{name}={value!r}" for name, value in self._chosen().items())
        ending = f'save(model, "{self.file}")' if self.animate else f'draw(model).save("{self.file}")'
        return (
            f"import ganplay\nfrom {part.__module__} import {part.__name__}\n\n"
            f"model = ganplay.load({source!r})\n"
            f"{part.__name__}({fields}).{ending}"
        )

    @property
    def file(self) -> str:
        """The name of the file where nobody chose another."""
        return f"{self.kind}.webp" if self.animate else f"{self.kind}.png"

    def _chosen(self) -> dict[str, Any]:
        """The fields that differ from their default, in order."""
        values = ((field, getattr(self, field.name)) for field, _ in option_fields(type(self)))
        return {field.name: value for field, value in values if value != field.default}


def flag(name: str) -> str:
    """The flag of a field: `--class` of `class_`, `--first-seed` of `first_seed`."""
    return "--" + name.rstrip("_").replace("_", "-")


def _flag_text(name: str, value: Any) -> str:
    """A flag with its value as a shell wants them."""
    if isinstance(value, bool):
        return flag(name) if value else flag(name).replace("--", "--no-", 1)
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"{flag(name)}{'=' if text.startswith('-') else ' '}{shlex.quote(text)}"  # -1 alone would be a flag


def _dots(model: Model) -> bool:
    return len(model.recipe.shapes.sample) == 1
