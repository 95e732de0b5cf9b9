"""Training, in images a second: ours against a textbook loop on the same nets, and against the processor's limit.

Each side of a recipe trains in a process of its own, one at a time while the others sleep, in turn: A B C A B C. Our
side is there once with the precision that a run has by itself, and once in fp32 where that is another one. Between the
turns this process measures what a large matrix product reaches.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any

from ganplay.benchmarks import Cell, Options, Table
from ganplay.benchmarks.arithmetic import flop_an_image
from ganplay.benchmarks.children import Child
from ganplay.benchmarks.machine import peak
from ganplay.data.images import ImageSet
from ganplay.data.resident import load, prepared_path
from ganplay.precision import chosen
from ganplay.recipe import Recipe
from ganplay.recipes import recipe as named

RECIPES = (
    "duke-dcgan", "cs229-baseline", "kth-dcgan", "iisc-dcgan", "munich-hyper",  # one a document
    "quick-digits", "toy-ring",
)  # fmt: skip
COLUMNS = (
    "recipe", "arithmetic", "textbook images/s", "ours images/s", "ratio", "lowest to highest ratio",
    "ours GFLOP/s", "matrix product GFLOP/s", "share of it, %", "textbook peak memory, MB", "ours peak memory, MB",
)  # fmt: skip
LEAST_ROUNDS = 2  # of a window
STAND_IN = "digits"
NOTE = (
    "Textbook: DataLoader over PIL images and torchvision transforms, fp32, NCHW, BCELoss on sigmoids (or the recipe's "
    "own loss), fakes made once a round, .item() each round; the same networks in PyTorch's own layers. Ours: the "
    "package's training loop as a run has it, which keeps an average of the generator's weights besides. Images are "
    "real images seen; medians over windows that take turns. GFLOP/s count what a round needs at least: per image and "
    "in passes through the networks 3 G + 8 D where fakes serve both updates and 4 G + 8 D where they are made anew, "
    "less the first layers' way back to their input, two FLOP a multiply-add. The matrix product is 2048 cubed, of the "
    "same type, between the windows."
)


@dataclass(frozen=True)
class Comparison:
    """The windows of one recipe.

    Attributes:
        flop: multiplications and additions that our round needs for each real image.
        textbook: the textbook loop's windows.
        ours: by precision setting, our windows.
        peaks: by arithmetic ("fp32", "bf16"), GFLOP/s of a matrix product before, between and behind the turns.
    """

    flop: float
    textbook: list[dict[str, Any]]
    ours: dict[str, list[dict[str, Any]]]
    peaks: dict[str, list[float]]


def measure(options: Options) -> Table:
    """One row for each recipe and precision.

    Raises:
        ValueError: a recipe is unknown, or cannot be trained or compared.
        ChildProcessError: a side's process died.
    """
    rows, raw, replaced = [], [], []
    wanted = [(name, *_on_this_machine(named(name))) for name in options.recipes or RECIPES]
    for name, recipe, other_data in wanted:
        replaced += [name] * other_data
        found = compare(name, recipe, options)
        for precision in found.ours:
            rows.append(_row(name, precision, found))
            raw.append(_raw(name, recipe, precision, found))
    note = NOTE
    if replaced:
        note += (
            f" The data of {', '.join(replaced)} is not on this machine; the embedded digits, resized, took its place."
        )
    return Table("Training against a textbook loop on the same nets", note, COLUMNS, tuple(rows), tuple(raw))


def compare(name: str, recipe: Recipe, options: Options) -> Comparison:
    """Trains one recipe on both sides, taking turns.

    Raises:
        ValueError: the recipe cannot be trained or compared.
        ChildProcessError: a side's process died.
    """
    settings = options.precisions or _precisions()
    arithmetic = tuple(dict.fromkeys(chosen(setting) for setting in settings))
    options.say(f"{name}: preparing data and {1 + len(settings)} processes")
    _prepare(recipe, options)
    endless = recipe.change({"stop_images": 10**10, "stop_seconds": 0, "stop_score": 0, "score_every": 0})
    flop = flop_an_image(recipe)
    found = Comparison(flop, [], {setting: [] for setting in settings}, {kind: [] for kind in arithmetic})
    with ExitStack() as stack:
        textbook = stack.enter_context(Child("textbook", endless, options.threads))
        ours = {
            setting: stack.enter_context(Child("ours", endless.change({"precision": setting}), options.threads))
            for setting in settings
        }
        sides = [(textbook, found.textbook), *((ours[setting], found.ours[setting]) for setting in settings)]
        for child, _ in sides:
            child.ready()
            child.window(0.0, 1)  # the second round, with everything warm but not yet in the figures
        for turn in range(options.windows):
            options.say(f"{name}: window {turn + 1} of {options.windows}")
            _measure_peaks(found, options.threads)
            for child, windows in sides:
                windows.append(child.window(options.seconds / options.windows, LEAST_ROUNDS))
        _measure_peaks(found, options.threads)
    return found


def _precisions() -> tuple[str, ...]:
    return ("auto",) if chosen("auto") == "fp32" else ("auto", "fp32")


def _on_this_machine(recipe: Recipe) -> tuple[Recipe, bool]:
    """The recipe, or the same networks on the embedded digits where its data would have to be downloaded; True then."""
    data, shapes = recipe.dataset, recipe.shapes
    if not isinstance(data, ImageSet) or data.available():
        return recipe, False
    if all(prepared_path(data, shape, "train").exists() for shape in (data.native, shapes.sample)):
        return recipe, False
    return recipe.change({"dataset": STAND_IN, "channels": shapes.sample[0]}), True


def _prepare(recipe: Recipe, options: Options) -> None:
    """Decodes and resizes what both sides will map, before anything is timed."""

    def progress(sentence: str, share: float) -> None:
        options.say(f"{sentence} ({share:.0%})")

    for shape in {recipe.dataset.native, recipe.shapes.sample} if isinstance(recipe.dataset, ImageSet) else ():
        load(recipe.dataset, shape, progress=progress)


def _measure_peaks(found: Comparison, threads: int) -> None:
    for kind, values in found.peaks.items():
        values.append(peak(kind, threads))


def rates(windows: list[dict[str, Any]]) -> list[float]:
    """Images a second of each window."""
    return [window["images"] / window["seconds"] for window in windows]


def _row(name: str, precision: str, found: Comparison) -> tuple[Cell, ...]:
    textbook, ours = rates(found.textbook), rates(found.ours[precision])
    ratios = [mine / theirs for mine, theirs in zip(ours, textbook, strict=True)]
    speed = median(ours) * found.flop / 1e9
    arithmetic = chosen(precision)
    limit = median(found.peaks[arithmetic])
    return (
        name, arithmetic, median(textbook), median(ours), median(ratios), f"{min(ratios):.2f} to {max(ratios):.2f}",
        speed, limit, 100 * speed / limit, _megabytes(found.textbook), _megabytes(found.ours[precision]),
    )  # fmt: skip


def _megabytes(windows: list[dict[str, Any]]) -> int | None:
    memory = windows[-1]["memory"]
    return None if memory is None else round(memory / 1e6)


def _raw(name: str, recipe: Recipe, precision: str, found: Comparison) -> dict[str, Any]:
    return {
        "recipe": name,
        "dataset": recipe.dataset.kind,
        "precision": precision,
        "arithmetic": chosen(precision),
        "flop_an_image": found.flop,
        "textbook": found.textbook,
        "ours": found.ours[precision],
        "matrix_product_gflops": found.peaks[chosen(precision)],
    }
