"""Document 000: stability of DCGAN, WGAN and ACGAN on CIFAR-10 (32x32)."""

from __future__ import annotations

from ganplay.data.cifar10 import Cifar10
from ganplay.losses.non_saturating import NonSaturating
from ganplay.losses.wasserstein import Wasserstein
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.models.acgan import AcganDiscriminator, AcganGenerator
from ganplay.models.dcgan import DcganDiscriminator, DcganGenerator
from ganplay.optimisers import Adam, RMSprop
from ganplay.penalties.weight_clip import WeightClip
from ganplay.recipe import Recipe
from ganplay.recipes import recipes


@recipes.register("duke-dcgan")
def duke_dcgan() -> Recipe:
    """DCGAN of tables 1 to 3: batch 128, Adam 2e-4, N(0, 0.02) weights, cross-entropy.

    The discriminator's loss averages its real and fake terms, as section 2.1 says. Table 3 prints no beta1; 0.5 is that
    of the architecture's own paper. "200 iterations" there and "100 epochs" in the text: 100 epochs.
    """
    return Recipe(
        title="DCGAN (document 000)",
        dataset=Cifar10(),
        generator=DcganGenerator(),
        discriminator=DcganDiscriminator(),
        loss=NonSaturating(average=True),
        generator_optimiser=Adam(learning_rate=2e-4, beta1=0.5),
        discriminator_optimiser=Adam(learning_rate=2e-4, beta1=0.5),
        metric=SlicedWasserstein(),
        image_size=32,
        latent=100,
        batch_size=128,
        fakes="shared",
        stop_images=5_000_000,
        log_every=1_280,
        sample_every=6_400,
    )


@recipes.register("duke-wgan")
def duke_wgan() -> Recipe:
    """WGAN of tables 4 to 6 and algorithm 1: the same nets, RMSprop 5e-5, batch 64, 5 critic steps, clip 0.01.

    The text says 5e-4 once, table 6 says 5e-5, which is also the WGAN paper's: 5e-5 here, the other is one setting
    away. Each critic step draws a new batch, as algorithm 1 has it; the text trains five times on the same one.
    """
    return Recipe(
        title="WGAN (document 000)",
        dataset=Cifar10(),
        generator=DcganGenerator(),
        discriminator=DcganDiscriminator(),
        loss=Wasserstein(),
        penalties=(WeightClip(limit=0.01),),
        generator_optimiser=RMSprop(learning_rate=5e-5),
        discriminator_optimiser=RMSprop(learning_rate=5e-5),
        metric=SlicedWasserstein(),
        image_size=32,
        latent=100,
        batch_size=64,
        critic_steps=5,
        stop_images=5_000_000,
        log_every=1_280,
        sample_every=6_400,
    )


@recipes.register("duke-acgan")
def duke_acgan() -> Recipe:
    """AC-GAN of tables 7 to 9: the label beside the noise in G, an auxiliary classifier in D, batch 100, 100 epochs.

    Equations 3 and 4 have G maximise L_C - L_S, which would make it the saturating minimax loss; as in the DCGAN of
    section 2.1 and in the program that the document cites, G's fakes are called real instead. Both networks minimise
    the class term with weight 1, D on real and generated samples, as equation 4 says.
    """
    return Recipe(
        title="AC-GAN (document 000)",
        dataset=Cifar10(),
        generator=AcganGenerator(conditioning="one-hot"),
        discriminator=AcganDiscriminator(conditioning="auxiliary"),
        loss=NonSaturating(),
        class_weight=1.0,
        generator_optimiser=Adam(learning_rate=2e-4, beta1=0.5, beta2=0.999),
        discriminator_optimiser=Adam(learning_rate=2e-4, beta1=0.5, beta2=0.999),
        metric=SlicedWasserstein(),
        image_size=32,
        latent=100,
        batch_size=100,
        stop_images=5_000_000,
        log_every=1_000,
        sample_every=5_000,
    )
