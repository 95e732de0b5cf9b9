"""One playground that trains: its GANs, its place in its history, and the way to any other place.

What it computes depends on its script alone. Nets of one shape train as one batched computation; others beside each
other. A change that the tiny engine cannot make in place moves the nets' states into another engine, at the same event
of the same script whenever it is repeated.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganplay.playground.groups import build, changed, fit, restored
from ganplay.playground.limits import MOST_ITERATIONS
from ganplay.playground.past import COLUMNS, Moment, Moments, Series
from ganplay.playground.script import CHANGE, DISCRIMINATOR, GENERATOR, Event, Script, change
from ganplay.recipe import Recipe
from ganplay.tiny import TinyGan

_LONGEST = 64  # iterations between two looks at the clock


class World:
    """A script being computed. It begins at iteration 0 and is taken on to the script's position by `work`.

    Args:
        last: the furthest iteration that was ever reached, where a longer history is known to exist.

    Attributes:
        script: all that happened; its position is not kept up to date, see `present`.
        at: whole iterations trained.
        last: furthest iteration reached in this history.
        target: the iteration that `work` goes to, None when it is reached.
        version: grows with every change of what can be seen.
    """

    def __init__(self, script: Script, last: int = 0) -> None:
        self.script = script
        self.at = self._passed = 0
        self.last = max(last, script.at)
        self.target: int | None = script.at or None
        self.version = 0
        self.series = [Series() for _ in script.recipes]
        self.moments = Moments()
        self._cost = 0.002  # seconds of one iteration, as measured
        together = fit(script.recipes)
        members = range(len(script.recipes))
        self.groups = [
            build(part, [script.recipes[member] for member in part])
            for part in ([tuple(members)] if together else [(member,) for member in members])
        ]
        self.moments.keep(self.moment())
        self._happen()

    def __len__(self) -> int:
        return len(self.script.recipes)

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """The members' present recipes."""
        return tuple(gan.recipes[place] for gan, place in self.members())

    def present(self) -> Script:
        """The script with the present position; where `work` is on its way, with its target."""
        return self.script.moved(self.at if self.target is None else self.target)

    def members(self) -> Iterator[tuple[TinyGan, int]]:
        """By member, its engine and its place there."""
        found = {member: (group.gan, place) for group in self.groups for place, member in enumerate(group.members)}
        return (found[member] for member in range(len(self)))

    def newest(self) -> list[dict[str, float]]:
        """By member, the means of the newest iterations; empty before the first."""
        rows = {member: row for group in self.groups for member, row in zip(group.members, group.last, strict=False)}
        return [
            dict(zip(COLUMNS, map(float, rows[member]), strict=True)) if member in rows else {}
            for member in range(len(self))
        ]

    # Time

    def advance(self, iterations: int) -> None:
        """Trains for some iterations, through all that happens on the way."""
        end = min(self.at + iterations, MOST_ITERATIONS)
        while self.at < end:
            upcoming = [event.at for event in self.script.events[self._passed :]]
            until = min([end, self.moments.next(self.at), *upcoming[:1]])
            for group in self.groups:
                curves = group.gan.advance(until - self.at)
                values = torch.stack([getattr(curves, name) for name in vars(curves)], 1).numpy()  # (S, 5, T)
                for member, found in zip(group.members, values, strict=True):
                    self.series[member].add(self.at, found)
                group.last = values.mean(2)
            self._arrive(until)

    def work(self, seconds: float, iterations: int = 0) -> int:
        """Goes on for about so long: towards the target, or for so many iterations at most; how many it was."""
        end, start = time.perf_counter() + seconds, self.at
        while True:
            left = self.target - self.at if self.target is not None else iterations - (self.at - start)
            left = min(left, MOST_ITERATIONS - self.at)
            remaining = end - time.perf_counter()
            if left <= 0 or (remaining <= 0 and self.at > start):
                break
            part = max(1, min(left, _LONGEST, int(remaining / self._cost)))
            began = time.perf_counter()
            self.advance(part)
            self._cost += 0.3 * ((time.perf_counter() - began) / part - self._cost)
        if self.at == self.target:
            self.target = None
        return self.at - start

    def seek(self, at: int) -> None:
        """Sets out for an iteration, earlier or later; `work` goes on from the nearest moment that is known.

        Raises:
            ValueError: it is out of bounds.
        """
        if not 0 <= at <= MOST_ITERATIONS:
            raise ValueError(f"Iteration {at:,} was asked for; the playground goes from 0 to {MOST_ITERATIONS:,}.")
        moment = self.moments.before(at)
        if at < self.at or moment.at > self.at:
            self._restore(moment)
            self._happen()
        self.target = None if at == self.at else at

    def _arrive(self, at: int) -> None:
        self.at = at
        self.last = max(self.last, at)
        self.version += 1
        if self.moments.wanted(at):
            self.moments.keep(self.moment())
        self._happen()

    def moment(self) -> Moment:
        """A copy of this very moment."""
        groups = tuple((group.members, group.gan.snapshot()) for group in self.groups)
        return Moment(self.at, self._passed, groups)

    def _restore(self, moment: Moment) -> None:
        known = {group.members: group for group in self.groups}
        self.groups = [restored(members, snapshot, known.get(members)) for members, snapshot in moment.groups]
        self.at, self._passed = moment.at, moment.passed
        self.version += 1

    # Events

    def change(self, changes: Mapping[str, Any], member: int | None = None) -> None:
        """Changes settings now, of one member or of all; the future that was known is forgotten.

        Raises:
            ValueError: a path is unknown, a value not allowed, or a net cannot go on with it; nothing has changed.
        """
        self._add(change(self.at, changes, member))

    def step(self, kind: str) -> None:
        """One update of all discriminators, of all generators, or ("both") one whole iteration."""
        if kind == "both":
            self.settle()
            self.advance(1)
        elif kind in (DISCRIMINATOR, GENERATOR):
            self._add(Event(self.at, kind))
        else:
            raise ValueError(f"The step is {kind!r}; it must be {GENERATOR}, {DISCRIMINATOR} or both.")

    def update(self, kind: str) -> None:
        """A part of the present iteration: all its updates of the discriminators, or of the generators, which end it.

        Both in turn compute what `advance` does, and are no events.
        """
        for group in self.groups:
            recipe, gan = group.gan.recipes[0], group.gan
            if kind == DISCRIMINATOR:
                for _ in range(recipe.critic_steps):
                    gan.discriminator_step()
            else:
                for _ in range(recipe.generator_steps):
                    gan.generator_step()
                gan.rounds += 1
        self.version += 1
        if kind == GENERATOR:
            self._arrive(self.at + 1)

    def settle(self) -> None:
        """Nothing may be done to a world that is on its way."""
        if self.target is not None:
            raise ValueError(f"The playground is on its way to iteration {self.target:,}; wait until it is there.")

    def _add(self, event: Event) -> None:
        """Lets an event happen here and now, and begins another future."""
        self.settle()
        script = self.script.moved(self.at).with_event(event)
        before = self.moment()
        try:
            self._apply(event)
        except ValueError:
            self._restore(before)
            raise
        self.script, self._passed, self.last = script, len(script.events), self.at
        self.moments.cut(self.at)
        for series in self.series:
            series.cut(self.at)
        self.version += 1

    def _happen(self) -> None:
        """All events of this iteration that have not happened yet."""
        while self._passed < len(self.script.events) and self.script.events[self._passed].at == self.at:
            try:
                self._apply(self.script.events[self._passed])
            except ValueError:  # a link said what no net can do: there the history ends
                self.script = replace(self.script, events=self.script.events[: self._passed])
                raise
            self._passed += 1

    def _apply(self, event: Event) -> None:
        if event.kind == CHANGE:
            wanted = range(len(self)) if event.member is None else (event.member,)
            self.groups = [part for group in self.groups for part in changed(group, event.changes, wanted)]
            return
        for group in self.groups:
            step = group.gan.discriminator_step if event.kind == DISCRIMINATOR else group.gan.generator_step
            for _ in range(event.times):
                step()


def fakes_of(world: World, latents: Sequence[Tensor]) -> list[Tensor]:
    """By member, the points (M, 2) that its generator makes of latents (M, z) now."""
    found = {}
    for group in world.groups:
        made = group.gan.fakes(torch.stack([latents[member] for member in group.members]))
        found |= dict(zip(group.members, made, strict=True))
    return [found[member] for member in range(len(world))]
