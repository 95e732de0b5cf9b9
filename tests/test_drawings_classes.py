"""Every generator of the package that can be told a class, drawn between classes."""

from __future__ import annotations

import pytest
import torch

from ganplay.checkpoint import LoadedGenerator
from ganplay.drawings.classes import Classes
from ganplay.drawings.interpolate import Interpolate
from ganplay.latent import sampling
from ganplay.latent.noise import class_index, fixed_noise
from ganplay.models import generators
from ganplay.models.blocks.labels import class_vectors
from ganplay.options import option_fields
from ganplay.recipes import recipe

NARROW = {"widths": 8, "maps": 8, "units": 8, "first_maps": 8, "label_width": 6}


def kinds():
    """Each registered generator with each way in which it can be told a class."""
    found = []
    for name in generators:
        for field, _ in option_fields(generators[name]):
            if field.name == "conditioning":
                choices = field.metadata["option"].choices
                found += [(name, how) for how in choices if how != "none"]
    return found


def loaded(kind, how):
    """A narrow generator whose weights are large enough to see the label through them."""
    made = recipe("quick-digits").change({"generator": kind})
    changes = {"generator.conditioning": how}
    for name, width in NARROW.items():
        if hasattr(made.generator, name):
            old = getattr(made.generator, name)
            changes[f"generator.{name}"] = (width,) * len(old) if isinstance(old, tuple) else width
    if how.startswith("batch-norm"):
        changes["generator.norm"] = "batch"
    return untrained(made.change(changes))


def untrained(made):
    torch.manual_seed(0)
    module = made.generator.build(made.shapes).eval().requires_grad_(False)
    for index, weight in enumerate(module.parameters()):
        weight += torch.randn(weight.shape, generator=torch.Generator().manual_seed(index)) * 0.3
    return LoadedGenerator(made, 0, module)


@pytest.mark.parametrize(("kind", "how"), kinds())
def test_a_generator_is_drawn_between_two_classes(kind, how):
    model = loaded(kind, how)
    z, y = fixed_noise(model.recipe, 4), torch.tensor([1, 2, 9, 0])
    ones = torch.eye(10)[y]
    plain = sampling.generate(model, z, y)
    torch.testing.assert_close(sampling.generate(model, z, ones), plain, rtol=1e-4, atol=1e-5)
    halves = sampling.generate(model, z, (ones + torch.eye(10)[(y + 1) % 10]) / 2)
    assert halves.shape == plain.shape
    assert halves.isfinite().all()
    assert (halves - plain).abs().max() > 1e-4  # of an untrained network, a pixel may be black or white either way
    vectors = class_vectors(model.module, 10)
    assert len(vectors) == 10
    assert torch.unique(vectors, dim=0).shape == vectors.shape  # each class has its own
    paths = [sampling.strip(model, (3, 3), 3, labels=(1, 2), class_path=path) for path in ("linear", "spherical")]
    assert not torch.equal(paths[0][1], paths[1][1])


def test_no_registered_generator_is_left_out():
    assert {name for name, _ in kinds()} == set(generators)


@pytest.mark.parametrize(
    ("drawing", "sentence"),
    [
        (Classes(), "This generator is unconditional: it draws no class that was asked for, so there is no grid."),
        (Interpolate(classes=("3",)), "The class '3' was asked for, but this generator is unconditional."),
    ],
)
def test_a_class_of_an_unconditional_generator_is_refused(drawing, sentence):
    made = recipe("quick-digits").change({"discriminator.conditioning": "projection"})  # which knows classes
    model = untrained(made)
    with pytest.raises(ValueError) as raised:
        drawing.draw(model)
    assert str(raised.value) == sentence


def test_an_unknown_class_and_too_large_a_grid_are_refused():
    model = loaded("dcgan", "concat")
    assert class_index(model.recipe, "7") == 7
    with pytest.raises(ValueError, match="There is no class 'horse'; choose one of 0, 1, 2"):
        Classes(classes=("1", "horse")).draw(model)
    with pytest.raises(ValueError, match=r"20 classes in 64 columns are 1,280 samples; at most 1,024 are drawn"):
        Classes(classes=("1", "2") * 10, columns=64).draw(model)
