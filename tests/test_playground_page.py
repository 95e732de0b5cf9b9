"""The playground's page under Streamlit's test driver, with a stand-in for the process that trains."""

from __future__ import annotations

import json
import re
import shlex
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ganplay.building import build_networks
from ganplay.charts import playground as charts
from ganplay.data import datasets
from ganplay.losses import losses
from ganplay.playground.client import Answer
from ganplay.playground.script import Script, change, new
from ganplay.recipes import recipe
from ganplay.stories import stories
from ganplay.stories.story import Story
from ganplay.ui import (
    playground,
    playground_parts,
    playground_share,
    playground_stories,
    playground_surface,
    playground_world,
)

pytestmark = pytest.mark.usefixtures("no_workers")


class StandIn:
    """Knows scripts and carries out changes; trains nothing."""

    def __init__(self) -> None:
        self.scripts: dict[str, str] = {}
        self.done: list[dict[str, Any]] = []
        self.curves: dict[str, Any] = {"losses": [], "measures": []}

    def new(self, text: str) -> str:
        self.scripts[f"id-{len(self.scripts)}"] = text
        return f"id-{len(self.scripts) - 1}"

    def start(self) -> None:
        """There is no process."""

    def script(self, id: str) -> str:
        return self.scripts[id]

    def ask_and_wait(self, operation: str, id: str, **more: Any) -> Answer:
        if operation == "curves":
            return Answer(200, json.dumps(self.curves).encode())
        action = more["action"]
        self.done.append(action)
        script = Script.read(self.scripts[id])
        if action["restart"]:
            found = [one.change(action["changes"]) for one in script.at_event(script.passed(script.at))]
            self.scripts[id] = new(*found).text()
        else:
            event = change(script.at, action["changes"], action["member"])
            self.scripts[id] = script.with_event(event).text()
        return Answer(200, b"{}")


@pytest.fixture
def server(monkeypatch) -> StandIn:
    stand_in = StandIn()
    monkeypatch.setattr(playground_world, "client", lambda: stand_in)
    return stand_in


@pytest.fixture
def canvas(monkeypatch) -> SimpleNamespace:
    """What the reader does on the canvas, and what the canvas was told last."""
    seen = SimpleNamespace(now=None, part=None, layers=None, member=None, lost=None, told=None)

    def stand_in(data: dict[str, Any], key: str) -> SimpleNamespace:
        seen.told = data
        return seen

    monkeypatch.setattr(playground, "canvas", stand_in)
    return seen


