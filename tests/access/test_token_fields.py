"""A token that names fields knows of no others, whatever its user may see."""

from __future__ import annotations

import pytest

from crm_api.core.tokens import token_hash
from crm_api.db.uow import unit_of_work
from crm_api.http.auth import authenticate
from crm_api.kernel.access.rights import Rights
from crm_api.kernel.context import Context
from tests.api import Api, client

pytestmark = pytest.mark.anyio


async def test_a_token_knows_only_the_fields_it_names(api: Api) -> None:
    """Reads, filters, writes, events and descriptions."""
    contact = await api.make("contacts", last_name="King", title="Countess", birthdate="1815-12-10", email="king@acme.example")
    start = (await api.ok("GET", "/v1/events", params={"cursor": "now"}))["page"]["next_cursor"]
    await api.change(contact, birthdate="1815-12-11")
    await api.change(contact, title="Dr")
    made = await api.ok(
        "POST",
        "/v1/tokens",
        json={"name": "few", "scopes": ["contacts:write", "events:read", "meta:read"], "fields": {"contacts": ["last_name", "title"]}},
        status=201,
    )
    async with client(api.app, made["token"]) as http:
        http.event_hooks = {}
        found = (await http.get(f"/v1/contacts/{contact['id']}")).json()
        assert found["title"] == "Dr"
        assert not {"birthdate", "email", "emails", "first_name", "address"} & found.keys()
        assert (await http.get("/v1/contacts", params={"birthdate": "1815-12-11"})).status_code == 400
        assert (await http.get("/v1/contacts", params={"q": "acme"})).json()["data"] == []
        assert len((await http.get("/v1/contacts", params={"q": "king"})).json()["data"]) == 1
        assert (await http.patch(f"/v1/contacts/{contact['id']}", json={"email": None})).status_code == 422
        assert (await http.patch(f"/v1/contacts/{contact['id']}", json={"title": "Prof"})).status_code == 200
        events = (await http.get("/v1/events", params={"cursor": start, "object": "contacts"})).json()["data"]
        assert [list(event["changes"]) for event in events] == [["title"], ["title"]]
        assert "birthdate" not in str(events)
        described = (await http.get("/v1/meta/contacts/schema.json")).json()
        assert "properties" in described, described
        assert "birthdate" not in described["properties"]
    assert (await api.get(contact))["birthdate"] == "1815-12-11"


async def test_rights_are_cut_for_a_token_once(api: Api) -> None:
    """Requests with the same token have the same rights, with what was made of them, until the user's change."""
    services = api.app.state.services
    body = {"name": "few", "scopes": ["contacts:read"], "fields": {"contacts": ["last_name"]}}
    token = (await api.ok("POST", "/v1/tokens", json=body, status=201))["token"]

    async def rights() -> Rights:
        async with services.database.connection() as connection:
            principal = await authenticate(connection, token_hash(token), services.clock.now(), None)
        async with unit_of_work(services.database, api.org_id, services.clock) as uow:
            context: Context = await services.engine.context(principal, uow)
            return context.principal.rights

    first = await rights()
    assert "birthdate" in first.hidden["contacts"]
    assert await rights() is first
    await api.ok("PATCH", "/v1/org", json={"sharing": {"defaults": {"contacts": "private"}}})
    assert await rights() is not first
