"""Statistics of gradients gathered from step to step, against NumPy over copies of the same gradients."""

from __future__ import annotations

import json
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from ganplay import trainer
from ganplay.probes import gradients
from ganplay.probes.gradients import THRESHOLD, GradientMeter, layer_statistics
from ganplay.recipes import recipe
from ganplay.runs import store
from ganplay.runs.folder import sidecar
from ganplay.runs.worker import work

STEPS = 3


def network() -> nn.Sequential:
    """Layers of each kind, with a normalisation that is not to be counted; convolutions lie channels last."""
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.ConvTranspose2d(5, 6, 4, bias=False), nn.BatchNorm2d(6), nn.Conv2d(6, 5, 3), nn.Flatten(), nn.Linear(20, 4)
    )
    return made.to(memory_format=torch.channels_last)


def backward(made: nn.Module, step: int) -> None:
    """New gradients with small and large entries, as an optimiser's step would find them."""
    random = torch.Generator().manual_seed(step)
    for weight in made.parameters():
        drawn = torch.randn(weight.shape, generator=random) * 0.02 * (step + 1)
        drawn.view(-1)[:4] = torch.tensor([0.0, THRESHOLD, -THRESHOLD, -0.999 * THRESHOLD])
        weight.grad = drawn.contiguous(memory_format=torch.channels_last) if drawn.ndim == 4 else drawn


def expected(layer: nn.Module) -> tuple[int, int, float]:
    """Count of small entries, of all, and the norm, in float64."""
    flat = np.concatenate([weight.grad.numpy().ravel() for weight in layer.parameters()])
    return int((np.abs(flat) < np.float32(THRESHOLD)).sum()), flat.size, float(np.linalg.norm(flat.astype(float)))


