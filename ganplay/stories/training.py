"""Trainings from the first step to the last in this process, with the curves that a run of the recipe would write.

Points go through the tiny engine, trainings of one shape all at once; images through the ordinary trainer. Neither
writes a file.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ganplay.probes.gradients import GradientMeter
from ganplay.recipe import Recipe
from ganplay.state import State
from ganplay.stories.curve import AVERAGED, NETWORKS, Curve, Points, StackMeter
from ganplay.tiny import plan
from ganplay.tiny.engine import TinyGan
from ganplay.trainer import train

Trained = tuple[Points, State]


def train_to_end(recipe: Recipe) -> Trained:
    """Trains a recipe until it says stop, or until a loss is no longer a finite number.

    Returns:
        the points of its curves, as a run's `metrics.jsonl` has them, and the state at the end.

    Raises:
        ValueError: the networks do not fit the data, or the data cannot be loaded.
    """
    return train_all([recipe])[0]


def train_all(recipes: Sequence[Recipe]) -> list[Trained]:
    """`train_to_end` of several recipes; those that the tiny engine can advance together share one pass."""
    found: dict[int, Trained] = {}
    for group in _groups(recipes):
        members = [recipes[index] for index in group]
        trained = _together(members) if is_tiny(members[0]) else [_alone(members[0])]
        found |= dict(zip(group, trained, strict=True))
    return [found[index] for index in range(len(recipes))]


def _groups(recipes: Sequence[Recipe]) -> list[list[int]]:
    """The places of recipes that can be trained together."""
    groups: list[list[int]] = []
    for index, recipe in enumerate(recipes):
        fitting = (group for group in groups if _fit_together(recipes[group[0]], recipe))
        group = next(fitting, None)
        if group is None:
            groups.append([index])
        else:
            group.append(index)
    return groups


def is_tiny(recipe: Recipe) -> bool:
    """True when the engine trains it; scores and limits of time are the ordinary trainer's."""
    return not recipe.score_every and not recipe.stop_seconds and _passes([recipe])


def _fit_together(first: Recipe, second: Recipe) -> bool:
    same = (first.stop_images, first.log_every) == (second.stop_images, second.log_every)
    return same and is_tiny(first) and is_tiny(second) and _passes([first, second])


def _passes(recipes: Sequence[Recipe]) -> bool:
    try:
        plan.check(recipes)
    except ValueError:
        return False
    return True


def _is_due(images: int, recipe: Recipe) -> bool:
    """True when the last round passed the place of a point, or was the last."""
    before = images - recipe.batch_size * recipe.critic_steps
    return images // recipe.log_every > before // recipe.log_every or images >= recipe.stop_images


def _alone(recipe: Recipe) -> Trained:
    """By the ordinary trainer."""
    state = State.initial(recipe)
    meters = {name: GradientMeter(getattr(state, name)) for name in NETWORKS}
    curve, score = Curve(), None

    def close() -> None:
        curve.close(state.images, state.rounds, state.seconds, {name: meters[name].read() for name in NETWORKS}, score)

    for step in train(recipe, state=state):
        for meter in meters.values():
            meter.update()
        curve.add(torch.stack([getattr(step, name) for name in AVERAGED]))
        score = score if step.score is None else step.score
        if _is_due(step.images, recipe):
            close()
            score = None
            for meter in meters.values():
                meter.reset()
            if not curve.finite:
                break
    close()  # what a limit of time or a target score left
    return curve.points, state


def _together(recipes: Sequence[Recipe]) -> list[Trained]:
    """By the tiny engine; a net that explodes gets no more points and does not stop the others."""
    first, engine = recipes[0], TinyGan(recipes)
    meter, curves = StackMeter(first), [Curve() for _ in recipes]
    while engine.images < first.stop_images and any(curve.finite for curve in curves):
        advanced = engine.advance(1)
        meter.update(engine.layer_gradients())
        rows = torch.stack([getattr(advanced, name)[:, 0] for name in AVERAGED], 1)  # (S, 5)
        for curve, values in zip(curves, rows, strict=True):
            curve.add(values)
        if _is_due(engine.images, first):
            for member, curve in enumerate(curves):
                curve.close(engine.images, engine.rounds, engine.seconds, meter.read(member))
            meter.reset()
    return [(curve.points, engine.state(member)) for member, curve in enumerate(curves)]
