"""The studio used by a person: every tab driven in a real browser."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import httpx
import numpy as np
import pytest
from browser import CHROMIUM_FLAGS, PATIENCE, ROOT, chromium
from PIL import Image
from pixels import enlarged, nearly, pixels

from ganplay import game, hub, paths
from ganplay.drawings import Model
from ganplay.drawings.interpolate import Interpolate
from ganplay.drawings.sample import Sample
from ganplay.export import export_run
from ganplay.hub.cache import ABOUT, About
from ganplay.hub.reference import Reference
from ganplay.runs.folder import Run

pytest_plugins = ["studio_launched"]


@pytest.fixture(scope="module")
def context() -> Iterator[object]:
    """A browser's profile, in which the studio's programs are loaded once."""
    api = pytest.importorskip("playwright.sync_api")
    if chromium() is None and "CI" not in os.environ:
        pytest.skip("no Chromium on this computer")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM_FLAGS))
        yield opened.new_context(accept_downloads=True)
        opened.close()


class Person:
    """Somebody with the studio open."""

    def __init__(self, context: object, url: str, width: int = 1440) -> None:
        self.page = context.new_page()
        self.page.set_viewport_size({"width": width, "height": 1000})
        self.page.set_default_timeout(PATIENCE)
        self.impatient = sys.modules["playwright.sync_api"].TimeoutError
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.url = url

    def open(self, **query: object) -> Person:
        self.page.goto(self.url + "?" + "&".join(f"{name}={value}" for name, value in query.items()))
        return self

    def address(self, which: str = ".picture", place: int = 0) -> str:
        """Where the picture that can be seen comes from."""
        shown = self.page.locator(f"{which} img:visible").nth(place)
        shown.wait_for()
        return shown.get_attribute("src")

    def changed(self, before: str, which: str = ".picture", place: int = 0) -> str:
        """The address of the picture once it is another one."""
        self.page.wait_for_function(
            "([which, place, before]) => { const shown = [...document.querySelectorAll(which + ' img')]"
            ".filter(image => image.offsetParent)[place]; return shown && shown.src !== before && shown.src; }",
            arg=[which, place, before],
        )
        return self.address(which, place)

    def step(self, slider: str) -> None:
        """Moves a slider by one step."""
        self.page.get_by_role("slider", name=slider).press("ArrowRight")

    def command(self) -> str:
        """The command line beside the first picture that can be seen."""
        if not self.page.locator(".again .cm-content:visible").count():
            self.page.locator(".again:visible").first.get_by_text("Make it again").click()
        shown = self.page.locator(".again .cm-content:visible").first
        shown.wait_for()
        return shown.inner_text().strip()

    def commands(self, words: str) -> None:
        """Waits for words in the command line beside the picture."""
        self.command()
        self.page.locator(".again .cm-content:visible", has_text=words).first.wait_for()

    def seen(self) -> np.ndarray:
        """The first picture that can be seen, int64 (H, W, 3)."""
        answer = httpx.get(self.address())
        path = Path(os.environ["GRADIO_TEMP_DIR"]) / "seen.png"
        path.write_bytes(answer.content)
        with Image.open(path) as picture:
            return pixels(picture)

    def says(self, text: str) -> None:
        """Waits for words on the page."""
        self.page.get_by_text(text).first.wait_for()

    def choose(self, key: str) -> None:
        """Chooses a run from the list."""
        self.page.get_by_label("Checkpoint or run").click()
        self.page.get_by_role("option", name=key.removeprefix("run:")).click()

    def answer(self, key: str, round: str) -> None:
        """Presses a key until the page asks for the next round, and waits for it: a press that comes too early asks
        for nothing, and once one is taken, however slow the answer, another would be taken for the next round."""
        for _ in range(50):
            try:
                with self.page.expect_request(lambda request: "/queue/join" in request.url, timeout=1_000):
                    self.page.keyboard.press(key)
            except self.impatient:
                continue
            return self.page.get_by_text(round).wait_for(state="hidden")
        raise AssertionError(f"{round} never ended.")

    def done(self) -> None:
        assert self.errors == []
        self.page.close()


@pytest.fixture
def person(studio, context) -> Iterator[Person]:
    somebody = Person(context, studio.url)
    yield somebody
    somebody.done()


def test_the_shown_command_makes_the_shown_picture(person, told, studio, tmp_path):
    before = person.open(source=told).address()
    person.step("range slider for Seed")
    person.changed(before)
    command = shlex.split(person.command())
    assert command[:2] == ["python", "-m"]
    environment = {**os.environ, "GANPLAY_HOME": str(studio.home)}
    made = subprocess.run(
        [sys.executable, *command[1:], "--scale", "1"], cwd=tmp_path, env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert "sample.png" in made.stdout
    shown = person.seen()
    with Image.open(tmp_path / "sample.png") as picture:
        assert nearly(enlarged(picture, shown), shown)


def test_samples_follow_every_control_and_are_downloaded_one_by_one(person, told, tmp_path):
    shown = person.open(source=told, seed=5).address()
    person.commands("--seed 5")
    for slider in ("How many samples", "Truncation", "Seed"):
        person.step(f"range slider for {slider}")
        shown = person.changed(shown)
    person.page.get_by_label("Class", exact=True).click()
    person.page.get_by_role("option", name="7", exact=True).click()
    shown = person.changed(shown)
    person.commands("--class 7")
    person.page.get_by_role("button", name="New seed").click()
    person.changed(shown)
    with person.page.expect_download() as download:
        person.page.get_by_role("button", name="All pictures as a ZIP file").click()
    download.value.save_as(tmp_path / "samples.zip")
    with zipfile.ZipFile(tmp_path / "samples.zip") as packed:
        assert len(packed.namelist()) == 61  # the 60 that fill a grid of ten classes, and one step
        assert all(name.endswith("-7.png") for name in packed.namelist())


def test_the_way_through_three_key_pictures_moves_until_it_is_another_way(person, told):
    shown = person.open(source=told, tab="interpolate").address()
    person.page.get_by_role("radio", name="3", exact=True).click()
    shown = person.changed(shown)
    person.page.get_by_role("slider", name="range slider for Seed 3").wait_for()
    person.page.get_by_label("straight line (lerp)").click()
    shown = person.changed(shown)
    person.commands("--seeds 0,1,2 --method lerp")
    person.page.get_by_role("button", name="Animate").click()
    assert "interpolate.webp" in person.address(".moving")
    with person.page.expect_download() as download:
        person.page.get_by_role("button", name="The animation as a GIF file").click()
    assert download.value.suggested_filename == "interpolate.gif"
    person.page.get_by_label("Class", exact=True).nth(1).click()
    person.page.get_by_role("option", name="8", exact=True).click()
    person.changed(shown)
    person.commands("--classes 0,8,0")
    assert person.page.locator(".moving img:visible").count() == 0  # it was that of the way before


def test_terms_are_edited_and_a_wrong_one_is_told(person, key):
    shown = person.open(source=key, tab="arithmetic").address()
    person.page.get_by_label("Seeds 2").fill("9")
    person.page.get_by_label("Seeds 2").press("Enter")
    shown = person.changed(shown)
    person.commands("+1:0/1/2,-1:9,+1:6/7/8")
    person.page.get_by_label("of typical noise").click()
    person.changed(shown)
    person.page.get_by_label("Seeds 1").fill("one")
    person.page.get_by_label("Seeds 1").press("Enter")
    person.says("The term '1:one' is not a weight and its seeds")


def test_classes_make_a_grid_or_a_reason_and_the_open_tab_follows_the_source(person, told, key, studio):
    shown = person.open(source=told, tab="classes").address()
    person.step("range slider for Columns")
    person.changed(shown)
    studio.forget()
    person.choose(key)
    person.says("This generator is unconditional: nobody can ask it for a class")
    assert person.page.locator(".picture img:visible").count() == 0


def test_a_tab_that_is_drawn_late_is_not_taken_for_the_open_one(person, told, key, monkeypatch):
    released = threading.Event()
    interpolated = Interpolate.show
    monkeypatch.setattr(Interpolate, "show", lambda *given: released.wait(PATIENCE / 1_000) and interpolated(*given))
    person.open(source=told).address()
    person.page.get_by_role("tab", name="Interpolate").click()
    person.page.get_by_role("tab", name="Class grid").click()
    person.address()
    released.set()
    person.page.wait_for_function("document.querySelectorAll('.picture img').length === 3")
    person.choose(key)
    person.says("This generator is unconditional: nobody can ask it for a class")


def test_a_late_picture_of_the_source_before_does_not_stay(person, told, key, monkeypatch):
    held, released, sampled = threading.Event(), threading.Event(), Sample.show

    def show(drawing: Sample, model: Model) -> object:
        if drawing.count == 59 and not held.is_set():
            held.set()
            released.wait(PATIENCE / 1_000)
        return sampled(drawing, model)

    monkeypatch.setattr(Sample, "show", show)
    person.open(source=told).address()
    person.page.get_by_role("slider", name="range slider for How many samples").press("ArrowLeft")
    assert held.wait(PATIENCE / 1_000)
    person.choose(key)
    person.commands(f"sample {key.removeprefix('run:')} --count 59")
    mine = person.address()
    person.page.evaluate(
        """() => {
          window.shown = [];
          const note = () => window.shown.push(document.querySelector(".picture img")?.src);
          new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
        }"""
    )
    released.set()
    person.page.wait_for_function(
        "mine => window.shown.some(one => one && one !== mine) && window.shown.at(-1) === mine", arg=mine
    )
    person.commands(f"sample {key.removeprefix('run:')} --count 59")


def test_a_control_that_is_moved_while_a_source_is_entered_is_not_forgotten(person, told, key, monkeypatch):
    held, released, sampled = threading.Event(), threading.Event(), Sample.show
    person.open(source=told).address()

    def show(drawing: Sample, model: Model) -> object:
        if not held.is_set():
            held.set()
            released.wait(PATIENCE / 1_000)
        return sampled(drawing, model)

    monkeypatch.setattr(Sample, "show", show)
    person.choose(key)
    assert held.wait(PATIENCE / 1_000)
    person.step("range slider for Seed")
    person.commands(f"sample {key.removeprefix('run:')} --seed 1 --count 60")
    released.set()
    person.commands(f"sample {key.removeprefix('run:')} --seed 1 --count 64")  # the grid of a source without classes


def test_sliders_of_directions_move_the_sample_and_go_back(person, key, told, studio):
    strip = person.open(source=key, tab="directions").address()
    sample = person.address(place=1)
    person.step("range slider for Boldness")
    assert person.changed(strip) != strip
    person.changed(sample, place=1)
    person.commands("--moves 0.1")
    person.page.get_by_role("button", name="Reset", exact=True).click()
    person.page.wait_for_function(
        "before => [...document.querySelectorAll('.picture img')].some(image => image.src === before)", arg=sample
    )
    person.page.get_by_label("factorisation (SeFa)").click()
    person.page.get_by_role("slider", name="range slider for Direction 1").wait_for()
    person.commands("--method sefa")
    studio.forget()
    person.choose(told)
    person.commands(f"directions {told.removeprefix('run:')} --method sefa")


def test_neighbours_come_with_their_distances_and_what_these_do_not_see(person, key):
    shown = person.open(source=key, tab="neighbours").address()
    person.step("range slider for How many samples")
    person.changed(shown)
    person.says("nearest distance")
    person.says("does not prove that nothing was copied")
    assert person.page.locator(".distances tbody tr").count() == 6


def test_a_game_is_played_with_the_keyboard_and_judged_at_the_end(person, told, studio, monkeypatch):
    monkeypatch.setattr("ganplay.studio.tabs.game.random.randrange", lambda most: 77)
    person.open(source=told, tab="game")
    answers = []
    for place in range(game.ROUNDS):
        person.says(f"Round {place + 1} of 20: {game.hint(told, 77, place)}")
        assert person.page.get_by_text("it was").count() == 0
        answers.append(place % 3 == 0)
        if place == 5:
            studio.forget()
        person.answer("r" if answers[-1] else "g", f"Round {place + 1} of 20")
    expected = game.verdict(told, 77, answers)
    person.says(f"You had {expected['right']} of 20 right")
    person.says(expected["sentence"])
    seen = "count => [...document.querySelectorAll('.beaten img')].filter(one => one.offsetParent).length === count"
    person.page.wait_for_function(seen, arg=len(expected["beaten"]))
    person.page.keyboard.press("r")  # once too often
    person.page.get_by_role("button", name="New game").click()
    person.says("Round 1 of 20")


def test_tabs_that_points_cannot_fill_say_why(person, studio):
    assert person.open(source=f"run:{studio.ring.id}", tab="arithmetic").address()
    for tab in ("Directions", "Neighbours", "Real or fake?"):
        person.page.get_by_role("tab", name=tab).click()
        person.page.locator(".note:visible").get_by_text("points, not images").wait_for()


def test_a_model_of_the_hub_is_waited_for_and_chosen_when_it_is_here(person, studio, monkeypatch):
    folder = paths.hub_folder() / Reference.parse("hub:someone/digits").folder
    going = [hub.Fetch("waiting", 0, "It waits."), hub.Fetch("loading", 0.4, "Downloading someone/digits")]
    monkeypatch.setattr(hub, "fetch", lambda key, retry=False: going.pop(0) if len(going) > 1 else going[0])
    person.open()
    person.address()
    person.page.get_by_text("A model on the Hugging Face Hub").click()
    person.page.get_by_role("button", name="Load", exact=True).click()
    person.says("No repository is given")
    person.page.get_by_label("Repository").fill("someone/digits")
    person.page.get_by_role("button", name="Load", exact=True).click()
    person.says("Downloading someone/digits (40%)")
    person.page.get_by_role("button", name="Do not wait").click()
    person.says("The download goes on without you.")
    person.page.get_by_role("button", name="Load", exact=True).click()
    person.page.get_by_role("button", name="Do not wait").wait_for()
    studio.forget()
    export_run(studio.digits, folder)
    (folder / ABOUT).write_text(json.dumps(asdict(About("someone/digits", "main", "0" * 40))))
    going[:] = [hub.Fetch("ready", 1.0, "someone/digits is on this computer.")]
    person.page.wait_for_function("document.querySelector('.source input').value.includes('Hub')")
    person.commands("sample hub:someone/digits")


def test_who_no_longer_waits_for_a_download_is_not_made_to_wait_by_a_late_answer(person, monkeypatch):
    held, asked, released = threading.Event(), threading.Event(), threading.Event()

    def fetch(key: str, retry: bool = False) -> hub.Fetch:
        if held.is_set():
            asked.set()
            released.wait(PATIENCE / 1_000)
        return hub.Fetch("loading", 0.4, "Downloading someone/digits")

    monkeypatch.setattr(hub, "fetch", fetch)
    person.open().address()
    person.page.get_by_text("A model on the Hugging Face Hub").click()
    person.page.get_by_label("Repository").fill("someone/digits")
    person.page.get_by_role("button", name="Load", exact=True).click()
    person.says("Downloading someone/digits (40%)")
    held.set()
    assert asked.wait(PATIENCE / 1_000)
    person.page.get_by_role("button", name="Do not wait").click()
    person.says("The download goes on without you.")
    released.set()
    person.page.get_by_label("Repository").fill("")  # the answer to this comes after the late one
    person.page.get_by_role("button", name="Load", exact=True).click()
    person.says("No repository is given")
    person.says("The download goes on without you.")
    assert person.page.get_by_role("button", name="Do not wait").count() == 0


def test_every_tab_fits_a_phone_and_asks_no_other_host(studio, context, told):
    person = Person(context, studio.url, width=390)
    asked: set[str] = set()
    person.page.on("request", lambda request: asked.add(request.url))
    person.open(source=told, __theme="dark")
    for name in ("Sample", "Interpolate", "Arithmetic", "Class grid", "Directions", "Neighbours", "Real or fake?"):
        person.page.get_by_role("tab", name=name).click()
        person.page.locator(".picture img:visible, .riddle img:visible").first.wait_for()
        assert person.page.evaluate("document.documentElement.scrollWidth") <= 390, name
        assert person.page.get_by_text("Textbox").locator("visible=true").count() == 0, "a part of the page's own"
    assert person.page.evaluate("document.body.classList.contains('dark')")
    person.open(source=told, __theme="light").address()
    assert not person.page.evaluate("document.body.classList.contains('dark')")
    assert [url for url in asked if not url.startswith((studio.url, "data:", "blob:"))] == []
    person.done()


def test_an_empty_studio_says_how_to_get_something_and_finds_it_on_refresh(person, studio, monkeypatch, tmp_path):
    monkeypatch.setenv("GANPLAY_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: tmp_path / "none")
    person.open().says("There is nothing to sample yet")
    assert person.page.get_by_role("tab", name="Sample").count() == 0
    monkeypatch.setenv("GANPLAY_HOME", str(studio.home))
    person.page.get_by_role("button", name="Refresh").click()
    assert person.address()
    assert not person.page.get_by_text("There is nothing to sample yet").is_visible()


def test_a_run_deleted_meanwhile_is_one_sentence_on_the_page(person, studio, monkeypatch):
    run = Run(studio.digits.id, studio.digits.folder)
    person.open(source=f"run:{run.id}").address()
    monkeypatch.setenv("GANPLAY_HOME", str(studio.home / "elsewhere"))
    person.step("range slider for Seed")
    person.says(f"There is no run {run.id}; it may have been deleted.")
