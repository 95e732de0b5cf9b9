"""The small nets that the failure lab trains: on points in seconds, on the embedded digits in less than a minute."""

from __future__ import annotations

from ganplay.recipe import Recipe
from ganplay.recipes import recipe

BATCH = 128


def points(iterations: int, every: int = 20, per_iteration: int = 1) -> Recipe:
    """The ring of eight Gaussians and the nets of `toy-ring`, in small batches and without scores.

    Args:
        iterations: rounds of training.
        every: rounds between two points of the curves.
        per_iteration: batches that D sees in a round.
    """
    images = BATCH * per_iteration
    return recipe("toy-ring").change(
        {
            "batch_size": BATCH, "critic_steps": per_iteration, "stop_images": images * iterations,
            "log_every": images * every, "sample_every": images * max(1, iterations // 20), "score_every": 0,
        }
    )  # fmt: skip


def tiny_digits(rounds: int) -> Recipe:
    """The embedded digits at their own 8 x 8, with the convolutions of `quick-digits` in two layers."""
    return recipe("quick-digits").change(
        {
            "image_size": 8, "generator.widths": (64, 32), "discriminator.widths": (32, 64), "latent": 32,
            "discriminator_optimiser.learning_rate": 1e-3,
            "stop_images": 64 * rounds, "log_every": 640, "sample_every": 3_200,
        }
    )  # fmt: skip


def labelled(rounds: int) -> Recipe:
    """Fully connected nets on the embedded digits at 16 x 16, with a generator that is told the digit."""
    return recipe("quick-digits").change(
        {
            "image_size": 16, "latent": 32, "ema_decay": 0.99, "discriminator_optimiser.learning_rate": 1e-3,
            "generator": "fully-connected", "generator.widths": (128, 128), "generator.conditioning": "concat",
            "discriminator": "fully-connected", "discriminator.widths": (128, 128),
            "discriminator.conditioning": "auxiliary",
            "stop_images": 64 * rounds, "log_every": 640, "sample_every": 3_200,
        }
    )  # fmt: skip
