"""Tickets: what an address of the stream lets in, for how long, and what it leaves behind."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.tokens import generate, parse
from crm_api.db.statement import Statement
from crm_api.flows.event_tickets import clean_tickets
from crm_api.http.app import Application, create_app
from crm_api.http.logging import AccessLog
from crm_api.settings import Settings
from tests.api import Api, new_organization
from tests.http.support import served
from tests.journal.test_stream import Site

pytestmark = pytest.mark.anyio

_LATER = Statement("UPDATE event_tickets SET open_until = open_until - interval '2 minutes' WHERE hash = $1", ("hash",))
_MUCH_LATER = Statement("UPDATE event_tickets SET expires_at = expires_at - interval '2 hours' WHERE hash = $1", ("hash",))
_LEFT = Statement("SELECT count(*) FROM event_tickets WHERE hash = $1", ("hash",))


async def ticket(api: Api, **body: Any) -> str:
    """The path and query of a new ticket's address."""
    made = await api.ok("POST", "/v1/events/tickets", json=body, status=201)
    address = urlsplit(made["url"])
    assert address.path == "/v1/events/stream"
    return f"{address.path}?{address.query}"


async def run(api: Api, statement: Statement, path: str) -> Any:
    secret = parse_qs(urlsplit(path).query)["ticket"][0]
    async with api.app.state.services.database.connection() as connection:
        row = await connection.fetch_row(statement, {"hash": parse(secret, "crm_et_")})
    return None if row is None else row[0]


async def test_a_page_opens_the_stream_without_a_header(site: Site) -> None:
    """From the moment when the ticket was made, with the token's rights; and comes back."""
    api = await site.api.with_scopes("events:read", "deals:read", "deals:write")
    path = await ticket(api, event_types=["deal.*"], exclude_own=False)
    await site.api.make("accounts", name="Not for deals")
    first = await site.api.make("deals", name="Before it was opened")
    async with site.stream(path, headers={"authorization": ""}) as refused:
        assert refused.response.status_code == 400, "one way to say who calls, not two"
    async with without_header(site) as browser, browser.stream("GET", path) as answer:
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["referrer-policy"] == "no-referrer"
        lines = [line async for line in take(answer, 2)]
        assert lines[1]["data"]["record_id"] == first["id"]
        last = lines[1]["id"]
    second = await site.api.make("deals", name="While it was away")
    async with without_header(site) as browser, browser.stream("GET", path, headers={"last-event-id": last}) as answer:
        lines = [line async for line in take(answer, 2)]
        assert lines[1]["data"]["record_id"] == second["id"]
    await api.http.aclose()


def without_header(site: Site) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=site.base, timeout=20)


async def take(answer: httpx.Response, count: int) -> Any:
    """So many messages of a stream."""
    fields: dict[str, Any] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield {**fields, "data": orjson.loads(fields["data"])}
            fields, count = {}, count - 1
            if not count:
                return


async def test_it_ends(site: Site) -> None:
    async with without_header(site) as browser:

        async def status(path: str) -> int:
            async with browser.stream("GET", path) as answer:
                return answer.status_code

        unused, used = await ticket(site.api), await ticket(site.api)
        assert await status(used) == 200
        for path in (unused, used):
            await run(site.api, _LATER, path)
        assert await status(unused) == 401, "it was to be used within a minute"
        assert await status(used) == 200, "who has used it may come back"
        await run(site.api, _MUCH_LATER, used)
        assert await status(used) == 401
        await clean_tickets(site.api.app.state.services.database, SystemClock())
        assert [await run(site.api, _LEFT, path) for path in (unused, used)] == [0, 0]
        for wrong in (f"/v1/events/stream?ticket={generate('crm_et_')[0]}", "/v1/events/stream?ticket=x", f"{used}&ticket=x"):
            assert await status(wrong) == 401


