"""Document 002: three models of growing complexity, whose features are switched on and off.

Of the document's data MNIST is the default here. Its horses are two changes away, `dataset=cifar10` with
`dataset.classes=horse`, and then `image_size=32`; its pictures of Pokemon need a folder of one's own. Noise is 100
Gaussian numbers, the base of its section 4.2, and so are tanh, no dropout, no flipped labels and equal updates.
Each feature is one change: `generator.output=sigmoid`, `noise=uniform`, `discriminator.dropout=0.5` with
`generator.dropout=0.2`, `flip_labels=0.1`, `critic_steps` or `generator_steps`.

The batch is not printed: figure 4 passes 14,000 steps within the 100 epochs of section 4.2, which fits 32 of 5,000
horses. Those 100 epochs are also where the recipes stop.

The generator's loss, printed in section 2.1 as log(1 - D(G(z))), saturates: tried on `kth-simple`, D's loss was 0 after
5,000 images and G hardly moved again. Its usual form -log D(G(z)) has the same fixed point and is used; `loss=minimax`
is the other.
"""

from __future__ import annotations

from dataclasses import replace

from ganplay.contracts import Network
from ganplay.data.mnist import Mnist
from ganplay.losses.non_saturating import NonSaturating
from ganplay.metrics.sliced_wasserstein import SlicedWasserstein
from ganplay.models.fully_connected import FullyConnectedDiscriminator, FullyConnectedGenerator
from ganplay.models.kth import (
    KthDcganDiscriminator,
    KthDcganGenerator,
    KthIntermediateDiscriminator,
    KthIntermediateGenerator,
)
from ganplay.optimisers import Adam
from ganplay.recipe import Recipe
from ganplay.recipes import recipes


@recipes.register("kth-simple")
def kth_simple() -> Recipe:
    """Table 1: two fully connected layers in each net, 128 ReLU units between them; Adam's default 1e-3, 0.9, 0.999."""
    return _recipe(
        "Simple model (document 002)",
        FullyConnectedGenerator(widths=(128,), activation="relu"),
        FullyConnectedDiscriminator(widths=(128,), activation="relu"),
        Adam(learning_rate=1e-3, beta1=0.9, beta2=0.999),
    )


@recipes.register("kth-intermediate")
def kth_intermediate() -> Recipe:
    """Table 2: two 5x5 convolutions and two linear layers against their mirror image; Adam 2e-3, 0.5, 0.999."""
    return _recipe(
        "Intermediate model (document 002)",
        KthIntermediateGenerator(),
        KthIntermediateDiscriminator(),
        Adam(learning_rate=2e-3, beta1=0.5, beta2=0.999),
    )


@recipes.register("kth-dcgan")
def kth_dcgan() -> Recipe:
    """Table 3: four 5x5 convolutions against four 5x5 upconvolutions; Adam 2e-4, 0.5, 0.999.

    The table prints no batch norm; section 2.2 has it, and without it the generator collapses (see the model).
    """
    return _recipe(
        "Complete DCGAN (document 002)",
        KthDcganGenerator(),
        KthDcganDiscriminator(),
        Adam(learning_rate=2e-4, beta1=0.5, beta2=0.999),
    )


def _recipe(title: str, generator: Network, discriminator: Network, adam: Adam) -> Recipe:
    return Recipe(
        title=title,
        dataset=Mnist(),
        generator=generator,
        discriminator=discriminator,
        loss=NonSaturating(),
        generator_optimiser=adam,
        discriminator_optimiser=replace(adam),
        metric=SlicedWasserstein(),
        image_size=28,
        latent=100,
        noise="gaussian",
        batch_size=32,
        fakes="shared",
        stop_images=6_000_000,
        log_every=3_200,
        sample_every=16_000,
    )
