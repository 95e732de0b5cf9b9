"""The loop that tutorials show and people copy, on a recipe's own nets: the yardstick of the training benchmark.

It does what the most copied public GAN scripts do, in their way: pictures through torchvision's transforms, one by one,
in a `DataLoader` without workers; fp32 and NCHW throughout; a sigmoid behind the discriminator and `nn.BCELoss`; fakes
made once a round, detached for the discriminator and used again for the generator (for each update anew where a round
has several); gradients of the discriminator's weights collected in the generator's update too; optimisers with default
flags; and four `.item()` a round for what such scripts print. It keeps no average of the generator's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms

from ganplay.contracts import Critique, Loss
from ganplay.data.resident import Samples, load
from ganplay.losses.hinge import Hinge
from ganplay.losses.least_squares import LeastSquares
from ganplay.losses.minimax import Minimax
from ganplay.losses.non_saturating import NonSaturating
from ganplay.losses.wasserstein import Wasserstein
from ganplay.optimisers import SGD, Adam, RMSprop
from ganplay.penalties.weight_clip import WeightClip
from ganplay.recipe import Recipe

Judge = Callable[[Tensor, Tensor], Tensor]  # logits (N,) of real and of fake samples -> a loss


@dataclass(frozen=True)
class Report:
    """What a script prints of a round: both losses (with class terms and penalties) and the mean of D(x) and D(G(z)).

    Attributes:
        images: real images read in this round.
    """

    images: int
    discriminator_loss: float
    generator_loss: float
    on_real: float
    on_fake: float


class Pictures(Dataset):
    """Images in memory, each handed out as a PIL image through the transforms, like torchvision's own data sets."""

    def __init__(self, samples: Samples, shape: tuple[int, int, int]) -> None:
        values = samples.values.numpy()
        self.pixels = np.ascontiguousarray(values.transpose(0, 2, 3, 1) if values.shape[1] == 3 else values[:, 0])
        self.labels = samples.labels.tolist()
        channels, *size = shape
        steps = [
            transforms.Resize(size),
            transforms.ToTensor(),
            transforms.Normalize([0.5] * channels, [0.5] * channels),
        ]
        if channels != values.shape[1]:
            steps.insert(0, transforms.Grayscale(channels))
        self.transform = transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def loader(recipe: Recipe) -> DataLoader:
    """Batches (x (N, *sample), y (N,)) of a recipe's training data, shuffled anew each epoch; the last may be short.

    Images are decoded before, at the size in which the set stores them; resizing is up to the transforms.

    Raises:
        ValueError: the data cannot be had.
    """
    shape = recipe.shapes.sample
    samples = load(recipe.dataset, recipe.dataset.native if len(shape) == 3 else shape)
    data = Pictures(samples, shape) if len(shape) == 3 else TensorDataset(samples.values, samples.labels)
    return DataLoader(data, batch_size=recipe.batch_size, shuffle=True)


def train(recipe: Recipe, generator: nn.Module, discriminator: nn.Module, batches: DataLoader) -> Iterator[Report]:
    """Trains two networks as a textbook does, without an end: one `Report` after each round.

    Raises:
        ValueError: the recipe asks for something that no such script has.
    """
    _refuse_extras(recipe)
    judge, deceive = objectives(recipe.loss)
    of_class = nn.CrossEntropyLoss()
    conditional = recipe.shapes.classes > 0
    generator_optimiser = _optimiser(recipe.generator_optimiser, generator)
    discriminator_optimiser = _optimiser(recipe.discriminator_optimiser, discriminator)
    shared = recipe.critic_steps == recipe.generator_steps == 1
    random = torch.Generator().manual_seed(recipe.seed)  # of penalties
    endless = (batch for _ in iter(int, 1) for batch in batches)

    def class_loss(said: Critique, y: Tensor | None) -> Tensor | float:
        return 0.0 if said.class_logits is None else recipe.class_weight * of_class(said.class_logits, y)

    while True:
        # Discriminator
        images = 0
        for _ in range(recipe.critic_steps):
            real, labels = next(endless)
            y = labels if conditional else None
            images += len(real)
            fake = generator(_noise(recipe, len(real)), y)
            discriminator_optimiser.zero_grad()
            on_real, on_fake = discriminator(real, y), discriminator(fake.detach(), y)
            discriminator_loss = judge(on_real.logits, on_fake.logits)
            discriminator_loss = discriminator_loss + class_loss(on_real, y) + class_loss(on_fake, y)
            for penalty in recipe.penalties:
                value = penalty(discriminator, real, fake.detach(), y, random)
                discriminator_loss = discriminator_loss + (0.0 if value is None else value.mean())
            discriminator_loss.backward()
            discriminator_optimiser.step()
            _clip(recipe, discriminator)

        # Generator
        for _ in range(recipe.generator_steps):
            generator_optimiser.zero_grad()
            if not shared:
                fake = generator(_noise(recipe, len(real)), y)
            said = discriminator(fake, y)
            beside = discriminator(real, y).logits if recipe.loss.relative else said.logits
            generator_loss = deceive(beside, said.logits) + class_loss(said, y)
            generator_loss.backward()
            generator_optimiser.step()

        # Report
        yield Report(
            images, discriminator_loss.item(), generator_loss.item(),
            torch.sigmoid(on_real.logits).mean().item(), torch.sigmoid(on_fake.logits).mean().item(),
        )  # fmt: skip


