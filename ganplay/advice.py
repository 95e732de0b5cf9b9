"""What a teacher would say of a recipe before it runs: choices that are allowed and yet defeat each other.

What cannot work at all is refused by `ganplay.building`; what follows may be just what a class wants to see fail.
"""

from __future__ import annotations

from ganplay.recipe import Recipe


def advice(recipe: Recipe) -> tuple[str, ...]:
    """One sentence for each doubtful combination in a recipe."""
    return tuple(sentence for doubtful, sentence in _findings(recipe) if doubtful)


def _findings(recipe: Recipe) -> list[tuple[bool, str]]:
    kinds = {penalty.kind for penalty in recipe.penalties}
    spectral = getattr(recipe.discriminator, "spectral_norm", False)
    slopes = [penalty.kind for penalty in recipe.penalties if penalty.per_sample]
    return [
        (
            recipe.loss.kind == "wasserstein" and not kinds and not spectral,
            "A Wasserstein critic that nothing keeps Lipschitz can raise its scores for ever; add a weight clip, a "
            "gradient penalty or spectral norm.",
        ),
        (
            "weight-clip" in kinds and getattr(recipe.discriminator_optimiser, "beta1", 0.0) > 0,
            "Weight clipping and momentum fight each other, for momentum keeps pushing weights that the clip sets "
            "back; the WGAN paper uses RMSprop, or take beta1 0.",
        ),
        (
            "weight-clip" in kinds and spectral,
            "Spectral norm divides every weight by its largest singular value, so clipping the weights before that "
            "changes their shape and not their size; one of the two is enough.",
        ),
        (
            len(slopes) > 1 and not set(slopes) <= {"r1", "r2"},
            f"The penalties {' and '.join(slopes)} ask the critic for different slopes; one of them is enough.",
        ),
        (
            recipe.loss.relative and not slopes and not spectral,
            "The relativistic loss converges only with zero-centred gradient penalties on real and generated samples: "
            "add r1 and r2.",
        ),
        (
            recipe.loss.kind in ("wasserstein", "relativistic") and recipe.flip_labels > 0,
            "A critic's score knows no labels: flipping some only shrinks the difference that it is asked to find.",
        ),
        (
            bool(slopes) and getattr(recipe.discriminator, "minibatch_deviation", False),
            "The minibatch deviation makes each logit depend on its group of samples, so a penalty on the gradient of "
            "single samples holds only roughly.",
        ),
        (
            recipe.discriminator.conditioning == "auxiliary" and recipe.class_weight == 0,
            "The auxiliary classifier's cross-entropy has weight 0, so it never learns a class and nothing asks the "
            "generator for one.",
        ),
        (
            recipe.conditional and recipe.discriminator.conditioning == "auxiliary" and recipe.class_weight > 10,
            "With so much weight on the auxiliary classifier the generator is paid for easily recognised pictures, not "
            "for varied ones.",
        ),
        (
            bool(recipe.augment) and len(recipe.shapes.sample) == 1,
            f"The changes of DiffAugment ({', '.join(recipe.augment)}) are made for images; these samples are points, "
            "which stay as they are.",
        ),
    ]
