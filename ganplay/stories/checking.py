"""How often a story's claim holds: the same trainings from many seeds, each judged by the story itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ganplay.stories.story import End, Story, Verdict
from ganplay.stories.training import is_tiny, train_all

NEEDED = 0.9  # share of the seeds on which a claim must hold before the story is offered


@dataclass(frozen=True)
class Check:
    """What many seeds say of one story.

    Attributes:
        seeds, verdicts: one verdict for each seed.
        seconds: of all trainings, one after the other on one thread.
    """

    story: Story
    seeds: tuple[int, ...]
    verdicts: tuple[Verdict, ...]
    seconds: float

    @property
    def held(self) -> int:
        """On how many seeds the claim held."""
        return sum(verdict.holds for verdict in self.verdicts)

    @property
    def passed(self) -> bool:
        """True when it held often enough."""
        return self.held >= NEEDED * len(self.verdicts)

    def spread(self) -> dict[str, dict[str, tuple[float, float, float]]]:
        """By training, then by quantity: mean, smallest and largest value over the seeds that measured it."""
        found: dict[str, dict[str, list[float]]] = {}
        for verdict in self.verdicts:
            for training, measured in verdict.measured.items():
                for quantity, value in measured.items():
                    found.setdefault(training, {}).setdefault(quantity, []).append(value)
        return {
            training: {name: (sum(values) / len(values), min(values), max(values)) for name, values in measured.items()}
            for training, measured in found.items()
        }


def check(story: Story, seeds: Sequence[int]) -> Check:
    """Trains and judges a story from each seed."""
    started = time.perf_counter()
    verdicts = tuple(verdict for _, verdict in each(story, seeds))
    return Check(story, tuple(seeds), verdicts, time.perf_counter() - started)


def each(story: Story, seeds: Sequence[int]) -> Iterator[tuple[int, Verdict]]:
    """The verdict of each seed as soon as there is one; nets on points train for all seeds at once."""
    recipes = {seed: story.recipes(seed) for seed in seeds}
    tiny = all(is_tiny(recipe) for named in recipes.values() for recipe in named.values())
    for group in [list(seeds)] if tiny else [[seed] for seed in seeds]:
        places = [(seed, name) for seed in group for name in recipes[seed]]
        if not places or type(story).verify is not Story.verify:  # it has its own way
            yield from ((seed, story.verify(seed)) for seed in group)
            continue
        trained = train_all([recipes[seed][name] for seed, name in places])
        ends = {
            (seed, name): End.trained(recipes[seed][name], *left)
            for (seed, name), left in zip(places, trained, strict=True)
        }
        for seed in group:
            yield seed, story.judge({name: ends[seed, name] for name in recipes[seed]})
