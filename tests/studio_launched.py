"""A launched studio for the tests that use it: three tiny runs, one of them also as a bundled checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import free_port
from gradio_client import Client
from PIL import Image
from pixels import pixels
from tiny_runs import train_tiny

from ganplay import paths
from ganplay.export import export_run
from ganplay.studio import app

CONDITIONAL = {"generator.conditioning": "batch-norm-embedding", "discriminator.conditioning": "projection"}


class Studio:
    """A studio on a free port with runs of digits (unconditional and conditional), of points, and a checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.bundled = folder / "checkpoints"
        self.digits = train_tiny(self.home)
        self.ring = train_tiny(self.home, "toy-ring", score_every=0)
        self.classes = train_tiny(self.home, **CONDITIONAL)
        self.blocks = app.build()
        _, self.url, _ = self.blocks.launch(
            server_name="127.0.0.1",
            server_port=free_port(),
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            **app.settings(),
        )
        self.client = Client(self.url, verbose=False, download_files=folder / "downloads")

    def forget(self) -> None:
        """Every visitor's session is dropped, as the oldest are when there are too many."""
        self.blocks.state_holder.session_data.clear()

    def call(self, name: str, *values: object, **named: object) -> np.ndarray:
        """The picture of an endpoint, int64 (H, W, 3)."""
        with Image.open(self.client.predict(*values, api_name=f"/{name}", **named)) as picture:
            assert picture.format == "PNG"
            return pixels(picture)


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / ".hidden" / "temporary"))  # as below a hidden home
        made = Studio(folder)
        patch.setenv("GANPLAY_HOME", str(made.home))
        patch.setattr(paths, "bundled_checkpoints", lambda: made.bundled)
        export_run(made.digits, made.bundled / "tiny-digits")
        yield made
        made.blocks.close(verbose=False)


@pytest.fixture
def studio(home: Path, launched: Studio, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setenv("GANPLAY_HOME", str(launched.home))
    monkeypatch.setattr(paths, "bundled_checkpoints", lambda: launched.bundled)
    return launched


@pytest.fixture
def key(studio: Studio) -> str:
    return f"run:{studio.digits.id}"


@pytest.fixture
def told(studio: Studio) -> str:
    """The key of the conditional run."""
    return f"run:{studio.classes.id}"
