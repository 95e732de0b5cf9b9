"""The tiny engine: fully connected GANs on points, one or several that advance as one batched computation.

It computes what `ganplay.trainer.train` computes, from the same seeds and with the same losses, penalties and
optimisers, up to the rounding of fp32: an ordinary state goes in, an ordinary state comes out. On such nets calls cost
more than arithmetic, so weights are stacked, buffers are kept, and the backward pass is written out.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganplay.data.resident import Samples, load
from ganplay.recipe import Recipe
from ganplay.state import COUNTERS, OPTIMISERS, State
from ganplay.tiny import conversion, plan
from ganplay.tiny.judging import Losses
from ganplay.tiny.training import Training
from ganplay.tiny.updates import Slots

TOGETHER = 64  # updates of the discriminator whose logits are kept until their accuracies are counted


@dataclass(frozen=True)
class Curves:
    """What each of T iterations did to each of S nets: tensors (S, T), with the meaning they have in `trainer.Step`."""

    discriminator_loss: Tensor
    generator_loss: Tensor
    penalty: Tensor
    accuracy_real: Tensor
    accuracy_fake: Tensor


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A moment of training, with everything that what follows depends on."""

    recipes: tuple[Recipe, ...]
    weights: tuple[Tensor, Tensor, Tensor]  # generator, average, discriminator, (S, P) each
    slots: tuple[list[Slots], list[Slots]]
    noise: tuple[Tensor, ...]
    latents: Tensor | None
    counters: Mapping[str, float]


