"""`/openapi.json`: the description, made once for each process."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

import orjson
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from crm_api.http.openapi.document import render


@dataclass(frozen=True, slots=True)
class _Document:
    body: bytes
    etag: str


def _made(app: FastAPI) -> _Document:
    body = orjson.dumps(render(app))
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    return _Document(body, f'"{digest}"')


def build_openapi_router() -> APIRouter:
    """The route `/openapi.json`. Needs no token. Making the document takes a second, so it is made in a thread, on first request."""
    router = APIRouter(tags=["Operation"])
    lock = asyncio.Lock()
    kept: list[_Document] = []

    @router.get("/openapi.json", response_model=None)
    async def get_openapi(request: Request) -> Response:
        async with lock:
            if not kept:
                kept.append(await asyncio.to_thread(_made, request.app))
        document = kept[0]
        headers = {"ETag": document.etag, "Cache-Control": "public, no-cache"}
        given = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
        if document.etag in given:
            return Response(status_code=304, headers=headers)
        return Response(document.body, headers=headers, media_type="application/json")

    return router
