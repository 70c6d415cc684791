"""`/docs`: the interactive reference, served whole from this process; nothing is loaded from elsewhere.

Swagger UI's files come from the package `fastapi-standalone-docs` (only its static files are used). The page has no
inline script or style, so that a strict Content-Security-Policy can hold.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import NotFound
from crm_api.http.middleware.compression import choose

_PACKAGE: Final = "fastapi-standalone-docs"
_SWAGGER: Final = "fastapi_standalone_docs/static/swagger/"
_ASSETS: Final = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "LICENSE": "text/plain; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
}
_OWN: Final = frozenset({"docs.js", "docs.css"})

# Swagger UI sets style attributes from script, which is no inline style in the sense of the policy, and draws its icons
# from data: addresses. Calls may only go to the server that gave the page.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class _Asset:
    body: bytes
    compressed: bytes
    media_type: str
    etag: str


@cache
def _asset(name: str) -> _Asset:
    """Reads and compresses a file once; the largest is 1.6 MB and takes 40 ms."""
    if name in _OWN:
        body = files("crm_api.http").joinpath("assets", name).read_bytes()
    else:
        # By the list of installed files, not by import: the package's code has no business in this process.
        body = Path(str(distribution(_PACKAGE).locate_file(_SWAGGER + name))).read_bytes()
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    return _Asset(body, gzip.compress(body, 6, mtime=0), _ASSETS[name], f'"{digest}"')


def _etags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}


def build_docs_router() -> APIRouter:
    """The routes `/docs` and `/docs/assets/{name}`; they are pages, not operations, so the description leaves them out."""
    router = APIRouter(include_in_schema=False)
    page = files("crm_api.http").joinpath("assets", "docs.html").read_bytes()

    @router.get("/docs")
    async def get_docs() -> Response:
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "X-Frame-Options": "DENY"}
        return Response(page, media_type="text/html; charset=utf-8", headers=headers)

    @router.get("/docs/assets/{name}")
    async def get_docs_asset(name: str, request: Request) -> Response:
        if name not in _ASSETS:
            raise NotFound
        asset = _asset(name)
        headers = {"ETag": asset.etag, "Cache-Control": "public, max-age=86400", "Vary": "Accept-Encoding"}
        if asset.etag in _etags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        if choose(request.headers.get("accept-encoding", "").encode("latin-1", "replace")) is None:
            return Response(asset.body, headers={**headers, "Content-Type": asset.media_type})
        return Response(asset.compressed, headers={**headers, "Content-Type": asset.media_type, "Content-Encoding": "gzip"})

    return router
