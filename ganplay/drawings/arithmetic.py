"""Weighted sums of samples, made in latent space."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ganplay import pictures
from ganplay.drawings import Drawing, Model, canvas, drawings
from ganplay.latent.arithmetic import NORMALISE, Term, combine, parse
from ganplay.latent.noise import class_index
from ganplay.latent.sampling import generate, same_label
from ganplay.options import option

_APART, _LINE = 6, (120, 120, 120)  # pixels between samples and their average, and the colour of the line there


@drawings.register("arithmetic")
@dataclass(frozen=True)
class Arithmetic(Drawing):
    """A weighted sum of samples in latent space: each term is a weight times the average of the noise of some seeds.

    Each term has a column: the samples of its seeds, below the line that of their average, and on the right the sample
    of the sum (arXiv 1511.06434, figure 7; with one seed a term document 000, figure 7). Of points only the averages
    and the sum are drawn.
    """

    title = "Arithmetic"

    terms: tuple[str, ...] = option(
        ("+1:0/1/2", "-1:3/4/5", "+1:6/7/8"),
        "Terms, each a weight and the seeds to average, such as +1:0/1/2,-0.5:7.",
        length=(1, 8),
    )
    normalise: str = option("none", "Rescale the sum to the typical length of the noise (length), or not (none).",
                            choices=NORMALISE)  # fmt: skip
    class_: str = option("", "Class that a conditional generator draws; empty for the first.")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "terms", tuple(str(parse(text)) for text in self.terms))

    def draw(self, model: Model) -> Image.Image:
        terms = [parse(text) for text in self.terms]
        label = class_index(model.recipe, self.class_) if self.class_ else 0
        made = combine(model.recipe, terms, self.normalise)
        z = torch.cat([made.averages, made.result.unsqueeze(0), *made.parts])
        samples = generate(model, z, same_label(model, len(z), label))
        if samples.ndim == 2:
            return canvas.draw(samples[: len(terms) + 1], model.recipe.dataset, 1)
        return _equation(terms, samples, model)


def _equation(terms: list[Term], samples: Tensor, model: Model) -> Image.Image:
    """The samples (N, C, H, W) of the averages, of the sum and of all seeds, as an equation."""
    single = iter(canvas.singles(samples, model.recipe.dataset))
    averages, result = list(islice(single, len(terms))), next(single)
    stacks = [list(islice(single, len(term.seeds))) for term in terms]
    stacks = [stack if len(stack) > 1 else [] for stack in stacks]  # one sample is its own average
    gap, (width, height) = pictures.GAP, result.size
    above = max(len(stack) for stack in stacks) * (height + gap)
    bottom = gap + above + (_APART if above else 0)  # where the row of the averages begins
    signs = [*(_sign(term.weight, index == 0) for index, term in enumerate(terms)), "="]
    room = [canvas.text_width(sign) + 3 * gap if sign else gap for sign in signs]
    image = Image.new("RGB", (sum(room) + len(signs) * width + gap, bottom + height + gap), pictures.INK)
    x = 0
    for sign, left, stack, picture in zip(signs, room, [*stacks, []], [*averages, result], strict=True):
        canvas.write(image, sign, x + left // 2, bottom + height // 2)
        x += left
        for place, one in enumerate(reversed(stack), 1):
            image.paste(one, (x, gap + above - place * (height + gap)))
        if stack:
            line = gap + above + _APART // 2 - gap
            ImageDraw.Draw(image).line((x, line, x + width - 1, line), _LINE)
        image.paste(picture, (x, bottom))
        x += width
    return image


def _sign(weight: float, first: bool) -> str:
    """What stands before a term: its weight, of which a 1 is not written."""
    if abs(weight) == 1:
        return "-" if weight < 0 else "" if first else "+"
    return f"{weight:g}" if first else f"{weight:+g}"
