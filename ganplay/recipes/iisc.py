"""Document 003: DCGAN and SAGAN on CIFAR-10 enlarged to 64x64.

An iteration there is one update of the generator; our fields count real images, so one is 128 images for the DCGAN and
5 x 64 for the SAGAN with its five critic steps. Losses were printed every 100 iterations, the FID and a grid of samples
made every 500; here the bundled classifier's features stand in for Inception's, which may not be there.
"""

from __future__ import annotations

from ganplay.data.cifar10 import Cifar10
from ganplay.losses.non_saturating import NonSaturating
from ganplay.losses.wasserstein import Wasserstein
from ganplay.metrics.frechet import FrechetDistance
from ganplay.models.dcgan import DcganDiscriminator, DcganGenerator
from ganplay.optimisers import Adam
from ganplay.penalties.gradient_penalty import GradientPenalty
from ganplay.recipe import Recipe
from ganplay.recipes import recipes

DCGAN_IMAGES = 128  # of one iteration
SAGAN_IMAGES = 5 * 64


@recipes.register("iisc-dcgan")
def iisc_dcgan() -> Recipe:
    """Figures 8 and 9, section 4.1: 12,658,435 + 2,765,633 parameters, batch 128, 87,500 iterations.

    Adam's steps are 1e-4 for G and 4e-4 for D. The sigmoid that figure 9 ends with is part of the loss.
    """
    return Recipe(
        title="DCGAN at 64x64 (document 003)",
        dataset=Cifar10(),
        generator=DcganGenerator(widths=(1024, 512, 256, 128)),
        discriminator=DcganDiscriminator(widths=(64, 128, 256, 512), norm_first=False),
        loss=NonSaturating(),
        generator_optimiser=Adam(learning_rate=1e-4, beta1=0.5, beta2=0.999),
        discriminator_optimiser=Adam(learning_rate=4e-4, beta1=0.5, beta2=0.999),
        metric=FrechetDistance(features="cifar10-classifier"),
        image_size=64,
        latent=100,
        batch_size=128,
        fakes="shared",
        stop_images=87_500 * DCGAN_IMAGES,
        log_every=100 * DCGAN_IMAGES,
        sample_every=500 * DCGAN_IMAGES,
        score_every=500 * DCGAN_IMAGES,
    )


@recipes.register("iisc-sagan")
def iisc_sagan() -> Recipe:
    """Figures 10 and 11, section 4.2: 1,516,059 + 217,865 parameters and two attention gains, 114,000 iterations.

    The label is an embedding of 100 numbers beside the noise in G and a fourth channel of the image in D. The text puts
    self-attention at 32x32; the printed modules have it behind the layers that make 16x16 maps, in both nets, and those
    are followed. Spectral norm is on all layers of both nets, instance norm in D allows the gradient penalty.
    """
    return Recipe(
        title="SAGAN at 64x64 (document 003)",
        dataset=Cifar10(),
        generator=DcganGenerator(
            widths=(256, 128, 64, 32), conditioning="concat", label_width=100, attention=16, spectral_norm=True
        ),
        discriminator=DcganDiscriminator(
            widths=(16, 32, 64, 128), norm="instance", norm_first=False, conditioning="channel", attention=16,
            spectral_norm=True,
        ),
        loss=Wasserstein(),
        penalties=(GradientPenalty(weight=10.0),),
        generator_optimiser=Adam(learning_rate=1e-4, beta1=0.0, beta2=0.9),
        discriminator_optimiser=Adam(learning_rate=4e-4, beta1=0.0, beta2=0.9),
        metric=FrechetDistance(features="cifar10-classifier"),
        image_size=64,
        latent=100,
        batch_size=64,
        critic_steps=5,
        stop_images=114_000 * SAGAN_IMAGES,
        log_every=100 * SAGAN_IMAGES,
        sample_every=500 * SAGAN_IMAGES,
        score_every=500 * SAGAN_IMAGES,
    )  # fmt: skip
