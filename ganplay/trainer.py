"""The one training loop. It writes no files, prints nothing and knows no view; its callers consume its steps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy
from torch.nn.modules.dropout import _DropoutNd

from ganplay.augment import add_noise, augment, noise_deviation
from ganplay.contracts import Critique
from ganplay.data.order import Order
from ganplay.data.resident import Samples, load
from ganplay.latent.noise import draw, fixed_labels, fixed_noise
from ganplay.metrics.budget import ScoreBudget
from ganplay.precision import autocast, chosen
from ganplay.randomness import generator_for
from ganplay.recipe import Recipe
from ganplay.state import State
from ganplay.unrolling import critics_of, look_ahead

SCORED = 1_000  # samples and held-out real samples behind one score, where the metric does not say
PART = 256  # of those that are made at once, which bounds the memory
LOWEST_RATE = 1e-8  # that an optimiser takes


@dataclass(frozen=True)
class Step:
    """What one round of updates did. Tensors are 0-d and stay on the device until somebody reads them.

    Attributes:
        round: rounds finished, this one included.
        images: real images the discriminator has seen, over all critic steps.
        seconds: time spent training so far.
        discriminator_loss, generator_loss: mean losses with the class terms, the discriminator's without its penalties.
        penalty: mean of the weighted penalties, 0 without one.
        accuracy_real, accuracy_fake: share of real logits above the loss's boundary and of fake logits below it.
        score: the metric against held-out data, in the steps where it was computed: those that are due, as long as
            scores take no more than `score_share` of the time (`metrics.budget`).
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
    order, budget, begun = Order(len(data), recipe.seed), ScoreBudget(recipe.score_share), state.seconds
    loss, size, conditional = recipe.loss, recipe.batch_size, recipe.shapes.classes > 0
    drops = any(isinstance(layer, _DropoutNd) for net in (generator, discriminator) for layer in net.modules())
    labels = data.labels.to(device) if conditional else None
    shared, precision = recipe.fakes == "shared", chosen(recipe.precision, device, points=data.values.ndim == 2)

    def take(position: int) -> tuple[Tensor, Tensor | None]:
        x, y = data.batch(order.take(position, size))
        return x.to(device), y.to(device) if conditional else None

    def make(y: Tensor | None) -> Tensor:
        z = draw(recipe, size, state.noise)
        with autocast(precision, device):
            fake = generator(z, y)
        return fake.float()

    def shown(x: Tensor) -> Tensor:
        deviation = noise_deviation(recipe.instance_noise, recipe.instance_noise_images, state.images)
        return add_noise(augment(x, recipe.augment, state.noise), deviation, state.noise)

    def critiques(y: Tensor | None, *batches: Tensor) -> list[Critique]:
        with autocast(precision, device):  # around all of them, so that each weight is cast once
            said = [discriminator(x, y) for x in batches]
        return [Critique(one.logits.float(), _float(one.class_logits)) for one in said]

    def full_precision(x: Tensor, y: Tensor | None = None) -> Critique:
        return discriminator(x, y)  # penalties differentiate twice, in fp32

    def ahead(real: Tensor, fake: Tensor, y: Tensor | None) -> list[Critique]:
        weights, optimiser = list(discriminator.parameters()), state.discriminator_optimiser
        memory = [{k: v for k, v in optimiser.state[weight].items() if v is not None} for weight in weights]
        now, critics = _as_now(recipe, optimiser), critics_of(discriminator)
        critic = look_ahead(now, critics, weights, memory, real, fake, y, state.noise)
        return [critic(x, y) for x in ([real, fake] if loss.relative else [fake])]

    while not _finished(recipe, state):
        started = time.perf_counter()
        if recipe.decay_images:
            state.scale_learning_rates(min(1.0, (recipe.stop_images - state.images) / recipe.decay_images))
        with _dropout_of(state) if drops else nullcontext():
            # Discriminator: real and fake batches apart, so that batch norm sees each with its own statistics
            discriminator.requires_grad_(True)
            rows = []
            for left in reversed(range(recipe.critic_steps)):
                real, y = take(state.images)
                with torch.set_grad_enabled(shared and left == 0):  # G's batch statistics move either way
                    made = make(y)  # of the same classes, so that a penalty between the two has one label
                fake, real = shown(made.detach()), shown(real)
                on_real, on_fake = critiques(y, real, fake)
                objective = loss.discriminator(*_flipped(on_real, on_fake, recipe.flip_labels, state.noise)).mean()
                objective = objective + recipe.class_weight * (class_loss(on_real, y) + class_loss(on_fake, y)).mean()
                penalty = torch.zeros((), device=device)
                for term in recipe.penalties:
                    value = term(full_precision, real, fake, y, state.noise)
                    if value is not None:
                        penalty = penalty + value.mean()
                state.discriminator_optimiser.zero_grad(set_to_none=True)
                (objective + penalty).backward()
                state.discriminator_optimiser.step()
                for term in recipe.penalties:
                    term.project(discriminator)
                state.images += size
                right = (on_real.logits > loss.boundary).float().mean(), (on_fake.logits < loss.boundary).float().mean()
                rows.append(torch.stack([objective.detach(), penalty.detach(), *right]))

            # Generator
            discriminator.requires_grad_(False)
            losses = []
            for index in range(recipe.generator_steps):
                fresh, beside = not shared or index > 0, []
                if loss.relative or recipe.unroll:
                    real, y = take(state.images - size)
                    beside = [shown(real)]
                elif fresh:
                    y = _drawn_labels(labels, size, state.noise) if conditional else None
                fake = shown(make(y) if fresh else made)
                *on_real, on_fake = ahead(*beside, fake, y) if recipe.unroll else critiques(y, *beside, fake)
                objective = loss.generator(on_fake, *on_real).mean()
                objective = objective + recipe.class_weight * class_loss(on_fake, y).mean()
                state.generator_optimiser.zero_grad(set_to_none=True)
                objective.backward()
                state.generator_optimiser.step()
                state.generator_updates += 1
                state.update_average()
                losses.append(objective.detach())

        # Report
        state.rounds += 1
        state.seconds += time.perf_counter() - started
        score = None
        if _crossed(state.images, recipe, recipe.score_every) and budget.allows(state.seconds - begun):
            with budget.paying():
                score = _score(recipe, state, held_out)
        state.reached = int(score is not None and recipe.stop_score > 0 and score <= recipe.stop_score)
        discriminator_loss, penalty, accuracy_real, accuracy_fake = torch.stack(rows).mean(0)
        yield Step(
            state.rounds, state.images, state.seconds, discriminator_loss, torch.stack(losses).mean(), penalty,
            accuracy_real, accuracy_fake, score, state,
        )  # fmt: skip