class TinyGan:
    """S GANs of one shape on points, trained together on one processor thread (`torch.set_num_threads(1)` suits it).

    The recipes may differ in everything but the networks' shapes, latent, batch_size, critic_steps and generator_steps.
    A net gives the same numbers in company as alone, up to rounding. Precision is always fp32.

    Args:
        recipes: one, or one for each net.
        states: where to go on, one for each net; new runs by default.
        data: the real points, one `Samples` for all nets or one for each; loaded by default.

    Attributes:
        recipes: as they are now, with all changes.
        rounds, seconds, reached: counters of each net, as in `ganplay.state.State`.

    Raises:
        ValueError: the engine cannot train a recipe, or not these together.
    """

    def __init__(
        self,
        recipes: Recipe | Sequence[Recipe],
        *,
        states: Sequence[State] | None = None,
        data: Samples | Sequence[Samples] | None = None,
    ) -> None:
        self.recipes = (recipes,) if isinstance(recipes, Recipe) else tuple(recipes)
        plan.check(self.recipes)
        states = [State.initial(recipe) for recipe in self.recipes] if states is None else list(states)
        self._samples = self._given(data)
        self._training = Training(self.recipes, self._samples)
        self._load(states)

    def _given(self, data: Samples | Sequence[Samples] | None) -> list[Samples]:
        if data is None:
            known = {recipe.dataset: load(recipe.dataset, recipe.shapes.sample) for recipe in self.recipes}
            return [known[recipe.dataset] for recipe in self.recipes]
        samples = [data] * len(self.recipes) if isinstance(data, Samples) else list(data)
        if len(samples) != len(self.recipes):
            raise ValueError(f"There are {len(samples)} data sets for {len(self.recipes)} nets; give one, or one each.")
        return samples

    @torch.no_grad()
    def _load(self, states: Sequence[State]) -> None:
        """Takes weights, optimisers' memory, noise and counters from ordinary states."""
        if len(states) != len(self.recipes):
            raise ValueError(f"There are {len(states)} states for {len(self.recipes)} recipes; give one for each.")
        counters = conversion.agreeing_counters(states)
        self._set_counters(counters)
        training, slots = self._training, ([], [])
        made, seen = training.generators.layout, training.discriminators.layout
        for member, state in enumerate(states):
            training.generators.weights[member] = conversion.network_row(state.generator, made)
            training.average[member] = conversion.network_row(state.average, made)
            training.discriminators.weights[member] = conversion.network_row(state.discriminator, seen)
            tensors = state.tensors()
            slots[0].append(conversion.optimiser_slots(tensors, OPTIMISERS[0], made))
            slots[1].append(conversion.optimiser_slots(tensors, OPTIMISERS[1], seen))
        training.prepare(self.recipes, slots, [state.noise.get_state() for state in states])

    def _set_counters(self, counters: Mapping[str, float]) -> None:
        self.rounds, self.seconds, self.reached = (counters[name] for name in ("rounds", "seconds", "reached"))
        self._training.images, self._training.generator_updates = counters["images"], counters["generator_updates"]

    @property
    def images(self) -> int:
        """Real images that each discriminator has seen."""
        return self._training.images

    @property
    def generator_updates(self) -> int:
        """Updates of each generator."""
        return self._training.generator_updates

    def counters(self) -> dict[str, float]:
        """The counters of `ganplay.state.State`."""
        return {name: getattr(self, name) for name in COUNTERS}

    # Training

    def advance(self, iterations: int) -> Curves:
        """Trains for some iterations: critic_steps updates of every discriminator, then generator_steps of every G.

        Nothing is read back from a tensor on the way.
        """
        if iterations < 1:
            raise ValueError(f"iterations is {iterations}; it must be 1 or more.")
        started, parts = time.perf_counter(), []
        longest = max(1, TOGETHER // self.recipes[0].critic_steps)
        with torch.no_grad():
            for start in range(0, iterations, longest):
                parts.append(self._advance(min(longest, iterations - start)))
        self.rounds += iterations
        self.seconds += time.perf_counter() - started
        return Curves(*(torch.cat(series, 1) for series in zip(*parts, strict=True)))

    def _advance(self, iterations: int) -> tuple[Tensor, ...]:
        """The series of `Curves`, (S, iterations) each."""
        recipe, members = self.recipes[0], len(self.recipes)
        critics, size = recipe.critic_steps, recipe.batch_size
        logits = torch.empty(iterations * critics, members, 1, 2 * size)
        slots, judged, made = iter(logits.unbind(0)), [], []
        step_discriminators, step_generators = self._training.discriminator_step, self._training.generator_step
        for _ in range(iterations):
            for _ in range(critics):
                judged.append(step_discriminators(next(slots)))
            for _ in range(recipe.generator_steps):
                made.append(step_generators())
        boundaries = self._training.losses.boundaries
        real, fake = logits.squeeze(2).split(size, 2)

        def series(values: Tensor) -> Tensor:
            return values.view(iterations, -1, members).mean(1).T

        return (
            series(torch.stack([each.losses for each in judged]).mean(2)),
            series(torch.stack(made).mean(2)),
            series(torch.stack([each.penalties for each in judged])),
            series((real > boundaries).float().mean(2)),
            series((fake < boundaries).float().mean(2)),
        )

    @torch.no_grad()
    def discriminator_step(self) -> Tensor:
        """One update of every discriminator alone; their mean losses (S,) without penalties."""
        return self._training.discriminator_step().losses.mean(1)

    @torch.no_grad()
    def generator_step(self) -> Tensor:
        """One update of every generator alone; their mean losses (S,)."""
        return self._training.generator_step().mean(1)

    # Looking

    def fakes(self, z: Tensor, *, average: bool = False) -> Tensor:
        """Points (S, M, 2) that the nets make of latents (M, z), or (S, M, z) where each has its own.

        Args:
            average: True for the averaged generators, False for those that are being trained.
        """
        return self._training.generators(z, self._training.average if average else None)

    def heat(self, points: Tensor) -> Tensor:
        """The discriminators' logits (S, M) at points (M, 2) or (S, M, 2).

        Those that see samples together say what they would of a point among real samples (`together.judge_among`).
        """
        return self._training.judge(points)

    @torch.no_grad()
    def gradients(self, points: Tensor) -> Tensor:
        """Which way the generator's loss pulls fakes at points (M, 2) or (S, M, 2): minus d L_G / d x, (S, M, 2).

        L_G is the sum over the points, so that arrows do not shrink with their number. A loss that compares fakes with
        real samples gets as many of the data, the first ones.
        """
        points = points.expand(len(self.recipes), *points.shape[-2:])
        count = points.shape[1]
        see = self._training.seeing(count, learns="inputs")
        see.inputs.copy_(points.transpose(1, 2))
        fake = see.forward().squeeze(1)
        real, slope = fake, torch.zeros_like(see.result)
        losses = Losses([recipe.loss for recipe in self.recipes], 1)
        if losses.relative:
            rows, beside = torch.arange(count), self._training.seeing(count)
            beside.inputs.copy_(torch.stack([known.values[rows % len(known)].t() for known in self._samples]))
            real = beside.forward().squeeze(1)
        losses.generator(real, fake, slope.squeeze(1))
        see.backward(slope, weights=False, inputs=True)
        return -see.input_slope.transpose(1, 2)

    def layer_gradients(self) -> dict[str, list[Tensor]]:
        """What the last update left in the gradients: by network, a view (S, p) for each layer, biases included."""
        stacks = {"discriminator": self._training.discriminators, "generator": self._training.generators}
        return {
            name: [layer.flatten(1) for layer in stack.layout.layers(stack.gradients)] for name, stack in stacks.items()
        }

    # Time travel and changes

    def snapshot(self) -> Snapshot:
        """A copy of this moment, to which `restore` returns exactly."""
        training = self._training
        weights = training.generators.weights, training.average, training.discriminators.weights
        slots = training.update_generators.slots(), training.update_discriminators.slots()
        noise = tuple(training.noise.states())
        copies = tuple(each.clone() for each in weights)
        return Snapshot(self.recipes, copies, slots, noise, training.latents, self.counters())

    @torch.no_grad()
    def restore(self, snapshot: Snapshot) -> None:
        """Goes to a moment of these nets, earlier or later, with the settings they had then."""
        training = self._training
        weights = training.generators.weights, training.average, training.discriminators.weights
        for mine, saved in zip(weights, snapshot.weights, strict=True):
            mine.copy_(saved)
        self.recipes = snapshot.recipes
        self._set_counters(snapshot.counters)
        training.prepare(self.recipes, snapshot.slots, snapshot.noise)
        training.latents = snapshot.latents

    def change(self, changes: Mapping[str, Any], members: Sequence[int] | None = None) -> None:
        """Changes settings in mid-run, such as `{"generator_optimiser.learning_rate": 1e-4}`.

        Weights stay, and so does what an optimiser remembers unless it becomes one of another kind.

        Args:
            members: indices of the nets to change; all by default.

        Raises:
            ValueError: a path is unknown, a value not allowed, or the change is one of shape, seed or data.
        """
        recipes = list(self.recipes)
        for member in range(len(recipes)) if members is None else members:
            recipes[member] = recipes[member].change(changes)
        plan.check([self.recipes[0], *recipes])
        slots = self._training.update_generators.slots(), self._training.update_discriminators.slots()
        for member, (old, new) in enumerate(zip(self.recipes, recipes, strict=True)):
            if (old.seed, old.dataset) != (new.seed, new.dataset):
                raise ValueError("Neither seed nor dataset can be changed in mid-run; start a new run with them.")
            for index, owner in enumerate(OPTIMISERS):
                if getattr(old, owner).kind != getattr(new, owner).kind:
                    slots[index][member] = {}
        Losses([recipe.loss for recipe in recipes], 1)  # refuses before anything has changed
        self.recipes = tuple(recipes)
        self._training.prepare(recipes, slots, self._training.noise.states())

    def state(self, member: int = 0) -> State:
        """An ordinary state of one net, independent of the engine: to save, to sample from, to train on."""
        training, state = self._training, State.initial(self.recipes[member])
        made, seen = training.generators.layout, training.discriminators.layout
        tensors = {
            "noise": training.noise.states()[member],
            **conversion.network_tensors("generator", state.generator, training.generators.weights[member], made),
            **conversion.network_tensors("average", state.average, training.average[member], made),
            **conversion.network_tensors(
                "discriminator", state.discriminator, training.discriminators.weights[member], seen
            ),
            **conversion.optimiser_tensors(OPTIMISERS[0], training.update_generators.slots()[member], made),
            **conversion.optimiser_tensors(OPTIMISERS[1], training.update_discriminators.slots()[member], seen),
        }
        state.restore(tensors, self.counters())
        return state
