"""What pages load beside themselves: one style sheet of ours."""

from __future__ import annotations

import hashlib

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from crm_api.http.pages.render import STYLE, stylesheet


def build_assets_router() -> APIRouter:
    """The route of the style sheet."""
    router = APIRouter(include_in_schema=False)
    body = stylesheet()
    etag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'

    @router.get(STYLE)
    async def get_style(request: Request) -> Response:
        headers = {"ETag": etag, "Cache-Control": "public, max-age=3600"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="text/css")

    return router
