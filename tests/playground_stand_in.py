"""A playground without any training behind it: a tiny server whose frames are a formula of the iteration.

It serves the canvas component alone, as Streamlit would mount it, and writes down everything the browser sends.
"""

from __future__ import annotations

import base64
import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import uvicorn
from browser import free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ganplay.ui import playground_canvas

EXTENT, SIDE, LINES, FAKES = 1.5, 21, 11, 60
PAGE = """<!doctype html><meta name="viewport" content="width=device-width"><style>%s

html {--st-text-color: #1f2733; --st-background-color: #fdfcfa} body {margin: 1rem}</style><div id="here"></div>
<script type="module">import mount from "./canvas.js";
window.told = [];
const data = %s;
const tell = (name, value) => {window.told.push([name, value]); if (name in data) data[name] = value; draw();};
const draw = () => (window.unmount = mount({parentElement: document.getElementById("here"), data: {...data},
  setStateValue: tell, setTriggerValue: tell}));
draw();</script>"""


def data(members: int = 1, **changes: Any) -> dict[str, Any]:
    """What the page tells the canvas."""
    formulas = {"d": "L_D = −log D(x) − log(1 − D(G(z)))", "g": "L_G = −log D(G(z))"}
    return {
        "id": "stand-in", "script": "0~r", "dataset": "ring",
        "names": ["GAN A", "GAN B"][:members], "formulas": [formulas] * members, "noise": "gaussian",
        "layers": list(playground_canvas.FIRST_LAYERS), "part": None, "hide": [], "page": "canvas",
        "speeds": [[1, "1 a frame"], [20, "20 a frame"]], "drawing": {"extent": 1.5, "most": 40}, "play": False,
        "colours": playground_canvas.COLOURS,
    } | changes  # fmt: skip


def coded(values: np.ndarray) -> str:
    """Coordinates as a frame carries them."""
    return base64.b64encode(np.clip(values / EXTENT * 32767, -32767, 32767).astype("<i2").tobytes()).decode()


class StandIn:
    """The state of the one playground there is, and what it was told to do."""

    def __init__(self, members: int) -> None:
        self.members, self.done = members, []
        self.at = self.last = self.seq = 0
        self.speed, self.playing, self.stage, self.gone, self.history = 20, False, None, False, ""

    def act(self, action: dict[str, Any]) -> None:
        self.done.append(action)
        self.seq += 1
        match action["do"]:
            case "play" | "pause" as which:
                self.playing = which == "play"
            case "step":
                self.at += 1
            case "points":
                self.at = self.last = 0
                self.history = ";s=drawn"
            case "seek":
                self.at, self.playing = action["at"], False
            case "slow":
                self.stage = 0 if action["on"] else None
            case "speed":
                self.speed = action["speed"]
        self.last = max(self.last, self.at)

    def frame(self) -> dict[str, Any]:
        if self.playing:
            self.at += self.speed
            self.last, self.seq = max(self.at, self.last), self.seq + 1
        return {
            "seq": self.seq, "at": self.at, "last": self.last, "playing": self.playing, "speed": self.speed,
            "rate": 160.0 if self.playing else 0.0, "stage": self.stage, "numbers": {"loss of D": 1.25}, "target": None,
            "script": f"{self.at}~r{self.history}", "error": None, "extent": EXTENT,
            "members": [self.member(index) for index in range(self.members)],
        }  # fmt: skip

    def member(self, index: int) -> dict[str, Any]:
        turn = self.at / 100 + index
        angles = np.linspace(0, 2 * np.pi, FAKES, endpoint=False) + turn
        fakes = (0.4 + 0.3 * math.sin(turn)) * np.stack([np.cos(angles), np.sin(angles)], 1)
        axis = np.linspace(-EXTENT, EXTENT, SIDE)
        x, y = np.meshgrid(axis, axis)
        heat = 255 / (1 + np.exp(6 * (0.8 - np.hypot(x, y) + 0.2 * np.sin(3 * turn))))
        u, v = np.meshgrid(np.linspace(-1, 1, LINES), np.linspace(-1, 1, LINES))
        warped = np.stack([u * (0.5 + 0.2 * v), v * (0.5 + 0.2 * np.cos(turn + u))], 2)
        return {
            "fakes": coded(fakes), "heat": base64.b64encode(heat.astype(np.uint8).tobytes()).decode(),
            "heat_side": SIDE, "low": -3.0, "high": 3.0, "warped": coded(warped), "warped_shape": [LINES, LINES],
            "arrows": coded(np.concatenate([fakes, fakes * 0.3], 1)), "arrow_scale": 1.0, "loss_d": 1.2, "loss_g": 0.8,
            "accuracy_real": 0.7, "accuracy_fake": 0.9,
            "measures": {"kl": 0.31, "js": 0.07, "modes": 7, "of": 8, "high_quality": 0.83, "reverse_kl": 0.11},
        }  # fmt: skip


def real() -> dict[str, Any]:
    angles = np.repeat(2 * np.pi * np.arange(8) / 8, 20)
    noise = np.random.default_rng(0).normal(0, 0.04, (160, 2))
    return {"points": coded(np.stack([np.cos(angles), np.sin(angles)], 1) + noise), "extent": EXTENT, "centres": []}


def application(world: StandIn, told: dict[str, Any]) -> Starlette:
    async def page(request: Request) -> HTMLResponse:
        return HTMLResponse(PAGE % (playground_canvas.style(), json.dumps(told)))

    async def code(request: Request) -> Response:
        return Response(playground_canvas.script(), media_type="text/javascript")

    async def frame(request: Request) -> JSONResponse:
        import asyncio

        if world.gone:
            return JSONResponse({"error": "There is no such playground."}, 404)
        await asyncio.sleep(0.1)
        return JSONResponse(world.frame())

    async def points(request: Request) -> JSONResponse:
        return JSONResponse(real())

    async def animation(request: Request) -> Response:
        if world.at == 0:
            return JSONResponse({"error": "There is nothing to animate before the first iteration."}, 400)
        return Response(b"moving", media_type="image/webp")

    async def do(request: Request) -> JSONResponse:
        action = await request.json()
        if action.get("speed") == 1:
            return JSONResponse({"error": "The speed is 1; this stand-in goes no slower than 20."}, 400)
        world.act(action)
        return JSONResponse({})

    # below a base path, as behind a proxy
    return Starlette(routes=[
        Route("/some/base/canvas", page), Route("/some/base/canvas.js", code),
        Route("/some/base/playground/stand-in/frame", frame), Route("/some/base/playground/stand-in/real", points),
        Route("/some/base/playground/stand-in/animation", animation),
        Route("/some/base/playground/stand-in/do", do, methods=["POST"]),
    ])  # fmt: skip


@contextmanager
def serving(members: int = 1, **changes: Any) -> Iterator[tuple[str, StandIn]]:
    """The address of the canvas alone, and the world behind it."""
    world, port = StandIn(members), free_port()
    config = uvicorn.Config(application(world, data(members, **changes)), port=port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}/some/base/canvas", world
    finally:
        server.should_exit = True
        thread.join(10)
