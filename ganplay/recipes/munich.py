"""Document 004: conditioning, normalisation and a search over a hypermodel (CIFAR-10, MNIST, Fashion-MNIST)."""

from __future__ import annotations

from ganplay.data.cifar10 import Cifar10
from ganplay.losses.hinge import Hinge
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.models.munich import MunichDiscriminator, MunichGenerator, SnganDiscriminator
from ganplay.optimisers import Adam
from ganplay.recipe import Recipe
from ganplay.recipes import recipes


@recipes.register("munich-hyper")
def munich_hyper() -> Recipe:
    """The hypermodel of tables I and II with what figure 8 found best."""
    return Recipe(
        title="Hypermodel (document 004)",
        dataset=Cifar10(),
        generator=MunichGenerator(conditioning="batch-norm-linear", label_width=16),
        discriminator=MunichDiscriminator(conditioning="projection"),
        loss=Hinge(),
        generator_optimiser=Adam(),
        discriminator_optimiser=Adam(),
        metric=SlicedWasserstein(),
        image_size=32,
        latent=100,
        batch_size=64,
        stop_images=3_000_000,
        log_every=1_280,
        sample_every=6_400,
    )


@recipes.register("munich-failure")
def munich_failure() -> Recipe:
    """Section III.A."""
    return Recipe(
        title="Failing SNGAN (document 004)",
        dataset=Cifar10(),
        generator=MunichGenerator(
            first_maps=512, widths=(256, 128, 64), slope=0.0, conditioning="batch-norm-embedding"
        ),
        discriminator=SnganDiscriminator(conditioning="projection", spectral_norm=True),
        loss=Hinge(),
        generator_optimiser=Adam(),
        discriminator_optimiser=Adam(),
        metric=SlicedWasserstein(),
        image_size=32,
        latent=128,
        batch_size=64,
        stop_images=3_000_000,
        log_every=1_280,
        sample_every=6_400,
    )
