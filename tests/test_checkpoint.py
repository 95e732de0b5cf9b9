"""Checkpoints: atomic, checked, exact; forks keep what fits."""

import pytest
import torch

from ganplay import checkpoint, files
from ganplay.latent.noise import fixed_noise
from ganplay.recipes import recipe
from ganplay.tensors import write_tensors
from ganplay.trainer import sample, train


@pytest.fixture(scope="module")
def made():
    return recipe("quick-digits").change(
        {"generator.widths": (8, 8), "discriminator.widths": (8, 8), "batch_size": 8, "stop_images": 40}
    )


@pytest.fixture
def saved(made, tmp_path):
    *_, last = train(made)
    path = tmp_path / "000000040.safetensors"
    checkpoint.save(path, last.state)
    return path, last.state


def test_generator_of_a_checkpoint_samples_as_the_run_did(saved, made):
    path, state = saved
    loaded = checkpoint.load_generator(path)
    assert loaded.recipe == made
    assert loaded.images == 40
    noise = fixed_noise(made, 4)
    assert torch.equal(loaded.module(noise), sample(state, noise))


def test_truncated_file_is_refused_at_any_length(saved):
    path, _ = saved
    content = path.read_bytes()
    for length in (0, 7, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        for read in (checkpoint.load, checkpoint.load_generator):
            with pytest.raises(ValueError, match=r"000000040\.safetensors is damaged"):
                read(path)


def test_one_changed_byte_of_a_weight_is_found(saved):
    path, _ = saved
    content = bytearray(path.read_bytes())
    content[-3] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(ValueError, match="does not match its checksum"):
        checkpoint.load(path)


def test_a_changed_byte_of_the_average_is_found_by_who_samples_it(saved):
    path, state = saved
    content = path.read_bytes()
    weight = next(state.average.parameters()).detach().contiguous().numpy().tobytes()
    place = content.index(weight)
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(ValueError, match="does not match its checksum"):
        checkpoint.load_generator(path)


def test_missing_and_foreign_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="There is no checkpoint nothing"):
        checkpoint.load(tmp_path / "nothing.safetensors")
    for metadata, sentence in (
        ({}, "is not a checkpoint of a run"),
        ({"format": checkpoint.FORMAT}, "its recipe or counters cannot be read"),
        ({"format": checkpoint.FORMAT, "recipe": "{", "counters": "{}"}, "its recipe or counters cannot be read"),
        ({"format": checkpoint.FORMAT, "recipe": "{}", "counters": "{}"}, "its recipe or counters cannot be read"),
    ):
        write_tensors(tmp_path / "other.safetensors", {"a": torch.zeros(2)}, metadata, (checkpoint.AVERAGE,))
        for read in (checkpoint.load, checkpoint.load_generator):
            with pytest.raises(ValueError, match=sentence):
                read(tmp_path / "other.safetensors")


def test_a_failed_write_leaves_the_old_file_and_no_litter(saved, monkeypatch):
    path, state = saved
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(path, state)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir() if file.is_file()] == [path.name]


def test_fork_keeps_weights_and_the_moments_of_an_unchanged_optimiser(saved, made):
    path, state = saved
    changed = made.change({"generator_optimiser.learning_rate": 1e-4, "discriminator_optimiser": "rmsprop"})
    fork = checkpoint.load(path, changed)
    assert all(
        torch.equal(a, b) for a, b in zip(fork.generator.parameters(), state.generator.parameters(), strict=True)
    )
    assert fork.generator_optimiser.param_groups[0]["lr"] == 1e-4
    assert fork.generator_optimiser.state_dict()["state"]
    assert not fork.discriminator_optimiser.state_dict()["state"]
    assert fork.images == 40
    assert torch.equal(fork.noise.get_state(), state.noise.get_state())
    next(train(changed.change({"stop_images": 80}), state=fork))


def test_fork_with_other_shapes_is_refused_with_both_shapes(saved, made):
    path, _ = saved
    said = r"has shape \(512, 64\) at 'project\.weight', this recipe's has \(256, 64\); a fork keeps them, but"
    with pytest.raises(ValueError, match=said):
        checkpoint.load(path, made.change({"generator.widths": (4, 8)}))
