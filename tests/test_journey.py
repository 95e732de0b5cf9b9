"""The main journey in a real browser: two runs start, their charts move, they survive a reload, one is sampled."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from browser import button, chromium, page, server

from ganplay.ui.navigation import ENTRIES

SHOTS = Path(os.environ.get("GANPLAY_SCREENSHOTS", "")) if os.environ.get("GANPLAY_SCREENSHOTS") else None

pytestmark = pytest.mark.skipif(
    chromium() is None and not os.environ.get("CI"), reason="needs Chromium or Chrome on the path"
)


def shot(tab, name):
    if SHOTS:
        SHOTS.mkdir(parents=True, exist_ok=True)
        tab.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def wait_for(condition, what, seconds=180):
    """The condition's first true value; the deadline is for what hangs, not for what is slow."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.25)
    raise AssertionError(f"{what} did not happen within {seconds} seconds")


def images_seen(tab):
    """The numbers of images on the cards, in order."""
    text = tab.locator("body").inner_text()
    return [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) images(?: ·|\n)", text)]


def both_seen(tab):
    """The numbers of images on both cards; a page that is being drawn again may miss one for a moment."""
    return wait_for(lambda: len(now := images_seen(tab)) == 2 and now, "the appearance of both cards")


def grown(tab, seen, least=1):
    """Whether every card shows at least that many images more than `seen`."""
    now = images_seen(tab)
    return len(now) == len(seen) and all(new >= old + least for new, old in zip(now, seen, strict=True))


def charts(tab):
    return tab.locator('[data-testid="stVegaLiteChart"]')


def test_two_runs_train_survive_a_reload_and_one_is_sampled(tmp_path):
    with server(tmp_path / "home") as (address, _), page() as tab:
        errors, foreign = [], []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("request", lambda request: foreign.append(request.url) if not _is_local(request.url) else None)

        # Open the app, go to the training page by its link, start two runs on digits
        tab.goto(address)
        tab.get_by_role("heading", level=1).first.wait_for()
        shot(tab, "1-home")
        tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Train side by side").click()
        tab.get_by_role("button", name="Start", exact=True).wait_for()
        shot(tab, "2-setup")
        tab.get_by_role("button", name="Start", exact=True).click()

        # See both charts move
        wait_for(lambda: len(images_seen(tab)) == 2 and min(images_seen(tab)) > 2_000, "training of both runs")
        wait_for(lambda: charts(tab).count() >= 4, "the appearance of the charts")
        before, seen = [charts(tab).nth(index).screenshot() for index in range(4)], both_seen(tab)
        wait_for(lambda: grown(tab, seen, least=2_000), "progress")
        wait_for(
            lambda: all(charts(tab).nth(index).screenshot() != before[index] for index in range(4)), "moving charts"
        )
        shot(tab, "3-training")

        # Reload: the runs are still there and still going
        seen = both_seen(tab)
        tab.reload()
        wait_for(lambda: grown(tab, seen), "the return of both runs after a reload")

        # Stop one; the other goes on
        button(tab, "Stop").first.click()
        wait_for(lambda: tab.get_by_text("Stopped at").count() == 1, "the end of the first run")
        seen = max(both_seen(tab))
        wait_for(lambda: max(both_seen(tab)) > seen, "progress of the other run")
        shot(tab, "4-stopped")

        # Sample the other in the studio: stop it first, so that it has a checkpoint
        button(tab, "Stop").first.click()
        wait_for(lambda: tab.get_by_text("Stopped at").count() == 2, "the end of the second run")
        tab.goto(f"{address}/studio/")
        wait_for(lambda: tab.locator("img").count() >= 1, "the first picture of the studio")
        tab.get_by_label(re.compile("checkpoint|run", re.I)).first.click()
        tab.get_by_role("option", name=re.compile("wasserstein")).click()
        first = tab.locator("img").first.get_attribute("src")
        tab.get_by_role("button", name=re.compile("new seed", re.I)).click()
        wait_for(lambda: tab.locator("img").first.get_attribute("src") != first, "another picture")
        assert "images" in tab.get_by_text("trained on").inner_text()
        shot(tab, "5-studio")

        assert not errors
        assert not foreign


def _is_local(url):
    return re.match(r"(https?|wss?)://(localhost|127\.0\.0\.1)[:/]|data:|blob:|about:", url) is not None


PAGES = tuple(entry.address for entry in ENTRIES.values())


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_every_page_opens_by_its_link_and_fits_the_screen(tmp_path, width, scheme):
    with server(tmp_path / "home") as (address, _), page(width, 900, scheme) as tab:
        errors = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        for name in PAGES:
            tab.goto(f"{address}/{name}")
            tab.locator("h1, iframe").first.wait_for()
            wait_for(lambda: tab.get_by_test_id("stStatusWidget").count() == 0, f"the end of drawing /{name}")
            shot(tab, f"{width}-{scheme}-{name or 'home'}")
            assert tab.get_by_test_id("stException").count() == 0
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert not errors
