"""The requests on the pages about tokens and connections do what the pages say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from crm_api.core.clock import SystemClock, format_timestamp
from tests.api import Api
from tests.docs.support import ROOT, blocks

pytestmark = pytest.mark.anyio


def requests(page: str) -> Iterator[tuple[str, str, str]]:
    """Method, path and body of each request on a page."""
    for block in blocks(ROOT / "docs" / page):
        assert block.language == "http"
        line, _, body = block.text.partition("\n")
        method, _, path = line.partition(" ")
        yield method, path, body


async def _send(api: Api, request: tuple[str, str, str], known: Mapping[str, str]) -> Any:
    method, path, body = (re.sub(r"\{([a-z0-9_ ]+)\}", lambda match: known[match[1]], part) for part in request)
    return await api.ok(method, path, **({"json": json.loads(body)} if body.strip() else {}))


async def test_the_page_about_tokens(api: Api) -> None:
    [profile] = (await api.ok("GET", "/v1/profiles", params={"key": "standard"}))["data"]
    known = {"profile_id": profile["id"], "in 90 days": format_timestamp(SystemClock().now() + timedelta(days=90))}
    asked = list(requests("tokens.md"))
    assert [(method, path) for method, path, _ in asked] == [
        ("POST", "/v1/tokens"),
        ("POST", "/v1/tokens"),
        ("POST", "/v1/tokens/{id}/secret/rotate"),
        ("DELETE", "/v1/tokens/{id}"),
        ("POST", "/v1/tokens/revoke"),
    ]
    newsletter = await _send(api, asked[0], known)
    service = await _send(api, asked[1], known)
    assert (newsletter["kind"], service["kind"]) == ("personal", "service")
    known |= {"id": newsletter["id"], "token": service["token"]}
    assert (await _send(api, asked[2], known))["secret"] != newsletter["token"]
    assert (await _send(api, asked[3], known))["revoked_at"] is not None
    assert await _send(api, asked[4], known) == {"revoked": True}


async def test_the_page_about_connections(api: Api) -> None:
    asked = list(requests("connections.md"))
    assert [(method, path) for method, path, _ in asked] == [
        ("POST", "/v1/connections"),
        ("PUT", "/v1/connections/{id}/secret"),
        ("POST", "/v1/connections/{id}/test"),
        ("DELETE", "/v1/connections/{id}/secret"),
    ]
    made = await _send(api, asked[0], {})
    assert (await _send(api, asked[1], made))["status"] == "ready"
    tried = await _send(api, asked[2], made)
    assert (tried["ok"], tried["status_code"], tried["error"]) == (False, None, "The address could not be reached.")
    assert (await _send(api, asked[3], made))["status"] == "no_secret"
