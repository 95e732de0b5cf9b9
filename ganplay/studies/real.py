"""The score of real data: training images take the generator's place, as many as it is asked for."""

from __future__ import annotations

import torch

from ganplay.data.resident import load
from ganplay.randomness import generator_for
from ganplay.studies.plan import Plan
from ganplay.trainer import SCORED


def real_scores(plan: Plan) -> tuple[float, ...]:
    """The plan's score of training samples against the held-out ones that the trials are scored against, by seed.

    Raises:
        ValueError: the data cannot be had.
    """
    recipe = plan.recipe
    train, held_out = (load(recipe.dataset, recipe.shapes.sample, split) for split in ("train", "test"))
    count = min(getattr(recipe.metric, "samples", SCORED), len(held_out), len(train))
    found = []
    for seed in plan.seeds:
        kept = torch.randperm(len(held_out), generator=generator_for(seed, "held out"))[:count]  # as the trainer has it
        chosen = torch.randperm(len(train), generator=generator_for(seed, "real data's score"))[:count]
        found.append(recipe.metric(held_out.batch(kept)[0], train.batch(chosen)[0]))
    return tuple(found)
