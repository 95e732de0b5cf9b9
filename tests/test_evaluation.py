"""Evaluations: every figure says what it is, and generators whose faults are known get the figures they deserve."""

import csv
import dataclasses
import json
import threading

import pytest
import torch
from stand_in_classifier import install
from tiny_runs import train_tiny
from torch import nn

from ganplay import cli
from ganplay.checkpoint import LoadedGenerator
from ganplay.data.resident import load
from ganplay.evaluation import Evaluation, evaluate
from ganplay.metrics import by_class
from ganplay.metrics.figures import MEASURES
from ganplay.metrics.frechet import class_distances
from ganplay.recipes import recipe

PLAIN = recipe("quick-digits").change({"image_size": 28, "generator.widths": "8,8", "discriminator.widths": "8,8"})
CONDITIONAL = PLAIN.change({"generator.conditioning": "concat", "discriminator.conditioning": "projection"})


class Stored(nn.Module):
    """A generator of training samples: those of `pool`, of the class asked for where it is conditional."""

    def __init__(self, recipe, pool=None, copies=0.0):
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.samples = load(recipe.dataset, recipe.shapes.sample)
        self.pool = torch.arange(len(self.samples)) if pool is None else pool
        self.noise = copies

    def forward(self, z, y=None):
        chosen = (z.abs().sum(1) * 1e4).long()
        if y is None:
            places = self.pool[chosen % len(self.pool)]
        else:
            groups = [self.pool[self.samples.labels[self.pool] == label] for label in range(10)]
            places = torch.stack(
                [groups[label][place % len(groups[label])] for label, place in zip(y, chosen, strict=True)]
            )
        return self.samples.batch(places)[0] + self.noise * z[:, :1, None, None].tanh()


def generator(made=PLAIN, **options):
    return LoadedGenerator(made, 1_234, Stored(made, **options).eval())


@pytest.fixture(autouse=True)
def classifier(monkeypatch):
    install(monkeypatch, "digits-classifier")


def by_name(evaluation):
    found = {figure.name: figure for figure in evaluation.figures}
    assert len(found) == len(evaluation.figures), "two figures of one name"
    return found


def test_trap_11_every_figure_says_its_features_counts_and_reference_beside_real_data():
    found = evaluate(generator(CONDITIONAL), samples=250)
    measures = {figure.metric for figure in found.figures}
    assert measures == set(MEASURES) - {"discriminator"}
    assert any("come without their discriminator" in note for note in found.notes)
    for figure in found.figures:
        assert figure.features in ("digits classifier", "pixels", "raw values"), figure
        assert figure.samples > 0, figure
        assert figure.real is not None, figure
        assert figure.real_samples > 0, figure
        assert (figure.reference, figure.reference_samples > 0) in (("train", True), ("none", False)), figure
        assert figure.better in ("lower", "higher", "real"), figure
        assert (figure.spread is None) == (figure.real_spread is None), figure
        assert bool(figure.spread_of) == (figure.spread is not None), figure


def test_trap_11_no_figure_borrows_the_names_of_inception():
    for figure in evaluate(generator(CONDITIONAL), samples=250).figures:
        assert not {"FID", "KID", "IS"} & set(figure.name.replace("(", " ").split()), figure.name
        assert "inception" not in figure.name.lower()


def test_real_data_stand_on_the_same_number_of_samples():
    found = evaluate(generator(), samples=2_000)
    assert found.samples == 297
    assert any("has 297; as many are generated" in note for note in found.notes)
    whole = by_name(found)["FD (digits classifier)"]
    assert (whole.samples, whole.real_samples, whole.reference_samples) == (297, 297, 1_500)
    for figure in found.figures:
        if figure.metric in ("frechet-distance", "kernel-distance", "per-class", "precision-recall"):
            assert figure.samples == figure.real_samples, figure.name


def test_a_generator_of_training_samples_is_found_out_by_its_neighbours():
    found = by_name(evaluate(generator(), samples=250, metrics=["neighbours", "precision-recall"]))
    precision = found["precision (digits classifier)"]
    nearest = found["distance to the nearest training sample (raw values)"]
    assert nearest.value == 0
    assert nearest.real > 1
    assert precision.value > max(0.85, precision.real)


