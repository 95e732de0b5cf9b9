"""The studio, launched on a free port and used by a program and by a browser."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image
from tiny_runs import train_tiny

from ganplay import paths, pictures, sources
from ganplay.export import export_run
from ganplay.latent import sampling
from ganplay.runs.folder import Run
from ganplay.studio import actions, app, drawing, look

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Studio:
    """A launched studio with a run of digits, a run of points, and the digits as a bundled checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.bundled = folder / "checkpoints"
        self.digits = train_tiny(self.home)
        self.ring = train_tiny(self.home, "toy-ring", score_every=0)
        self.blocks = app.build()
        _, self.url, _ = self.blocks.launch(
            server_name="127.0.0.1", prevent_thread_lock=True, quiet=True, share=False, **app.settings()
        )
        self.client = Client(self.url, verbose=False, download_files=folder / "downloads")

    def call(self, name: str, *values: object) -> np.ndarray:
        """The picture of an endpoint, uint8 (H, W, 3)."""
        with Image.open(self.client.predict(*values, api_name=f"/{name}")) as picture:
            assert picture.format == "PNG"
            return np.asarray(picture.convert("RGB")).astype(int)


@pytest.fixture(scope="module")
def launched(tmp_path_factory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / ".hidden" / "temporary"))  # as below a hidden home
        studio = Studio(folder)
        patch.setenv("GANPLAY_HOME", str(studio.home))
        patch.setattr(paths, "bundled_checkpoints", lambda: studio.bundled)
        export_run(studio.digits, studio.bundled / "tiny-digits")
        yield studio
        studio.blocks.close(verbose=False)


@pytest.fixture
def studio(home, launched, monkeypatch) -> Studio:
    monkeypatch.setenv("GANPLAY_HOME", str(launched.home))
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: launched.bundled)
    return launched


@pytest.fixture
def key(studio) -> str:
    return f"run:{studio.digits.id}"


def cells(picture: np.ndarray, columns: int, count: int, side: int = 32) -> list[np.ndarray]:
    """The images of an enlarged grid, at their own size."""
    factor = picture.shape[1] // (columns * (side + pictures.GAP) + pictures.GAP)
    small = picture[::factor, ::factor]
    step = side + pictures.GAP
    corners = [
        (index // columns * step + pictures.GAP, index % columns * step + pictures.GAP) for index in range(count)
    ]
    return [small[top : top + side, left : left + side] for top, left in corners]


def test_a_program_sees_the_three_endpoints_and_their_names(studio):
    endpoints = studio.client.view_api(return_format="dict")["named_endpoints"]
    assert set(endpoints) == {"/sources", "/sample", "/interpolate"}
    names = {name: [one["parameter_name"] for one in about["parameters"]] for name, about in endpoints.items()}
    assert names["/sample"] == ["source", "seed", "count"]
    assert names["/interpolate"] == ["source", "first_seed", "second_seed", "method", "steps"]
    assert all(about["description"] for about in endpoints.values())


def test_sources_are_what_the_library_lists(studio, key):
    listed = studio.client.predict(api_name="/sources")
    assert [entry["key"] for entry in listed] == ["checkpoint:tiny-digits", f"run:{studio.ring.id}", key]
    assert listed[2] == {
        "key": key, "title": "Tiny quick-digits", "kind": "run", "detail": "digits, 320 images seen, finished",
    }  # fmt: skip


def test_a_sample_is_the_librarys_sample(studio, key):
    expected = pictures.to_bytes(sampling.sample(sources.open_source(key), 7, 10)).astype(int)
    got = cells(studio.call("sample", key, 7, 10), 8, 10)
    assert all(np.abs(one - other).max() <= 1 for one, other in zip(got, expected, strict=True))


def test_the_same_seed_gives_the_same_picture_and_another_does_not(studio, key):
    first = studio.call("sample", key, 7, 9)
    assert np.array_equal(first, studio.call("sample", key, 7, 9))
    assert not np.array_equal(first, studio.call("sample", key, 8, 9))


def test_more_samples_begin_with_the_fewer(studio, key):
    few, many = cells(studio.call("sample", key, 3, 8), 8, 8), cells(studio.call("sample", key, 3, 64), 8, 64)
    assert all(np.abs(one - other).max() <= 1 for one, other in zip(few, many, strict=False))


@pytest.mark.parametrize("method", ["lerp", "slerp"])
def test_the_ends_of_an_interpolation_are_the_samples_of_its_seeds(studio, key, method):
    steps = cells(studio.call("interpolate", key, 3, 4, method, 21), drawing.STRIP_COLUMNS, 21)
    for index, seed in ((0, 3), (-1, 4)):
        alone = cells(studio.call("sample", key, seed, 1), 1, 1)[0]
        assert np.abs(steps[index] - alone).max() <= 1
    assert np.abs(steps[0] - steps[-1]).max() > 1


def test_defaults_of_a_program_are_those_of_the_page(studio, key):
    assert np.array_equal(studio.call("interpolate", key), studio.call("interpolate", key, 0, 1, "slerp", 21))
    assert np.array_equal(studio.call("sample", key), studio.call("sample", key, 0, 64))


def test_a_bundled_checkpoint_is_sampled_like_its_run(studio, key):
    assert np.abs(studio.call("sample", key, 0, 4) - studio.call("sample", "checkpoint:tiny-digits", 0, 4)).max() <= 2


def test_points_are_drawn_as_a_scatter_over_real_ones(studio):
    picture = studio.call("sample", f"run:{studio.ring.id}", 0, 200)
    colours = {tuple(colour) for colour in picture.reshape(-1, 3)}
    assert {pictures.INK, pictures.REAL, pictures.FAKE} <= colours
    assert studio.call("interpolate", f"run:{studio.ring.id}").shape == picture.shape


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("sample", ["", 0, 4], "No checkpoint or run is chosen; choose one from the list."),
        ("sample", ["run:nothing", 0, 4], "'nothing' is not the id of a run"),
        ("sample", ["checkpoint:../home", 0, 4], "There is no checkpoint '../home' in the package"),
        ("sample", [None, 0, 0], "The number of samples is 0; it must be a whole number, 1 to 1,024."),
        ("sample", [None, 0, 2000], "The number of samples is 2000"),
        ("sample", [None, 1.5, 4], "The seed is 1.5"),
        ("sample", [None, "seven", 4], "The seed is seven"),
        ("interpolate", [None, 0, -1, "lerp", 21], "The second seed is -1"),
        ("interpolate", [None, 0, 1, "circle", 21], "There is no interpolation 'circle'; choose one of lerp, slerp."),
        ("interpolate", [None, 0, 1, "lerp", 1], "The number of steps is 1; it must be a whole number, 2 to 1,024."),
    ],
)
def test_a_mistake_of_a_program_is_answered_in_one_sentence(studio, key, name, values, words):
    values = [key if value is None else value for value in values]
    with pytest.raises(AppError) as raised:
        studio.client.predict(*values, api_name=f"/{name}")
    assert words in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_paths_are_never_opened(studio):
    for path in (studio.digits.checkpoints()[0], studio.bundled / "tiny-digits"):
        with pytest.raises(AppError, match="There is no checkpoint or run"):
            studio.client.predict(str(path), 0, 4, api_name="/sample")


