"""OWASP API2 and API5: without a token, with a token of no use, and as a user whose profile allows nothing, on every route."""

from __future__ import annotations

import httpx
import pytest

from tests.access.people import colleague
from tests.access.walk import Operation
from tests.api import Api, unchecked
from tests.security.routes import api_operations, each, plant

pytestmark = pytest.mark.anyio

OPEN = {
    "/v1/tokens/revoke": "whoever has found a token may end it",
    "/v1/files/snapshots/{job_id}/{object}.ndjson": "the address is signed",
}
"""Routes under /v1 that ask for no token, and why."""

ONES_OWN = {
    **dict.fromkeys(("/v1/me", "/v1/me/settings", "/v1/me/recent", "/v1/me/home"), "oneself"),
    **dict.fromkeys(("/v1/me/password", "/v1/me/sessions", "/v1/me/grants", "/v1/me/totp"), "one's own signing in"),
    **dict.fromkeys(("/v1/me/totp/confirm", "/v1/me/totp/recovery_codes", "/v1/me/totp/disable"), "one's own second factor"),
    **dict.fromkeys(("/v1/tokens", "/v1/tokens/{id}", "/v1/tokens/revoke"), "one's own tokens"),
    **dict.fromkeys(("/v1/jobs", "/v1/jobs/{id}", "/v1/jobs/{id}/errors"), "one's own jobs"),
    **dict.fromkeys(("/v1/limits", "/v1/clock", "/v1/org", "/v1/meta/changelog"), "the same for everybody"),
    **dict.fromkeys(("/v1/meta", "/v1/meta/openapi.json", "/v1/meta/types.ts"), "of the schema, what the caller may know"),
    **dict.fromkeys(("/v1/links", "/v1/links/batch/read"), "of the links, those whose ends the caller may see"),
}
"""Routes that everybody has who is somebody, and what they are about."""

LOOKED_AT_FIRST = ("/v1/org", "/v1/search", "/v1/meta/links/{id}/render", "/v1/meta/diff")
"""Routes whose examples are refused for what they say before anybody asks who says it; their own tests hold them to who may."""


async def test_every_route_asks_who_calls(api: Api) -> None:
    """401, and where to go for a token (RFC 9728)."""
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app=api.app, raise_app_exceptions=False), base_url="http://testserver")
    planted = await plant(api, "mine")

    async def ask(operation: Operation) -> httpx.Response:
        return await http.request(operation.method, planted.path(operation), json=operation.body)

    def look(operation: Operation, answer: httpx.Response) -> str | None:
        right = answer.status_code == 401 and "resource_metadata=" in answer.headers.get("www-authenticate", "")
        return None if right or operation.path in OPEN else f"{operation.method} {operation.path}: {answer.status_code}"

    async with http:
        wrong = await each(api_operations(), ask, look)
    assert not wrong, "\n".join(wrong)


async def test_nothing_is_allowed_that_no_profile_allows(api: Api) -> None:
    """Default deny: an empty profile opens nothing but what is about oneself."""
    planted = await plant(api, "mine")
    profile = await api.make("profiles", name="Nothing", permissions={"*": []})
    nobody = await colleague(api, profile_id=profile["id"])
    http = unchecked(api.app, nobody.token)

    async def ask(operation: Operation) -> httpx.Response:
        return await http.request(operation.method, planted.path(operation), json=operation.body)

    def look(operation: Operation, answer: httpx.Response) -> str | None:
        refused = answer.status_code in (403, 404) or (answer.status_code in (400, 422) and operation.path in LOOKED_AT_FIRST)
        return (
            None
            if refused or operation.path in ONES_OWN
            else f"{operation.method} {operation.path}: {answer.status_code} {answer.text[:100]}"
        )

    async with http:
        wrong = await each(api_operations(), ask, look)
    assert not wrong, "\n".join(wrong)


async def test_a_scope_opens_its_own_routes_only(api: Api) -> None:
    """A token for notes finds every other route closed by its scope."""
    planted = await plant(api, "mine")
    narrow = await api.with_scopes("notes:read")
    http = unchecked(api.app, narrow.token)

    async def ask(operation: Operation) -> httpx.Response:
        return await http.request(operation.method, planted.path(operation), json=operation.body)

    def look(operation: Operation, answer: httpx.Response) -> str | None:
        closed = answer.status_code in (403, 404, 400, 422)
        own = operation.path in ONES_OWN or "/notes" in operation.path
        told = f"{operation.method} {operation.path}: {answer.status_code} {answer.text[:100]}"
        return None if closed or own else told

    async with http:
        wrong = await each(api_operations(), ask, look)
    assert not wrong, "\n".join(wrong)
