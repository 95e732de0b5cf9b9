"""Pictures that a generator draws, each as frozen data.

One declaration serves the verb of the command line, the tab and the endpoint of the studio, and the two texts beside
every picture that make it again: the command and the Python. A file of this folder adds one.

from ganplay.drawings.sample import Sample
Sample(seed=7, count=16).draw(ganplay.load("quick-digits")).save("samples.png")
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from PIL import Image
from torch import nn

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

    A field whose name is a word of Python ends in an underscore, as `class_`, and its flag does without.
    """

    title: ClassVar[str]

    def draw(self, model: Model) -> Image.Image:
        """The picture, every pixel of a sample one pixel.

        Raises:
            ValueError: the model cannot draw it; the sentence says why.
        """
        raise NotImplementedError

    def command(self, source: str) -> str:
        """The command line that makes the picture from `source`, a name, an id or a key."""
        flags = [f"{flag(name)} {shlex.quote(_text(value))}" for name, value in self._chosen().items()]
        return " ".join(["python -m ganplay", self.kind, shlex.quote(source), *flags, f"--out {self.kind}.png"])

    def python(self, source: str) -> str:
        """The Python that makes the picture from `source`, a name, an id or a key."""
        part = type(self)
        fields = ", ".join(f"{name}={value!r}" for name, value in self._chosen().items())
        return (
            f"import ganplay\nfrom {part.__module__} import {part.__name__}\n\n"
            f"model = ganplay.load({source!r})\n"
            f'{part.__name__}({fields}).draw(model).save("{self.kind}.png")'
        )

    def _chosen(self) -> dict[str, Any]:
        """The fields that differ from their default, in order."""
        values = ((field, getattr(self, field.name)) for field, _ in option_fields(type(self)))
        return {field.name: value for field, value in values if value != field.default}


def flag(name: str) -> str:
    """The flag of a field: `--class` of `class_`, `--first-seed` of `first_seed`."""
    return "--" + name.rstrip("_").replace("_", "-")


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