@pytest.fixture(params=[2**17, 50, 7], ids=["layers in one piece", "some in pieces", "all in pieces"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradients, "_PIECE", request.param)


def test_means_and_largest_norms_are_those_of_every_step(pieces: None) -> None:
    made = network()
    meter = GradientMeter(made)
    seen: dict[str, list] = {"0": [], "2": [], "4": []}
    for step in range(STEPS):
        backward(made, step)
        meter.update()
        for name, found in seen.items():
            found.append(expected(made.get_submodule(name)))
    read = meter.read()
    assert list(read) == list(seen)
    for name, found in seen.items():
        small, total, norm = (np.array(column) for column in zip(*found, strict=True))
        assert 0 < small.min() < total.min() and norm.max() > 1.3 * norm.mean()
        assert read[name].small == pytest.approx(small.mean(), rel=1e-12)
        assert read[name].total == total[0]
        assert read[name].norm == pytest.approx(norm.mean(), rel=1e-6)
        assert read[name].largest == pytest.approx(norm.max(), rel=1e-6)


def test_the_last_backward_pass_alone_is_counted_exactly(pieces: None) -> None:
    made = network()
    backward(made, 1)
    for name, one in layer_statistics(made).items():
        small, total, norm = expected(made.get_submodule(name))
        assert (one.small, one.total) == (small, total) and one.norm == pytest.approx(norm, rel=1e-6)


def test_a_layer_without_a_gradient_is_left_out_and_counts_from_when_it_has_one() -> None:
    made = network()
    meter = GradientMeter(made)
    meter.update()
    assert meter.read() == {} == layer_statistics(made)
    for step in range(2):
        backward(made, step)
        made[4].zero_grad()
        meter.update()
    backward(made, 2)
    meter.update()
    read = meter.read()
    assert list(read) == ["0", "2", "4"]
    assert read["4"].norm == read["4"].largest == pytest.approx(expected(made[4])[2], rel=1e-6)


def test_a_meter_that_was_restored_goes_on_to_the_bit() -> None:
    made = network()
    whole, first, second = (GradientMeter(made) for _ in range(3))
    for step in range(STEPS):
        backward(made, step)
        whole.update()
        if step == 1:
            numbers = json.loads(json.dumps(first.gathered()))
            assert len(numbers) == len(second)
            second.restore(numbers)
        (first if step < 1 else second).update()
    assert second.read() == whole.read()
    whole.reset()
    assert whole.read() == {} and not any(whole.gathered())


def test_an_update_never_reads_a_value_back() -> None:
    made = network().to("meta")  # tensors without values: whoever asks for one gets an error
    for weight in made.parameters():
        weight.grad = torch.empty_like(weight)
    meter = GradientMeter(made)
    meter.update()
    meter.update()
    with pytest.raises((NotImplementedError, RuntimeError)):
        meter.read()


def test_no_gradient_outlives_the_step_and_the_scratch_is_small() -> None:
    made = nn.Linear(1_000, 2_000)
    made.weight.grad, made.bias.grad = torch.ones(2_000, 1_000), torch.ones(2_000)
    meter = GradientMeter(made)
    meter.update()
    storages = [weakref.ref(weight.grad.untyped_storage()) for weight in made.parameters()]
    gradient = weakref.ref(made.weight.grad)
    made.zero_grad(set_to_none=True)
    assert gradient() is None and all(storage() is None for storage in storages)
    held = [value for value in vars(meter).values() if isinstance(value, torch.Tensor)]
    assert sum(value.untyped_storage().nbytes() for value in held) < 1_100_000 < 8_000_000 / 4


def test_a_point_of_the_curves_holds_the_means_and_the_largest_of_its_interval() -> None:
    made = recipe("toy-ring").change({"batch_size": 16, "stop_images": 304, "log_every": 160, "score_every": 0})
    run = store.create(made, threads=1)
    work(run)
    seen = []
    for step in trainer.train(made):
        networks = {"discriminator": step.state.discriminator, "generator": step.state.generator}
        seen.append({owner: layer_statistics(one) for owner, one in networks.items()})
    first, second = run.metrics()
    for point, steps in ((first, seen[:10]), (second, seen[10:])):
        for owner, layers in point["gradients"].items():
            assert list(layers) == list(seen[0][owner])
            for name, (small, total, norm) in layers.items():
                found = [step[owner][name] for step in steps]
                assert small == pytest.approx(np.mean([one.small for one in found]), rel=1e-5)
                assert total == found[0].total
                assert norm == pytest.approx(np.mean([one.norm for one in found]), rel=1e-5)
                largest = point["largest_gradients"][owner][name]
                assert largest == pytest.approx(max(one.norm for one in found), rel=1e-5) and largest > norm


def test_an_interval_saved_without_gradients_is_gone_on_with() -> None:
    """As versions of this package before this one saved it."""
    made = recipe("toy-ring").change({"batch_size": 16, "stop_images": 96, "log_every": 160, "score_every": 0})
    run = store.create(made, threads=1)
    work(run)
    longer = store.fork(run, {"stop_images": 160})
    newest = longer.checkpoints()[0]
    content = {"steps": 6, "sums": [6.0, 12.0, 0.0, 3.0, 3.0], "score": None}
    sidecar(newest).write_text(json.dumps(content))
    lines = (longer.folder / "metrics.jsonl").read_text().splitlines()
    (longer.folder / "metrics.jsonl").write_text("".join(line + "\n" for line in lines if '"images": 96' not in line))
    assert work(longer).state == "finished"
    losses, layers = [], []
    for step in trainer.train(made.change({"stop_images": 160})):
        losses.append(float(step.discriminator_loss))
        layers.append(layer_statistics(step.state.discriminator))
    point = longer.metrics()[-1]
    assert point["images"] == 160
    assert point["discriminator_loss"] == pytest.approx((6.0 + sum(losses[6:])) / 10, rel=1e-5)
    for name, (small, _, _) in point["gradients"]["discriminator"].items():
        assert small == pytest.approx(np.mean([one[name].small for one in layers[6:]]), rel=1e-5)
