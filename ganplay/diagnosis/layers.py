"""How gradients change on their way through the discriminator: too small or too large a clip shows here."""

from __future__ import annotations

from ganplay.diagnosis.finding import Finding, Remedy
from ganplay.diagnosis.readings import Readings

VANISHED = 1e-3  # the shortest hidden layer's norm over the longest layer's
TINY = 1e-3  # length of every layer's gradient, below which all have vanished
GROWN = 8.0  # the first layer's norm over the last hidden one's
LONG = 300.0  # length of the first layer's gradient, below which growth does not matter


def vanishing(run: Readings) -> Finding | None:
    """D's gradients are a thousand times shorter in its first layer than in its last, or tiny in all."""
    norms = list(run.layer_norms("discriminator").items())
    if len(norms) < 2:
        return None
    (first, early), (last, late) = norms[0], norms[-1]
    if not (early <= VANISHED * late or max(norm for _, norm in norms) <= TINY):
        return None
    clip = _clip(run)
    why = f" The clip at {clip:g} keeps every weight so small that each layer shrinks what passes it." if clip else ""
    return Finding(
        "gradients-vanish", "Gradients vanish layer by layer",
        f"D's gradient is {late:.2g} long in {last} and {early:.2g} in {first}.{why}",
        _remedies(run, 10.0), "trouble" if clip else "doubt", run.last_part(0.25),
    )  # fmt: skip


def growing(run: Readings) -> Finding | None:
    """D's gradients are long, and eight times longer in its first layer than in its last hidden one."""
    norms = list(run.layer_norms("discriminator").items())
    if len(norms) < 3:
        return None
    (first, early), (last, late) = norms[0], norms[-2]  # the head's own is as long as what it reads
    if not (early >= LONG and early >= GROWN * late):
        return None
    clip = _clip(run)
    why = f" The clip at {clip:g} lets every layer enlarge what passes it." if clip else ""
    return Finding(
        "gradients-grow", "Gradients explode layer by layer",
        f"D's gradient is {late:.2g} long in {last} and {early:.2g} in {first}.{why}",
        _remedies(run, 0.1), "trouble", run.last_part(0.25),
    )  # fmt: skip


def _clip(run: Readings) -> float:
    return next((penalty.limit for penalty in run.recipe.penalties if penalty.kind == "weight-clip"), 0.0)


def _remedies(run: Readings, factor: float) -> tuple[Remedy, ...]:
    clip = _clip(run)
    if not clip:
        return (Remedy("Normalise the layers, or take fewer."),)
    limit = min(max(clip * factor, 1e-6), 100.0)
    return (
        Remedy("Replace the clip by a gradient penalty.", {"penalties": ["gradient-penalty"]}),
        Remedy(f"Move the clip to {limit:g}.", {"penalties.weight-clip.limit": limit}),
    )
