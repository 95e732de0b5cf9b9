"""Training in miniature, and watching what a run gives to its networks, for the tests of the trainer."""

from __future__ import annotations

import typing

import torch
from torch import Tensor, nn

from ganplay.options import option_fields
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.registry import Registry
from ganplay.state import State

TINY = {
    "image_size": 16, "generator.widths": (8, 8), "discriminator.widths": (8, 8), "batch_size": 8, "stop_images": 64,
    "precision": "fp32", "fakes": "fresh",
}  # fmt: skip
NARROW = {"widths": 8, "maps": 8, "units": 8, "first_maps": 8, "group": 8, "label_width": 5}  # whatever a network has


def tiny(**changes: object) -> Recipe:
    """A recipe on 16x16 digits whose rounds take milliseconds."""
    return recipe("quick-digits").change({**TINY, **changes})


def narrow(kind: str, registry: Registry) -> dict[str, object]:
    """The fields of a registered network that make it a few maps wide."""
    fields = {}
    for field, annotation in option_fields(registry[kind]):
        if field.name in NARROW:
            value = NARROW[field.name]
            many = typing.get_origin(annotation) is tuple
            fields[field.name] = (value,) * len(field.default) if many else value
    return fields


class Watch:
    """Every call of both networks of a state, in order.

    Attributes:
        made: (z, y, samples) of each call of the generator.
        seen: (x, y, critique) of each call of the discriminator.
        asked: whether the discriminator's weights wanted gradients in each of its calls.
    """

    def __init__(self, state: State) -> None:
        self.made: list[tuple[Tensor, Tensor | None, Tensor]] = []
        self.seen: list[tuple] = []
        self.asked: list[bool] = []
        state.generator.register_forward_hook(self._generated)
        state.discriminator.register_forward_hook(self._judged)

    def _generated(self, module: nn.Module, given: tuple, out: Tensor) -> None:
        self.made.append((*given, out) if len(given) == 2 else (*given, None, out))

    def _judged(self, module: nn.Module, given: tuple, out: object) -> None:
        self.seen.append((*given, out) if len(given) == 2 else (*given, None, out))
        self.asked.append(next(module.parameters()).requires_grad)

    def maker_of(self, x: Tensor) -> tuple | None:
        """The generator's call that made x, None for real samples."""
        return next((call for call in self.made if torch.equal(call[2], x)), None)
