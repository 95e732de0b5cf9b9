"""What a study trains: a base recipe, its switches, seeds, and the moments at which all of them are scored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganplay.building import check
from ganplay.metrics.features import feature_set, features
from ganplay.recipe import Recipe
from ganplay.recipes import recipe as named
from ganplay.studies.switches import switch

BASE = "base"  # the name of the trials without a switch
QUICK = "quick-digits"
SMALL: Mapping[str, Any] = {  # on the embedded digits, which are 8 x 8: seconds a trial, and its digits can be read
    "image_size": 16, "batch_size": 32, "generator.widths": (64, 32), "discriminator.widths": (32, 64),
}  # fmt: skip
SCORES = 12  # moments at which every trial is scored
MOST_CURVE = 120  # points of a trial's other curves
SEEDS = (2, 10)  # fewest and most: one seed has no spread
MOST_TRIALS = 150
IMAGES = (1_000, 10_000_000)


@dataclass(frozen=True)
class Variant:
    """One line of a study: the base, called `BASE` and without changes, or one switch."""

    name: str
    title: str
    changes: Mapping[str, Any]
    note: str = ""
    source: str = ""


@dataclass(frozen=True)
class Plan:
    """A study before anything is trained. Each trial is one variant with one seed.

    Attributes:
        base: name of the registered recipe that it started from.
        recipe: of the base's trials; its stop and its score are those of all.
        variants: the base first.
    """

    title: str
    base: str
    recipe: Recipe
    variants: tuple[Variant, ...]
    seeds: tuple[int, ...]

    @property
    def images(self) -> int:
        """Real images that each trial sees."""
        return self.recipe.stop_images

    @property
    def score_name(self) -> str:
        """What the score is called, with its features."""
        return getattr(self.recipe.metric, "name", self.recipe.metric.title)

    def trials(self) -> tuple[tuple[Variant, int], ...]:
        """Every trial, seed by seed, so that a study which is stopped has whole seeds to compare."""
        return tuple((variant, seed) for seed in self.seeds for variant in self.variants)

    def trial(self, variant: Variant, seed: int) -> Recipe:
        """The recipe of one trial."""
        title = f"{variant.title}, seed {seed}"
        return self.recipe.change({**variant.changes, "seed": seed, "title": title})

    def variant(self, name: str) -> Variant:
        """The variant called `name`.

        Raises:
            ValueError: the study has none.
        """
        for one in self.variants:
            if one.name == name:
                return one
        raise ValueError(f"This study has no switch '{name}'; it has {', '.join(one.name for one in self.variants)}.")

    def command(self) -> str:
        """The command line that makes the same study."""
        changes = self.recipe.difference(named(self.base))
        kept = {path: value for path, value in changes.items() if path.split(".")[0] not in _IMPLIED}
        if self.recipe.metric != self.recipe.change(suitable_metric(self.recipe)).metric:
            kept["metric"] = self.recipe.metric.kind
            kept |= {path: value for path, value in changes.items() if path.startswith("metric.")}
        words = ["python -m ganplay study start", f"--base {self.base}"]
        words += [f"--set {path}={_text(value)}" for path, value in kept.items()]
        words.append(f"--switches {','.join(one.name for one in self.variants[1:])}")
        return " ".join([*words, f"--seeds {len(self.seeds)}", f"--images {self.images}"])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "title": self.title,
            "base": self.base,
            "recipe": self.recipe.to_json(),
            "variants": [{**vars(one), "changes": _plain(one.changes)} for one in self.variants],
            "seeds": list(self.seeds),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Plan:
        """The plan that `to_json` wrote.

        Raises:
            ValueError: it is damaged, or of another version of the package.
        """
        try:
            variants = tuple(Variant(**{name: one[name] for name in _FIELDS}) for one in content["variants"])
            seeds = tuple(int(seed) for seed in content["seeds"])
            made = cls(
                str(content["title"]), str(content["base"]), Recipe.from_json(content["recipe"]), variants, seeds
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"The plan of this study is damaged: {type(error).__name__} at {error}.") from None
        if not variants or variants[0].name != BASE or not seeds:
            raise ValueError("The plan of this study is damaged: it has no base or no seed.")
        return made


_FIELDS = ("name", "title", "changes", "note", "source")
_IMPLIED = (  # by the images, the seeds and the data
    "title", "seed", "stop_images", "stop_seconds", "stop_score", "log_every", "sample_every", "score_every",
    "score_share", "metric",
)  # fmt: skip


def plan(
    base: str = QUICK,
    changes: Mapping[str, Any] | None = None,
    switches: Sequence[str] = (),
    seeds: int = 3,
    images: int = 30_000,
    title: str = "",
) -> Plan:
    """A study of these switches.

    Args:
        base: name of a registered recipe.
        changes: of the base, by path; they hold for all trials. Without `metric` among them the score is the Fréchet
            distance in the features of the bundled classifier that fits the data, else the sliced Wasserstein distance.
        seeds: how many, from 0 on.
        images: real images that each trial sees, up to rounding: all are scored at the same multiples of their rounds.

    Raises:
        ValueError: a name is unknown, a switch does not fit, or a number is out of its range.
    """
    changes = dict(changes or {})
    start = named(base).change(changes)
    start = start.change({} if "metric" in changes else suitable_metric(start))
    if not switches:
        raise ValueError("No switch was chosen; a study compares at least one with the base.")
    if len(set(switches)) < len(switches):
        raise ValueError(f"The switches are {', '.join(switches)}; each may be given once.")
    if not SEEDS[0] <= seeds <= SEEDS[1]:
        raise ValueError(f"seeds is {seeds}; {SEEDS[0]} to {SEEDS[1]} are allowed, for one seed has no spread.")
    if not IMAGES[0] <= images <= IMAGES[1]:
        raise ValueError(f"images is {images:,}; {IMAGES[0]:,} to {IMAGES[1]:,} are allowed.")
    trials = (1 + len(switches)) * seeds
    if trials > MOST_TRIALS:
        raise ValueError(f"That would be {trials} trainings; a study may have {MOST_TRIALS}: fewer switches or seeds.")
    check(start)
    chosen = [switch(name) for name in switches]
    variants = [
        Variant(BASE, "base", {}),
        *(Variant(one.name, one.title, one.of(start), one.note, one.source) for one in chosen),
    ]
    start = start.change(_marks(start, variants, images))
    return Plan(
        title or f"{start.title or base}: {count(len(chosen))}", base, start, tuple(variants), tuple(range(seeds))
    )


def suitable_metric(recipe: Recipe) -> dict[str, Any]:
    """The change of `metric` that suits a recipe's samples and needs nothing that is not on this computer."""
    shape = recipe.shapes.sample
    for kind in features:
        found = feature_set(kind)
        if found.class_names and found.fits(recipe.dataset, shape) and found.available():
            return {"metric": "frechet-distance", "metric.features": kind}
    return {"metric": "sliced-wasserstein"}


def _marks(start: Recipe, variants: Sequence[Variant], images: int) -> dict[str, Any]:
    """Stop, scores and curves at multiples of every variant's round, so that all are compared at the same images."""
    made = [start.change(one.changes) for one in variants]
    unit = math.lcm(*(one.batch_size * one.critic_steps for one in made))
    rounds = max(1, round(images / SCORES / unit))  # between two scores
    every = unit * rounds
    parts = next(parts for parts in range(rounds, 0, -1) if rounds % parts == 0 and parts * SCORES <= MOST_CURVE + 1)
    return {
        "stop_images": every * SCORES, "stop_seconds": 0.0, "stop_score": 0.0, "score_every": every,
        "score_share": 1.0,
        "log_every": every // parts, "sample_every": every * max(1, SCORES // 3), "seed": 0,
    }  # fmt: skip


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {path: list(value) if isinstance(value, tuple) else value for path, value in changes.items()}


def count(switches: int) -> str:
    """ "1 switch", "6 switches"."""
    return f"{switches} switch" if switches == 1 else f"{switches} switches"


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
