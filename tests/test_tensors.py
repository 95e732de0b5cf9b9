"""Weights that are spread over several files."""

from __future__ import annotations

import pytest
import torch

from ganplay.layout import DISCRIMINATOR, GENERATOR, PIECE_BYTES, pieces
from ganplay.tensors import read_pieces, read_tensors, write_pieces

ROOM = 300_000  # bytes of one file here


@pytest.fixture
def paths(tmp_path):
    return [tmp_path / file for file in pieces(GENERATOR)]


@pytest.fixture
def tensors():
    random = torch.Generator().manual_seed(0)
    sizes = {"large.weight": (7, 50_000), "small.bias": (3,), "middle.weight": (150, 1_000), "count": ()}
    return {name: torch.randn(size, generator=random).half() for name, size in sizes.items()}


def test_pieces_together_are_what_was_written(paths, tensors):
    write_pieces(paths, tensors, {"format": "test"}, ROOM)
    found, metadata = read_pieces(paths)
    assert metadata["format"] == "test"
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], value) for name, value in tensors.items())


def test_every_file_but_the_last_stays_below_the_limit(paths, tensors):
    write_pieces(paths, tensors, {}, ROOM)
    written = [path for path in paths if path.exists()]
    assert len(written) == len(paths)  # 1 MB in files of 0.3
    assert all(path.stat().st_size < ROOM for path in written[:-1])
    assert sum(path.stat().st_size for path in written) < sum(value.nbytes for value in tensors.values()) + 10_000


def test_weights_that_fit_stay_in_one_ordinary_file(paths, tensors):
    write_pieces(paths, tensors, {}, PIECE_BYTES)
    assert [path.exists() for path in paths] == [True, False, False, False]
    found, _ = read_tensors(paths[0])
    assert all(torch.equal(found[name], value) for name, value in tensors.items())


def test_a_missing_or_damaged_piece_is_one_sentence(paths, tensors):
    write_pieces(paths, tensors, {}, ROOM)
    whole = paths[1].read_bytes()
    paths[1].write_bytes(whole[:-10])
    with pytest.raises(ValueError, match=r"model-2\.safetensors is damaged"):
        read_pieces(paths)
    paths[1].unlink()
    with pytest.raises(ValueError, match=r"There is no checkpoint model-2\.safetensors"):
        read_pieces(paths)


def test_a_piece_of_other_weights_is_refused(paths, tensors, tmp_path):
    write_pieces(paths, tensors, {}, ROOM)
    others = [tmp_path / f"other-{path.name}" for path in paths]
    write_pieces(others, {"large.weight": torch.zeros(900_000).half()}, {}, ROOM)
    others[0].replace(paths[0])
    with pytest.raises(ValueError, match=r"parts of 'large\.weight' do not fit"):
        read_pieces(paths)


def test_names_of_pieces_are_a_closed_list():
    assert pieces(DISCRIMINATOR) == (
        "discriminator.safetensors", "discriminator-2.safetensors", "discriminator-3.safetensors",
        "discriminator-4.safetensors",
    )  # fmt: skip
