"""What a run chooses for its machine, that it says so, and that choosing otherwise changes nothing but time."""

import pytest
import torch

from ganplay import optimisers
from ganplay.acceleration import choose, prepare, suitable_threads
from ganplay.models.blocks.dropout import Dropout
from ganplay.optimisers import optimisers as registry
from ganplay.recipes import recipe


def test_small_nets_get_one_thread_and_large_ones_all():
    assert suitable_threads(recipe("toy-ring"), 8) == suitable_threads(recipe("kth-simple"), 8) == 1
    assert suitable_threads(recipe("quick-digits"), 8) == suitable_threads(recipe("duke-dcgan"), 8) == 8


@pytest.mark.parametrize("fast", [True, False])
def test_the_reasons_name_the_choices(fast, monkeypatch):
    for module in ("acceleration", "precision"):
        monkeypatch.setattr(f"ganplay.{module}.has_fast_bf16", lambda device="cpu": fast)
    digits, ring = (choose(recipe(name), 2) for name in ("quick-digits", "toy-ring"))
    assert digits.precision == ("bf16" if fast else "fp32") and ring.precision == "fp32"
    assert (
        digits.reasons[0].startswith(digits.precision)
        and digits.reasons[1].startswith("2 threads: ")
        and "enough" in digits.reasons[1]
        and "too few" in ring.reasons[1]
    )
    assert ("casting" in ring.reasons[0]) == fast
    asked = choose(recipe("quick-digits").change({"precision": "fp32"}), 1)
    assert asked.precision == "fp32" and "because the recipe says so" in asked.reasons[0]
    assert asked.reasons[1].startswith("1 thread: ")


def test_a_device_that_is_not_there_or_not_known_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("GANPLAY_DEVICE", "cuda")
    with pytest.raises(ValueError, match="finds no CUDA device here; unset it"):
        choose(recipe("quick-digits"), 1)
    monkeypatch.setenv("GANPLAY_DEVICE", "tpu")
    with pytest.raises(ValueError, match="'tpu'; it must be 'cpu' or 'cuda'"):
        choose(recipe("quick-digits"), 1)


def test_on_a_graphics_card_networks_without_penalties_are_compiled_unless_fp32_is_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    monkeypatch.setenv("GANPLAY_DEVICE", "cuda")
    plain = recipe("quick-digits")
    assert choose(plain, 1).compiled
    assert not choose(plain.change({"penalties": "r1"}), 1).compiled
    assert not choose(plain.change({"precision": "fp32"}), 1).compiled


def test_preparing_sets_the_threads():
    threads = torch.get_num_threads()
    try:
        prepare(choose(recipe("quick-digits"), 1))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("kind", registry.names())
def test_an_optimiser_in_one_pass_moves_weights_of_every_layout_as_one_by_one(kind):
    def weights(layout):
        random = torch.Generator().manual_seed(0)
        made = [
            torch.randn(6, 5, 3, 3, generator=random).contiguous(memory_format=layout),
            torch.randn(7, generator=random),
        ]
        return [torch.nn.Parameter(one) for one in made]

    for layout in (torch.contiguous_format, torch.channels_last):
        mine, theirs = weights(layout), weights(layout)
        ours = optimisers.optimisers[kind]().build(mine)
        plain = type(ours)(
            theirs,
            **{**ours.defaults, "fused": None, "foreach": False}
            if "fused" in ours.defaults
            else {**ours.defaults, "foreach": False},
        )
        for turn in range(3):
            for one, other in zip(mine, theirs, strict=True):
                one.grad = torch.randn(one.shape, generator=torch.Generator().manual_seed(turn)).to(one.dtype)
                one.grad = one.grad.contiguous(memory_format=layout) if one.ndim == 4 else one.grad
                other.grad = one.grad.clone(memory_format=torch.preserve_format)
            ours.step()
            plain.step()
        for one, other in zip(mine, theirs, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_scales_the_rest_and_repeats_with_the_seed(p, kind):
    layer, x = Dropout(p), torch.ones(20, 7, 33, 31, dtype=kind).contiguous(memory_format=torch.channels_last)
    torch.manual_seed(3)
    made = layer(x)
    torch.manual_seed(3)
    assert torch.equal(made, layer(x)) and not torch.equal(made, layer(x))
    dropped = (made == 0).float()
    count = x.numel()
    assert dropped.mean().item() == pytest.approx(p, abs=5 * (p * (1 - p) / count) ** 0.5)
    torch.testing.assert_close(made[made != 0], torch.full_like(made[made != 0], 1 / (1 - p)))
    for one, other in (
        (dropped[:-1], dropped[1:]),
        (dropped[..., :-1], dropped[..., 1:]),
        (dropped[:, :-1], dropped[:, 1:]),
    ):
        together = (one * other).mean().item()  # neighbours in memory or not, they fall independently
        assert together == pytest.approx(p * p, abs=0.01)
    assert layer.eval()(x) is x


def test_gradients_of_dropout_of_both_orders_pass_where_values_passed():
    layer, x = Dropout(0.4), torch.randn(50, 9, requires_grad=True)
    made = layer(x)
    (slope,) = torch.autograd.grad(made.square().sum(), x, create_graph=True)
    kept = (made != 0).float()
    torch.testing.assert_close(slope, 2 * x * kept / 0.6**2)
    (curve,) = torch.autograd.grad(slope.sum(), x)
    torch.testing.assert_close(curve, 2 * kept / 0.6**2)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_dropout_of_nothing_and_of_everything_is_torchs(p):
    x = torch.randn(4, 5)
    assert torch.equal(Dropout(p)(x), x * (1 - p))