def test_many_programs_at_once_get_what_one_gets(studio, key):
    alone = [studio.call("sample", key, seed, 4) for seed in range(4)]
    found: dict[int, np.ndarray] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: found.update({seed: studio.call("sample", key, seed % 4, 4)}))
        for seed in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 12
    assert all(np.abs(picture - alone[seed % 4]).max() <= 1 for seed, picture in found.items())


def test_the_line_about_a_source_says_what_it_makes(studio, key):
    assert actions.describe(key).startswith(
        "Images of 32 x 32 pixels after *Digits (8 x 8 scans)*: 64 gaussian random numbers"
    )
    assert actions.describe(f"run:{studio.ring.id}").endswith("Orange is generated, grey is real.")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_on_a_phone_draws_at_once_asks_no_other_host_and_does_not_scroll_sideways(studio, browser, theme):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    page.goto(f"{studio.url}?__theme={theme}&source=run:{studio.digits.id}")
    picture = page.locator(".picture img").first
    picture.wait_for()
    assert "Tiny quick-digits" in page.get_by_label("Checkpoint or run").input_value()  # the link's, not the first one
    before = picture.get_attribute("src")
    page.get_by_role("slider").first.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('.picture img').src !== before", arg=before)
    page.get_by_role("tab", name="Interpolate").click()
    page.locator(".picture img").last.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    assert [url for url in asked if not url.startswith((studio.url, "data:", "blob:"))] == []
    page.close()


def test_an_empty_studio_says_how_to_get_something_and_finds_it_on_refresh(studio, browser, monkeypatch, tmp_path):
    monkeypatch.setenv("GANPLAY_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: tmp_path / "none")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(studio.url)
    page.get_by_text("There is nothing to sample yet").wait_for()
    assert page.get_by_role("tab", name="Sample").count() == 0
    monkeypatch.setenv("GANPLAY_HOME", str(studio.home))
    page.get_by_role("button", name="Refresh").click()
    page.locator(".picture img").first.wait_for()
    assert not page.get_by_text("There is nothing to sample yet").is_visible()
    page.close()


def test_a_run_deleted_meanwhile_is_one_sentence_on_the_page(studio, browser, monkeypatch):
    run = Run(studio.digits.id, studio.digits.folder)
    page = browser.new_page()
    page.goto(f"{studio.url}?source=run:{run.id}")
    page.locator(".picture img").first.wait_for()
    monkeypatch.setenv("GANPLAY_HOME", str(studio.home / "elsewhere"))
    page.get_by_role("slider").first.press("ArrowRight")
    page.get_by_text(f"There is no run {run.id}; it may have been deleted.").wait_for()
    page.close()


def test_a_file_that_somebody_sends_is_refused_and_leaves_nothing(studio):
    folder = Path(os.environ["GRADIO_TEMP_DIR"])
    before = set(folder.rglob("*"))
    answer = httpx.post(f"{studio.url}gradio_api/upload", files={"files": ("big.bin", bytes(100_000))})
    assert answer.status_code >= 400
    assert set(folder.rglob("*")) == before


def test_the_colours_are_those_of_the_pages():
    import tomllib

    pages = tomllib.loads((Path(app.__file__).parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    theme = look.theme()
    for name, ending in (("light", ""), ("dark", "_dark")):
        assert getattr(theme, f"body_background_fill{ending}") == pages[name]["backgroundColor"]
        assert getattr(theme, f"body_text_color{ending}") == pages[name]["textColor"]
        assert getattr(theme, f"slider_color{ending}") == pages[name]["primaryColor"]
