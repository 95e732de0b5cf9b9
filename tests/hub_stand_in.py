"""A Hub on loopback for the tests: repositories, refusals, and a network that hangs or cuts off.

It knows the routes that `huggingface_hub` takes for a model's files and for a commit, and writes down every request.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

TOKEN = "hf_" + "StandInSecret" * 2


@dataclass
class Repository:
    """Files by revision; the one behind a branch is named by its commit."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    private: bool = False
    gated: bool = False
    large: bool = True  # safetensors files are announced by SHA-256, as the Hub does with large ones

    def commit(self, files: dict[str, bytes], branch: str = "main") -> str:
        sha = hashlib.sha1(repr(sorted((name, content) for name, content in files.items())).encode()).hexdigest()
        self.commits[sha] = dict(files)
        self.branches[branch] = sha
        return sha

    def sha(self, revision: str) -> str | None:
        return self.branches.get(revision, revision if revision in self.commits else None)


@dataclass
class Hub:
    """The stand-in.

    Attributes:
        seen: method, path and token of every request.
        trouble: what happens instead to requests whose path holds a text: a status, "hang", "short" or "change".
        sizes: what is announced for a file instead of its size.
    """

    address: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    trouble: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    pace: float = 0.0  # seconds between two pieces of a file
    closing: threading.Event = field(default_factory=threading.Event)

    def add(self, name: str, files: dict[str, bytes], **options: Any) -> str:
        self.repositories[name] = Repository(**options)
        return self.repositories[name].commit(files)

    def clear(self) -> None:
        """As new."""
        for kept in (self.repositories, self.seen, self.trouble, self.sizes):
            kept.clear()
        self.pace = 0.0

    def tokens(self) -> set[str]:
        return {token for _, _, token in self.seen}


def git_name(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def refusal(status: int, code: str = "") -> Response:
    return JSONResponse({"error": code or str(status)}, status, headers={"X-Error-Code": code} if code else {})


def application(hub: Hub) -> FastAPI:
    app = FastAPI()

    def find(name: str, revision: str, request: Request) -> tuple[Repository, str] | Response:
        repository = hub.repositories.get(name)
        allowed = request.headers.get("authorization") == f"Bearer {TOKEN}"
        if repository is None or (repository.private and not allowed):
            return refusal(401 if not allowed else 404, "RepoNotFound")
        sha = repository.sha(revision)
        return (repository, sha) if sha else refusal(404, "RevisionNotFound")

    @app.middleware("http")
    async def note(request: Request, proceed: Any) -> Response:
        path = request.url.path
        hub.seen.append((request.method, path, request.headers.get("authorization", "").removeprefix("Bearer ")))
        for text, what in hub.trouble.items():
            if text in path and isinstance(what, int):
                return refusal(what)
            if text in path and what == "hang":
                while not hub.closing.is_set():
                    await asyncio.sleep(0.05)
                return refusal(503)
        return await proceed(request)

    @app.get("/api/models/{owner}/{name}")
    @app.get("/api/models/{owner}/{name}/revision/{revision:path}")
    def info(owner: str, name: str, request: Request, revision: str = "main") -> Any:
        found = find(f"{owner}/{name}", revision, request)
        if isinstance(found, Response):
            return found
        repository, sha = found
        gated = "manual" if repository.gated else False
        return {"id": f"{owner}/{name}", "sha": sha, "private": repository.private, "gated": gated, "siblings": []}

    @app.post("/api/models/{owner}/{name}/paths-info/{revision:path}")
    async def paths(owner: str, name: str, revision: str, request: Request) -> Any:
        form = await request.form()
        found = find(f"{owner}/{name}", revision, request)
        if isinstance(found, Response):
            return found
        repository, sha = found
        listed = []
        for path in form.getlist("paths"):
            content = repository.commits[sha].get(path)
            if content is not None:
                size = hub.sizes.get(path, len(content))
                entry = {"type": "file", "path": path, "size": size, "oid": git_name(content)}
                if repository.large and path.endswith(".safetensors"):
                    digest = hashlib.sha256(content).hexdigest()
                    entry["lfs"] = {"oid": digest, "size": size, "pointerSize": 130}
                listed.append(entry)
        return listed

    @app.api_route("/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
    def resolve(owner: str, name: str, revision: str, path: str, request: Request) -> Any:
        found = find(f"{owner}/{name}", revision, request)
        if isinstance(found, Response):
            return found
        repository, sha = found
        allowed = request.headers.get("authorization") == f"Bearer {TOKEN}"
        if repository.gated and not allowed:
            return refusal(403, "GatedRepo")
        content = repository.commits[sha].get(path)
        if content is None:
            return refusal(404, "EntryNotFound")
        headers = {"X-Repo-Commit": sha, "ETag": f'"{git_name(content)}"', "Content-Length": str(len(content))}
        if request.method == "HEAD":
            return Response(headers=headers)
        what = next((what for text, what in hub.trouble.items() if text in f"GET {request.url.path}"), None)
        if what == "short":
            content = content[: len(content) // 2]
            headers["Content-Length"] = str(len(content))
        if what == "change":
            content = content[:-1] + bytes([content[-1] ^ 1])
        return StreamingResponse(_pieces(hub, content), headers=headers)

    _uploads(app, hub)
    return app


def _pieces(hub: Hub, content: bytes) -> Iterator[bytes]:
    step = max(1, len(content) // 8)
    for start in range(0, len(content), step):
        if hub.pace and start:
            hub.closing.wait(hub.pace)
        yield content[start : start + step]


def _uploads(app: FastAPI, hub: Hub) -> None:
    def may_write(request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    @app.post("/api/repos/create")
    async def create(request: Request) -> Any:
        wanted = await request.json()
        name = f"{wanted['organization']}/{wanted['name']}"
        if not may_write(request):
            return refusal(401)
        if name in hub.repositories:
            return JSONResponse({"error": "exists", "url": f"{hub.address}/{name}"}, 409)
        hub.repositories[name] = Repository(private=wanted.get("visibility") == "private")
        hub.repositories[name].commit({})
        return {"url": f"{hub.address}/{name}", "name": name, "id": name}

    @app.post("/api/validate-yaml")
    async def validate() -> Any:
        return {"errors": [], "warnings": []}

    @app.post("/api/models/{owner}/{name}/preupload/{revision}")
    async def preupload(owner: str, name: str, revision: str, request: Request) -> Any:
        wanted = await request.json()
        files = [{"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in wanted["files"]]
        return {"files": files}

    @app.post("/api/models/{owner}/{name}/commit/{revision}")
    async def commit(owner: str, name: str, revision: str, request: Request) -> Any:
        if not may_write(request):
            return refusal(403)
        lines = [json.loads(line) for line in (await request.body()).splitlines() if line]
        repository = hub.repositories[f"{owner}/{name}"]
        files = dict(repository.commits[repository.branches["main"]])
        for line in lines:
            if line["key"] == "file":
                files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
        sha = repository.commit(files)
        return {"success": True, "commitOid": sha, "commitUrl": f"{hub.address}/{owner}/{name}/commit/{sha}"}


@contextmanager
def stand_in_hub() -> Iterator[Hub]:
    """A running stand-in; its `address` is what HF_ENDPOINT is set to."""
    hub = Hub()
    server = uvicorn.Server(uvicorn.Config(application(hub), port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    hub.address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield hub
    finally:
        hub.closing.set()
        server.should_exit = server.force_exit = True  # no waiting for connections that a client keeps
        thread.join(10)
