"""The one training loop. It writes no files, prints nothing and knows no view; its callers consume its steps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganplay.contracts import Critique
from ganplay.data.order import Order
from ganplay.data.resident import Samples, load
from ganplay.latent.noise import draw, fixed_noise
from ganplay.precision import autocast
from ganplay.randomness import generator_for
from ganplay.recipe import Recipe
from ganplay.state import State

SCORED = 1_000  # samples and held-out real samples behind one score


@dataclass(frozen=True)
class Step:
    """What one round of updates did. Tensors are 0-d and stay on the device until somebody reads them.

    Attributes:
        round: rounds finished, this one included.
        images: real images the discriminator has seen, over all critic steps.
        seconds: time spent training so far.
        discriminator_loss, generator_loss: mean losses, the discriminator's without its penalties.
        penalty: mean of the weighted penalties, 0 without one.
        accuracy_real, accuracy_fake: share of real logits above 0 and of fake logits below 0.
        score: the metric against held-out data, in the steps where it was computed.
        state: the live state, valid until the next step is asked for; `.grad` still holds both nets' gradients.
    """

    round: int
    images: int
    seconds: float
    discriminator_loss: Tensor
    generator_loss: Tensor
    penalty: Tensor
    accuracy_real: Tensor
    accuracy_fake: Tensor
    score: float | None
    state: State


def train(
    recipe: Recipe,
    *,
    state: State | None = None,
    data: Samples | None = None,
    held_out: Samples | None = None,
    device: str = "cpu",
) -> Iterator[Step]:
    """Trains a recipe until it says stop, one `Step` after each round of critic and generator updates.

    Args:
        state: where to go on; a new run by default. With the state of a checkpoint the steps equal, to the bit, those
            of a run that was never interrupted.
        data: the training samples, loaded by default.
        held_out: real samples the metric compares with, loaded by default when the recipe asks for scores.

    Raises:
        ValueError: the networks do not fit the data, or the data cannot be loaded.
    """
    # Set up
    state = state or State.initial(recipe, device)
    data = data or load(recipe.dataset, recipe.shapes.sample)
    if recipe.score_every and held_out is None:
        held_out = load(recipe.dataset, recipe.shapes.sample, "test")
    generator, discriminator = state.generator.train(), state.discriminator.train()
    order = Order(len(data), recipe.seed)
    loss, size = recipe.loss, recipe.batch_size

    def critique(x: Tensor) -> Critique:
        with autocast(recipe.precision, device):
            said = discriminator(x)
        return Critique(said.logits.float(), said.class_logits, said.features)

    def make() -> Tensor:
        z = draw(recipe, size, state.noise)
        with autocast(recipe.precision, device):
            fake = generator(z)
        return fake.float()

    def full_precision(x: Tensor, y: Tensor | None = None) -> Critique:
        return discriminator(x, y)  # penalties differentiate twice, in fp32

    while not _finished(recipe, state):
        started = time.perf_counter()

        # Discriminator: real and fake batches apart, so that batch norm sees each with its own statistics
        discriminator.requires_grad_(True)
        rows = []
        for _ in range(recipe.critic_steps):
            real, _ = data.batch(order.take(state.images, size))
            real = real.to(device)
            with torch.no_grad():  # G's batch statistics move all the same, as when a fake is made and detached
                fake = make()
            on_real, on_fake = critique(real), critique(fake)
            objective = loss.discriminator(on_real, on_fake).mean()
            penalty = torch.zeros((), device=device)
            for term in recipe.penalties:
                epsilon = torch.rand(size, generator=state.noise, device=device) if term.per_sample else None
                value = term(full_precision, real, fake, None, epsilon)
                if value is not None:
                    penalty = penalty + value.mean()
            state.discriminator_optimiser.zero_grad(set_to_none=True)
            (objective + penalty).backward()
            state.discriminator_optimiser.step()
            for term in recipe.penalties:
                term.project(discriminator)
            state.images += size
            correct = (on_real.logits > 0).float().mean(), (on_fake.logits < 0).float().mean()
            rows.append(torch.stack([objective.detach(), penalty.detach(), *correct]))

        # Generator
        discriminator.requires_grad_(False)
        losses = []
        for _ in range(recipe.generator_steps):
            on_fake = critique(make())
            on_real = None
            if loss.relative:
                real, _ = data.batch(order.take(state.images - size, size))
                on_real = critique(real.to(device))
            objective = loss.generator(on_fake, on_real).mean()
            state.generator_optimiser.zero_grad(set_to_none=True)
            objective.backward()
            state.generator_optimiser.step()
            state.generator_updates += 1
            state.update_average()
            losses.append(objective.detach())

        # Report
        state.rounds += 1
        state.seconds += time.perf_counter() - started
        score = _score(recipe, state, held_out) if _crossed(state.images, recipe, recipe.score_every) else None
        state.reached = int(score is not None and recipe.stop_score > 0 and score <= recipe.stop_score)
        discriminator_loss, penalty, accuracy_real, accuracy_fake = torch.stack(rows).mean(0)
        yield Step(
            state.rounds, state.images, state.seconds, discriminator_loss, torch.stack(losses).mean(), penalty,
            accuracy_real, accuracy_fake, score, state,
        )  # fmt: skip


@torch.no_grad()
def sample(state: State, z: Tensor) -> Tensor:
    """Samples (N, *sample) of the averaged generator, in fp32, without touching any stream of random numbers."""
    return state.average(z.to(state.device))


def _finished(recipe: Recipe, state: State) -> bool:
    out_of_time = 0 < recipe.stop_seconds <= state.seconds
    return state.images >= recipe.stop_images or out_of_time or bool(state.reached)


def _crossed(images: int, recipe: Recipe, every: int) -> bool:
    """True when the last round passed a multiple of `every` images."""
    return bool(every) and images // every > (images - recipe.batch_size * recipe.critic_steps) // every


def _score(recipe: Recipe, state: State, held_out: Samples) -> float:
    chosen = torch.randperm(len(held_out), generator=generator_for(recipe.seed, "held out"))[:SCORED]
    real, _ = held_out.batch(chosen)
    return recipe.metric(real, sample(state, fixed_noise(recipe, len(chosen))).cpu())
