"""The figures that come with a checkpoint, measured with the stored weights, and what they say against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganplay.checkpoint import LoadedGenerator
from ganplay.contracts import Dataset
from ganplay.data.resident import ignore, load
from ganplay.evaluation import FEWEST, SAMPLES, Progress, evaluate
from ganplay.metrics.features import feature_set, features
from ganplay.metrics.figures import MEASURES
from ganplay.recipe import Recipe

FRECHET = "frechet-distance"
RECOGNISED = 0.99  # share of a class above which it is no weakness


def measure(model: LoadedGenerator, samples: int = SAMPLES, progress: Progress = ignore) -> dict[str, Any]:
    """The evaluation of a generator as plain JSON data, with one figure more: its Fréchet distance to the test split.

    All figures compare with the training split, as scores usually do, beside those of held-out images. The additional
    one has the reference "test", and beside it stands the distance of as many training images to the test images.

    Args:
        samples: how many to generate; fewer where the test split is smaller.

    Raises:
        ValueError: the data cannot be had, or the generator makes no finite numbers.
    """
    dataset, shape = model.recipe.dataset, model.recipe.shapes.sample
    kind = _features(dataset, shape)
    left_out = {"discriminator"} if model.recipe.shapes.classes else {"discriminator", "recognised"}
    chosen = [name for name in MEASURES if name not in left_out]

    def first(sentence: str, share: float) -> None:
        progress(sentence, 0.7 * share)

    def second(sentence: str, share: float) -> None:
        progress(sentence, 0.7 + 0.3 * share)

    found = evaluate(model, samples=samples, features=kind, metrics=chosen, progress=first).to_json()
    if len(load(dataset, shape, "test")) >= FEWEST:
        tested = evaluate(model, samples=samples, features=kind, reference="test", metrics=[FRECHET], progress=second)
        (distance,) = tested.to_json()["figures"]
        distance["name"] += ", to the test split"  # two figures of one name would be taken for one
        found["figures"].insert(1, distance)
        found["seconds"] += tested.seconds
    return found


def distances_to_test(figures: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """The Fréchet distances of generated and of training samples to the test split; None where they are unknown."""
    for figure in figures:
        if figure["metric"] == FRECHET and figure["reference"] == "test" and figure["value"] and figure["real"]:
            return figure["value"], figure["real"]
    return None


def limits(made: Recipe, figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """What it cannot do: by its nature, and by its figures, of which some may be None where they were not finite."""
    shape, short = made.shapes.sample, made.dataset.title.split(" (")[0]
    chosen = ", ".join(getattr(made.dataset, "classes", ()) or ())
    what = f"{shape[1]} x {shape[2]} pixels" if len(shape) == 3 else f"{shape[0]}-D points"
    found = [f"It draws {what} in the manner of {short}{f', only {chosen}' if chosen else ''}, and nothing else."]
    if not made.shapes.classes and len(made.dataset.class_names) > 1:
        found.append("It is unconditional: it cannot be asked for a class.")
    known = [figure for figure in figures if figure["value"] is not None and figure["real"] is not None]
    for figure in (figure for figure in known if not figure["group"]):
        value, real, kind = figure["value"], figure["real"], figure["name"].split(" (")[0]
        pair = f"{value:.3g}, held-out real data {real:.3g}"
        if kind == "recall" and value < 0.8 * real:
            found.append(f"Variety is missing: recall, the share of real images like some sample, is {pair}.")
        elif kind == "precision" and value < 0.8 * real:
            found.append(f"Some samples resemble no real image: precision is {pair}.")
        elif figure["metric"] == "ms-ssim" and value > 1.25 * real:
            found.append(f"Samples resemble each other too much: {figure['name']} is {pair}.")
        elif figure["metric"] == "neighbours" and value < 0.5 * real:
            found.append(f"It may have learnt images by heart: the {figure['name']} is {pair}.")
    return found + _distance(known) + _weakest(known)


def _distance(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    distances = distances_to_test(figures)
    if distances is None:
        return []
    times = distances[0] / distances[1]
    often = f"{times:,.0f}" if times >= 100 else f"{times:.3g}"
    told = f"The distance of its samples to the test set is {often} times that of training images"
    return [f"{told}: they can be told from real ones." if times > 2 else f"{told}."]


def _weakest(figures: Sequence[Mapping[str, Any]]) -> list[str]:
    """The class that is recognised least; without such figures, the one whose samples are farthest from real ones."""
    recognised = [figure for figure in figures if figure["metric"] == "recognised" and figure["group"]]
    if recognised:
        worst = min(recognised, key=lambda figure: figure["value"])
        if worst["value"] >= RECOGNISED:
            return []
        return [f"Its weakest class is {worst['group']}: {worst['value']:.1%} are recognised as such."]
    distances = [figure for figure in figures if figure["metric"] == "per-class" and figure["group"]]
    if not distances:
        return []
    worst = max(distances, key=lambda figure: figure["value"])
    middle = sum(figure["value"] for figure in distances) / len(distances)
    pair = f"{worst['value']:.3g}, where the mean of all is {middle:.3g}"
    return [f"Of the classes, {worst['group']} is drawn worst: its Fréchet distance is {pair}."]


def _features(dataset: Dataset, shape: tuple[int, ...]) -> str:
    """A bundled classifier where one fits, so that all checkpoints of a data set are measured alike on any computer."""
    able = (kind for kind in features if feature_set(kind).class_names and feature_set(kind).fits(dataset, shape))
    return next((kind for kind in able if feature_set(kind).available()), "auto")