async def test_it_ends_with_its_token(site: Site) -> None:
    api = await site.api.with_scopes("events:read", "tokens:write")
    path, other = await ticket(api), await ticket(api)
    me = (await api.ok("GET", "/v1/me"))["token"]["id"]
    async with without_header(site) as browser:
        async with browser.stream("GET", path) as answer:
            messages = take(answer, 2)
            assert (await anext(messages))["event"] == "ready"
            await site.api.ok("DELETE", f"/v1/tokens/{me}")
            assert (await anext(messages))["data"] == {"reason": "token_revoked"}
        for one in (path, other):
            assert (await browser.get(one)).status_code == 401
    await api.http.aclose()


async def test_it_is_good_for_nothing_else(site: Site) -> None:
    path = await ticket(site.api)
    secret = parse_qs(urlsplit(path).query)["ticket"][0]
    async with without_header(site) as browser:
        for other in ("/v1/events", "/v1/accounts", "/v1/me"):
            assert (await browser.get(other, params={"ticket": secret})).status_code == 401
            assert (await browser.get(other, headers={"authorization": f"Bearer {secret}"})).status_code == 401
        assert (await browser.get("/v1/events/stream", headers={"authorization": f"Bearer {secret}"})).status_code == 401


async def test_what_is_asked_is_looked_at_when_it_is_made(site: Site) -> None:
    api = site.api
    for body, pointer in (
        ({"event_types": ["planet.*"]}, "/event_types"),
        ({"object": "planets"}, "/object"),
        ({"filter": {"field": "amount", "op": "gt", "value": "1"}}, "/object"),
        ({"object": "deals", "filter": {"field": "colour", "op": "eq", "value": "red"}}, "/filter"),
        ({"cursor": "nonsense"}, "/cursor"),
    ):
        problem = await api.fails("POST", "/v1/events/tickets", 422, "validation_failed", json=body)
        assert problem["errors"][0]["pointer"] == pointer
    view = await api.make("views", name="All", applies_to="deals", columns=["name"])
    await api.fails("POST", "/v1/events/tickets", 422, "validation_failed", json={"view_id": view["id"], "object": "contacts"})
    await api.fails("POST", "/v1/events/tickets", 404, "not_found", json={"view_id": "01976f6e-8a00-7000-8000-000000000001"})
    assert "filter=%7B%22field" in await ticket(api, object="deals", filter={"field": "name", "op": "eq", "value": "a,b"})
    assert f"view_id={view['id']}" in await ticket(api, view_id=view["id"])
    narrow = await api.with_scopes("deals:read")
    await narrow.fails("POST", "/v1/events/tickets", 403, "insufficient_scope", json={})
    await narrow.http.aclose()


async def test_there_is_a_limit_and_a_repetition_tells_no_secret(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    api = site.api
    monkeypatch.setattr("crm_api.flows.event_tickets.MAX_TICKETS", 2)
    first = await api.ok("POST", "/v1/events/tickets", json={}, headers={"idempotency-key": "one"}, status=201)
    again = await api.ok("POST", "/v1/events/tickets", json={}, headers={"idempotency-key": "one"}, status=201)
    assert again == {**first, "url": None}
    await ticket(api)
    problem = await api.fails("POST", "/v1/events/tickets", 403, "limit_exceeded", json={})
    assert problem["limit"] == "event_tickets_per_token"


async def test_the_secret_is_written_nowhere(settings: Settings) -> None:
    out = io.BytesIO()
    app = create_app(settings, access_log=AccessLog(SystemClock(), out))
    assert isinstance(app, Application)
    async with served(app) as port, new_organization(app) as api:
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {api.token}"}, timeout=20)
        made = (await http.post("/v1/events/tickets", json={})).json()
        assert made["url"].startswith(f"http://127.0.0.1:{port}/v1/events/stream?")
        secret = parse_qs(urlsplit(made["url"]).query)["ticket"][0]
        await http.aclose()
        async with httpx.AsyncClient(timeout=20) as browser, browser.stream("GET", made["url"]) as answer:
            assert answer.status_code == 200
        async with app.state.services.database.connection() as connection:
            row = await connection.driver.fetchval("SELECT string_agg(t::text, ' ') FROM event_tickets t")
    assert b"/v1/events/stream" in out.getvalue()
    assert secret.encode() not in out.getvalue()
    assert secret not in row