@torch.no_grad()
def sample(state: State, z: Tensor, y: Tensor | None = None) -> Tensor:
    """Samples (N, *sample) of the averaged generator, in fp32, without touching any stream of random numbers.

    Args:
        y: labels (N,), for a conditional recipe; by default they go through the classes again and again.
    """
    y = fixed_labels(state.recipe, len(z)) if y is None else y
    return state.average(z.to(state.device), None if y is None else y.to(state.device))


def _as_now(recipe: Recipe, optimiser: torch.optim.Optimizer) -> Recipe:
    """The recipe with the learning rate that D's optimiser has at the moment, where rates fall."""
    if not recipe.decay_images:
        return recipe
    rate = max(LOWEST_RATE, optimiser.param_groups[0]["lr"])
    return replace(recipe, discriminator_optimiser=replace(recipe.discriminator_optimiser, learning_rate=rate))


def _float(logits: Tensor | None) -> Tensor | None:
    return None if logits is None else logits.float()


def class_loss(said: Critique, y: Tensor | None) -> Tensor:
    """Cross-entropy (N,) of an auxiliary classifier's logits (document 000, eq. 4); a 0 for a critique without one."""
    if said.class_logits is None:
        return said.logits.new_zeros(())
    return cross_entropy(said.class_logits, y, reduction="none")


def _flipped(real: Critique, fake: Critique, share: float, random: Generator) -> tuple[Critique, Critique]:
    """Both critiques with this share of their samples exchanged: the loss takes those for what they are not."""
    if share == 0:
        return real, fake
    exchanged = torch.rand(real.logits.shape, generator=random, device=random.device) < share  # (N,)
    return (
        Critique(torch.where(exchanged, fake.logits, real.logits)),
        Critique(torch.where(exchanged, real.logits, fake.logits)),
    )


def _drawn_labels(labels: Tensor, count: int, random: Generator) -> Tensor:
    """Labels (count,) drawn from the data's own, so that rare classes stay rare."""
    return labels[torch.randint(len(labels), (count,), generator=random, device=random.device)]


@contextmanager
def _dropout_of(state: State) -> Iterator[None]:
    """Inside the block the global generator, from which dropout draws, follows the run's seed and its rounds.

    A seed drawn from the run's stream would have to be read back from the device, which waits for it.
    """
    device = torch.device(state.device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(generator_for(state.recipe.seed, f"dropout of round {state.rounds}").initial_seed())
        yield


def _finished(recipe: Recipe, state: State) -> bool:
    out_of_time = 0 < recipe.stop_seconds <= state.seconds
    return state.images >= recipe.stop_images or out_of_time or bool(state.reached)


def _crossed(images: int, recipe: Recipe, every: int) -> bool:
    """True when the last round passed a multiple of `every` images."""
    return bool(every) and images // every > (images - recipe.batch_size * recipe.critic_steps) // every


def _score(recipe: Recipe, state: State, held_out: Samples) -> float:
    count = getattr(recipe.metric, "samples", SCORED)
    chosen = torch.randperm(len(held_out), generator=generator_for(recipe.seed, "held out"))[:count]
    real, _ = held_out.batch(chosen)
    z, y = fixed_noise(recipe, len(chosen)), fixed_labels(recipe, len(chosen))
    parts = [slice(start, start + PART) for start in range(0, len(chosen), PART)]
    fake = [sample(state, z[part], None if y is None else y[part]).cpu() for part in parts]
    return recipe.metric(real, torch.cat(fake))
