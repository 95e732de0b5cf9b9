"""What measures of samples show: dropped modes, sameness, ignored labels, copies, checkerboards."""

from __future__ import annotations

from collections.abc import Mapping

from ganplay.diagnosis.finding import Finding, Remedy
from ganplay.diagnosis.readings import Readings

Measures = Mapping[str, float]

COVERED = 0.75  # share of the modes below which some count as dropped
SAME = 0.5  # variety below which samples count as alike
LEFT = 0.1  # share of the real samples' 1 - MS-SSIM within a class, below which a class has collapsed
TWICE_CHANCE = 2.0  # labels recognised no more often than twice as often as by chance are ignored
COPIED = 0.5  # distance to the training samples, as a share of unseen real samples' distance
LEARNT_BY_HEART = 0.35  # by how much more D calls real what it learnt from than what it has not seen
CHECKERED = 3.0  # times the real samples' power at the highest frequency
SEEN = 0.01  # share of the power there below which nobody sees it


def collapsed(run: Readings, measured: Measures) -> Finding | None:
    """Fewer than three quarters of the modes, or samples half as far apart as real ones."""
    few = "modes" in measured and _modes_share(measured) < COVERED
    alike = measured.get("variety", 1.0) < SAME
    if not few and not alike:
        return None
    said = []
    if few:
        counted = f" in {measured['modes_samples']:,.0f} samples" if "modes_samples" in measured else ""
        said.append(f"{measured['modes']:,.0f} of {measured['modes_of']:,.0f} modes are covered{counted}")
    if alike:
        said.append(f"two samples lie {measured['variety']:.0%} as far apart as two real ones")
    return Finding(
        "collapsed", "Modes are missing", f"{' and '.join(said)}.".capitalize(), _widen(run), "trouble", _end(run)
    )


def alike_within_classes(run: Readings, measured: Measures) -> Finding | None:
    """1 - MS-SSIM of pairs within a class is less than a tenth of what it is for real samples."""
    if "ms_ssim" not in measured or 1 - measured["ms_ssim"] > LEFT * (1 - measured["ms_ssim_real"]):
        return None
    remedies = [Remedy("Tell D the class instead of asking for it.", {"discriminator.conditioning": "projection"})]
    if run.recipe.class_weight > 1:
        remedies.insert(0, Remedy("Give the class term its usual weight.", {"class_weight": 1.0}))
    return Finding(
        "alike-within-classes", "Samples of a class look alike",
        f"The mean MS-SSIM of two samples of one class is {measured['ms_ssim']:.2f}; of two real ones it is "
        f"{measured['ms_ssim_real']:.2f}.",
        tuple(remedies), "trouble", _end(run),
    )  # fmt: skip


def labels_ignored(run: Readings, measured: Measures) -> Finding | None:
    """A classifier finds the class that was asked for at most twice as often as by chance."""
    if "recognised" not in measured or measured["recognised"] > TWICE_CHANCE / measured["classes"]:
        return None
    remedies = [
        Remedy("Show D the label by a projection.", {"discriminator.conditioning": "projection"}),
        Remedy("Let it train on: a class shows only where the samples show something."),
    ]
    if run.recipe.discriminator.conditioning == "auxiliary" and run.recipe.class_weight < 1:
        remedies.insert(0, Remedy("Give the class term its usual weight.", {"class_weight": 1.0}))
    return Finding(
        "labels-ignored", "The labels are ignored",
        f"A classifier finds the class that was asked for in {measured['recognised']:.0%} of the samples; chance is "
        f"{1 / measured['classes']:.0%}.",
        tuple(remedies), "trouble", _end(run),
    )  # fmt: skip


def memorised(run: Readings, measured: Measures) -> Finding | None:
    """Samples lie on training samples, or D knows its training samples by heart."""
    near = measured.get("distance_to_training", 1.0)
    gap = measured.get("called_real_seen", 0.0) - measured.get("called_real_unseen", 0.0)
    if near > COPIED and gap < LEARNT_BY_HEART:
        return None
    said = []
    if gap >= LEARNT_BY_HEART:
        said.append(
            f"D calls {measured['called_real_seen']:.0%} of the samples that it learnt from real and "
            f"{measured['called_real_unseen']:.0%} of real ones that it has never seen."
        )
    if near <= COPIED:
        said.append(f"The samples lie {near:.0%} as far from their nearest training samples as unseen real ones do.")
    remedies = (
        Remedy("Show D changed copies of everything (DiffAugment).", {"augment": ("translation", "cutout")}),
        Remedy("Train on more data."),
    )
    title = "Training samples are copied" if near <= COPIED else "D has learnt its training samples by heart"
    return Finding("memorised", title, " ".join(said), remedies, "trouble", _end(run))


def checkered(run: Readings, measured: Measures) -> Finding | None:
    """Three times the real samples' power at the highest frequency, and a hundredth of all."""
    ours, theirs = measured.get("checkerboard", 0.0), measured.get("checkerboard_real", 1.0)
    if ours < SEEN or ours < CHECKERED * theirs:
        return None
    return Finding(
        "checkerboard", "A checkerboard lies over the pictures",
        f"{ours:.1%} of the power lies at the highest frequency, a sign change a pixel; of real samples' {theirs:.1%}.",
        (
            Remedy("Enlarge maps before ordinary convolutions instead of transposed ones."),
            Remedy("Choose a kernel that the stride of 2 divides."),
        ),
        "trouble", _end(run),
    )  # fmt: skip


RULES = (collapsed, alike_within_classes, labels_ignored, memorised, checkered)


def normal(measured: Measures) -> list[str]:
    """What measures without a finding are worth mentioning in a clean bill of health."""
    said = []
    if "variety" in measured:
        said.append(f"two samples lie {measured['variety']:.0%} as far apart as two real ones")
    if "modes" in measured:
        said.append(f"{measured['modes']:,.0f} of {measured['modes_of']:,.0f} modes are covered")
    if "recognised" in measured:
        said.append(f"{measured['recognised']:.0%} of the samples show the class that was asked for")
    return said


def _modes_share(measured: Measures) -> float:
    """The share of the modes covered, of those that as many true samples would cover on average."""
    reachable = measured["modes_of"]
    if "modes_samples" in measured:
        reachable *= 1 - (1 - 1 / measured["modes_of"]) ** measured["modes_samples"]
    return measured["modes"] / reachable


def _widen(run: Readings) -> tuple[Remedy, ...]:
    recipe, found = run.recipe, []
    slow, fast = recipe.discriminator_optimiser.learning_rate, recipe.generator_optimiser.learning_rate
    if slow < fast:
        found.append(Remedy("Let D learn as fast as G.", {"discriminator_optimiser.learning_rate": fast}))
    found.append(Remedy("Train D more often than G.", {"critic_steps": min(5 * recipe.critic_steps, 100)}))
    batch_norm = getattr(recipe.discriminator, "norm", "none") == "batch"
    if not batch_norm and not recipe.penalties:
        found.append(Remedy("Use a critic's score.", {"loss": "wasserstein", "penalties": ["gradient-penalty"]}))
    return tuple(found)


def _end(run: Readings) -> tuple[int, int]:
    return (run.images[-1],) * 2 if run.points else (0, 0)
