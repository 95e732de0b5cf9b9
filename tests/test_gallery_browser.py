"""The page of pretrained checkpoints in a real browser: look, download, compare, draw again, all without a network."""

from __future__ import annotations

import os
import zipfile

import pytest
from browser import chromium, page, server

from ganplay.paths import bundled_checkpoints

pytestmark = pytest.mark.skipif(
    chromium() is None and not os.environ.get("CI"), reason="needs Chromium or Chrome on the path"
)
NAME = "quick-digits"


def test_a_checkpoint_is_seen_downloaded_and_drawn_from_without_a_network(tmp_path):
    with server(tmp_path / "home") as (address, _), page(390, 900) as tab:
        errors, foreign = [], []
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("request", lambda request: foreign.append(request.url) if "//localhost" not in request.url else None)

        # All of them, and one's files
        tab.goto(f"{address}/pretrained")
        tab.get_by_role("img", name=f"Samples of {NAME}").first.wait_for()
        card = tab.get_by_test_id("stVerticalBlock").filter(has=tab.get_by_role("img", name=f"Samples of {NAME}")).last
        assert card.get_by_role("link", name="Studio").get_attribute("href").endswith(f"?source=checkpoint:{NAME}")
        card.get_by_role("button", name="Card and files").click()
        with tab.expect_download() as download:
            tab.get_by_role("button", name="All files").click()
        with zipfile.ZipFile(download.value.path()) as archive:
            weights = archive.read(f"{NAME}/model.safetensors")
        assert weights == (bundled_checkpoints() / NAME / "model.safetensors").read_bytes()
        assert tab.evaluate("document.documentElement.scrollWidth") == 390

        # A link to one, drawn anew with another seed
        tab.goto(f"{address}/pretrained?models={NAME}&seed=5")
        tab.get_by_role("img", name=f"Samples of {NAME}, seed 5").wait_for()
        tab.get_by_role("button", name="Other noise").click()
        tab.get_by_role("img", name=f"Samples of {NAME}, seed 6").wait_for()
        assert "seed=6" in tab.url
        tab.get_by_test_id("stVegaLiteChart").first.wait_for()
        assert not errors
        assert not [url for url in foreign if url.startswith("http")]