def opened(**query: str) -> AppTest:
    """The page alone, as its address opens it."""

    def page() -> None:
        from ganplay.ui.playground import playground

        playground()

    app = AppTest.from_function(page, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def number(app: AppTest, label: str, place: int = 0) -> Any:
    return [found for found in app.number_input if found.label == label][place]


def asked(app: AppTest, name: str = "gan") -> str:
    value = app.query_params[name]
    return value if isinstance(value, str) else value[0]


def said(app: AppTest) -> str:
    return "\n".join(box.value for box in [*app.error, *app.warning, *app.info, *app.success])


def test_all_sets_in_the_plane_are_offered(server, canvas) -> None:
    app = opened()
    assert not app.exception
    data = next(found for found in app.selectbox if found.label == "Data")
    assert set(data.options) == {part.title for part in map(datasets.__getitem__, datasets) if part.native == (2,)}


def test_a_link_restores_recipes_events_and_position(server, canvas) -> None:
    second = recipe("toy-ring").change({"loss": "wasserstein", "penalties": "gradient-penalty", "noise": "uniform"})
    first = recipe("toy-ring").change({"noise": "uniform"})
    script = new(first, second).moved(40).with_event(change(40, {"critic_steps": 3}, 1)).moved(300)
    app = opened(gan=script.text())
    assert not app.exception
    assert list(server.scripts.values()) == [script.text()]
    assert asked(app) == script.text()
    assert canvas.told["noise"] == "uniform"
    assert canvas.told["names"][1] == "B: wasserstein, gradient-penalty and 1 more"
    assert [number(app, "Discriminator steps a round", place).value for place in (0, 1)] == [1, 3]


@pytest.mark.parametrize("text", ["nonsense", "5~r;loss=wasser", "5~r~r~r", "9" * 3_000, "0~r;s=digits"])
def test_a_link_that_makes_no_sense_is_told_and_the_page_works(text: str, server, canvas) -> None:
    app = opened(gan=text)
    assert not app.exception
    assert "link cannot be followed" in said(app)
    assert list(server.scripts.values()) == [new(recipe("toy-ring")).text()]


def test_a_learning_rate_changes_in_mid_run_and_more_units_start_over(server, canvas) -> None:
    app = opened(gan=new(recipe("toy-ring")).moved(500).text())
    number(app, "Learning rate").set_value(0.0002)
    app.run()
    assert not app.exception
    assert server.done == [
        {"do": "change", "member": None, "changes": {"generator_optimiser.learning_rate": 0.0002}, "restart": False}
    ]
    assert asked(app) == "500~r~c500;go.learning_rate=0.0002"
    next(found for found in app.text_input if found.label == "Widths").set_value("32,32,32")
    app.run()
    assert server.done[-1]["restart"] is True
    assert server.done[-1]["changes"] == {"generator.widths": (32, 32, 32)}
    assert len(server.done) == 2
    assert len(server.scripts) == 1


def test_what_holds_for_one_of_two_is_sent_for_it_alone_and_data_for_both(server, canvas) -> None:
    base = recipe("toy-ring")
    app = opened(gan=new(base, base.change({"loss": "hinge"})).text())
    [found for found in app.selectbox if found.label == "Loss"][1].set_value("wasserstein")
    app.run()
    next(found for found in app.selectbox if found.label == "Data").set_value("two-moons")
    app.run()
    assert not app.exception
    assert [(one["member"], one["changes"].get("loss"), one["changes"].get("dataset")) for one in server.done] == [
        (1, "wasserstein", None), (None, None, "two-moons"),
    ]  # fmt: skip


def test_a_value_that_is_refused_is_told_and_changes_nothing(server, canvas) -> None:
    app = opened()
    next(found for found in app.text_input if found.label == "Widths").set_value("64,zero")
    app.run()
    assert not app.exception
    assert "widths" in said(app)
    assert server.done == []


def test_the_switch_makes_two_alike_from_the_beginning_and_one_again(server, canvas) -> None:
    script = new(recipe("toy-ring")).moved(70).with_event(change(70, {"batch_size": 64})).moved(90)
    app = opened(gan=script.text())
    app.toggle[0].set_value(True)
    app.run()
    assert not app.exception
    assert canvas.told["names"] == ["A", "B"]
    both = Script.read(list(server.scripts.values())[-1])
    assert both.at == 0
    assert [one.batch_size for one in both.recipes] == [64, 64]
    app.toggle[0].set_value(False)
    app.run()
    assert canvas.told["names"] == ["The GAN"]


def test_going_back_before_a_change_shows_the_settings_of_then(server, canvas) -> None:
    script = new(recipe("toy-ring")).moved(100).with_event(change(100, {"batch_size": 64})).moved(200)
    app = opened(gan=script.text())
    assert number(app, "Batch size").value == 64
    server.scripts["id-0"] = script.moved(50).text()  # the canvas asked the server itself, and tells the page
    canvas.now = {"playing": False, "script": script.moved(50).text()}
    app.run()
    assert not app.exception
    assert number(app, "Batch size").value == 256
    assert server.done == []  # to look back is no change
    assert asked(app) == script.moved(50).text()


def test_what_the_canvas_tells_of_the_moment_before_a_change_undoes_nothing_in_the_address(server, canvas) -> None:
    before = new(recipe("toy-ring")).moved(80)
    app = opened(gan=before.text())
    number(app, "Batch size").set_value(64)
    app.run()
    changed = before.with_event(change(80, {"batch_size": 64})).text()
    assert asked(app) == changed
    canvas.now = {"playing": False, "script": before.text()}
    app.run()
    assert not app.exception
    assert asked(app) == changed
    assert number(app, "Batch size").value == 64


def test_a_playground_that_the_server_has_lost_begins_again_from_its_link(server, canvas) -> None:
    app = opened(gan=new(recipe("toy-ring")).moved(30).text())
    canvas.lost = "id-0"
    app.run()
    assert not app.exception
    assert list(server.scripts.values()) == [new(recipe("toy-ring")).moved(30).text()] * 2


def test_what_the_address_hides_is_not_there(server, canvas) -> None:
    app = opened(hide="settings,predict,export,curves,nonsense")
    assert not app.exception
    assert not app.radio
    assert not app.number_input
    assert canvas.told["hide"] == ["predict", "settings", "curves", "export"]


def test_layers_and_part_come_from_the_address_and_go_into_it(server, canvas) -> None:
    app = opened(layers="real,arrows,nonsense", part="discriminator")
    assert canvas.told["layers"] == ["real", "arrows"]
    assert any(found.value == "**Discriminator D**" for found in app.markdown)
    canvas.layers, canvas.part = ["heat"], "loss_g"
    app.run()
    assert (asked(app, "layers"), asked(app, "part")) == ("heat", "loss_g")
    assert any(found.value == "**Loss of G**" for found in app.markdown)
    canvas.layers, canvas.part = [], ""
    app.run()
    assert "part" not in app.query_params
    app.run()
    assert canvas.told["layers"] == []


def test_the_prediction_is_compared_with_the_measures_of_this_run(server, canvas) -> None:
    canvas.now = {"playing": False, "script": new(recipe("toy-ring")).moved(2_500).text()}
    measures = {"kl": 2.0, "js": 0.3, "of": 8, "reverse_kl": 0.5, "high_quality": 0.4}
    server.curves["measures"] = [measures | {"at": at, "modes": at // 500} for at in range(0, 3_000, 500)]
    app = opened()
    app.radio[0].set_value("seven or eight")
    assert "It went otherwise: at iteration 2,000 it covered 4 of 8 modes" in said(app.run())
    app.radio[0].set_value("three to six")
    assert "That is what happened" in said(app.run())


PLAYED = [kind for kind in stories if stories[kind].page == "playground" and stories[kind]().recipes(0)]


class Units(Story):
    """A story for the tests."""

    kind, page, title = "units", "playground", "Few units"
    question, answers, answer = "Which covers more modes?", ("2 units", "64 units"), "64 units"
    claim, source, why = "64 units cover all 8 modes.", "nowhere", "Because."

    def recipes(self, seed: int) -> dict[str, Any]:
        base = recipe("toy-ring").change({"seed": seed, "stop_images": 256_000, "title": "For a run"})
        return {"2 units": base.change({"generator.widths": "2"}), "64 units": base}


def test_a_story_asks_first_then_plays_both_and_shows_what_they_did(server, canvas, monkeypatch) -> None:
    monkeypatch.setattr(playground_stories, "offered", lambda: {"units": "Few units"})
    monkeypatch.setattr(playground_stories, "story", lambda kind: Units())
    app = opened()
    next(found for found in app.selectbox if found.label.startswith("A story")).set_value("units")
    app.run()
    start = next(found for found in app.button if found.label == "Play it")
    assert start.disabled
    next(found for found in app.radio if found.label == Units.question).set_value("2 units")
    app.run()
    next(found for found in app.button if found.label == "Play it").click()
    app.run()
    assert not app.exception
    assert [one.generator.widths for one in Script.read(asked(app)).recipes] == [(2,), (64, 64)]
    assert canvas.told["play"]

    measures = {"kl": 2.0, "js": 0.3, "of": 8, "reverse_kl": 0.5, "high_quality": 0.4}
    canvas.now = {"playing": True, "script": asked(app)}
    server.curves["measures"] = [measures | {"at": at, "modes": 3} for at in (0, 900)]
    app.run()
    assert not app.dataframe  # 256,000 images are 1,000 iterations of 256
    server.curves["measures"].append(measures | {"at": 1_010, "modes": 5})
    app.run()
    assert not app.exception
    assert not canvas.told["play"]  # only once
    assert list(app.dataframe[0].value["modes covered"]) == ["5 of 8", "5 of 8"]
    assert "which is not what you said" in "".join(text.value for text in app.markdown)

    number(app, "Batch size").set_value(64)  # another question than the story's
    app.run()
    app.run()
    assert not app.dataframe


@pytest.mark.parametrize("kind", PLAYED)
def test_every_story_of_the_page_can_be_played_in_pairs_from_a_short_link(kind: str) -> None:
    given = list(stories[kind]().recipes(3).values())
    recipes = [playground_stories.fit(one) for one in given]
    for beside in recipes[1:] or [recipes[0]]:
        script = new(recipes[0], beside)
        assert Script.read(script.text()) == script
        assert len(script.text()) < 400
    assert all(500 <= playground_stories.rounds(one) <= 20_000 for one in given)


@pytest.mark.parametrize("loss", losses.names())
def test_the_card_of_every_part_is_drawn_for_every_loss_and_its_text_has_no_commands(loss: str) -> None:
    def page(loss: str) -> None:
        from ganplay.recipes import recipe
        from ganplay.ui import playground_parts

        for part in playground_parts.TITLES:
            playground_parts.show(part, recipe("toy-ring").change({"loss": loss, "penalties": "gradient-penalty"}))

    app = AppTest.from_function(page, args=(loss,), default_timeout=60).run()
    assert not app.exception
    assert len(app.latex) >= 7
    plain = playground_parts.formulas(recipe("toy-ring").change({"loss": loss}))
    assert plain["d"].startswith("L_D = ")
    assert plain["g"].startswith("L_G = ")
    assert not re.search(r"[\\{}]", plain["d"] + plain["g"])


def test_the_tables_of_layers_count_the_parameters_of_the_networks() -> None:
    made = recipe("toy-ring").change({"generator.widths": "7,5", "latent": 1, "discriminator.widths": "9"})
    networks = build_networks(made)
    counts = [
        sum(row["parameters"] for row in playground_parts.layers(made.generator, 1, 2)),
        sum(row["parameters"] for row in playground_parts.layers(made.discriminator, 2, 1)),
    ]
    assert counts == [sum(one.numel() for one in network.parameters()) for network in networks]


def test_the_command_line_says_the_recipe() -> None:
    made = new(recipe("toy-ring").change({"loss": "wasserstein", "penalties": "weight-clip", "seed": 5})).recipe()
    words = shlex.split(playground_share.command(made))
    assert words[:6] == ["python", "-m", "ganplay", "train", "--recipe", "toy-ring"]
    pairs = zip(words[6::2], words[7::2], strict=True)
    assert recipe("toy-ring").change({flag[2:].replace("-", "_"): value for flag, value in pairs}) == made


@pytest.mark.parametrize(("clipped", "said"), [(0.1, "at least the 1.1 times"), (0.38, "less than the 1.1 times")])
def test_the_surfaces_are_compared_with_what_is_claimed(clipped: float, said: str) -> None:
    found = {"Weight clipping": {"detail": clipped}, "Gradient penalty": {"detail": 0.4}}
    assert said in playground_surface.verdict(found)
    assert f"penalty shows 40% and the clipped one {clipped:.0%}" in playground_surface.verdict(found)


def test_the_surfaces_are_trained_when_they_are_asked_for(server, canvas, monkeypatch) -> None:
    made = []

    def computed(data: str, how: str) -> dict[str, Any]:
        made.append((data, how))
        detail = 0.4 if how == "Gradient penalty" else 0.1
        return {"extent": 1.0, "values": [[0.0, 1.0], [2.0, 3.0]], "gap": 1.0, "steepest": 1.2, "detail": detail,
                "real": [(0.0, 0.0)]}  # fmt: skip

    monkeypatch.setattr(playground_surface, "_computed", computed)
    app = opened()
    next(found for found in app.selectbox if found.label.startswith("A story")).set_value(playground_surface.KIND)
    app.run()
    train = next(found for found in app.button if found.label == "Train both critics")
    assert train.disabled
    next(found for found in app.radio if "critic" in found.label).set_value("both alike")
    app.run()
    assert not made
    next(found for found in app.button if found.label == "Train both critics").click()
    app.run()
    app.run()
    assert not app.exception
    assert made == [("8 Gaussians", "Weight clipping"), ("8 Gaussians", "Gradient penalty")]
    assert "You said *both alike*" in said(app)


def test_a_surface_is_drawn_in_bands_from_its_lowest_to_its_highest_value() -> None:
    drawn = charts.surface([[0.0, 1.0], [2.0, 3.0]], 1.0, [(0.5, 0.5)], "Two by two").to_dict()
    cells = drawn["layer"][0]["data"]["values"]
    assert [cell["level"] for cell in cells] == [0, charts.LEVELS // 3, 2 * charts.LEVELS // 3, charts.LEVELS - 1]
    middles = [(cell["x"] + 1, cell["y"] + 1) for cell in cells]  # of cells of width 2
    assert middles == [(-1, -1), (1, -1), (-1, 1), (1, 1)]


def test_curves_leave_out_what_is_unknown_and_what_says_nothing() -> None:
    rows = [{"at": 1, "loss_d": 1.0, "loss_g": None}, {"at": 2, "kl": 0.5, "js": 0.1}]
    drawn = charts.rows("losses", [("A", rows)])
    assert drawn == [{"images": 1, "value": 1.0, "line": "A", "part": "D"}]
    assert "accuracies" not in charts.figures(modes=True, judged=False)
    assert set(charts.figures(modes=False, judged=True)) == {"losses", "accuracies", "divergence"}
    for name in charts.FIGURES:
        drawn = charts.chart(name, ["A", "B"], 8).to_dict()
        assert drawn["encoding"]["x"]["title"] == "iterations"
