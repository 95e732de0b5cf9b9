"""The laboratory in a real browser: break a GAN on points, read the diagnosis, cure it, reload, come back."""

from __future__ import annotations

import os
import re

import pytest
from browser import chromium, page, server
from test_journey import shot, wait_for

pytestmark = pytest.mark.skipif(
    chromium() is None and not os.environ.get("CI"), reason="needs Chromium or Chrome on the path"
)
STORY = "clip-too-small"  # the one whose trainings are the shortest


def test_a_gan_is_broken_diagnosed_and_cured_and_is_still_there_afterwards(tmp_path):
    with server(tmp_path / "home") as (address, _), page() as tab:
        errors = []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(f"{address}/failure-modes?failure={STORY}")
        start = tab.get_by_test_id("stMain").get_by_role("button", name="Break it", exact=False).last
        start.wait_for()

        # Predict first: before that nothing can be broken
        assert start.is_disabled()
        tab.get_by_test_id("stRadio").locator("label").filter(has_text="millionth").click()
        wait_for(start.is_enabled, "the way to the button")
        start.click()

        # Break and diagnose
        tab.get_by_text("Finished:").first.wait_for()
        tab.get_by_text("Gradients vanish layer by layer").first.wait_for()
        tab.get_by_text("The claim holds on these runs").wait_for()
        shot(tab, "failure-1-broken")

        # Cure from the same seed
        tab.get_by_role("button", name="gradient penalty", exact=True).click()
        cure = tab.get_by_role("button", name="Run the cures")
        wait_for(cure.is_enabled, "the choice of the cure")
        cure.click()
        wait_for(lambda: tab.get_by_text("Finished:").count() == 2, "the end of the cure")
        tab.get_by_text(re.compile(r"Measured: .*gradient penalty: ")).wait_for()
        assert tab.get_by_text("The claim holds on these runs").count() == 1
        shot(tab, "failure-2-cured")

        # Reload, then another page and back: the runs are still there
        tab.reload()
        wait_for(lambda: tab.get_by_text("Finished:").count() == 2, "the return of both runs after a reload")
        tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Runs").click()
        tab.get_by_role("heading", level=1, name="Runs").wait_for()
        tab.get_by_test_id("stSidebarNav").get_by_role("link", name="Failure modes").click()
        tab.get_by_role("heading", level=1, name="Failure modes").wait_for()
        wait_for(lambda: tab.get_by_text("Finished:").count() == 2, "the return of both runs from another page")
        assert STORY in tab.url
        assert not errors
