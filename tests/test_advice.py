"""What is allowed and yet defeats itself is named in a sentence that teaches."""

import pytest

from ganplay.advice import advice
from ganplay.recipes import recipe, recipes

QUICK = recipe("quick-digits")


@pytest.mark.parametrize("name", recipes.names())
def test_the_recipes_that_come_with_the_package_raise_no_doubt(name):
    assert advice(recipe(name)) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"loss": "wasserstein"}, "nothing keeps Lipschitz"),
        ({"loss": "wasserstein", "penalties": "weight-clip"}, "momentum fight"),
        (
            {"penalties": "weight-clip", "discriminator_optimiser.beta1": 0, "discriminator.spectral_norm": True},
            "shape",
        ),
        ({"penalties": "gradient-penalty,dragan"}, "gradient-penalty and dragan ask the critic for different slopes"),
        ({"loss": "relativistic"}, "add r1 and r2"),
        ({"loss": "wasserstein", "penalties": "gradient-penalty", "flip_labels": 0.1}, "knows no labels"),
        ({"penalties": "r1", "discriminator.minibatch_deviation": True}, "holds only roughly"),
        (
            {"generator.conditioning": "concat", "discriminator.conditioning": "auxiliary", "class_weight": 0},
            "weight 0",
        ),
        ({"generator.conditioning": "concat", "discriminator.conditioning": "auxiliary", "class_weight": 50}, "varied"),
    ],
)
def test_each_doubtful_combination_has_its_one_sentence(changes, words):
    (sentence,) = advice(QUICK.change(changes))
    assert words in sentence
    assert sentence.endswith(".")


def test_the_cure_that_a_sentence_names_silences_it():
    for cure in ({"penalties": "gradient-penalty"}, {"discriminator.spectral_norm": True}):
        assert advice(QUICK.change({"loss": "wasserstein", **cure})) == ()
    assert advice(QUICK.change({"loss": "relativistic", "penalties": "r1,r2"})) == ()


def test_changes_of_images_are_advised_against_on_points():
    (sentence,) = advice(recipe("toy-ring").change({"augment": "color"}))
    assert "points" in sentence
