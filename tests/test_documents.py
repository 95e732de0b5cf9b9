"""Every cell that a document prints, against the layers that the recipe's networks really have."""

import pytest

from ganplay.documents import CELLS, PrintedTable, Row, differences, printed, side_by_side, tables, value_of
from ganplay.probes.layers import Layer, layer_tables
from ganplay.recipes import recipe, recipes

# Recipes of documents 000 to 003; a document with tables of its own adds its recipes by registering them.
EXPECTED = {
    "duke-dcgan", "duke-wgan", "duke-acgan",
    "cs229-fcgan", "cs229-baseline", "cs229-skip", "cs229-parallel",
    "kth-simple", "kth-intermediate", "kth-dcgan",
    "iisc-dcgan", "iisc-sagan",
}  # fmt: skip
TABLES = [(name, network) for name in printed for network in tables(name)]


def layer(**changes):
    plain = {"name": "", "operation": "linear", "kernel": 0, "stride": 0, "padding": 0, "maps": 3, "norm": "none",
             "activation": "none", "dropout": 0.0, "output": (3,), "parameters": 0, "multiply_adds": 0}  # fmt: skip
    return Layer(**(plain | changes))


@pytest.mark.parametrize(("name", "network"), TABLES)
def test_a_network_differs_from_its_printed_table_exactly_where_the_row_says_so(name, network):
    for row, layers in side_by_side(tables(name)[network], layer_tables(recipe(name))[network]):
        assert differences(row, layers) == row.ours, [layer.name for layer in layers]


@pytest.mark.parametrize(("name", "network"), TABLES)
def test_a_deviation_is_one_of_a_printed_cell_and_has_its_reason(name, network):
    for row in tables(name)[network].rows:
        assert set(row.ours) <= {cell for cell in CELLS if getattr(row, cell) is not None}
        assert all(getattr(row, cell) != ours for cell, ours in row.ours.items())
        assert bool(row.note) == bool(row.ours)


def test_every_model_of_the_documents_has_its_tables():
    assert set(printed) >= EXPECTED
    assert set(printed) <= set(recipes)
    for name in printed:
        for network, table in tables(name).items():
            assert (table.recipe, table.network) == (name, network)
    assert tables("quick-digits") == {}


def test_a_cell_that_is_not_printed_agrees_with_anything():
    assert differences(Row(), [layer()]) == {}
    assert differences(Row("linear", maps=3), [layer()]) == {}
    assert differences(Row("convolution", maps=4), [layer()]) == {"operation": "linear", "maps": 3}


def test_a_slope_that_is_not_printed_agrees_with_any_slope():
    leaky = layer(activation="leaky ReLU 0.2")
    assert differences(Row(activation="leaky ReLU"), [leaky]) == {}
    assert differences(Row(activation="leaky ReLU 0.1"), [leaky]) == {"activation": "leaky ReLU 0.2"}
    assert differences(Row(activation="leaky ReLU"), [layer(activation="ReLU")]) == {"activation": "ReLU"}


def test_layers_that_are_one_printed_row_add_up_their_units_and_share_the_rest():
    pair = (layer(maps=1, norm="batch"), layer(maps=10))
    assert value_of(pair, "maps") == 11
    assert value_of(pair, "operation") == "linear"
    assert value_of(pair, "norm") == ("batch", "none")


def test_a_table_about_another_number_of_layers_is_refused():
    table = PrintedTable("000", "table 7", "duke-acgan", "discriminator", (Row(), Row(layers=2)))
    first, second, third = layer(name="a"), layer(name="b"), layer(name="c")
    assert side_by_side(table, [first, second, third]) == [(table.rows[0], (first,)), (table.rows[1], (second, third))]
    with pytest.raises(ValueError, match="The discriminator has 1 layers; table 7 of document 000 is about 3"):
        side_by_side(table, [first])
