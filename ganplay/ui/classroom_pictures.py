"""The newest pictures of runs, small, at an address of their own: a browser fetches each once, whoever looks."""

from __future__ import annotations

import asyncio
import io
from functools import lru_cache

from PIL import Image
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ganplay.ui.saved import saved

SIDE = 256  # pixels of the longer side, twice what the board shows


def address(id: str, images: int) -> str:
    """Where a browser finds the picture saved after that many images."""
    return f"/thumbnails/{id}/{images}.jpg"


@lru_cache(maxsize=512)
def small(id: str, images: int) -> bytes:
    """A saved picture as a small JPEG.

    Raises:
        ValueError: there is no such run or picture.
    """
    drawn = saved(id, images)
    drawn.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    drawn.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def route() -> Route:
    """The address for the server."""

    async def answer(request: Request) -> Response:
        try:
            found = await asyncio.to_thread(small, request.path_params["id"], request.path_params["images"])
        except ValueError as error:
            return PlainTextResponse(str(error), 404)
        return Response(found, media_type="image/jpeg", headers={"Cache-Control": "public, max-age=604800, immutable"})

    return Route("/thumbnails/{id}/{images:int}.jpg", answer)
