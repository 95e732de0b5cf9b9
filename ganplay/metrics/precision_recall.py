"""Precision and recall of a generator (arXiv 1904.06991, eq. 1-2, k = 3).

Around each sample of a set lies a ball that reaches to its third nearest neighbour in that set; their union stands for
the set's support. Precision is the share of generated samples inside the support of the real ones (quality), recall the
share of real samples inside the support of the generated ones (variety). Both depend on the number of samples.
"""

from __future__ import annotations

from torch import Tensor

NEIGHBOURS = 3
MOST = 5_000  # samples of each set: the time grows with the square
CHUNK = 1_000


def precision_recall(real: Tensor, fake: Tensor, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Precision and recall of features `fake` (m, F) against `real` (n, F); at most 5,000 of each are used.

    Raises:
        ValueError: no more samples than neighbours.
    """
    from torch_fidelity import KEY_METRIC_PRECISION, KEY_METRIC_RECALL
    from torch_fidelity.metric_prc import prc_features_to_metric

    smallest = min(len(real), len(fake))
    if smallest <= neighbours:
        raise ValueError(
            f"Balls to the {neighbours} nearest neighbours need more samples than that; there are {smallest}."
        )
    centre = real.mean(0)  # distances between large numbers close together lose digits
    found = prc_features_to_metric(
        fake[:MOST] - centre,  # the library's first set is the generated one
        real[:MOST] - centre,
        prc_neighborhood=neighbours,
        prc_batch_size=CHUNK,
        save_cpu_ram=True,
        verbose=False,
    )
    return found[KEY_METRIC_PRECISION], found[KEY_METRIC_RECALL]
