"""A trained classifier with everything that others want to know of it: measured figures and a model card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from ganplay.classifiers import store
from ganplay.classifiers.network import Classifier, ClassifierConfig
from ganplay.classifiers.presets import network_for, training_for
from ganplay.classifiers.training import Epoch, TrainingConfig, accuracy
from ganplay.contracts import Dataset
from ganplay.data import datasets
from ganplay.data.resident import Samples
from ganplay.environment import processor
from ganplay.files import write_atomically
from ganplay.options import option_fields


def publish(
    folder: Path,
    epochs: Sequence[Epoch],
    training: TrainingConfig,
    test: Samples,
    threads: int,
) -> float:
    """Writes the classifier of the last epoch with `metrics.json` and `README.md`.

    Args:
        test: the test split; the stored file is read again and measured on it.
        threads: that the training ran with.

    Returns:
        the test accuracy of the stored weights, 0 to 1.

    Raises:
        OSError: a file cannot be written.
    """
    store.save(folder, epochs[-1].classifier, training.values())
    classifier = store.load(folder)
    measured = accuracy(classifier, test)
    rows = [{"epoch": row.number, "seconds": round(row.seconds, 1), "loss": round(row.loss, 5),
             "accuracy": round(row.accuracy, 5)} for row in epochs]  # fmt: skip
    figures = {"accuracy": round(measured, 5), "images": len(test), "epochs": rows}
    write_atomically(folder / "metrics.json", json.dumps(figures, indent=1) + "\n")
    command = _command(classifier.config, training, threads)
    card = _card(classifier, folder.name, command, training, measured, len(test), epochs[-1].seconds, threads)
    write_atomically(folder / "README.md", card)
    return measured


def _command(network: ClassifierConfig, training: TrainingConfig, threads: int) -> str:
    """What was typed, or might have been, to train it."""
    words = ["python -m ganplay classifier --dataset", network.dataset]
    for chosen, usual in ((network, network_for(network.dataset)), (training, training_for(network.dataset))):
        for field, _ in option_fields(type(chosen)):
            value = getattr(chosen, field.name)
            if value != getattr(usual, field.name):
                text = ",".join(map(str, value)) if isinstance(value, tuple) else value
                words.append(f"--{field.name.replace('_', '-')} {text}")
    return " ".join([*words, f"--threads {threads}"])


def _card(
    classifier: Classifier,
    name: str,
    command: str,
    training: TrainingConfig,
    measured: float,
    tested: int,
    seconds: float,
    threads: int,
) -> str:
    """The model card: YAML front matter, then what a visitor needs to know, in Markdown."""
    config, dataset = classifier.config, datasets[classifier.config.dataset]
    short = dataset.title.split(" (")[0]
    weights = sum(parameter.numel() for parameter in classifier.parameters())
    shape, version = " x ".join(map(str, config.shape)), torch.__version__.split("+")[0]
    changes = [f"moved by at most {training.translation} px"] if training.translation else []
    changes += ["half of them mirrored"] if training.flip else []
    changes += [f"a square of {training.cutout} px hidden"] if training.cutout else []
    rows = {
        "Data": f"{dataset.title}, training split, {shape}, in [-1, 1]",
        "Classes": ", ".join(config.class_names),
        "Network": f"3x3 convolutions with batch norm and GELU, widths {config.stem}, "
        f"{', '.join(map(str, config.widths))}; {weights:,} weights",
        "Features": f"{classifier.width} averages over the last maps",
        "Training": f"{training.epochs} epochs, images {' and '.join(changes) or 'as they are'}; "
        f"{seconds:,.0f} s of updates",
        "Machine": f"{processor()}, {threads} thread{'s' if threads > 1 else ''}, PyTorch {version}",
        "Weights": "of the last epoch, stored in float16, used in float32",
        "Test accuracy": f"**{100 * measured:.2f} %** of the {tested:,} test images, measured with the stored weights",
    }
    table = "\n".join(f"| {key} | {value} |" for key, value in rows.items())
    return f"""{_front_matter(dataset)}
# {short} classifier

A small classifier trained with ganplay, a playground that shows why GANs work and why they break. Scores compare
generated and real samples by its features.

| | |
|---|---|
{table}

## What it is for

The features stand in for those of the 2015 Inception network where that cannot be had or does not fit pictures so
small. A distance of these features is called **FD ({short} classifier)** and never FID: its values compare with each
other, not with any FID. Pictures of something else get one of the classes too, and may get it with confidence.

No epoch was chosen by its test accuracy: the weights are those at the end of the schedule.

## Use it

```python
from pathlib import Path

from ganplay.classifiers.store import load

classifier = load(Path("{name}"))  # load("{name}") when it came with ganplay
features = classifier.features(images)  # (N, {shape.replace(" x ", ", ")}) in [-1, 1] -> (N, {classifier.width})
logits = classifier(images)  # (N, {len(config.class_names)})
```

## Train it again

```bash
{command}
```

## Files

`config.json` holds the network and its training, `metrics.json` loss and test accuracy after each epoch.
"""


def _front_matter(dataset: type[Dataset]) -> str:
    lines = ["library_name: ganplay", "license: mit", "pipeline_tag: image-classification"]
    repository = getattr(dataset, "repository", None)
    if repository:
        lines += ["datasets:", f"- {json.dumps(repository)}"]
    return "\n".join(["---", *lines, "---", ""])
