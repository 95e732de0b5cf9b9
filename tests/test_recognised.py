"""How often a sample shows the class that was asked for, as the classifier of the features sees it."""

from __future__ import annotations

import pytest
import torch
from stand_in_classifier import StandIn, install
from torch import nn

from ganplay.checkpoint import LoadedGenerator
from ganplay.data.resident import load
from ganplay.evaluation import evaluate
from ganplay.recipes import recipe

PLAIN = recipe("quick-digits").change({"image_size": 28, "generator.widths": "8,8", "discriminator.widths": "8,8"})
CONDITIONAL = PLAIN.change({"generator.conditioning": "concat", "discriminator.conditioning": "projection"})
DIGITS = load(CONDITIONAL.dataset, CONDITIONAL.shapes.sample, "train")


class Shifted(nn.Module):
    """Draws the first training digit of the class `shift` after the one asked for, where `wrong` says so."""

    def __init__(self, shift: int, wrong: tuple[int, ...]) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.shift, self.wrong = shift, wrong
        self.first = [int((DIGITS.labels == label).nonzero()[0]) for label in range(10)]

    def forward(self, z, y=None):
        labels = [int(label) if y is not None else 0 for label in (y if y is not None else z)]
        places = [self.first[(label + self.shift * (label in self.wrong)) % 10] for label in labels]
        return DIGITS.batch(torch.tensor(places))[0]


@pytest.fixture(autouse=True)
def classifier(monkeypatch):
    install(monkeypatch, "digits-classifier")


def measured(made, shift, wrong, **options):
    model = LoadedGenerator(made, 0, Shifted(shift, wrong).eval())
    return evaluate(model, samples=200, metrics=["recognised"], **options)


def test_the_share_is_that_of_the_classes_drawn_as_asked():
    names = {figure.group: figure for figure in measured(CONDITIONAL, 0, ()).figures}
    known = [label for label in range(10) if names[str(label)].value == 1.0]  # first digits that the stand-in can read
    assert len(known) >= 8
    wrong = {figure.group: figure.value for figure in measured(CONDITIONAL, 1, tuple(known[:4])).figures}
    assert [wrong[str(label)] for label in known[:4]] == [0.0] * 4
    assert wrong[""] == pytest.approx(names[""].value - 0.4)


def test_beside_it_stands_the_accuracy_on_held_out_real_samples():
    network = StandIn()
    whole = measured(CONDITIONAL, 0, ()).figures[0]
    held_out = load(CONDITIONAL.dataset, CONDITIONAL.shapes.sample, "test")
    images, labels = held_out.batch(torch.arange(len(held_out)))
    answers = network.classify(network.features(images)).argmax(1)
    assert whole.real_samples == 200
    assert whole.real == pytest.approx(float((answers == labels).float().mean()), abs=0.05)
    assert whole.real_split == "test"


@pytest.mark.parametrize(("made", "options", "words"), [
    (PLAIN, {}, "asked for no class"), (CONDITIONAL, {"features": "pixels"}, "no classifier for the classes"),
])  # fmt: skip
def test_without_classes_or_classifier_there_is_a_sentence_instead(made, options, words):
    found = measured(made, 0, (), **options)
    assert not found.figures
    assert any(words in note for note in found.notes)
