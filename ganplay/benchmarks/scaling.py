"""How the cost of training grows: with the images of a run, and with their resolution.

One recipe at several sizes of image, each size in a process that trains on and on. The sizes take turns. In the second
half of the turns a new run of each size works beside the old one: were cost to grow with what a run has seen, the old
one would be the slower, whatever else the machine does meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Protocol

from ganplay.benchmarks import Cell, Options, Table
from ganplay.benchmarks.arithmetic import flop_an_image
from ganplay.benchmarks.children import Child
from ganplay.recipe import Recipe
from ganplay.recipes import recipe as named

RECIPE = "quick-digits"
SIDES = (16, 32, 64)  # pixels
LEAST_ROUNDS = 2  # of a window
COLUMNS = (
    "recipe", "pixels", "million multiply-adds an image", "images/s", "ms an image",
    "time a multiply-add, against the smallest images", "images of the run", "second half / first half",
    "old run / new run",
)  # fmt: skip
NOTE = (
    "Training as a run has it, at several sizes of image in turn; multiply-adds are those that a round of training "
    "needs at least, an image. Time a multiply-add: within each turn divided by that of the smallest images; 1 or less "
    "says that cost grows no faster with resolution than the work does. Second half / first half: time an image of one "
    "and the same run, which follows the machine's moods too. Old run / new run: the same in windows that take turns "
    "with those of a run that has just begun; 1 says that cost grows linearly with images. Medians over the turns."
)


class Side(Protocol):
    """What a `Child` does for its parent."""

    def ready(self) -> None: ...

    def window(self, seconds: float, rounds: int) -> Mapping[str, Any]: ...


Start = Callable[[str, Recipe, int], AbstractContextManager[Side]]


@dataclass(frozen=True)
class Course:
    """One size of image.

    Attributes:
        recipe: at that size.
        work: multiply-adds of training, an image.
        old: seconds an image in each window of the run that trains all the time.
        new: the same of the run that began at half-time; its windows belong to the last ones of `old`.
        images: that the old run has read in all its windows.
    """

    recipe: Recipe
    work: float
    old: list[float] = field(default_factory=list)
    new: list[float] = field(default_factory=list)
    images: list[int] = field(default_factory=list)


def measure(options: Options, *, sides: Sequence[int] = SIDES, start: Start = Child) -> Table:
    """One row for each recipe and size.

    Args:
        sides: height and width of the images in pixels, ascending.
        start: makes a process that trains a recipe ("ours") with so many threads.

    Raises:
        ValueError: a recipe is unknown or does not work at a size, or there are too few windows for two halves.
        ChildProcessError: a process that trains died.
    """
    if options.windows < 2:
        raise ValueError(f"windows is {options.windows}; the halves of a run can be compared from 2 on.")
    if not sides or list(sides) != sorted(set(sides)):
        raise ValueError(f"sides is {tuple(sides)}; it must name sizes in ascending order, each once.")
    rows, raw = [], []
    for name in options.recipes or (RECIPE,):
        courses = [_course(name, side, options.precisions) for side in sides]
        _train(name, courses, options, start)
        rows += [row(name, course, courses[0]) for course in courses]
        raw += [{"recipe": name, "pixels": course.recipe.image_size, "multiply_adds": course.work, "old": course.old,
                 "new": course.new, "images": course.images} for course in courses]  # fmt: skip
    return Table("Cost of training against images and resolution", NOTE, COLUMNS, tuple(rows), tuple(raw))


def _course(name: str, side: int, precisions: Sequence[str]) -> Course:
    plain = named(name)
    if len(plain.shapes.sample) == 1:
        raise ValueError(f"The recipe {name} makes points, which have no resolution; choose one of images.")
    changes = {"image_size": side, "stop_images": 10**10, "stop_seconds": 0, "stop_score": 0, "score_every": 0}
    recipe = plain.change(changes | ({"precision": precisions[0]} if precisions else {}))
    return Course(recipe, flop_an_image(recipe) / 2)


def _train(name: str, courses: Sequence[Course], options: Options, start: Start) -> None:
    """Fills the courses: all turns of the old runs, and of the new ones from half-time on."""
    seconds, half = options.seconds / options.windows, options.windows // 2
    with ExitStack() as stack:

        def begun(course: Course) -> Side:
            child = stack.enter_context(start("ours", course.recipe, options.threads))
            child.ready()
            child.window(0.0, LEAST_ROUNDS)  # warms up
            return child

        options.say(f"scaling: {name}, preparing {len(courses)} processes")
        old, new = [begun(course) for course in courses], []
        for turn in range(options.windows):
            if turn == half:
                new = [begun(course) for course in courses]
            options.say(f"scaling: {name}, turn {turn + 1} of {options.windows}")
            for index, course in enumerate(courses):
                window = old[index].window(seconds, LEAST_ROUNDS)
                course.old.append(window["seconds"] / window["images"])
                course.images.append(window["images"])
                if new:
                    window = new[index].window(seconds, LEAST_ROUNDS)
                    course.new.append(window["seconds"] / window["images"])


def row(name: str, course: Course, smallest: Course) -> tuple[Cell, ...]:
    """What the windows of a size say, beside those of the smallest one."""
    cost = median(course.old)
    against = [mine / course.work / (theirs / smallest.work)
               for mine, theirs in zip(course.old, smallest.old, strict=True)]  # fmt: skip
    half = len(course.old) - len(course.new)
    ageing = [old / new for old, new in zip(course.old[half:], course.new, strict=True)]
    return (
        name, course.recipe.image_size, course.work / 1e6, 1 / cost, 1e3 * cost, median(against), sum(course.images),
        median(course.old[half:]) / median(course.old[:half]), median(ageing),
    )  # fmt: skip
