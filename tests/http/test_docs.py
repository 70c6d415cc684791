"""The reference page: all of it from here, under a strict policy."""

import gzip
import re

import pytest
from fastapi import APIRouter

from tests.http.support import client_of, make_app

pytestmark = pytest.mark.anyio


async def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_inline() -> None:
    async with client_of(make_app(APIRouter())) as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "://" not in page.text
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
        assert " style=" not in page.text
        assert "<style" not in page.text
        addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(addresses) >= 5
        for address in addresses:
            if address.startswith("data:") or address == "openapi.json":
                continue
            asset = await client.get("/" + address)
            assert asset.status_code == 200, address
            assert asset.headers["x-content-type-options"] == "nosniff"
            assert re.match(r"text/(javascript|css); charset=utf-8", asset.headers["content-type"])
            assert "max-age" in asset.headers["cache-control"]


async def test_swagger_ui_is_new_enough_for_openapi_3_1() -> None:
    async with client_of(make_app(APIRouter())) as client:
        script = (await client.get("/docs/assets/swagger-ui-bundle.js")).text
    version = re.search(r'PACKAGE_VERSION:"(\d+)\.', script)
    assert version
    assert int(version.group(1)) >= 5
    assert "isOAS31" in script


async def test_assets_are_compressed_once_and_revalidated() -> None:
    async with client_of(make_app(APIRouter())) as client:
        packed = await client.get("/docs/assets/swagger-ui.css", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        plain = await client.get("/docs/assets/swagger-ui.css", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == packed.content  # the client unpacked it
        assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, 6, mtime=0))
        assert packed.headers.get_list("vary") == ["Accept-Encoding"]
        again = await client.get("/docs/assets/swagger-ui.css", headers={"If-None-Match": f'W/{plain.headers["etag"]}, "x"'})
        assert again.status_code == 304
        assert again.content == b""


@pytest.mark.parametrize("name", ["other.js", "..%2F..%2F__init__.py", "METADATA", "docs.html"])
async def test_only_the_named_files_are_served(name: str) -> None:
    async with client_of(make_app(APIRouter())) as client:
        assert (await client.get(f"/docs/assets/{name}")).status_code == 404