def test_recall_and_similarity_betray_a_collapsed_generator():
    one_each = torch.tensor([int((Stored(PLAIN).samples.labels == label).nonzero()[3]) for label in range(10)])
    chosen = ("precision-recall", "ms-ssim", "frechet-distance")
    healthy = by_name(evaluate(generator(CONDITIONAL), samples=250, metrics=chosen))
    collapsed = by_name(evaluate(generator(CONDITIONAL, pool=one_each), samples=250, metrics=chosen))
    assert collapsed["recall (digits classifier)"].value < 0.3 < healthy["recall (digits classifier)"].value
    assert collapsed["MS-SSIM within a class, mean"].value == pytest.approx(1)
    assert healthy["MS-SSIM within a class, mean"].value < 0.8
    assert collapsed["FD (digits classifier)"].value > healthy["FD (digits classifier)"].value


def test_classes_are_given_to_a_conditional_generator_evenly():
    found = by_name(evaluate(generator(CONDITIONAL), samples=290, metrics=["per-class"]))
    classes = [figure for figure in found.values() if figure.group]
    assert [figure.group for figure in classes] == list("0123456789")
    assert all(figure.name == f"FD (digits classifier) of a class: {figure.group}" for figure in classes)
    mean = found["FD (digits classifier) of a class, mean"]
    assert mean.value == pytest.approx(sum(figure.value for figure in classes) / 10)
    assert "covariance is singular" in mean.note  # 29 samples for 49 features


def test_classes_of_an_unconditional_generator_are_called_predicted():
    found = evaluate(generator(), samples=290, metrics=["per-class"])
    assert {figure.name.split(":")[0] for figure in found.figures if figure.group} == {
        "FD (digits classifier) of a predicted class"
    }


def test_a_class_is_measured_with_as_many_samples_of_the_generator_as_of_the_real_data(monkeypatch):
    counted = []

    def counting(features, labels, *others):
        counted.append(torch.bincount(labels, minlength=10).tolist())
        return class_distances(features, labels, *others)

    monkeypatch.setattr(by_class, "class_distances", counting)
    figures = [figure for figure in evaluate(generator(), samples=290, metrics=["per-class"]).figures if figure.group]
    sizes = [next((figure.samples for figure in figures if figure.group == name), 0) for name in "0123456789"]
    assert counted == [sizes, sizes]
    assert all(figure.samples == figure.real_samples for figure in figures)


def test_without_a_classifier_the_classes_are_left_out_with_a_sentence():
    found = evaluate(generator(), samples=250, features="pixels", metrics=["per-class", "classifier-score", "ms-ssim"])
    assert [figure.name for figure in found.figures] == ["MS-SSIM of any two samples"]
    assert len(found.notes) == 2 and all("no classifier" in note for note in found.notes)


def test_a_given_class_is_measured_by_any_features():
    found = evaluate(generator(CONDITIONAL), samples=250, features="pixels", metrics=["per-class"])
    assert by_name(found)["FD (pixels) of a class, mean"].value > 0


def test_against_the_test_split_the_training_split_stands_for_real_data():
    found = evaluate(generator(), samples=250, reference="test", metrics=["frechet-distance", "neighbours"])
    distance = by_name(found)["FD (digits classifier)"]
    assert (distance.reference, distance.reference_samples, distance.real_split) == ("test", 250, "train")
    nearest = by_name(found)["distance to the nearest training sample (raw values)"]
    assert (nearest.value, nearest.reference, nearest.reference_samples, nearest.real_split) == (
        0,
        "train",
        1500,
        "test",
    )


def test_points_are_measured_by_their_coordinates():
    ring = recipe("toy-ring")
    found = evaluate(LoadedGenerator(ring, 0, ring.generator.build(ring.shapes).eval()), samples=500)
    assert {figure.metric for figure in found.figures} == {
        "frechet-distance", "kernel-distance", "precision-recall", "neighbours"
    }  # fmt: skip
    assert found.features == "pixels"
    assert by_name(found)["FD (pixels)"].value > 10 * by_name(found)["FD (pixels)"].real


