"""A playground's link holds everything, and refuses in one sentence what it cannot mean."""

from __future__ import annotations

import random
import string

import pytest

from ganplay.losses import losses
from ganplay.playground.limits import MOST_EVENTS, MOST_ITERATIONS, MOST_TEXT, work
from ganplay.playground.script import DISCRIMINATOR, GENERATOR, Event, Script, change, new
from ganplay.recipes import recipe

RING = recipe("toy-ring")
UNRESERVED = set(string.ascii_letters + string.digits + "-._~;=,*%")


def eventful():
    """Two GANs, and something of everything."""
    weight = {"penalties": "gradient-penalty", "penalties.gradient-penalty.weight": 3}
    other = RING.change({"loss": "wasserstein"} | weight)
    script = new(RING, other)
    script = script.with_event(Event(0, DISCRIMINATOR)).with_event(Event(0, DISCRIMINATOR))
    script = script.moved(120).with_event(change(120, {"generator_optimiser.learning_rate": 1e-4}, 1))
    return script.moved(300).with_event(Event(300, GENERATOR)).with_event(change(300, {"dataset": "grid"})).moved(450)


def test_a_link_restores_the_script():
    script = eventful()
    assert Script.read(script.text()) == script
    assert len(script.text()) < 200


def test_a_link_needs_no_escapes():
    titled = new(RING.change({"title": "50 % ~ both; a=b, &c"}))
    assert Script.read(titled.text()) == titled
    for script in (eventful(), titled):
        assert set(script.text()) <= UNRESERVED


@pytest.mark.parametrize("name", losses.names())
def test_every_loss_survives_the_link(name):
    script = new(RING.change({"loss": name}))
    assert Script.read(script.text()).recipes[0].loss == script.recipes[0].loss


def test_recipes_follow_the_events():
    script = eventful()
    assert script.moved(119).recipe(1).generator_optimiser.learning_rate == 1e-3
    assert script.moved(120).recipe(1).generator_optimiser.learning_rate == 1e-4
    assert script.moved(450).recipe(0).generator_optimiser.learning_rate == 1e-3
    assert {one.dataset.kind for one in script.at_event(4)} == {"grid"}
    assert script.recipe(0).stop_images == 450 * 256


def test_single_updates_in_a_row_are_one_event():
    assert eventful().events[0] == Event(0, DISCRIMINATOR, times=2)


def test_a_dragged_slider_leaves_one_event():
    path = "generator_optimiser.learning_rate"
    script = new(RING)
    for rate in (1e-4, 2e-4, 3e-4):
        script = script.with_event(change(0, {path: rate}))
    assert len(script.events) == 1
    assert script.recipe().generator_optimiser.learning_rate == 3e-4


def test_another_part_is_never_joined_with_the_one_before():
    script = new(RING)
    for name in ("sgd", "adam"):
        script = script.with_event(change(0, {"generator_optimiser": name}))
    assert len(script.events) == 2


def test_a_change_in_the_past_forgets_what_came_after():
    script = eventful().moved(200).with_event(change(200, {"loss": "hinge"}, 0))
    assert [event.at for event in script.events] == [0, 120, 200]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with its iteration"),
        ("x~r", "begins with its iteration"),
        ("5", "given 0 recipes"),
        ("5~r~r~r", "1 or 2 recipes"),
        (f"{MOST_ITERATIONS + 1}~r", "0 to 200,000"),
        ("5~r;loss=zz", "no loss 'zz'"),
        ("5~r;loss", "name=value"),
        ("5~r;dataset=digits", "2-D set"),
        ("5~r~r;seed=3", "share the data and the noise"),
        ("5~r;batch_size=4096;g.widths=4096,4096", "million multiply-adds"),
        ("5~r~c3;seed=3", "start anew"),
        ("5~r~c3;g.widths=3", "start anew"),
        ("5~r~c3;latent=7", "start anew"),
        ("5~r~c3;batch_size=0", "batch_size is 0"),
        ("5~r~c5;loss=hinge~c4;loss=hinge", "allowed is 5 to"),
        ("5~r~c3.1;loss=hinge", "no member 1"),
        ("5~r~c3", "names one setting"),
        ("5~r~d3.0", "those of all members"),
        ("5~r~d3*0", "1 to 1,000 in a row"),
        ("5~r~d3;loss=hinge", "those of all members"),
        ("5~r~x3", "begins with c, d or g"),
        ("5~r" + "~d1" * (MOST_EVENTS + 1), f"at most {MOST_EVENTS}"),
        ("5~r;title=" + "x" * MOST_TEXT, "2,000 characters"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(text, said):
    with pytest.raises(ValueError, match=said) as refused:
        Script.read(text)
    assert len(str(refused.value)) < 400
    assert "\n" not in str(refused.value)


def test_damaged_links_never_raise_anything_else():
    source, text = random.Random(0), eventful().text()
    for _ in range(150):
        letters = list(text)
        for _ in range(source.randint(1, 4)):
            letters[source.randrange(len(letters))] = source.choice("~;=.,*cdgr0123%é²")
        try:
            Script.read("".join(letters))
        except ValueError:
            continue


def test_a_history_that_no_link_can_hold_is_refused():
    script, last = new(RING), ""
    with pytest.raises(ValueError, match=r"no longer fits|at most"):
        for at in range(1_000):
            script = script.moved(at).with_event(change(at, {"loss": ("hinge", "minimax")[at % 2]}))
            last = script.text()
    assert Script.read(last) == script


def test_work_counts_what_a_forward_and_backward_pass_multiply():
    made = RING.change({"generator.widths": "10", "discriminator.widths": "10", "batch_size": 2})
    made_products, seen_products = 2 * 10 + 10 * 2, 2 * 10 + 10
    assert work(made) == 2 * (made_products + 6 * seen_products + 3 * made_products + 3 * seen_products)
