"""What the parts promise each other. Everything else in the package hangs on these few types.

Images are float32 in [-1, 1] with shape (N, C, H, W); points of the 2-D sets are float32 (N, 2); labels are int64 (N,);
latents are (N, z). A discriminator returns logits and never applies a sigmoid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ganplay.options import Checked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Generator, Tensor, nn


@dataclass(frozen=True)
class Shapes:
    """The sizes two networks must agree on.

    Attributes:
        sample: shape of one sample, (C, H, W) for an image and (2,) for a point.
        latent: length z of one latent vector.
        classes: number of classes a conditional model knows, 0 for an unconditional one.
    """

    sample: tuple[int, ...]
    latent: int
    classes: int = 0


@dataclass(frozen=True)
class Critique:
    """What a discriminator says of N samples.

    Attributes:
        logits: (N,), positive for "real"; the score itself for a critic.
        class_logits: (N, classes) from an auxiliary classifier, or None.
        features: (N, F) before the last layer, or None.
    """

    logits: Tensor
    class_logits: Tensor | None = None
    features: Tensor | None = None

    def __post_init__(self) -> None:
        if self.logits.ndim != 1:
            raise ValueError(f"Logits have shape {tuple(self.logits.shape)}; a critique needs (N,).")


class Network(Checked):
    """Configuration of a generator or a discriminator. `build` makes the module and initialises its weights.

    A network that can be told the class of a sample has a field `conditioning`, "none" where it is not.
    """

    conditioning: ClassVar[str] = "none"

    def build(self, shapes: Shapes) -> nn.Module:
        """A generator `(z (N, z), y=None) -> (N, *sample)` or a discriminator `(x, y=None) -> Critique`.

        Raises:
            ValueError: the net cannot make or read samples of this shape.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Example:
    """A hand-worked value of a loss: logits in, mean loss out, and the arithmetic in words."""

    real: tuple[float, ...]
    fake: tuple[float, ...]
    discriminator: float
    generator: float
    working: str


class Loss(Checked):
    """A pure function of logits. Both methods return one value per sample, (N,), to be minimised.

    Label flipping exchanges real[i] and fake[i] together before `discriminator` sees them.
    """

    formula: ClassVar[str]  # LaTeX, shown on the pages
    example: ClassVar[Example]  # holds for the default configuration
    scores: ClassVar[bool] = False  # True when logits are scores that no value divides into real and fake
    boundary: ClassVar[float] = 0.0  # the logit above which a sample counts as real, where there is such a value
    relative: ClassVar[bool] = False  # True when `generator` needs the critique of real samples

    def discriminator(self, real: Critique, fake: Critique) -> Tensor:
        raise NotImplementedError

    def generator(self, fake: Critique, real: Critique | None = None) -> Tensor:
        raise NotImplementedError


class Penalty(Checked):
    """Lipschitz control of the discriminator: a term of its loss, a projection after its step, or both."""

    formula: ClassVar[str]
    per_sample: ClassVar[bool] = False  # True when it needs d logit / d x of single samples (no batch norm then)

    def __call__(
        self,
        discriminator: Callable[..., Critique],
        real: Tensor,
        fake: Tensor,
        y: Tensor | None,
        random: Generator,
    ) -> Tensor | None:
        """The weighted term, (N,), added to the discriminator's loss; None when there is none.

        Args:
            random: the run's own stream, from which a penalty draws whatever it needs.
        """
        return None

    def project(self, discriminator: nn.Module) -> None:
        """Moves the weights back into the allowed set, after each step of the discriminator's optimiser."""


class Optimiser(Checked):
    """Configuration of an optimiser."""

    def build(self, parameters: Any) -> Any:
        """A `torch.optim.Optimizer` over `parameters`."""
        raise NotImplementedError

    def moved(
        self, weights: Sequence[Tensor], gradients: Sequence[Tensor], memory: Sequence[Mapping[str, Tensor]]
    ) -> tuple[list[Tensor], list[dict[str, Tensor]]]:
        """The weights after the optimiser's next step and its memory then, as functions that can be differentiated.

        Nothing that is given changes.

        Args:
            memory: of each weight, what `Optimizer.state` holds of it; empty before the first step.

        Raises:
            ValueError: its step cannot be differentiated.
        """
        raise ValueError(f"The step of the optimiser '{self.kind}' cannot be differentiated; set unroll to 0.")


class Dataset(Checked):
    """Configuration of a data source. Class attributes describe it without loading anything.

    Attributes:
        title: what a reader calls it.
        native: (C, H, W) of one stored image, or (2,) for a 2-D set.
        class_names: the names of its classes in label order, empty when it has none.
        bundled: True when it needs neither a network nor a cache.
    """

    title: ClassVar[str]
    native: ClassVar[tuple[int, ...]]
    class_names: ClassVar[tuple[str, ...]] = ()
    bundled: ClassVar[bool] = False

    def check(self) -> None:
        """Raises a ValueError when it is certain, without reading anything, that the data cannot be had."""

    def read(self, split: str, progress: Callable[[str, float], None]) -> tuple[Any, Any, tuple[str, ...]]:
        """The whole split, decoded.

        Args:
            split: "train" or "test".
            progress: called with a sentence and the finished share, 0 to 1, during long work.

        Returns:
            images as a uint8 array (N, C, H, W) or points as a float32 array (N, 2); labels as int64 (N,); class names.

        Raises:
            ValueError: the data cannot be had; the sentence names the embedded choice.
        """
        raise NotImplementedError


class Metric(Checked):
    """Configuration of a score of samples against real data; smaller is better."""

    title: ClassVar[str]

    def check(self) -> None:
        """Raises a ValueError when it is certain, without reading anything, that the score cannot be computed."""

    def __call__(self, real: Tensor, fake: Tensor) -> float:
        """The score of `fake` (M, *sample) against `real` (N, *sample)."""
        raise NotImplementedError
