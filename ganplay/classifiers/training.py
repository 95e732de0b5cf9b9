"""How the bundled classifiers were trained. It prints nothing and knows no view; its callers consume its epochs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganplay.classifiers.augmentation import cut_out, flip, translate
from ganplay.classifiers.network import Classifier, ClassifierConfig
from ganplay.data.order import Order
from ganplay.data.resident import Samples
from ganplay.options import Checked, option
from ganplay.precision import autocast
from ganplay.randomness import generator_for
from ganplay.tensors import below, read_tensors, write_tensors

FORMAT = "ganplay-classifier-training-1"
MOMENTUM = 0.9
_WEIGHT, _MOMENTUM = "classifier.", "momentum."  # prefixes in the state file


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """How long, how fast and with which changes of the images a classifier learns."""

    epochs: int = option(10, "Times that every training image is seen.", low=1, high=1000)
    batch_size: int = option(256, "Images an update.", low=2, high=8192)
    learning_rate: float = option(0.2, "Its peak.", low=1e-5, high=10.0)
    warm_up: float = option(0.2, "Share of the updates until the peak.", low=0.01, high=0.99)
    weight_decay: float = option(5e-4, "Added to the gradient, times the weight.", low=0.0, high=0.1)
    smoothing: float = option(0.1, "Share of the target that goes to all classes alike.", low=0.0, high=0.9)
    translation: int = option(2, "Pixels that an image moves at most.", low=0, high=16)
    flip: bool = option(False, "Mirror half of the images; never for digits or letters.")
    cutout: int = option(0, "Side of the square that is hidden, in pixels.", low=0, high=64)
    precision: str = option("auto", "Arithmetic of the training.", choices=("auto", "bf16", "fp32"))
    seed: int = option(0, "Of weights, order and changes.", low=0, high=2**31 - 1)


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training images did.

    Attributes:
        number: epochs finished, this one included.
        seconds: time spent training so far, without the tests.
        loss: mean training loss of the epoch, on changed images and smoothed targets.
        accuracy: share of right answers on the test split, 0 to 1.
        classifier: the live classifier in eval mode, valid until the next epoch is asked for.
    """

    number: int
    seconds: float
    loss: float
    accuracy: float
    classifier: Classifier


