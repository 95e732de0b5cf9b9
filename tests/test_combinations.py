"""Sensible combinations train, senseless ones are refused with a sentence that teaches, and nothing else happens."""

from __future__ import annotations

import math
import random

import pytest
import torch
from watched import TINY, narrow, tiny

from ganplay.advice import advice
from ganplay.augment import AUGMENTATIONS
from ganplay.building import build_networks, check, memory_needed
from ganplay.data.resident import Samples, load
from ganplay.losses import losses
from ganplay.models import discriminators, generators
from ganplay.models.blocks.labels import DISCRIMINATOR_CONDITIONING, GENERATOR_CONDITIONING
from ganplay.options import option_fields
from ganplay.penalties import penalties
from ganplay.recipe import Recipe
from ganplay.recipes import recipe
from ganplay.trainer import sample, train

REGISTRIES = {"generator": generators, "discriminator": discriminators}
TRICKS = {
    "noise": ("gaussian", "uniform", "truncated"), "flip_labels": (0.0, 0.0, 0.1), "instance_noise": (0.0, 0.0, 0.2),
    "augment": ((), (), AUGMENTATIONS), "critic_steps": (1, 1, 2), "generator_steps": (1, 1, 2),
    "precision": ("fp32", "fp32", "bf16"), "image_size": (16, 16, 16, 28), "channels": (1, 3), "ema_decay": (0.9, 0.0),
}  # fmt: skip


def drawn(seed):
    """A recipe drawn at random from all registered parts and all switches; labels for both networks or for none."""
    dice = random.Random(seed)
    changes = {name: dice.choice(values) for name, values in TRICKS.items()}
    changes |= {"loss": dice.choice(losses.names()), "batch_size": dice.choice([6, 8]), "stop_images": 8}
    chosen = dice.sample(penalties.names(), dice.choice([0, 0, 1, 1, 2]))
    changes["penalties"] = ",".join(chosen)
    labelled = dice.random() < 0.6
    for net, registry in REGISTRIES.items():
        kind = dice.choice(["dcgan", *registry.names()])
        changes[net] = kind
        changes |= {f"{net}.{name}": value for name, value in narrow(kind, registry).items()}
        options = {field.name: field.metadata["option"] for field, _ in option_fields(registry[kind])}

        def choose(name, *values, options=options, net=net, changes=changes):
            if name in options:
                changes[f"{net}.{name}"] = dice.choice(values)

        ways = options["conditioning"].choices if "conditioning" in options else ("none",)
        choose("conditioning", *([way for way in ways if way != "none"] or ["none"] if labelled else ["none"]))
        choose("norm", "none", "batch", "instance", "layer")
        if changes.get(f"{net}.conditioning", "").startswith("batch-norm") and dice.random() < 0.8:
            choose("norm", "batch")
        if net == "discriminator" and any(penalties[name].per_sample for name in chosen) and dice.random() < 0.8:
            choose("norm", "none", "layer")
        choose("label_stage", 0, 0, 1)
        choose("attention", 0, 0, 0, *((4, 8) if changes["image_size"] == 16 else (7, 14)))
        choose("attention_scaled", False, True)
        choose("spectral_norm", False, True)
        choose("dropout", 0.0, 0.3)
        choose("minibatch_deviation", False, True)
        choose("output", "tanh", "sigmoid")
    begin = {name: value for name, value in TINY.items() if not name.endswith(".widths")}
    return recipe("quick-digits").change({**begin, **changes})


def assert_teaches(error):
    """One sentence, which ends, names what was given, and says what to do or what would work."""
    sentence = str(error)
    assert sentence.endswith("."), sentence
    assert "\n" not in sentence, sentence
    assert len(sentence) >= 40, sentence
    assert not any(word in sentence for word in ("Traceback", "NoneType", "KeyError", "object at 0x")), sentence


@pytest.fixture(scope="module")
def digits():
    """The digits at each shape, decoded once."""
    loaded: dict[tuple[int, ...], Samples] = {}

    def at(made: Recipe) -> Samples:
        shape = made.shapes.sample
        if shape not in loaded:
            samples = load(made.dataset, shape)
            loaded[shape] = Samples(samples.values.clone(), samples.labels, samples.class_names)
        return loaded[shape]

    return at