def test_the_same_seed_gives_the_same_figures_and_another_does_not():
    chosen = ("frechet-distance", "kernel-distance", "ms-ssim")
    first, again, other = (evaluate(generator(), samples=150, seed=seed, metrics=chosen) for seed in (3, 3, 4))
    assert first.figures == again.figures
    assert first.figures != other.figures


def test_a_diverged_generator_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="not finite numbers: its training diverged"):
        evaluate(generator(copies=float("nan")), samples=100)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"samples": 10}, r"samples is 10; it must be a whole number, 100 to 60,000"),
        ({"reference": "all"}, r"reference is 'all'; it must be train or test"),
        ({"metrics": ["fid"]}, r"no metric 'fid'; choose from frechet-distance, "),
        ({"features": "vgg"}, r"no feature set 'vgg'"),
        ({"seed": -1}, r"seed is -1"),
    ],
)
def test_mistakes_are_told_in_one_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        evaluate(generator(), **options)


def test_an_evaluation_goes_to_json_and_to_rows_that_are_complete():
    found = evaluate(generator(CONDITIONAL), samples=250)
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert content["samples"] == 250
    assert len(content["figures"]) == len(found.figures)
    for row, figure in zip(found.rows(), found.figures, strict=True):
        assert tuple(row) == Evaluation.columns()
        assert row["dataset"] == "digits"
        assert row["images"] == 1_234
        assert row | dataclasses.asdict(figure) == row


def test_progress_is_told_and_may_end_the_evaluation():
    told = []
    evaluate(generator(), samples=100, metrics=["kernel-distance"], progress=lambda *news: told.append(news))
    shares = [share for _, share in told]
    assert shares[-1] == 1
    assert all(0 <= share <= 1 for share in shares)

    def stop(sentence, share):
        if "Generating" in sentence:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        evaluate(generator(), samples=100, progress=stop)


def test_evaluations_at_once_agree_with_one_alone():
    alone = evaluate(generator(), samples=120, metrics=["kernel-distance"]).figures
    found = []
    threads = [
        threading.Thread(
            target=lambda: found.append(evaluate(generator(), samples=120, metrics=["kernel-distance"]).figures)
        )
        for _ in range(4)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 4


def test_a_runs_discriminator_is_judged_on_samples_it_has_not_seen(home):
    run = train_tiny(home, "quick-digits")
    found = evaluate(f"run:{run.id}", samples=150, metrics=["discriminator"])
    fakes = by_name(found)["D accuracy on generated samples"]
    held_out = by_name(found)["D accuracy on held-out real samples"]
    assert fakes.real == pytest.approx(1 - held_out.value)
    assert held_out.real_split == "train"
    assert all(0 <= figure.value <= 1 for figure in found.figures)


def test_a_critic_has_no_accuracy(home):
    run = train_tiny(home, "quick-digits", loss="wasserstein")
    found = evaluate(run.id, samples=150, metrics=["discriminator"])
    assert found.figures == ()
    assert "no logit divides" in found.notes[-1]


def test_the_command_prints_and_writes_the_figures(capsys, tmp_path):
    out = tmp_path / "new" / "figures.csv"
    words = ["evaluate", "quick-digits", "--samples", "150", "--metrics", "frechet-distance,precision-recall"]
    assert cli.main([*words, "--csv", str(out), "--json", str(tmp_path / "whole.json")]) == 0
    said = capsys.readouterr().out
    heading = next(line for line in said.splitlines() if line.startswith("figure"))
    assert heading.split() == ["figure", "value", "real", "data", "features", "samples", "reference"]
    row = next(line for line in said.splitlines() if line.startswith("FD (digits classifier)"))
    assert "digits classifier  " in row and row.endswith("150  train, 150")
    rows = list(csv.DictReader(out.open()))
    assert [line["name"] for line in rows][1:] == ["precision (digits classifier)", "recall (digits classifier)"]
    assert float(rows[0]["value"]) == json.loads((tmp_path / "whole.json").read_text())["figures"][0]["value"]


def test_the_command_refuses_a_mistake_with_exit_code_two(capsys):
    assert cli.main(["evaluate", "quick-digits", "--samples", "3"]) == 2
    assert capsys.readouterr().err.endswith("ganplay: samples is 3; it must be a whole number, 100 to 60,000.\n")
