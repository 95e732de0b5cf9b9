"""Recipes of our own for the first minutes: a fast one on the embedded digits and a tiny one on points."""

from __future__ import annotations

from ganplay.data.digits import Digits
from ganplay.data.points import Ring
from ganplay.losses.non_saturating import NonSaturating
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.models.dcgan import DcganDiscriminator, DcganGenerator
from ganplay.models.fully_connected import FullyConnectedDiscriminator, FullyConnectedGenerator
from ganplay.optimisers import Adam
from ganplay.recipe import Recipe
from ganplay.recipes import recipes


@recipes.register("quick-digits")
def quick_digits() -> Recipe:
    """Small DCGAN on the embedded digits that shows clear digits after a minute on two cores.

    Narrow nets with three doublings beat wide ones with two at equal time, and layer norm in D beats batch norm.
    """
    return Recipe(
        title="Quick digits",
        dataset=Digits(),
        generator=DcganGenerator(widths=(96, 48, 24)),
        discriminator=DcganDiscriminator(widths=(24, 48, 96), norm="layer", norm_first=False),
        loss=NonSaturating(),
        generator_optimiser=Adam(learning_rate=1e-3),
        discriminator_optimiser=Adam(learning_rate=3e-4),
        metric=SlicedWasserstein(),
        image_size=32,
        latent=64,
        batch_size=64,
        fakes="shared",
        ema_decay=0.995,
        stop_images=120_000,
        log_every=640,
        sample_every=3_200,
    )


@recipes.register("toy-ring")
def toy_ring() -> Recipe:
    """Eight Gaussians on a ring, learnt by two small fully connected nets."""
    return Recipe(
        title="Ring of eight Gaussians",
        dataset=Ring(),
        generator=FullyConnectedGenerator(widths=(64, 64), activation="relu", output="linear"),
        discriminator=FullyConnectedDiscriminator(widths=(64, 64)),
        loss=NonSaturating(),
        generator_optimiser=Adam(learning_rate=1e-3),
        discriminator_optimiser=Adam(learning_rate=1e-3),
        metric=SlicedWasserstein(),
        latent=2,
        batch_size=256,
        ema_decay=0.99,
        stop_images=2_000_000,
        log_every=12_800,
        sample_every=64_000,
        score_every=64_000,
    )