def outcome(made, samples):
    """ "trained" after one round with finite numbers, or "refused" before it."""
    try:
        check(made)
    except ValueError as error:
        assert_teaches(error)
        return "refused"
    step = next(train(made, data=samples))  # what passed the check may not be refused any more
    for name in ("discriminator_loss", "generator_loss", "penalty"):
        assert math.isfinite(getattr(step, name)), name
    for network in (step.state.generator, step.state.discriminator, step.state.average):
        assert all(torch.isfinite(value).all() for value in network.state_dict().values())
    drawn_samples = sample(step.state, torch.zeros(3, made.latent))
    assert drawn_samples.shape == (3, *made.shapes.sample)
    assert drawn_samples.abs().max() <= 1
    assert all(sentence.endswith(".") for sentence in advice(made))
    return "trained"


def test_random_combinations_of_everything_train_or_are_refused_in_a_sentence(digits):
    outcomes = []
    for seed in range(40):
        made = drawn(seed)
        try:
            outcomes.append(outcome(made, digits(made)))
        except Exception as error:
            error.add_note(f"seed {seed}: {made.difference(recipe('quick-digits'))}")
            raise
    assert outcomes.count("trained") >= 20  # a new part changes what is drawn; usually three quarters train
    assert outcomes.count("refused") >= 1


@pytest.mark.parametrize("discriminator", [way for way in DISCRIMINATOR_CONDITIONING if way != "none"])
@pytest.mark.parametrize("generator", [way for way in GENERATOR_CONDITIONING if way != "none"])
def test_every_conditioning_of_one_network_goes_with_every_one_of_the_other(generator, discriminator, digits):
    made = tiny(**{"generator.conditioning": generator, "discriminator.conditioning": discriminator})
    assert outcome(made, digits(made)) == "trained"


@pytest.mark.parametrize("penalty", penalties.names())
@pytest.mark.parametrize("loss", losses.names())
def test_every_loss_goes_with_every_penalty(loss, penalty, digits):
    made = tiny(loss=loss, penalties=penalty, **{"discriminator.spectral_norm": True})
    assert outcome(made, digits(made)) == "trained"


PROJECTION = {"generator.conditioning": "concat", "discriminator.conditioning": "projection"}
SENSELESS = {
    "a penalty on single samples under batch norm": (
        {"loss": "wasserstein", "penalties": "gradient-penalty", "discriminator.norm": "batch"},
        "'gradient-penalty' constrains the gradient of each sample, but batch norm in the discriminator makes every "
        "logit depend on the whole batch; choose discriminator.norm none, layer or instance",
    ),
    "one of two penalties under batch norm": (
        {"penalties": "weight-clip,r1", "discriminator.norm": "batch"},
        "'r1' constrains the gradient of each sample",
    ),
    "labels without classes": (
        {**PROJECTION, "dataset": "line", "generator": "fully-connected", "discriminator": "fully-connected"},
        "generator.conditioning is concat, but the data set line has no classes",
    ),
    "labels of a single class": (
        {**PROJECTION, "dataset.classes": "3"},
        "but the data set digits has no classes to choose from; choose none, or data with two classes or more",
    ),
    "projection without labels": (
        {"discriminator.conditioning": "projection"},
        "discriminator.conditioning is projection, but the generator is told no label, so its samples have no class",
    ),
    "an auxiliary classifier of unlabelled samples": (
        {"discriminator.conditioning": "auxiliary"},
        "discriminator.conditioning is auxiliary, but the generator is told no label",
    ),
    "a conditional generator nobody judges": (
        {"generator.conditioning": "batch-norm-linear"},
        "generator.conditioning is batch-norm-linear, but the discriminator is told no label, so nothing rewards",
    ),
    "conditional batch norm without batch norm": (
        {**PROJECTION, "generator.conditioning": "batch-norm-embedding", "generator.norm": "layer"},
        "generator.norm is layer, but conditional batch norm replaces batch norm; choose norm batch",
    ),
    "attention where the generator has no map": (
        {"generator.attention": 16},
        "generator.attention is 16, but its stages make maps of 8 pixels; choose one or 0",
    ),
    "attention where the discriminator has no map": (
        {"discriminator.attention": 5},
        "discriminator.attention is 5, but its stages make maps of 8, 4 pixels; choose one or 0",
    ),
    "attention in a generator without stages": (
        {"generator.widths": "8", "generator.attention": 8},
        "generator.attention is 8, but this generator has no stage that it could follow; choose 0",
    ),
    "attention to one place": (
        {"discriminator.widths": "8,8,8,8", "discriminator.attention": 1},
        "discriminator.attention is 1, but attention looks at places of maps of 2 pixels or more",
    ),
    "attention on few maps": (
        {"generator.widths": "8,4", "generator.attention": 8},
        "Self-attention on 4 feature maps was asked for; it needs at least 8",
    ),
    "a label after the discriminator's last stage": (
        {**PROJECTION, "discriminator.conditioning": "hidden-concat", "discriminator.label_stage": 2},
        "discriminator.label_stage is 2; this discriminator has the stages 0 to 1",
    ),
    "a label after the generator's last stage": (
        {**PROJECTION, "generator.conditioning": "hidden-concat", "generator.label_stage": 1},
        "generator.label_stage is 1; this generator has the stages 0 to 0",
    ),
    "a hidden label in a generator without stages": (
        {**PROJECTION, "generator.widths": "8", "generator.conditioning": "hidden-concat"},
        "generator.conditioning is hidden-concat, but this generator has no stage to join; choose concat",
    ),
    "instance norm of a single place": (
        {"discriminator.widths": "8,8,8,8", "discriminator.norm": "instance"},
        "These networks do not work on samples of 1x16x16",
    ),
    "an image the generator cannot make": (
        {"image_size": 18},
        "image_size is 18, which this generator cannot make.*multiple of 4, such as 16 or 20",
    ),
    "convolutions of points": ({"dataset": "ring"}, "is convolutional and needs images"),
    "equal targets": (
        {"loss": "least-squares", "loss.real_target": 0.0},
        "real_target.* 0.*fake_target",
    ),
    "most labels flipped": ({"flip_labels": 0.7}, r"flip_labels is 0\.7; allowed is 0 to 0\.5"),
    "an unknown change": ({"augment": "blur"}, "augment is 'blur'; allowed is one of color, translation, cutout"),
    "the same penalty twice": ({"penalties": "r1,r1"}, "penalties are r1, r1; each may be given once"),
    "the same change twice": ({"augment": "color,color"}, "augment is color, color; each may be given once"),
}  # fmt: skip


