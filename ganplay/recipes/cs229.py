"""Document 001: GANs on MNIST (28x28). It prints neither optimiser nor batch size; the DCGAN paper's are used."""

from __future__ import annotations

from dataclasses import replace

from ganplay.data.mnist import Mnist
from ganplay.losses.non_saturating import NonSaturating
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.models.cs229 import Cs229Discriminator, Cs229Generator
from ganplay.models.fully_connected import FullyConnectedDiscriminator, FullyConnectedGenerator
from ganplay.optimisers import Adam
from ganplay.recipe import Recipe
from ganplay.recipes import recipes


@recipes.register("cs229-fcgan")
def cs229_fcgan() -> Recipe:
    """Section 3.2: one hidden LeakyReLU layer in each net, here 256 units wide (no width is printed)."""
    return Recipe(
        title="Fully connected GAN (document 001)",
        dataset=Mnist(),
        generator=FullyConnectedGenerator(widths=(256,)),
        discriminator=FullyConnectedDiscriminator(widths=(256,)),
        loss=NonSaturating(),
        generator_optimiser=Adam(),
        discriminator_optimiser=Adam(),
        metric=SlicedWasserstein(),
        image_size=28,
        latent=100,
        batch_size=128,
        fakes="shared",
        stop_images=6_000_000,
        log_every=6_400,
        sample_every=25_600,
    )


@recipes.register("cs229-baseline")
def cs229_baseline() -> Recipe:
    """Section 3.3: a DCGAN without batch norm, 128 feature maps at every block, noise 100 -> 7x7 -> 14x14 -> 28x28."""
    return Recipe(
        title="Baseline DCGAN without batch norm (document 001)",
        dataset=Mnist(),
        generator=Cs229Generator(maps=128),
        discriminator=Cs229Discriminator(maps=128),
        loss=NonSaturating(),
        generator_optimiser=Adam(),
        discriminator_optimiser=Adam(),
        metric=SlicedWasserstein(),
        image_size=28,
        latent=100,
        batch_size=128,
        fakes="shared",
        stop_images=6_000_000,
        log_every=1_280,
        sample_every=6_400,
    )


@recipes.register("cs229-skip")
def cs229_skip() -> Recipe:
    """Section 3.3: the baseline whose 7x7 and 14x14 maps, upsampled, are added at 14x14 and 28x28."""
    return replace(
        cs229_baseline(),
        title="Skip generator (document 001)",
        generator=Cs229Generator(maps=128, wiring="skip"),
    )


@recipes.register("cs229-parallel")
def cs229_parallel() -> Recipe:
    """Section 3.3: the baseline with a second branch of transposed convolutions, added at 14x14 and 28x28."""
    return replace(
        cs229_baseline(),
        title="Parallel-branch generator (document 001)",
        generator=Cs229Generator(maps=128, wiring="parallel"),
    )
