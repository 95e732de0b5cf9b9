"""Slow motion: the five stages of one iteration, with the numbers of just this batch.

Looking changes nothing: the batch and the noise are found out beforehand, from the order of the data and a copy of the
noise stream. Where a recipe adds noise to what D sees or flips labels, the numbers are those without.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from ganplay.contracts import Critique
from ganplay.data.order import Order
from ganplay.latent.noise import draw
from ganplay.playground.frames import pairs
from ganplay.playground.groups import extent, points
from ganplay.playground.past import number
from ganplay.playground.script import DISCRIMINATOR, GENERATOR
from ganplay.playground.world import World
from ganplay.tiny import TinyGan, plan

STAGES = 5  # real and noise drawn, G makes, D judges, D learns, G learns
SHOWN = 64  # samples of the batch that are sent
Numbers = dict[str, Any]


class Batch(NamedTuple):
    """What the next update of one member's D sees: real points (N, 2), latents (N, z), what G makes of them (N, 2)."""

    gan: TinyGan
    place: int
    real: Tensor
    z: Tensor
    fake: Tensor


class SlowMotion:
    """One iteration after the other in five stages. Stage 3 trains D and stage 4 trains G, as `World.advance` would.

    Attributes:
        stage: 0 to 4.
        numbers: by member, by name of a quantity.
        batches: by member, the first samples of the batch for the canvas: "real" and, from stage 1 on, "fakes".
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._begin()

    def next(self) -> None:
        """Goes on to the next stage."""
        self.stage = (self.stage + 1) % STAGES
        if self.stage == 0:
            self._begin()
        elif self.stage == 1:
            self.numbers = [{"points made": len(one.fake), "mean": _mean(one.fake)} for one in self._looked]
            for one, batch in zip(self._looked, self.batches, strict=True):
                batch["fakes"] = pairs(one.fake[:SHOWN], extent(one.gan.recipes[one.place].dataset))
        elif self.stage == 2:
            self.numbers = [_judgement(one) for one in self._looked]
        elif self.stage == 3:
            self._learn(DISCRIMINATOR, "D", _judgement)
        else:
            self._learn(GENERATOR, "G", lambda one: {"loss of G": number(_generator_loss(one))})

    def finish(self) -> None:
        """Ends an iteration whose D has learnt already; nothing to do otherwise."""
        if self.stage == 3:
            self._world.update(GENERATOR)

    def _begin(self) -> None:
        self.stage = 0
        self._looked = [_upcoming(gan, place) for gan, place in self._world.members()]
        self.batches = []
        for one in self._looked:
            width = extent(one.gan.recipes[one.place].dataset)
            self.batches.append({"real": pairs(one.real[:SHOWN], width)})
        self.numbers = [
            {"real points": len(one.real), "mean": _mean(one.real), "noise vectors": len(one.z),
             "first of them": [number(float(value)) for value in one.z[0, :2]]}
            for one in self._looked
        ]  # fmt: skip

    def _learn(self, network: str, letter: str, look: Any) -> None:
        """Lets one side learn, and says what `look` says of the same batch before and after."""
        before = [look(one) for one in self._looked]
        self._world.update(network)
        self.numbers = []
        for one, was in zip(self._looked, before, strict=True):
            now = look(one._replace(fake=one.gan.fakes(one.z)[one.place]))
            found = {f"gradient norm of {letter}": _norm(one, network)}
            for name in was:
                found |= {f"{name} before": was[name], f"{name} after": now[name]}
            self.numbers.append(found)


def _upcoming(gan: TinyGan, place: int) -> Batch:
    """What the next update of D will see, found out without touching the streams."""
    recipe = gan.recipes[place]
    known = points(recipe.dataset)
    real = known.values[Order(len(known), recipe.seed).take(gan.images, recipe.batch_size)]
    source = Generator()
    source.set_state(gan.snapshot().noise[place])
    z = draw(recipe, recipe.batch_size, source)
    return Batch(gan, place, real, z, gan.fakes(z)[place])


def _critiques(one: Batch) -> tuple[Critique, Critique]:
    """What D says of the batch's real points and of its fakes, which it sees apart."""
    if plan.sees_together(one.gan.recipes[one.place]):  # then not what it would say of each point alone
        network = one.gan.state(one.place).discriminator
        with torch.no_grad():
            return network(one.real), network(one.fake)
    return Critique(one.gan.heat(one.real)[one.place]), Critique(one.gan.heat(one.fake)[one.place])


def _judgement(one: Batch) -> Numbers:
    """What a discriminator says of a batch."""
    real, fake = _critiques(one)
    loss = one.gan.recipes[one.place].loss.discriminator(real, fake).mean()
    return {
        "mean logit of real": number(float(real.logits.mean())),
        "mean logit of fakes": number(float(fake.logits.mean())),
        "loss of D": number(float(loss)),
    }


def _generator_loss(one: Batch) -> float:
    real, fake = _critiques(one)
    loss = one.gan.recipes[one.place].loss
    return float(loss.generator(fake, real if loss.relative else None).mean())


def _norm(one: Batch, network: str) -> float | None:
    """L2 norm of the whole gradient of the last update."""
    layers = [layer[one.place] for layer in one.gan.layer_gradients()[network]]
    return number(float(torch.cat(layers).norm()))


def _mean(values: Tensor) -> list[float | None]:
    return [number(float(value)) for value in values.mean(0)]
