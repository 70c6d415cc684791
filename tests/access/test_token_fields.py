"""A token that names fields knows of no others, whatever its user may see."""

from __future__ import annotations

import pytest

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
