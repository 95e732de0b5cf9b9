"""Four cures of mode collapse on eight Gaussians, each beside the vanilla GAN on the same data and noise."""

from __future__ import annotations

from ganplay.stories import stories
from ganplay.stories.playground import VANILLA, CoverageStory, lasting

LITERATURE = (
    "Papers count for a vanilla GAN 1 (arXiv 1705.07761) or 6.3 (arXiv 1712.04086) of the 8 modes, for one unrolled by "
    "five steps 7.6, for PacGAN with packs of two 7.9, each in a setting of its own."
)


class Cure(CoverageStory):
    """The vanilla GAN of `playground-collapse` and one change of it."""

    most, least = 2, 6

    def __init_subclass__(cls) -> None:
        label = next(name for name in cls.changes if name != VANILLA)
        cls.claim = (
            f"Where the vanilla GAN covers at most {cls.most} of the 8 modes, the one with this cure covers at least "
            f"{cls.least}: {label}."
        )


@stories.register("playground-minibatch")
class MinibatchStatistics(Cure):
    """One number tells D how much the samples of a batch differ."""

    title = "Minibatch statistics against collapse"
    question = (
        "D's last layer gets one more number: how much the samples of the batch differ from each other. What changes?"
    )
    answers = ("nothing, one number is too little", "G spreads over most clouds", "G leaves the clouds altogether")
    answer = answers[1]
    source = "arXiv 1606.03498, section 3.2; 1710.10196, section 3 (the deviation)"
    why = f"""
A batch of copies has deviation 0, real batches never have. So D can reject a collapsed batch whatever place it sits on,
and the gradient that comes back through the deviation pushes the samples **apart**. It takes a while: first D must
learn what the number means. {LITERATURE}
"""
    changes = {
        VANILLA: {},
        "Minibatch deviation": {"discriminator.minibatch_deviation": True},
    }


@stories.register("playground-pacgan")
class Packs(Cure):
    """D judges two samples at once."""

    title = "PacGAN: two samples at a time"
    question = "D gets two samples side by side and says whether both are real. How many of the 8 clouds will G find?"
    answers = ("one, as before", "six or more", "exactly two, one for each of the pair")
    answer = answers[1]
    source = "arXiv 1712.04086, sections 3 and 4.1"
    why = f"""
Two samples of a collapsed G are equal, two real ones almost never: in pairs a collapse is far easier to see than one
sample at a time, and the more so the larger the pack. Nothing else changes, neither G nor the loss. {LITERATURE}
"""
    changes = {VANILLA: {}, "Packs of two": {"discriminator.pack": 2}}


@stories.register("playground-unrolling")
class Unrolling(Cure):
    """G sees five updates of D ahead."""

    title = "Unrolling: G sees what D will answer"
    question = "G learns against the discriminator that D would become in five more steps. What does that change?"
    answers = ("it collapses all the same", "it covers most clouds", "it only learns more slowly")
    answer = answers[1]
    source = "arXiv 1611.02163, section 2.2 and figure 2"
    why = f"""
Moving all samples to D's favourite place pays only until D has learnt that they are there. Five steps of D are enough
for that: an unrolled G sees the answer before it moves, so the pile does not pay. The gradient goes through all five
updates, and D itself is put back afterwards; the price is several times the computing. {LITERATURE}
"""
    changes = {VANILLA: lasting(1_000), "Unrolled by five steps": {"unroll": 5, **lasting(1_000)}}


@stories.register("playground-wgan-gp")
class WassersteinPenalty(Cure):
    """A critic of bounded slope, five updates ahead of G."""

    title = "WGAN-GP covers the ring"
    question = "A critic with a gradient penalty, trained five steps for one of G: how many of the 8 clouds?"
    answers = ("one or two", "six or more", "none, it never settles")
    answer = answers[1]
    source = "arXiv 1704.00028, section 4; 1701.07875, section 3"
    why = f"""
The Wasserstein distance counts how far mass must travel, so a cloud without samples is a debt that grows with its
distance. A critic whose slope is held near 1 shows that debt as a gradient everywhere, also where G has no samples, and
five updates for one of G keep it close to the best critic there is. It has to keep up, too: at the vanilla GAN's rate
of 0.005 our G outran this critic as well, so here both learn at 0.001. {LITERATURE}
"""
    changes = {
        VANILLA: {},
        "WGAN-GP, both rates 0.001": {
            "loss": "wasserstein", "penalties": "gradient-penalty", "penalties.gradient-penalty.weight": 0.1,
            "discriminator.widths": "64,64", "generator_optimiser.learning_rate": 1e-3,
            **lasting(600, critic_steps=5),
        },
    }  # fmt: skip
