"""What surrounds the pages: the environment, the run manager's life, and the studio, which is loaded after the start.

Gradio and torch take seconds to import. The pages answer at once, a thread imports both meanwhile, and a request for
the studio that comes too early waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib
import logging
import math
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Mount, Route

from ganplay import hosting
from ganplay.data.sources import upload_megabytes
from ganplay.paths import home
from ganplay.runs.limits import check_environment
from ganplay.ui import background, classroom_pictures, playground_routes

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

ROUTER = Path(__file__).with_name("router.py")
HEAD_START = 1.5  # seconds in which the first page has both the processor and the import lock for itself
OPENED_LATER = (  # what the pages import when they are first opened
    "ganplay.ui.comparison", "ganplay.ui.vanishing", "ganplay.ui.architectures", "ganplay.ui.evaluate",
    "ganplay.ui.classroom", "ganplay.ui.gallery", "ganplay.ui.study", "ganplay.ui.failure",
    "ganplay.ui.playground",
)  # fmt: skip
_log = logging.getLogger(__name__)


def prepare_environment() -> None:
    """No usage statistics, temporary files below our own folder, and what a hosted server needs besides.

    Values that are set already stay.

    Raises:
        SystemExit: one of our own variables is wrong; one sentence is printed.
    """
    try:
        hosting.prepare()
        check_environment()
        upload_megabytes()
    except ValueError as error:
        print(error, file=sys.stderr)  # Streamlit imports this in a server that swallows what SystemExit says
        raise SystemExit(2) from None
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("GRADIO_TEMP_DIR", str(home() / "temporary"))


class Studio:
    """An ASGI application that stands for the studio until it is there."""

    def __init__(self) -> None:
        self._ready = asyncio.Event()
        self._app: ASGIApp | None = None

    async def live(self, stop: asyncio.Event) -> None:
        """Imports and starts the studio, and keeps it until `stop`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), HEAD_START)
        try:
            app = await asyncio.to_thread(_build_studio)
            async with app.router.lifespan_context(app):
                self._app = app
                self._ready.set()
                await stop.wait()
        except Exception:  # the pages go on without it, and the studio's address says what is wrong
            _log.exception("The studio could not be started.")
        finally:
            self._app = None
            self._ready.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._ready.wait()
        app = self._app or PlainTextResponse("The studio could not be started; the server's log says why.", 503)
        await app(scope, receive, send)


def _build_studio() -> Any:
    """The studio as a FastAPI application. Runs in a thread: it imports torch and Gradio."""
    import torch

    torch.set_num_threads(1)  # sampling for many sessions at once is faster with one thread each
    from ganplay.studio.app import mount

    app = mount()
    for page in OPENED_LATER:
        importlib.import_module(page)
    # Streamlit collects garbage after every run of a page: without this it walks over all of torch each time.
    gc.collect()
    gc.freeze()
    return app


def limit_uploads() -> None:
    """Browser and server refuse what the import of pictures would refuse, whichever command started the server.

    Streamlit reads its own variable for this before it reads our code, and not at all below uvicorn. Its megabytes are
    2^20 bytes, ours 10^6: what lies between is refused by the import.
    """
    from streamlit import config

    config.set_option("server.maxUploadSize", math.ceil(upload_megabytes()))


_studio = Studio()


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Starts the run manager and the studio with the server, and ends both with it."""
    from ganplay.ui.shared import manager

    limit_uploads()
    running = await asyncio.to_thread(manager)
    stop = asyncio.Event()
    studio = asyncio.create_task(_studio.live(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.to_thread(running.close)
        await asyncio.to_thread(playground_routes.close)
        background.background().close()
        await asyncio.wait([studio], timeout=5)


def routes() -> list[Any]:
    """The studio below /studio/, which without the slash would show a page of Streamlit, pictures, the playground."""

    async def add_slash(request: Request) -> RedirectResponse:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{request.scope.get('root_path', '')}/studio/{query}")

    studio = [Route("/studio", add_slash), Mount("/studio", app=_studio)]
    return [*studio, classroom_pictures.route(), *playground_routes.routes()]


def arguments(given: list[str] | None = None) -> dict[str, Any]:
    """The command line of `python app.py` as Streamlit's settings.

    Raises:
        SystemExit: an argument is not allowed, or the port is in use; one sentence is printed.
    """
    parser = argparse.ArgumentParser(description="Serve the ganplay pages and studio.")
    parser.add_argument("--port", type=int, default=hosting.default_port(), help="1 to 65535; %(default)s")
    parser.add_argument("--host", default="", help="address to listen on; all by default")
    parser.add_argument("--browser", action="store_true", help="open a browser")
    chosen = parser.parse_args(given)
    if not 1 <= chosen.port <= 65535:
        parser.error(f"The port is {chosen.port}; it must be 1 to 65535.")
    if not _is_free(chosen.port):
        parser.error(f"Port {chosen.port} is in use; choose another with --port, or stop the program that has it.")
    settings = {"server.port": chosen.port, "server.headless": not chosen.browser} | hosting.server_settings()
    return settings | ({"server.address": chosen.host} if chosen.host else {})


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) != 0
