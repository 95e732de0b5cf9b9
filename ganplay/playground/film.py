"""The picture of a whole run as an animation: what the planes showed at the moments that a world still knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from ganplay import pictures
from ganplay.drawings.canvas import encode, write
from ganplay.playground.frames import probabilities, thinned
from ganplay.playground.groups import extent, points, restored
from ganplay.playground.past import Moment
from ganplay.playground.world import World
from ganplay.tiny import View

MOST = 40  # frames
SIDE, GAP, LINE = 300, 6, 18  # pixels of a plane, between two, and of the line below
MILLISECONDS, LAST = 160, 8  # of a frame; how many times as long the last one stays
REALS = 400
_BLUE, _ORANGE = np.array([49, 110, 190.0]), np.array([200, 95, 20.0])  # D's verdict real, and fake
_FAKE, _REAL = (255, 190, 120), (170, 200, 235)


@dataclass(frozen=True, eq=False)
class Plane:
    """What one member shows at one moment: fakes (M, 2), D's verdict (side, side) from 0 to 1, real points (R, 2)."""

    fakes: Tensor
    heat: Tensor
    real: Tensor
    width: float


@dataclass(frozen=True, eq=False)
class Shot:
    """One frame of the animation before it is drawn."""

    at: int
    planes: tuple[Plane, ...]


def shots(world: World) -> Iterator[Shot]:
    """What the world showed, moment by moment, computed in engines of its own while the world trains on.

    Raises:
        ValueError: it has not trained yet.
    """
    if world.at == 0:
        raise ValueError("There is nothing to animate before the first iteration; press play, and export then.")
    known = [moment for moment in world.moments if moment.at < world.at]
    groups = []
    for moment in [*thinned(known, MOST - 1), world.moment()]:
        found = {group.members: group for group in groups}
        groups = [restored(members, snapshot, found.get(members)) for members, snapshot in moment.groups]
        yield _shot(moment, groups)


def _shot(moment: Moment, groups: list) -> Shot:
    planes: dict[int, Plane] = {}
    for group in groups:
        recipes = group.gan.recipes
        width = extent(recipes[0].dataset)
        frame = View(group.gan, width, side=31, lines=2).frame()
        for place, member in enumerate(group.members):
            real = points(recipes[place].dataset).values[:REALS]
            heat = probabilities(frame.heat[place], recipes[place].loss)
            planes[member] = Plane(frame.fakes[place], heat, real, width)
    return Shot(moment.at, tuple(planes[member] for member in sorted(planes)))


def draw(taken: list[Shot]) -> bytes:
    """The shots as an animation, WebP. Needs no torch; some tenths of a second."""
    frames = [_drawn(shot) for shot in taken]
    return encode(frames + [frames[-1]] * LAST, "WEBP", MILLISECONDS)


def _drawn(shot: Shot) -> Image.Image:
    count = len(shot.planes)
    canvas = Image.new("RGB", (count * SIDE + (count - 1) * GAP, SIDE + LINE), pictures.INK)
    for index, plane in enumerate(shot.planes):
        canvas.paste(_plane(plane), (index * (SIDE + GAP), 0))
    write(canvas, f"iteration {shot.at:,}", canvas.width // 2, SIDE + LINE // 2)
    return canvas


def _plane(plane: Plane) -> Image.Image:
    shares = plane.heat.numpy()[::-1, :, None]  # pictures begin at the top
    sure = np.abs(2 * shares - 1)  # undecided places stay dark
    colours = np.where(shares > 0.5, _BLUE, _ORANGE) * 0.6 * sure + np.array(pictures.INK) * (1 - 0.6 * sure)
    image = Image.fromarray(colours.astype(np.uint8)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for dots, colour, radius in ((plane.real, _REAL, 1), (plane.fakes, _FAKE, 1.5)):
        for x, y in dots[dots.isfinite().all(1)].clamp(-9e3, 9e3).tolist():
            left, top = (x / plane.width + 1) / 2 * SIDE, (1 - y / plane.width) / 2 * SIDE
            pen.ellipse((left - radius, top - radius, left + radius, top + radius), fill=colour)
    return image