def objectives(loss: Loss) -> tuple[Judge, Judge]:
    """The discriminator's and the generator's loss as scripts write them, of logits (N,) of real and of fake samples.

    A loss that has no usual form of its own is the package's, averaged.
    """
    if isinstance(loss, NonSaturating):  # minimax too
        criterion, sigmoid = nn.BCELoss(), nn.Sigmoid()

        def judge(real: Tensor, fake: Tensor) -> Tensor:
            valid, invalid = torch.full_like(real, 1 - loss.smoothing), torch.zeros_like(fake)
            both = criterion(sigmoid(real), valid) + criterion(sigmoid(fake), invalid)
            return both / 2 if loss.average else both

        def deceive(real: Tensor, fake: Tensor) -> Tensor:
            if isinstance(loss, Minimax):
                return -criterion(sigmoid(fake), torch.zeros_like(fake))
            return criterion(sigmoid(fake), torch.ones_like(fake))

        return judge, deceive
    if isinstance(loss, Hinge):
        return lambda real, fake: relu(1 - real).mean() + relu(1 + fake).mean(), lambda real, fake: -fake.mean()
    if isinstance(loss, Wasserstein):
        return lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean()
    if isinstance(loss, LeastSquares) and not loss.smoothing:
        squares = nn.MSELoss()
        a, b, c = loss.fake_target, loss.real_target, loss.generator_target
        return (
            lambda real, fake: (squares(real, torch.full_like(real, b)) + squares(fake, torch.full_like(fake, a))) / 2,
            lambda real, fake: squares(fake, torch.full_like(fake, c)) / 2,
        )
    return (
        lambda real, fake: loss.discriminator(Critique(real), Critique(fake)).mean(),
        lambda real, fake: loss.generator(Critique(fake), Critique(real)).mean(),
    )


def _clip(recipe: Recipe, discriminator: nn.Module) -> None:
    for penalty in recipe.penalties:
        if isinstance(penalty, WeightClip):
            for parameter in discriminator.parameters():
                parameter.data.clamp_(-penalty.limit, penalty.limit)


def _noise(recipe: Recipe, count: int) -> Tensor:
    """Latents (count, z)."""
    if recipe.noise == "uniform":
        return torch.rand(count, recipe.latent) * 2 - 1
    if recipe.noise == "truncated":
        return nn.init.trunc_normal_(torch.empty(count, recipe.latent), a=-2.0, b=2.0)
    return torch.randn(count, recipe.latent)


def _optimiser(chosen: Adam | RMSprop | SGD, network: nn.Module) -> torch.optim.Optimizer:
    """With PyTorch's default flags, whatever the package's own has."""
    if isinstance(chosen, Adam):
        return torch.optim.Adam(network.parameters(), lr=chosen.learning_rate, betas=(chosen.beta1, chosen.beta2))
    if isinstance(chosen, RMSprop):
        return torch.optim.RMSprop(network.parameters(), lr=chosen.learning_rate, alpha=chosen.alpha)
    return torch.optim.SGD(network.parameters(), lr=chosen.learning_rate, momentum=chosen.momentum)


def _refuse_extras(recipe: Recipe) -> None:
    extras = {
        "flip_labels": recipe.flip_labels,
        "instance_noise": recipe.instance_noise,
        "decay_images": recipe.decay_images,
        "augment": ", ".join(recipe.augment),
    }
    for name, value in extras.items():
        if value:
            raise ValueError(f"{name} is {value}, which the textbook loop does not have; measure a recipe without it.")
