"""The tiny engine on 2-D GANs: iterations a second on one thread, and its share of the processor's arithmetic."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from ganplay.benchmarks import Options, Table
from ganplay.benchmarks.arithmetic import flop_an_image
from ganplay.data.resident import load
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.state import State
from ganplay.tiny import TinyGan, View
from ganplay.trainer import train

WIDTHS = (32, 128, 512)
SEEDS = 5
FRAMES = 8  # of the live view, a second
EDGE = 1_024  # of the matrices whose product is the yardstick
Side = Callable[[float], tuple[float, float]]  # seconds to run -> iterations done, seconds taken


def measure(options: Options) -> Table:
    """Ours alone, with a view, with five seeds; a plain PyTorch loop; the package's own trainer; a matrix product."""
    rows, raw = [], []
    with _one_thread():
        for width in WIDTHS:
            options.say(f"2-D GAN, {width} units wide, on one thread")
            made = net(width)
            found = _alternate(_sides(made, all_of_them=width == WIDTHS[0]), options)
            peak = found.pop("matrix product")
            for name, speed in found.items():
                nets = SEEDS if name == _several() else 1
                share = speed * nets * flop_an_image(made) * made.batch_size / peak
                rows.append((
                    f"{width} wide: {name}", round(speed), round(speed / found["plain PyTorch loop"], 2),
                    round(found["tiny engine"] / speed, 2), round(100 * share),
                ))  # fmt: skip
            raw.append({"width": width, "iterations a second": found, "matrix product FLOP/s": peak})
    return Table(
        "Tiny engine",
        "Two hidden layers, batch 256, one D and one G update an iteration, Adam, ring of eight Gaussians. Always on "
        f"ONE thread, whatever --threads says. The view is {FRAMES} frames a second of fakes, heat map and warped grid "
        "as JSON. Ours averages weights and keeps all five curves; the plain loop keeps nothing. The limit is the fp32 "
        f"product of {EDGE}-cubed matrices on the same thread, in the nets' own multiply-adds. Medians of alternating "
        "windows.",
        ("2-D GAN", "iterations/s", "x plain loop", "cost / one seed of ours", "% of arithmetic limit"),
        tuple(rows),
        tuple(raw),
    )


def net(width: int) -> Recipe:
    """The usual 2-D GAN, so many units wide."""
    widths = f"{width},{width}"
    changes: dict[str, Any] = {"generator.widths": widths, "discriminator.widths": widths, "precision": "fp32"}
    return recipe("toy-ring").change({**changes, "score_every": 0, "stop_images": 10**10})


def _several() -> str:
    return f"tiny engine, {SEEDS} seeds together"


def _sides(made: Recipe, all_of_them: bool) -> dict[str, Side]:
    sides = {"tiny engine": _engine(TinyGan(made)), "plain PyTorch loop": _stepping(_plain(made))}
    sides["matrix product"] = _product()
    if all_of_them:
        seeds = [made.change({"seed": seed}) for seed in range(SEEDS)]
        viewed = TinyGan(made)
        sides["tiny engine with live view"] = _engine(viewed, View(viewed))
        sides[_several()] = _engine(TinyGan(seeds))
        sides["ganplay.train"] = _stepping(train(made))
    return sides


def _alternate(sides: dict[str, Side], options: Options) -> dict[str, float]:
    """Each side's median speed over windows that take turns, after one that warms up."""
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    for side in sides.values():
        side(0.1)
    for _ in range(options.windows):
        for name, side in sides.items():
            done, taken = side(options.seconds / options.windows)
            speeds[name].append(done / taken)
    return {name: sorted(values)[len(values) // 2] for name, values in speeds.items()}


def _engine(gan: TinyGan, view: View | None = None) -> Side:
    pieces = {"count": 1}

    def run(seconds: float) -> tuple[float, float]:
        done, started, shown = 0, time.perf_counter(), time.perf_counter()
        while (now := time.perf_counter()) - started < seconds:
            if view is not None and now - shown >= 1 / FRAMES:
                json.dumps([values.tolist() for values in vars(view.frame()).values()])
                shown = now
            gan.advance(pieces["count"])
            done += pieces["count"]
            rest = 0.02 / (time.perf_counter() - now)  # pieces of about 20 ms, as a page would take them
            pieces["count"] = max(1, min(1_000, round(pieces["count"] * min(rest, 4))))
        return done, time.perf_counter() - started

    return run


def _stepping(training: Iterator[Any]) -> Side:
    def run(seconds: float) -> tuple[float, float]:
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            next(training)
            done += 1
        return done, time.perf_counter() - started

    return run


def _product() -> Side:
    left = torch.randn(EDGE, EDGE, generator=torch.Generator().manual_seed(0))
    out = torch.empty_like(left)

    def run(seconds: float) -> tuple[float, float]:
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            torch.mm(left, left, out=out)
            done += 1
        return done * 2 * EDGE**3, time.perf_counter() - started

    return run


def _plain(made: Recipe) -> Iterator[None]:
    """What a tutorial writes for a 2-D GAN, with the data resident and nothing read back."""
    state = State.initial(made)
    make, see = state.generator.layers, torch.nn.Sequential(state.discriminator.layers, state.discriminator.head)
    rate, size = made.generator_optimiser.learning_rate, made.batch_size
    optimise_make = torch.optim.Adam(make.parameters(), rate, (0.5, 0.999))
    optimise_see = torch.optim.Adam(see.parameters(), rate, (0.5, 0.999))
    points = load(made.dataset, made.shapes.sample).values
    random = torch.Generator().manual_seed(0)
    ones, zeros = torch.ones(size, 1), torch.zeros(size, 1)
    while True:
        real = points[torch.randint(len(points), (size,), generator=random)]
        fake = make(torch.randn(size, made.latent, generator=random)).detach()
        optimise_see.zero_grad()
        (cross_entropy(see(real), ones) + cross_entropy(see(fake), zeros)).backward()
        optimise_see.step()
        optimise_make.zero_grad()
        cross_entropy(see(make(torch.randn(size, made.latent, generator=random))), ones).backward()
        optimise_make.step()
        yield


@contextmanager
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