def train(
    network: ClassifierConfig,
    training: TrainingConfig,
    data: Samples,
    test: Samples,
    *,
    state: Path | None = None,
    progress: Callable[[str, float], None] = lambda sentence, share: None,
) -> Iterator[Epoch]:
    """Trains a classifier, one `Epoch` after each pass over `data`.

    SGD with Nesterov momentum on smoothed targets; the learning rate rises and falls in straight lines, once.

    Args:
        state: a file that is written after each epoch. If it exists, the epochs in it are yielded first, all with the
            newest weights, and training goes on as if it had never stopped.
        progress: told a sentence and the finished share, 0 to 1, after each update.

    Raises:
        ValueError: the file belongs to another training or is damaged, or the settings do not fit the images.
    """
    # Set up
    _check(network, training, len(data))
    classifier = initial(network, training.seed)
    decayed = [parameter for parameter in classifier.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in classifier.parameters() if parameter.ndim == 1]  # batch norm and bias
    groups = [{"params": decayed, "weight_decay": training.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.SGD(groups, training.learning_rate, MOMENTUM, nesterov=True)
    history = _read(state, network, training, classifier, optimiser) if state and state.exists() else []
    order, size = Order(len(data), training.seed), training.batch_size
    updates = len(data) // size  # of an epoch; the few images beyond the last whole batch wait for another shuffle
    classifier.eval()
    for number, row in enumerate(history, 1):
        yield Epoch(number, **row, classifier=classifier)
    for number in range(len(history), training.epochs):
        classifier.train()
        random = generator_for(training.seed, f"changes of epoch {number}")
        total, started = torch.zeros(()), time.perf_counter()
        for update in range(updates):
            # One batch
            x, y = data.batch(order.take(number * len(data) + update * size, size))
            x = changed(x, training, random)
            # One update
            share = (number * updates + update + 0.5) / (training.epochs * updates)
            for group in optimiser.param_groups:
                group["lr"] = training.learning_rate * triangle(share, training.warm_up)
            with autocast(training.precision):
                logits = classifier(x)
            loss = cross_entropy(logits.float(), y, label_smoothing=training.smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            total += loss.detach()
            progress(f"Epoch {number + 1} of {training.epochs}", share)
        # Report
        seconds = time.perf_counter() - started + (history[-1]["seconds"] if history else 0.0)
        classifier.eval()
        row = {"seconds": seconds, "loss": float(total) / updates, "accuracy": accuracy(classifier, test)}
        history.append(row)
        if state:
            _write(state, network, training, classifier, optimiser, history)
        yield Epoch(number + 1, **row, classifier=classifier)


def initial(network: ClassifierConfig, seed: int) -> Classifier:
    """A fresh classifier, its weights a function of the seed alone; torch's global generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(generator_for(seed, "weights").initial_seed())
        return network.build().to(memory_format=torch.channels_last)


def changed(images: Tensor, training: TrainingConfig, random: torch.Generator) -> Tensor:
    """A batch (N, C, H, W) after the random changes of `training`."""
    images = translate(images, training.translation, random)
    if training.flip:
        images = flip(images, random)
    return cut_out(images, training.cutout, random)


def triangle(share: float, peak: float) -> float:
    """Rises from 0 to 1 while `share` goes from 0 to `peak`, falls to 0 until 1."""
    return share / peak if share < peak else (1 - share) / (1 - peak)


@torch.no_grad()
def accuracy(classifier: nn.Module, samples: Samples, batch_size: int = 500) -> float:
    """The share of samples whose largest logit is that of their label, in fp32; the classifier in eval mode."""
    right = 0
    for indices in torch.arange(len(samples)).split(batch_size):
        x, y = samples.batch(indices)
        right += int((classifier(x).argmax(1) == y).sum())
    return right / len(samples)


def _check(network: ClassifierConfig, training: TrainingConfig, count: int) -> None:
    if count < training.batch_size:
        raise ValueError(f"batch_size is {training.batch_size}; the data set has only {count} training images.")
    side = min(network.shape[1:])
    if training.translation >= side:
        raise ValueError(f"translation is {training.translation}; it must be less than the {side} pixels of an image.")


def _write(
    path: Path,
    network: ClassifierConfig,
    training: TrainingConfig,
    classifier: Classifier,
    optimiser: torch.optim.Optimizer,
    history: list[dict[str, float]],
) -> None:
    tensors = {_WEIGHT + name: value for name, value in classifier.state_dict().items()}
    for name, parameter in classifier.named_parameters():
        tensors[_MOMENTUM + name] = optimiser.state[parameter]["momentum_buffer"]
    about = {"format": FORMAT, "training": _about(network, training), "history": json.dumps(history)}
    write_tensors(path, tensors, about)


def _read(
    path: Path,
    network: ClassifierConfig,
    training: TrainingConfig,
    classifier: Classifier,
    optimiser: torch.optim.Optimizer,
) -> list[dict[str, float]]:
    """Fills the classifier and the optimiser; seconds, loss and accuracy of each epoch done."""
    tensors, about = read_tensors(path)
    if about.get("format") != FORMAT or about.get("training") != _about(network, training):
        raise ValueError(f"'{path}' belongs to a training with other settings; repeat those, or choose another folder.")
    classifier.load_state_dict(below(tensors, _WEIGHT))
    for name, parameter in classifier.named_parameters():
        buffer = tensors[_MOMENTUM + name]
        # In the layout of its weight, or the next update would convert it each time.
        optimiser.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(buffer).detach()
    return json.loads(about["history"])


def _about(network: ClassifierConfig, training: TrainingConfig) -> str:
    return json.dumps({"network": network.values(), "training": training.values()})
