"""The playground's addresses: what a browser asks while somebody looks, in JSON, beside Streamlit's own connection.

    POST playground/new           {"script": text} -> {"id"}
    GET  playground/<id>/frame    ?after=<seq> -> a newer frame (`ganplay.playground.frames`), or 204 after a second
    GET  playground/<id>/real     the real points
    GET  playground/<id>/curves   ?member=0 -> {"losses", "measures"}
    GET  playground/<id>/recipe   ?member=0 -> the recipe as an ordinary run could train it
    GET  playground/<id>/animation  the run as a moving picture, WebP
    POST playground/<id>/do       {"do": ...} (`ganplay.playground.actions`) -> {"seq", "at", "script"}

Every error is {"error": one sentence}. Ids are unguessable, and the same for whoever has the page's address open.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ganplay.playground.client import Answer, Client
from ganplay.playground.protocol import NOT_FOUND, OK, REFUSED, TOO_LARGE, UNSUPPORTED

MOST_BYTES = 65_536  # of a body: a drawing of 2,000 points fits
LONG = 60.0  # seconds for an animation
_ID = re.compile(r"[A-Za-z0-9_-]{24}")
_FRESH = {"Cache-Control": "no-store"}
_LOOKS = {"frame": {"after": -1}, "real": {}, "curves": {"member": 0}, "recipe": {"member": 0}}  # with their defaults


@st.cache_resource(show_spinner=False)
def client() -> Client:
    """The server's playgrounds; their process starts with the first one."""
    return Client()


def close() -> None:
    """Ends the process with the server."""
    client().close()


def routes() -> list[Route]:
    """The addresses for the server."""
    return [
        Route("/playground/new", _new, methods=["POST"]),
        Route("/playground/{id}/do", _do, methods=["POST"]),
        Route("/playground/{id}/animation", _animation, methods=["GET"]),
        *(Route(f"/playground/{{id}}/{what}", _looking(what), methods=["GET"]) for what in _LOOKS),
    ]


class _RefusedError(Exception):
    """A request that is wrong in itself."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def _new(request: Request) -> Response:
    try:
        content = await _body(request)
        text = content.get("script")
        if not isinstance(text, str):
            raise _RefusedError(REFUSED, "A playground begins with a script, which is a text.")
        id = client().new(text)
    except (_RefusedError, ValueError) as error:
        return _error(getattr(error, "status", REFUSED), str(error))
    answer = await client().ask("frame", id)  # builds it, which says whether the script makes sense
    if answer.status == REFUSED:
        client().forget(id)
        return _response(answer)
    return _response(Answer(OK, json.dumps({"id": id}).encode()))


async def _do(request: Request) -> Response:
    try:
        return _response(await client().ask("do", _id(request), action=await _body(request)))
    except _RefusedError as error:
        return _error(error.status, str(error))


async def _animation(request: Request) -> Response:
    try:
        answer = await client().ask("animation", _id(request), patience=LONG)
    except _RefusedError as error:
        return _error(error.status, str(error))
    if answer.status != OK:
        return _response(answer)
    picture = await asyncio.to_thread(base64.b64decode, answer.body)
    return Response(picture, OK, _FRESH, "image/webp")


def _looking(what: str) -> Callable[[Request], Awaitable[Response]]:
    """What answers a question that changes nothing, with the number that may come with it."""

    async def look(request: Request) -> Response:
        try:
            numbers = {
                name: _number(request.query_params.get(name, str(default)), name)
                for name, default in _LOOKS[what].items()
            }
            return _response(await client().ask(what, _id(request), **numbers))
        except _RefusedError as error:
            return _error(error.status, str(error))

    return look


def _id(request: Request) -> str:
    id = request.path_params["id"]
    if not _ID.fullmatch(id):
        raise _RefusedError(NOT_FOUND, "There is no such playground here any more; start anew.")
    return id


def _number(text: str, name: str) -> int:
    if not re.fullmatch(r"-?\d{1,12}", text, re.ASCII):
        raise _RefusedError(REFUSED, f"{name} is {text[:40]!r}; it must be a whole number.")
    return int(text)


async def _body(request: Request) -> dict[str, Any]:
    """A JSON object of bounded size. Only JSON is read: a form of another site cannot send it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise _RefusedError(UNSUPPORTED, "The playground reads application/json only.")
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            raise _RefusedError(TOO_LARGE, f"The request is larger than {MOST_BYTES:,} bytes.")
    try:
        found = json.loads(bytes(content))
    except (ValueError, RecursionError):
        raise _RefusedError(REFUSED, "The request is not JSON.") from None
    if not isinstance(found, dict):
        raise _RefusedError(REFUSED, "The request is no JSON object.")
    return found


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, _FRESH, "application/json" if answer.body else None)


def _error(status: int, sentence: str) -> Response:
    return Response(json.dumps({"error": sentence}), status, _FRESH, "application/json")
