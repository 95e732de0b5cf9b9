"""The nearest training samples of generated ones: what a generator has learnt by heart lies close to one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganplay.data.resident import Samples

CHUNK = 2_000  # training samples compared at once


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The k nearest of each of n samples, the nearest first.

    Attributes:
        indices: int64 (n, k), places in the table or split that was searched.
        distances: float32 (n, k), Euclidean.
    """

    indices: Tensor
    distances: Tensor


def nearest(queries: Tensor, table: Tensor, count: int = 1) -> Neighbours:
    """The nearest rows of a table (m, F) for queries (n, F), such as features.

    Raises:
        ValueError: the table has fewer than `count` rows.
    """
    return _search(queries, ((start, table[start : start + CHUNK]) for start in range(0, len(table), CHUNK)), count)


def nearest_samples(queries: Tensor, samples: Samples, count: int = 1) -> Neighbours:
    """The nearest of all `samples`, value by value, for queries (n, *sample): images in [-1, 1], or points.

    Raises:
        ValueError: there are fewer than `count` samples.
    """
    return _search(queries.flatten(1), _parts(samples), count)


def _parts(samples: Samples) -> Iterator[tuple[int, Tensor]]:
    for start in range(0, len(samples), CHUNK):
        places = torch.arange(start, min(start + CHUNK, len(samples)))
        yield start, samples.batch(places)[0].flatten(1)


@torch.no_grad()
def _search(queries: Tensor, parts: Iterable[tuple[int, Tensor]], count: int) -> Neighbours:
    """Finds candidates by products of matrices, which is quick, then measures the distance of each exactly."""
    queries = queries.float()
    distances = torch.empty(len(queries), 0)
    indices = torch.empty(len(queries), 0, dtype=torch.int64)
    for start, part in parts:
        part = part.float()
        rough = part.square().sum(1) - 2 * queries @ part.T  # (n, m), without the queries' own lengths
        near = rough.topk(min(count, len(part)), largest=False).indices  # (n, k)
        exact = torch.stack([(queries - part[column]).norm(dim=1) for column in near.T], dim=1)
        distances, indices = torch.cat([distances, exact], 1), torch.cat([indices, near + start], 1)
        order = distances.argsort(dim=1, stable=True)[:, :count]
        distances, indices = distances.gather(1, order), indices.gather(1, order)
    if distances.shape[1] < count:
        raise ValueError(f"{count} neighbours were asked for among {distances.shape[1]} samples.")
    return Neighbours(indices, distances)