@pytest.mark.parametrize("name", SENSELESS)
def test_senseless_combinations_are_refused_with_a_sentence_that_teaches(name):
    changes, sentence = SENSELESS[name]
    with pytest.raises(ValueError, match=sentence) as caught:
        check(tiny(**changes))
    assert_teaches(caught.value)


def test_points_take_labels_spectral_norm_dropout_and_noise():
    made = recipe("toy-ring").change({
        **PROJECTION, "generator.spectral_norm": True, "discriminator.spectral_norm": True, "generator.dropout": 0.1,
        "loss": "hinge", "instance_noise": 0.1, "penalties": "r1", "noise": "truncated", "stop_images": 512,
    })  # fmt: skip
    check(made)
    steps = list(train(made))
    assert len(steps) == 2
    assert all(math.isfinite(step.discriminator_loss) for step in steps)


def test_spectral_norm_hides_no_layer_from_the_estimated_memory():
    """It adds two vectors a weight, which are no activations."""
    plain = tiny(batch_size=64, **PROJECTION)
    under = plain.change({"generator.spectral_norm": True, "discriminator.spectral_norm": True})
    assert memory_needed(under) == memory_needed(plain)


def test_attention_maps_are_counted_in_the_estimated_memory():
    """At a side s they hold s^2 times s^2 / 4 values a sample, more than all other layers of a large map."""
    plain = tiny(batch_size=10)
    attending = plain.change({"generator.attention": 8})
    convolutions = 64 * (1 + 1 + 4 + 8)  # query and key 8 / 8 maps, value 8 / 2, out 8
    weights = (8 * 1 + 1) * 2 + (8 * 4 + 4) + (4 * 8 + 8) + 1
    expected = 4 * (5 * weights + 2 * 10 * (convolutions + 64 * 16))
    assert memory_needed(attending) - memory_needed(plain) == expected


def test_what_is_refused_is_refused_before_training_too():
    for name in ("projection without labels", "attention where the generator has no map"):
        with pytest.raises(ValueError, match=SENSELESS[name][1]):
            build_networks(tiny(**SENSELESS[name][0]))
