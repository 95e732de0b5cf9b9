"""How long a study takes, before anything is trained: from the arithmetic of its networks.

A round of training passes its samples through G (forward and backward, 3 products) and D (real and generated samples,
forward and backward, and once more for G's gradient: 8), and costs a fixed time for its calls. A score that compares
features reads its samples with a network. The constants, measured on one core of a current server processor, turn that
into seconds; another machine may take several times as long, so once trials of a study are finished, their own time
stands instead.
"""

from __future__ import annotations

import math

from ganplay.probes.layers import totals
from ganplay.recipe import Recipe
from ganplay.studies.plan import SCORES, Plan
from ganplay.studies.trial import Trial

ARITHMETIC = 40e9  # multiply-adds a second
CALLS = {True: 0.003, False: 0.008}  # seconds a round, by whether the samples are points
SCORING = 0.8e-6  # seconds a pixel of the samples that a score reads, at the size in which the data are stored
START = 4.0  # seconds from a place in the queue to the first round: a process begins


def seconds(plan: Plan, places: int) -> float:
    """Seconds that the whole study takes, with `places` trials at once."""
    work = sum(_seconds(plan.trial(variant, 0)) + START for variant in plan.variants)
    return work * len(plan.seeds) / max(1, places)


def seconds_left(plan: Plan, trials: list[Trial], places: int) -> float:
    """Seconds that are left, by the time of the finished trials where there are some."""
    left = sum(not trial.over for trial in trials)
    finished = [trial.seconds for trial in trials if trial.state == "finished"]
    each = sum(finished) / len(finished) + START if finished else seconds(plan, 1) / len(trials)
    return left * each / max(1, places)


def _seconds(recipe: Recipe) -> float:
    counts = totals(recipe)
    made, seen = (counts[name].multiply_adds for name in ("generator", "discriminator"))
    products = recipe.critic_steps * (made + 6 * seen) + recipe.generator_steps * (3 * made + 2 * seen)
    points = len(recipe.shapes.sample) == 1
    rounds = recipe.stop_images / (recipe.batch_size * recipe.critic_steps)
    training = rounds * (recipe.batch_size * products / ARITHMETIC + CALLS[points] * (recipe.critic_steps + 1) / 2)
    read = getattr(recipe.metric, "samples", 0) * math.prod(recipe.dataset.native)
    return training + SCORES * read * SCORING
