"""Data sets in the plane, where everything can be seen: 50,000 training and 10,000 test points of known formulas.

Below, u is uniform in [0, 1), n is a standard normal pair and sigma the noise. Units are those of the axes; most sets
lie within [-2, 2], the grid within [-5, 5]. The same configuration gives the same points every time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ganplay.contracts import Dataset
from ganplay.data import datasets
from ganplay.data.images import Arrays, Progress
from ganplay.options import option

COUNTS = {"train": 50_000, "test": 10_000}
SEEDS = {"train": 1, "test": 2}
Drawn = tuple[np.ndarray, np.ndarray]  # points (count, 2), labels (count,)


@dataclass(frozen=True)
class PointSet(Dataset):
    """Base of every set of points. `class_names` of an instance name its modes, "0" to "k", or are empty."""

    native = (2,)
    bundled = True

    def draw(self, random: np.random.Generator, count: int) -> Drawn:
        """`count` points (count, 2) and their labels (count,)."""
        raise NotImplementedError

    def read(self, split: str, progress: Progress) -> Arrays:
        """Points float32 (N, 2), labels int64 (N,), class names; N is 50,000 or 10,000."""
        points, labels = self.draw(np.random.default_rng(SEEDS[split]), COUNTS[split])
        return points.astype(np.float32), labels.astype(np.int64), self.class_names


@dataclass(frozen=True)
class Mixture(PointSet):
    """Base of the sets of equally likely round Gaussians: x = c_k + sigma n with a random k, which is the label."""

    sigma: float = option(0.05, "Standard deviation of each Gaussian.", low=0.0, high=10.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "class_names", tuple(str(mode) for mode in range(len(self.centres()))))

    def centres(self) -> np.ndarray:
        """The centres c_k of the modes, float64 (K, 2): what mode coverage is counted against."""
        raise NotImplementedError

    def draw(self, random: np.random.Generator, count: int) -> Drawn:
        centres = self.centres()
        labels = random.integers(len(centres), size=count)
        return centres[labels] + self.sigma * random.standard_normal((count, 2)), labels


@datasets.register("line")
@dataclass(frozen=True)
class Line(PointSet):
    """A segment: x = (t, t / 2) + sigma n with t = 2 u - 1."""

    sigma: float = option(0.02, "Standard deviation of the noise around the line.", low=0.0, high=10.0)

    title = "Line"

    def draw(self, random: np.random.Generator, count: int) -> Drawn:
        t = random.uniform(-1, 1, count)
        points = np.stack([t, t / 2], 1) + self.sigma * random.standard_normal((count, 2))
        return points, np.zeros(count)


@datasets.register("two-gaussians")
@dataclass(frozen=True)
class TwoGaussians(Mixture):
    """Two modes: x = (+-1, 0) + sigma n."""

    sigma: float = option(0.2, "Standard deviation of each Gaussian.", low=0.0, high=10.0)

    title = "Two Gaussians"
    class_names = ("0", "1")

    def centres(self) -> np.ndarray:
        return np.array([[-1.0, 0.0], [1.0, 0.0]])


@datasets.register("ring")
@dataclass(frozen=True)
class Ring(Mixture):
    """Modes on a circle: c_k = r (cos 2 pi k / K, sin 2 pi k / K); 8 modes, r = 1, sigma = 0.01 (arXiv 1705.07761)."""

    modes: int = option(8, "Number of Gaussians on the circle.", low=1, high=100)
    radius: float = option(1.0, "Radius r of the circle.", low=0.01, high=100.0)
    sigma: float = option(0.01, "Standard deviation of each Gaussian.", low=0.0, high=10.0)

    title = "Ring of Gaussians"
    class_names = tuple(map(str, range(8)))

    def centres(self) -> np.ndarray:
        angles = 2 * np.pi * np.arange(self.modes) / self.modes
        return self.radius * np.stack([np.cos(angles), np.sin(angles)], 1)


@datasets.register("grid")
@dataclass(frozen=True)
class Grid(Mixture):
    """Modes on a square lattice around 0: c_ij = d (i - (m - 1) / 2, j - (m - 1) / 2).

    The default is the usual one: 5 x 5 modes at distance d = 2, sigma = 0.05 (arXiv 1705.07761).
    """

    side: int = option(5, "Gaussians m along each side.", low=1, high=10)
    spacing: float = option(2.0, "Distance d between neighbours.", low=0.01, high=100.0)
    sigma: float = option(0.05, "Standard deviation of each Gaussian.", low=0.0, high=10.0)

    title = "Grid of Gaussians"
    class_names = tuple(map(str, range(25)))

    def centres(self) -> np.ndarray:
        steps = self.spacing * (np.arange(self.side) - (self.side - 1) / 2)
        return np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)


@datasets.register("swiss-roll")
@dataclass(frozen=True)
class SwissRoll(PointSet):
    """A roll of 1.5 turns: x = (t cos t, t sin t) / 7.5 + sigma n with t = 1.5 pi (1 + 2 u).

    The scale and sigma = 1/30 are those of the Wasserstein GAN with gradient penalty (arXiv 1704.00028, figure 1).
    """

    sigma: float = option(1 / 30, "Standard deviation of the noise around the roll.", low=0.0, high=10.0)

    title = "Swiss roll"

    def draw(self, random: np.random.Generator, count: int) -> Drawn:
        t = 1.5 * np.pi * (1 + 2 * random.random(count))
        curve = np.stack([t * np.cos(t), t * np.sin(t)], 1) / 7.5
        return curve + self.sigma * random.standard_normal((count, 2)), np.zeros(count)


@datasets.register("two-moons")
@dataclass(frozen=True)
class TwoMoons(PointSet):
    """Two interlocked half circles: (cos t, sin t) and (1 - cos t, 1/2 - sin t), less (1/2, 1/4), with t = pi u."""

    sigma: float = option(0.05, "Standard deviation of the noise around the moons.", low=0.0, high=10.0)

    title = "Two moons"
    class_names = ("0", "1")

    def draw(self, random: np.random.Generator, count: int) -> Drawn:
        t, labels = np.pi * random.random(count), random.integers(2, size=count)
        upper = np.stack([np.cos(t), np.sin(t)], 1)
        moons = np.where(labels[:, None] == 0, upper, np.array([1.0, 0.5]) - upper) - np.array([0.5, 0.25])
        return moons + self.sigma * random.standard_normal((count, 2)), labels


@datasets.register("spiral")
@dataclass(frozen=True)
class Spiral(PointSet):
    """Arms that wind outwards: x = r (cos a, sin a) + sigma n, r = sqrt(u), a = 2 pi (turns r + k / arms).

    The square root makes the points about equally dense along an arm; the arm k is the label.
    """

    arms: int = option(2, "Number of arms.", low=1, high=10)
    turns: float = option(1.5, "Turns that an arm makes from the centre to its end.", low=0.0, high=5.0)
    sigma: float = option(0.02, "Standard deviation of the noise around the arms.", low=0.0, high=10.0)

    title = "Spiral"
    class_names = ("0", "1")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "class_names", tuple(str(arm) for arm in range(self.arms)))

    def draw(self, random: np.random.Generator, count: int) -> Drawn:
        radius, labels = np.sqrt(random.random(count)), random.integers(self.arms, size=count)
        angle = 2 * np.pi * (self.turns * radius + labels / self.arms)
        curve = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
        return curve + self.sigma * random.standard_normal((count, 2)), labels


@datasets.register("blobs")
@dataclass(frozen=True)
class Blobs(Mixture):
    """Gaussians at random places: c_k uniform in [-1.5, 1.5] x [-1.5, 1.5], the places drawn from the seed `layout`."""

    modes: int = option(5, "Number of Gaussians.", low=1, high=100)
    sigma: float = option(0.1, "Standard deviation of each Gaussian.", low=0.0, high=10.0)
    layout: int = option(0, "Seed of the places of the Gaussians.", low=0, high=2**31 - 1)

    title = "Blobs"
    class_names = tuple(map(str, range(5)))

    def centres(self) -> np.ndarray:
        return np.random.default_rng(self.layout).uniform(-1.5, 1.5, (self.modes, 2))
