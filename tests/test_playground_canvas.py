"""The canvas in a real browser: alone with a stand-in behind it, and once on the page with the process that trains."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from browser import CHROMIUM_FLAGS, PATIENCE, chromium, server
from playground_stand_in import StandIn, serving

from ganplay.ui import playground_canvas

pytestmark = pytest.mark.skipif(
    chromium() is None and not os.environ.get("CI"), reason="needs Chromium or Chrome on the path"
)
AT = "Number(document.querySelector('.playground').dataset.at)"
TOLD = "window.told"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        yield launched
        launched.close()


@contextmanager
def mounted(browser, members: int = 1, context: dict[str, Any] | None = None, **data: Any) -> Iterator[Any]:
    """(tab, world): the canvas with its first frame."""
    with serving(members, **data) as (address, world):
        opened = browser.new_context(viewport={"width": 1000, "height": 1000}, **(context or {}))
        opened.set_default_timeout(PATIENCE)
        tab, errors = opened.new_page(), []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(address)
        tab.wait_for_function(f"{AT} >= 0")
        yield tab, world
        opened.close()
        assert not errors


def click(tab, name: str) -> None:
    tab.get_by_role("button", name=name, exact=True).click()


def until(condition: Callable[[], bool]) -> None:
    """Waits for something that the browser sets going."""
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("It did not happen within a minute.")


def still(tab) -> str:
    """The picture of the plane once nothing moves in it any more."""
    plane = tab.locator(".plane canvas").first
    before = plane.evaluate("one => one.toDataURL()")
    for _ in range(40):
        tab.wait_for_timeout(250)
        after = plane.evaluate("one => one.toDataURL()")
        if after == before:
            return after
        before = after
    raise AssertionError("The picture does not come to rest.")


def test_play_moves_the_points_pause_stops_them_and_time_travel_leads_back(browser) -> None:
    with mounted(browser) as (tab, world):
        first = still(tab)
        click(tab, "Play")
        tab.wait_for_function(f"{AT} >= 60")
        click(tab, "Pause")
        until(lambda: not world.playing)
        paused = still(tab)
        assert paused != first
        slider = tab.get_by_role("slider")
        assert int(slider.get_attribute("max")) == world.last
        slider.press("Home")
        tab.wait_for_function(f"{AT} === 0")
        assert still(tab) == first
        assert world.done[-1] == {"do": "seek", "at": 0}
        assert tab.evaluate(f"{TOLD}.filter(([name]) => name === 'now').at(-1)[1]") == {
            "playing": False, "script": "0~r",
        }  # fmt: skip


def test_points_stand_between_two_frames_on_their_way(browser) -> None:
    """The first fake seen in the middle of the way lies between where it was and where it goes."""
    with mounted(browser) as (tab, _):
        code = playground_canvas.script().replace("export default", "window.parts = {Motion, mix}; export default")
        between = tab.evaluate(
            """async (code) => {
                await import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})));
                const motion = new window.parts.Motion();
                motion.set({fakes: Float32Array.of(0, 0)}, 1000);
                motion.set({fakes: Float32Array.of(1, 2)}, 1200);
                const at = (now) => [...motion.at(now).fakes];
                return [at(1200), at(1300), at(1400)];
            }""",
            code,
        )
        assert between == [[0, 0], [0.5, 1], [1, 2]]


def test_who_wants_less_motion_sees_frames_at_once(browser) -> None:
    with mounted(browser, context={"reduced_motion": "reduce"}) as (tab, _):
        code = playground_canvas.script().replace("export default", "window.parts = {Motion}; export default")
        moving = tab.evaluate(
            """async (code) => {
                await import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})));
                const motion = new window.parts.Motion();
                motion.set({fakes: Float32Array.of(0, 0)}, 1000);
                motion.set({fakes: Float32Array.of(1, 2)}, 1200);
                return [motion.moving(1201), ...motion.at(1201).fakes];
            }""",
            code,
        )
        assert moving == [False, 1, 2]


def test_every_word_of_the_caption_switches_its_layer(browser) -> None:
    with mounted(browser) as (tab, _):
        for name in playground_canvas.LAYERS:
            word = tab.locator(f"[data-layer={name}]")
            pressed, before = word.get_attribute("aria-pressed"), still(tab)
            word.click()
            assert word.get_attribute("aria-pressed") != pressed
            assert still(tab) != before, name
        told = tab.evaluate(f"{TOLD}.filter(([name]) => name === 'layers').at(-1)[1]")
        assert set(told) == set(playground_canvas.LAYERS) - set(playground_canvas.FIRST_LAYERS)


def test_parts_are_chosen_with_the_mouse_and_the_keyboard(browser) -> None:
    with mounted(browser) as (tab, _):
        click(tab, "Discriminator")
        tab.get_by_role("button", name="Noise z").focus()
        tab.keyboard.press("Enter")
        assert tab.get_by_role("button", name="Noise z").get_attribute("aria-pressed") == "true"
        assert tab.locator(".part[aria-pressed=true]").count() == 1
        tab.keyboard.press("Enter")
        assert tab.locator(".part[aria-pressed=true]").count() == 0
        parts = tab.evaluate(f"{TOLD}.filter(([name]) => name === 'part').map(([, part]) => part)")
        assert parts == ["discriminator", "noise", ""]
        assert tab.evaluate("getComputedStyle(document.querySelector('[data-part=noise]')).outlineWidth") == "3px"


def test_steps_speed_and_slow_motion_reach_the_server_and_light_what_acts(browser) -> None:
    with mounted(browser) as (tab, world):
        for name in ("One step of the generator only", "One step of the discriminator only", "One step of both"):
            click(tab, name)
        tab.get_by_label("Speed").select_option("20")
        click(tab, "Slow motion")
        tab.get_by_text("A batch of real points").wait_for()
        assert world.done == [
            {"do": "step", "which": "generator"}, {"do": "step", "which": "discriminator"},
            {"do": "step", "which": "both"}, {"do": "speed", "speed": 20}, {"do": "slow", "on": True},
        ][: len(world.done)]  # fmt: skip
        for stage, acting in enumerate((["noise", "real"], ["fakes", "generator"], ["discriminator", "predictions"],
                                        ["discriminator", "loss_d"], ["generator", "loss_g"])):  # fmt: skip
            world.stage, world.seq = stage, world.seq + 1
            tab.wait_for_function(
                "names => String([...document.querySelectorAll('.part.lit')].map(one => one.dataset.part).sort()) "
                "=== String(names)", arg=acting,
            )  # fmt: skip
        assert tab.locator(".formula").inner_text() == "LG = −log D(G(z))"  # the D and G of losses are subscripts
        assert tab.locator(".numbers").inner_text().split("\n") == ["loss of D", "1.25"]


def test_a_story_plays_by_itself(browser) -> None:
    with mounted(browser, play=True) as (tab, world):
        tab.wait_for_function(f"{AT} >= 60")
        assert [one["do"] for one in world.done] == ["speed", "play"]


def test_what_the_server_refuses_is_told_in_its_words(browser) -> None:
    with mounted(browser) as (tab, _):
        tab.get_by_label("Speed").select_option("1")
        tab.get_by_text("The speed is 1; this stand-in goes no slower than 20.").wait_for()


def test_a_playground_that_is_gone_is_reported_once(browser) -> None:
    with mounted(browser) as (tab, world):
        world.gone = True
        tab.wait_for_function(f"{TOLD}.some(([name]) => name === 'lost')")
        tab.wait_for_timeout(500)
        assert tab.evaluate(f"{TOLD}.filter(([name]) => name === 'lost')") == [["lost", "stand-in"]]


def test_two_gans_have_two_planes_and_the_graph_shows_the_chosen_one(browser) -> None:
    with mounted(browser, members=2) as (tab, _):
        assert tab.locator(".plane").count() == 2
        one = "document.querySelector('[data-part=fakes] canvas').toDataURL()"
        tab.wait_for_timeout(600)
        before = tab.evaluate(one)
        click(tab, "GAN B")
        tab.wait_for_function(f"before => {one} !== before", arg=before)
        assert tab.evaluate(f"{TOLD}.find(([name]) => name === 'member')") == ["member", 1]


def test_a_set_is_drawn_with_the_mouse(browser) -> None:
    with mounted(browser) as (tab, world):
        click(tab, "Draw your own data")
        box = tab.get_by_role("application").bounding_box()
        tab.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
        tab.mouse.down()
        tab.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.5 * box["height"], steps=30)
        tab.mouse.up()
        points = learnt(tab, world)
        xs = [x for x, _ in points]
        assert len(points) > 8
        assert abs(min(xs) + 0.75) < 0.1  # a quarter of the sheet from its left edge, which is -1.5
        assert abs(max(xs) - 0.75) < 0.1
        assert max(abs(y) for _, y in points) < 0.1


def test_a_set_is_drawn_with_a_finger_up_to_the_last_point_that_fits(browser) -> None:
    with mounted(browser, context={"has_touch": True, "is_mobile": True}) as (tab, world):
        tab.get_by_role("button", name="Draw your own data").tap()
        sheet = tab.get_by_role("application")
        sheet.scroll_into_view_if_needed()
        box, session = sheet.bounding_box(), tab.context.new_cdp_session(tab)
        for kind, share in [("touchStart", 0.1), *(("touchMove", 0.1 + step / 150) for step in range(120))]:
            place = {"x": box["x"] + share * box["width"], "y": box["y"] + (0.3 + share / 3) * box["height"]}
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        for _ in range(30):
            sheet.press("Space")
        assert "40 points: the sheet is full" in tab.locator(".drawing output").inner_text()
        assert len(learnt(tab, world)) == 40
        assert tab.evaluate("document.documentElement.scrollWidth") <= 1000


def test_a_set_is_drawn_with_the_keyboard_alone(browser) -> None:
    with mounted(browser) as (tab, world):
        tab.get_by_role("button", name="Draw your own data").focus()
        tab.keyboard.press("Enter")
        for key in ("Space", "ArrowRight", "Space", "ArrowUp", "Shift+ArrowUp", "Space", "Space", "Backspace"):
            tab.keyboard.press(key)
        tab.keyboard.press("Tab")
        tab.keyboard.press("Enter")
        until(lambda: any(one["do"] == "points" for one in world.done))
        assert world.done[-1] == {"do": "points", "restart": True, "points": [[0, 0], [0.075, 0], [0.075, 0.375]]}


def test_the_run_is_saved_as_an_animation_and_its_refusal_is_told(browser) -> None:
    with mounted(browser) as (tab, _):
        click(tab, "Save as animation")
        tab.get_by_text("There is nothing to animate before the first iteration.").wait_for()
        click(tab, "One step of both")
        tab.wait_for_function(f"{AT} === 1")
        with tab.expect_download() as download:
            click(tab, "Save as animation")
        assert download.value.suggested_filename == "playground.webp"
        assert download.value.path().read_bytes() == b"moving"


def learnt(tab, world: StandIn) -> list[list[float]]:
    click(tab, "Learn this")
    until(lambda: any(one["do"] == "points" for one in world.done))
    assert not tab.get_by_role("application").is_visible()
    tab.wait_for_function(f"{TOLD}.some(([name, now]) => name === 'now' && now.script.includes('drawn'))")
    return world.done[-1]["points"]


def test_a_phone_shows_everything_in_its_width(browser) -> None:
    with mounted(browser, members=2) as (tab, _):
        tab.set_viewport_size({"width": 390, "height": 844})
        click(tab, "Slow motion")
        tab.wait_for_timeout(300)
        assert tab.evaluate("document.documentElement.scrollWidth") == 390
        for title in tab.locator(".part .title").all():
            assert title.evaluate("one => one.scrollWidth <= one.parentElement.clientWidth")


def test_the_page_plays_changes_and_its_link_restores_all_in_another_browser(browser, tmp_path) -> None:
    from playwright.sync_api import expect

    at = "document.querySelector('[data-testid=stBidiComponentIsolated]')?.shadowRoot" \
         "?.querySelector('.playground')?.dataset.at"  # fmt: skip
    with server(tmp_path / "home") as (address, _):
        tab = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        tab.set_default_timeout(PATIENCE)
        tab.goto(f"{address}/playground?layers=fakes&part=generator")
        tab.wait_for_function(f"Number({at}) === 0")
        click(tab, "Play")
        tab.wait_for_function(f"Number({at}) > 20")
        click(tab, "Pause")
        tab.get_by_role("button", name="Play", exact=True).wait_for()
        tab.wait_for_url(re.compile(f"gan={tab.evaluate(at)}~"))  # what is typed while the page is drawn can be lost
        tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        tab.get_by_text("Settings · data").click()
        batch = tab.get_by_role("spinbutton", name="Batch size")
        batch.fill("64")
        batch.press("Enter")
        tab.wait_for_url(re.compile("batch_size"))
        told, link, picture = tab.evaluate(at), tab.url, still(tab)
        tab.context.close()

        tab = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        tab.set_default_timeout(PATIENCE)
        tab.goto(link)
        tab.wait_for_function(f"{at} === {told!r}")
        assert still(tab) == picture
        tab.get_by_text("Generator G", exact=True).wait_for()
        tab.get_by_text("Settings · data").click()
        expect(tab.get_by_role("spinbutton", name="Batch size")).to_have_value("64", timeout=PATIENCE)
        tab.context.close()
