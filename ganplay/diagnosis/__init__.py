"""Read my loss curve: what the curves, probes and samples of a run show, by rules with stated thresholds.

Each rule is a function with its thresholds beside it that answers with a `Finding` or with nothing. They look at
medians over the last quarter of the points unless they say otherwise, so a moment does not make a diagnosis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ganplay.diagnosis import balance, layers, motion, samples
from ganplay.diagnosis.finding import SEVERITIES, Finding, Remedy
from ganplay.diagnosis.readings import Readings, readings
from ganplay.recipe import Recipe

__all__ = ["FEWEST", "SEVERITIES", "Finding", "Remedy", "diagnose"]

FEWEST = 8  # points below which the curves are too short to read
CURVES = (
    balance.separates, balance.starves, balance.guesses, motion.explodes, motion.oscillates, motion.spiky,
    layers.vanishing, layers.growing,
)  # fmt: skip


def diagnose(
    points: Sequence[Mapping[str, Any]],
    recipe: Recipe,
    measures: Mapping[str, float] | None = None,
    diverged: bool = False,
) -> list[Finding]:
    """What a run shows, the gravest first; one finding that says what is normal where nothing is wrong.

    Args:
        points: the run's curves, oldest first, as `metrics.jsonl` has them.
        measures: of its samples, from `ganplay.diagnosis.measures.measures`.
        diverged: True when the run ended because a number was no longer finite.
    """
    run, measured = readings(points, recipe), measures or {}
    found: list[Finding] = []
    if diverged:
        found.append(_diverged(run))
    if len(run.points) >= FEWEST:
        found += [finding for rule in CURVES if (finding := rule(run)) is not None]
    elif not diverged:
        found.append(_too_short(run))
    found += [finding for rule in samples.RULES if (finding := rule(run, measured)) is not None]
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return [_without_what_is_so(finding, recipe) for finding in found] or [_healthy(run, measured)]


def _without_what_is_so(finding: Finding, recipe: Recipe) -> Finding:
    """The finding without the remedies that the recipe applies already."""
    untried = (one for one in finding.what_to_try if not one.changes or recipe.change(one.changes) != recipe)
    return replace(finding, what_to_try=tuple(untried))


def _diverged(run: Readings) -> Finding:
    at = run.images[-1] if run.points else 0
    return Finding(
        "explodes", "The numbers exploded", f"A loss or a weight was no longer a finite number after {at:,} images.",
        motion.remedies_for_explosion(run), "trouble", (at, at),
    )  # fmt: skip


def _too_short(run: Readings) -> Finding:
    images = run.span if run.points else (0, 0)
    return Finding(
        "too-short", "Too short to read",
        f"There are {len(run.points)} points; from {FEWEST} on the curves can be read.",
        (Remedy("Let it train on."),), "doubt", images,
    )  # fmt: skip


def _healthy(run: Readings, measured: Mapping[str, float]) -> Finding:
    said = [
        f"D's loss is {run.late('discriminator_loss'):.3g} and G's {run.late('generator_loss'):.3g}, "
        "neither explodes nor swings with one period"
    ]
    if not run.recipe.loss.scores:
        real, fake = run.late("accuracy_real"), run.late("accuracy_fake")
        said.append(f"D is right about {real:.0%} of the real and {fake:.0%} of the generated samples")
    if run.measured:
        said.append("gradients reach all layers of both nets without spikes")
    said += samples.normal(measured)
    return Finding("healthy", "Nothing unusual", "; ".join(said) + ".", (), "fine", run.span)
