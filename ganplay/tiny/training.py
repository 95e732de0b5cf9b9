"""The two updates of stacked GANs, with the algorithm of `ganplay.trainer` and the order in which it draws numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganplay.augment import noise_deviation
from ganplay.building import build_networks
from ganplay.data.resident import Samples
from ganplay.recipe import Recipe
from ganplay.tiny import plan
from ganplay.tiny.judging import Losses
from ganplay.tiny.looking import looking, looking_alone
from ganplay.tiny.networks import Pass, Stack
from ganplay.tiny.recording import Function, recorded
from ganplay.tiny.streams import Data, Noise
from ganplay.tiny.together import COMPANY, TogetherPass, judge_among
from ganplay.tiny.updates import Slots, Updates, runs

REPEATED = 10  # uses of a function after which it is written down


class Judged(NamedTuple):
    """What an update of the discriminators saw: losses (S, N), logits (S, 2N) of real and fake, penalties (S,)."""

    losses: Tensor
    logits: Tensor
    penalties: Tensor


class Training:
    """S GANs in the middle of training. Callers switch gradients off.

    Attributes:
        generators, discriminators: the weights that are trained.
        average: (S, P), the averaged generators.
        images: real images each discriminator has seen.
        generator_updates: updates of each generator.
        unused: True when D has just learnt from fakes that G has not: those it learns from if fakes are shared.
    """

    def __init__(self, recipes: Sequence[Recipe], samples: Sequence[Samples]) -> None:
        made, seen = plan.layouts(recipes[0])
        members, size = len(recipes), recipes[0].batch_size
        self.generators, self.discriminators = Stack(made, members), Stack(seen, members)
        self.average = torch.zeros_like(self.generators.weights)
        self.images = self.generator_updates = 0
        self.unused = False
        self.data = Data(recipes, samples)
        self._company = torch.stack([known.values[:COMPANY] for known in samples])
        self._size = size

        # Passes: D sees real and fake together in its own step (it has no batch norm), fakes alone in G's
        self._make = Pass(self.generators, size)
        self._bound: list[nn.Module | None] = [None] * members
        self._together, self._pack = plan.sees_together(recipes[0]), recipes[0].discriminator.pack
        self._see_both = self.seeing(2 * size, parts=2, learns="weights")
        self._see = self.seeing(size, learns="inputs")
        self._see_real = self.seeing(size)
        self._slope_both = torch.zeros(members, 1, 2 * size)
        self._slope = torch.zeros(members, 1, size)
        self._real, self._fake = self._see_both.inputs.split(size, 2)  # (S, 2, N)
        self._slope_real, self._slope_fake = self._slope_both.squeeze(1).split(size, 1)  # (S, N)

    def prepare(self, recipes: Sequence[Recipe], slots: Sequence[Sequence[Slots]], noise: Sequence[Tensor]) -> None:
        """Takes the settings from recipes, what the optimisers remember from `slots`: generators', discriminators'."""
        self._recipes = tuple(recipes)
        self._shared = recipes[0].fakes == "shared"
        generators, discriminators = self.generators, self.discriminators
        made = [recipe.generator_optimiser for recipe in recipes]
        seen = [recipe.discriminator_optimiser for recipe in recipes]
        self.update_generators = Updates(generators.weights, generators.gradients, made)
        self.update_discriminators = Updates(discriminators.weights, discriminators.gradients, seen)
        self.update_generators.remember(slots[0])
        self.update_discriminators.remember(slots[1])
        self.noise = Noise(recipes, noise, any(map(plan.draws_more, recipes)))
        self.losses = Losses([recipe.loss for recipe in recipes], self._size, often=True)
        self._relative = [member for member, recipe in enumerate(recipes) if recipe.loss.relative]
        self._noisy = [member for member, recipe in enumerate(recipes) if recipe.instance_noise]
        self._flipped = [member for member, recipe in enumerate(recipes) if recipe.flip_labels]
        self._decays = list(runs([recipe.ema_decay for recipe in recipes]))
        # Penalties are written for one ordinary network: those that have any get one, on the same memory
        for member, recipe in enumerate(recipes):
            if recipe.penalties and self._bound[member] is None:
                self._bound[member] = self._network(recipe, member)
        unrolled = [member for member, recipe in enumerate(recipes) if recipe.unroll]
        alike = [plan.unrolls_like(recipe, member) for member, recipe in enumerate(recipes)]
        self._looks = [(members, 0, self._looking(members)) for members, key in runs(alike) if key]
        self._moved = False  # whether these optimisers of D have taken a step, and remember something
        self._compared = sorted({*self._relative, *unrolled})  # their G's step needs real samples
        self._penalised = [member for member, recipe in enumerate(recipes) if any(map(plan.has_term, recipe.penalties))]
        self._projected = [member for member, recipe in enumerate(recipes) if any(map(plan.projects, recipe.penalties))]
        self._free = torch.zeros(len(recipes))

    def seeing(self, count: int, parts: int = 1, learns: str = "") -> Pass | TogetherPass:
        """A pass of the discriminators over batches of so many samples; see `TogetherPass` for the arguments."""
        if self._together:
            return TogetherPass(self.discriminators, count, self._pack, parts, learns)
        return Pass(self.discriminators, count, learns=bool(learns))

    @torch.no_grad()
    def judge(self, points: Tensor) -> Tensor:
        """The discriminators' logits (S, M) at points (M, 2) or (S, M, 2), each for itself."""
        if not self._together:
            return self.discriminators(points).squeeze(2)
        stack = self.discriminators
        points = points.expand(stack.members, *points.shape[-2:])
        return judge_among(stack.layout, stack.weights, points, self._company, self._pack)

    @property
    def latents(self) -> Tensor | None:
        """Latents (S, z, N) of unused fakes, None where there are none."""
        return self._make.inputs.clone() if self.unused else None

    @latents.setter
    def latents(self, z: Tensor | None) -> None:
        self.unused = z is not None
        if self.unused:
            self._make.inputs.copy_(z)
            self._make.forward()

    def discriminator_step(self, logits: Tensor | None = None) -> Judged:
        """One update of every discriminator.

        Args:
            logits: (S, 1, 2N), where to write what D says; by default the next step overwrites it.
        """
        size = self._size
        self._real.copy_(self.data.take(self.images))
        self._make.inputs.copy_(self.noise.take())
        self._fake.copy_(self._make.forward())
        self.unused = True
        if self._noisy:
            self._blur(self._fake, self._noisy)
            self._blur(self._real, self._noisy)
        logits = self._see_both.forward(logits).squeeze(1)  # (S, 2N)
        real, fake = logits.split(size, 1)
        if self._flipped:
            exchanged = self._exchanged()
            told_real, told_fake = torch.where(exchanged, fake, real), torch.where(exchanged, real, fake)
            losses = self.losses.discriminator(told_real, told_fake, self._slope_real, self._slope_fake)
            on_real = torch.where(exchanged, self._slope_fake, self._slope_real)
            self._slope_fake.copy_(torch.where(exchanged, self._slope_real, self._slope_fake))
            self._slope_real.copy_(on_real)
        else:
            losses = self.losses.discriminator(real, fake, self._slope_real, self._slope_fake)
        self._see_both.backward(self._slope_both, weights=True, inputs=False)
        penalties = self._add_penalties() if self._penalised else self._free
        self.update_discriminators.step()
        self._moved = True
        for member in self._projected:
            for penalty in self._recipes[member].penalties:
                penalty.project(self._bound[member])
        self.images += size
        return Judged(losses, logits, penalties)

    def generator_step(self) -> Tensor:
        """One update of every generator; its losses (S, N)."""
        see = self._see
        real = None
        if self._compared:
            self._see_real.inputs.copy_(self.data.take(max(0, self.images - self._size)))
            self._blur(self._see_real.inputs, [member for member in self._noisy if member in self._compared])
            real = self._see_real.forward().squeeze(1) if self._relative else None
        if not (self._shared and self.unused):
            self._make.inputs.copy_(self.noise.take())
            self._make.forward()
        self.unused = False
        see.inputs.copy_(self._make.result)
        if self._noisy:
            self._blur(see.inputs, self._noisy)
        fake = see.forward().squeeze(1)  # (S, N)
        losses = self.losses.generator(fake if real is None else real, fake, self._slope.squeeze(1))
        see.backward(self._slope, weights=False, inputs=True)
        if self._looks:
            self._look_ahead(losses)
        self._make.backward(see.input_slope, weights=True, inputs=False)
        self.update_generators.step()
        self.generator_updates += 1
        for members, target in self._decays:
            decay = min(target, (1 + self.generator_updates) / (10 + self.generator_updates))
            self.average[members].lerp_(self.generators.weights[members], 1 - decay)
        return losses

    def _network(self, recipe: Recipe, member: int) -> nn.Module:
        _, network = build_networks(recipe)
        self.discriminators.bind(member, network)
        return network

    def _looking(self, members: slice) -> Function:
        recipe, layout = self._recipes[members.start], self.discriminators.layout
        weights = self.discriminators.weights[members]

        def memory() -> Slots:
            return self.update_discriminators.memory(members)

        if not recipe.penalties:
            return looking(recipe, layout, weights, memory)
        own, random = self._bound[members.start], self.noise.generators[members.start]
        return looking_alone(
            recipe, layout, own, weights[0], lambda: {k: v[0] if v.ndim else v for k, v in memory().items()}, random
        )

    def _look_ahead(self, losses: Tensor) -> None:
        """Puts losses (S, N) and slopes of generators that look through further updates of D in their places."""
        for index, (members, uses, look) in enumerate(self._looks):
            real, fake = (see.inputs[members].transpose(1, 2).contiguous() for see in (self._see_real, self._see))
            if uses == REPEATED:  # writing it down costs some uses; it refers to the memory in which weights change
                look = recorded(look, real, fake)
            self._looks[index] = members, uses + self._moved, look
            losses[members], slope = look(real, fake)
            self._see.input_slope[members] = slope.transpose(1, 2)

    def _add_penalties(self) -> Tensor:
        """Adds the gradients of every member's penalties to those of its weights; the mean penalties (S,)."""
        means = torch.zeros(len(self._recipes))
        for member in self._penalised:
            network = self._bound[member]
            parameters = list(network.parameters())
            real, fake = self._real[member].t().contiguous(), self._fake[member].t().contiguous()  # (N, 2)
            with torch.enable_grad():
                total = torch.zeros(())
                for penalty in self._recipes[member].penalties:
                    value = penalty(network, real, fake, None, self.noise.generators[member])
                    if value is not None:
                        total = total + value.mean()
            if total.requires_grad:
                found = torch.autograd.grad(total, parameters, allow_unused=True, materialize_grads=True)
                views = self.discriminators.layout.parameters(self.discriminators.gradients[member])
                torch._foreach_add_(views, list(found))
            means[member] = total.detach()
        return means

    def _blur(self, x: Tensor, members: Sequence[int]) -> None:
        """Adds instance noise to what some members' discriminators see, x (S, 2, N), in place."""
        for member in members:
            recipe, random = self._recipes[member], self.noise.generators[member]
            deviation = noise_deviation(recipe.instance_noise, recipe.instance_noise_images, self.images)
            if deviation:
                x[member] += deviation * torch.randn(x.shape[2], x.shape[1], generator=random).t()

    def _exchanged(self) -> Tensor:
        """True (S, N) where a discriminator is told the wrong label."""
        found = torch.zeros(len(self._recipes), self._size, dtype=torch.bool)
        for member in self._flipped:
            random = self.noise.generators[member]
            found[member] = torch.rand(self._size, generator=random) < self._recipes[member].flip_labels
        return found
