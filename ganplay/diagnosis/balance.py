"""Who is ahead: a discriminator that separates perfectly, one that guesses, and a generator that gets no gradient."""

from __future__ import annotations

import math

from ganplay.diagnosis.finding import Finding, Remedy
from ganplay.diagnosis.readings import Readings, early_and_late

CERTAIN = 0.98  # accuracy of a discriminator that separates, on real and on fake samples
SMALL_LOSS = 0.1  # its loss then, as a share of what guessing costs
GUESSING_D = 0.03  # by how much less than guessing costs a guessing D's loss may be, as a share of it
GUESSING_G = 0.25  # how near to the guessing values G's loss lies, and D's from above
ALWAYS = 0.9  # share of the points at which a discriminator that never learnt guesses
FADED = 1e-3  # the whole gradient of G at the end, as a share of what it was in the first tenth
NOTHING = 1e-5  # length of the whole gradient of G, below which it learns nothing whatever it was before


def separates(run: Readings) -> Finding | None:
    """The discriminator tells real from fake without error and with certainty.

    Median accuracies of the last quarter of the points above 0.98 and the median loss below a tenth of what guessing
    costs. Critics' scores have no boundary, so nothing is said of them.
    """
    if run.recipe.loss.scores:
        return None
    real, fake, loss = (run.late(name) for name in ("accuracy_real", "accuracy_fake", "discriminator_loss"))
    if not (real >= CERTAIN and fake >= CERTAIN and loss <= SMALL_LOSS * run.chance[0]):
        return None
    evidence = (
        f"D is right about {real:.1%} of the real and {fake:.1%} of the generated samples; its loss is {loss:.3g} "
        f"where guessing costs {run.chance[0]:.3g}, and G's is {run.late('generator_loss'):.3g}."
    )
    factor = gradient_factor(run)
    if factor is not None and factor >= 10:
        evidence += f" The gradient into G fell by a factor of {factor:,.0f}."
    return Finding("d-separates", "D separates perfectly", evidence, _weaken(run), "trouble", run.last_part(0.25))


def gradient_factor(run: Readings) -> float | None:
    """By what the length of G's gradient fell from the first tenth to the last quarter; None where it is unknown."""
    early, late = early_and_late(run.norms("generator"))
    return early / max(late, 1e-30) if early > 0 and not math.isnan(late) else None


def guesses(run: Readings) -> Finding | None:
    """Both losses are what they are when D says "one half" to everything, and it is right about half of the time.

    At nine points of ten D's loss is at most 3 % below what guessing costs and 25 % above, and G's within 25 % of it.
    All along, it is a D that never learnt; only late, it may just as well be a G that is done.
    """
    if run.recipe.loss.scores or run.recipe.conditional:  # the class terms are part of the recorded losses
        return None
    chance = run.chance
    losses = zip(run.series("discriminator_loss"), run.series("generator_loss"), strict=True)
    guessing = [_is_guess(of_d, of_g, chance) for of_d, of_g in losses]
    late = guessing[-max(1, len(guessing) // 4) :]
    if sum(late) < ALWAYS * len(late):
        return None
    always = sum(guessing) >= ALWAYS * len(guessing)
    numbers = (
        f"D's loss is {run.late('discriminator_loss'):.4g} and G's {run.late('generator_loss'):.4g}, where guessing "
        f"costs {chance[0]:.4g} and {chance[1]:.4g}; D is right about {run.late('accuracy_real'):.0%} of the real and "
        f"{run.late('accuracy_fake'):.0%} of the generated samples"
    )
    if always:
        return Finding(
            "d-guesses", "D is guessing, and always was",
            f"{numbers}: it has never told them apart, so G learns next to nothing.", _strengthen(run), "trouble",
            run.span,
        )  # fmt: skip
    return Finding(
        "d-guesses-late", "D is guessing by now",
        f"{numbers}. It could once tell them apart: either G is done, or it has found samples that this D cannot tell "
        "from real ones. The samples decide.",
        (Remedy("Look at the samples and measure them."), *_strengthen(run)), "doubt", run.last_part(0.25),
    )  # fmt: skip


def _is_guess(of_d: float, of_g: float, chance: tuple[float, float]) -> bool:
    near = GUESSING_G * max(abs(chance[1]), chance[0] / 2)
    return (1 - GUESSING_D) * chance[0] <= of_d <= (1 + GUESSING_G) * chance[0] and abs(of_g - chance[1]) <= near


def starves(run: Readings) -> Finding | None:
    """The gradient that reaches G is a thousandth of what it was, or shorter than 1e-5."""
    norms = run.norms("generator")
    early, late = early_and_late(norms)
    if not norms or not (late <= FADED * early or late <= NOTHING):
        return None
    was = "no longer than at the start" if late > FADED * early else f"{early:.2g} in the first tenth of the run"
    return Finding(
        "g-starves", "No gradient reaches G",
        f"The gradient of all of G's weights together is {late:.2g} long; it was {was}.",
        _feed(run), "trouble", run.last_part(0.25),
    )  # fmt: skip


def _weaken(run: Readings) -> tuple[Remedy, ...]:
    recipe, found = run.recipe, []
    if recipe.loss.kind == "minimax":
        found.append(Remedy("Give G a loss that does not saturate when D is certain.", {"loss": "non-saturating"}))
    if recipe.critic_steps > 1:
        found.append(Remedy("Train D once for each update of G.", {"critic_steps": 1}))
    rate = recipe.discriminator_optimiser.learning_rate
    if rate > recipe.generator_optimiser.learning_rate:
        slower = recipe.generator_optimiser.learning_rate
        found.append(Remedy("Let D learn no faster than G.", {"discriminator_optimiser.learning_rate": slower}))
    if not recipe.penalties and not _has_batch_norm(run):
        found.append(Remedy("Keep D's slope small at real samples (R1).", {"penalties": ["r1"]}))
    if not recipe.instance_noise:
        found.append(Remedy("Blur what D sees, so that real and generated samples overlap.", {"instance_noise": 0.3}))
    return tuple(found)


def _strengthen(run: Readings) -> tuple[Remedy, ...]:
    recipe = run.recipe
    rate, other = recipe.discriminator_optimiser.learning_rate, recipe.generator_optimiser.learning_rate
    found = []
    if rate < other:
        found.append(Remedy("Let D learn as fast as G.", {"discriminator_optimiser.learning_rate": other}))
    if recipe.generator_steps > 1:
        found.append(Remedy("Train G once in a round.", {"generator_steps": 1}))
    found.append(Remedy("Train D more often than G.", {"critic_steps": min(recipe.critic_steps * 3, 100)}))
    found.append(Remedy("Give D more or wider layers."))
    return tuple(found)


def _feed(run: Readings) -> tuple[Remedy, ...]:
    if any(penalty.kind == "weight-clip" for penalty in run.recipe.penalties):
        return (
            Remedy("Replace the clip by a gradient penalty.", {"penalties": ["gradient-penalty"]}),
            Remedy("Widen the clip tenfold.", {"penalties.weight-clip.limit": min(100.0, 10 * _clip(run))}),
        )
    return _weaken(run) or (Remedy("Use fewer layers, or layers with a normalisation."),)


def _clip(run: Readings) -> float:
    return next(penalty.limit for penalty in run.recipe.penalties if penalty.kind == "weight-clip")


def _has_batch_norm(run: Readings) -> bool:
    return getattr(run.recipe.discriminator, "norm", "none") == "batch"
