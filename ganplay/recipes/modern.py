"""What the field learned since: two baselines at the size of the documents' pictures, for two cores."""

from __future__ import annotations

from ganplay.data.cifar10 import Cifar10
from ganplay.losses.hinge import Hinge
from ganplay.losses.relativistic import Relativistic
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.models.r3gan import R3ganDiscriminator, R3ganGenerator
from ganplay.models.resnet import ResnetDiscriminator, ResnetGenerator
from ganplay.optimisers import Adam
from ganplay.penalties.r1 import R1
from ganplay.penalties.r2 import R2
from ganplay.recipe import Recipe
from ganplay.recipes import recipes


@recipes.register("modern-sngan-projection")
def modern_sngan_projection() -> Recipe:
    """SNGAN with the projection discriminator (arXiv 1802.05957, table 4 and section 4; arXiv 1802.05637).

    Adam 2e-4 without momentum, hinge loss, batches of 64. The papers make five critic steps for one of the generator,
    over many millions of images; two here, so that the generator takes more steps on the few images that a processor
    gets through. The networks are narrow for the same reason.
    """
    return Recipe(
        title="SNGAN with projection (2018)",
        dataset=Cifar10(),
        generator=ResnetGenerator(conditioning="batch-norm-embedding"),
        discriminator=ResnetDiscriminator(conditioning="projection", spectral_norm=True),
        loss=Hinge(),
        generator_optimiser=Adam(learning_rate=2e-4, beta1=0.0, beta2=0.9),
        discriminator_optimiser=Adam(learning_rate=2e-4, beta1=0.0, beta2=0.9),
        metric=SlicedWasserstein(),
        image_size=32,
        latent=128,
        batch_size=64,
        critic_steps=2,
        stop_images=2_000_000,
        log_every=1_280,
        sample_every=12_800,
    )


@recipes.register("modern-r3gan")
def modern_r3gan() -> Recipe:
    """R3GAN (arXiv 2501.05441): relativistic pairs with R1 and R2, no normalisation, no momentum, an average of G.

    The paper changes gamma, learning rate and beta2 on the way and has batches of hundreds; here they stay as they are,
    with batches of 64. Without labels; `generator.conditioning` concat with `discriminator.conditioning`
    projection is the class-conditional form. The two penalties differentiate the discriminator twice, in fp32.
    """
    return Recipe(
        title="R3GAN (2025)",
        dataset=Cifar10(),
        generator=R3ganGenerator(),
        discriminator=R3ganDiscriminator(),
        loss=Relativistic(),
        penalties=(R1(weight=0.1), R2(weight=0.1)),
        generator_optimiser=Adam(learning_rate=2e-4, beta1=0.0, beta2=0.99),
        discriminator_optimiser=Adam(learning_rate=2e-4, beta1=0.0, beta2=0.99),
        metric=SlicedWasserstein(),
        image_size=32,
        latent=64,
        batch_size=64,
        stop_images=2_000_000,
        log_every=1_280,
        sample_every=12_800,
    )
