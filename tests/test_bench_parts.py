"""The parts of the benchmark that compare ways to compute: their ratios are right and they leave all as it was."""

import pytest
import torch
from watched import tiny

from ganplay.benchmarks import Options, gains
from ganplay.benchmarks import convolution as layers
from ganplay.models.blocks import convolution
from ganplay.precision import has_fast_bf16
from ganplay.state import State

OPTIONS = Options(0.02, 1, lambda sentence: None, windows=2)


def test_layers_are_timed_both_ways_and_the_own_choice_is_told(monkeypatch):
    monkeypatch.setattr(layers, "TRANSPOSED", ((16, 8, 4, 4),))
    monkeypatch.setattr(layers, "DIRECT", ((256, 512, 4, 4), (8, 8, 8, 3)))
    own = convolution.worth
    table = layers.measure(OPTIONS)
    assert convolution.worth is own
    kinds = 1 + has_fast_bf16()
    assert len(table.rows) == 3 * kinds and {len(row) for row in table.rows} == {len(table.columns)}
    for _, _, stock, product, ratio, _, _ in table.rows:
        assert stock > 0 and product > 0 and ratio == pytest.approx(stock / product)
    assert [row[-1] for row in table.rows] == ["no"] * kinds + ["yes"] * kinds + ["no"] * kinds


def test_each_gain_is_left_out_alone_and_everything_is_as_before(monkeypatch):
    monkeypatch.setattr(gains, "named", lambda name: tiny(fakes="shared", precision="auto"))
    own, threads = convolution.worth, torch.get_num_threads()
    table = gains.measure(Options(0.02, 1, lambda sentence: None, windows=3, recipes=("tiny",)))
    assert convolution.worth is own and torch.get_num_threads() == threads
    without = [row[1] for row in table.rows]
    assert without[0] == "nothing" and len(set(without)) == len(without)
    assert {"shared fakes", "convolutions as products", "one-pass optimisers", "channels last"} <= set(without)
    assert ("bf16" in without) == has_fast_bf16()
    assert table.rows[0][3:] == (1.0, "1.00 to 1.00")
    assert all(row[2] > 0 and row[3] > 0 for row in table.rows)


def test_variants_differ_in_what_they_are_named_after():
    recipe = tiny(fakes="shared")
    stepwise, first = gains._stepwise(State.initial(recipe)), gains._channels_first(State.initial(recipe))
    assert not stepwise.generator_optimiser.param_groups[0]["fused"]
    assert State.initial(recipe).generator_optimiser.param_groups[0]["fused"]
    wide = next(weight for weight in first.discriminator.parameters() if weight.ndim == 4 and min(weight.shape[:2]) > 1)
    assert wide.is_contiguous()
