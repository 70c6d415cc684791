"""Snapshots hold what their user may read: the records, the fields of them, and links whose both ends are seen."""

from __future__ import annotations

import pytest

from tests.access.people import colleague, share_out
from tests.api import Api
from tests.jobs.test_snapshots import lines, snapshot

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]


async def test_a_copy_holds_what_the_list_shows(api: Api) -> None:
    """The administrator's copy has all of it; whose copy it is, nobody else can get."""
    await share_out(api, contacts="private")
    profile = await api.make(
        "profiles",
        name="Narrow",
        permissions={"*": ["read", "create", "update"], "leads": []},
        fields={"contacts": {"birthdate": "hidden", "email": "hidden"}},
    )
    ada = await colleague(api, profile_id=profile["id"])
    deal = await api.make("deals", name="Deal")
    mine = await ada.make("contacts", last_name="Mine")
    await api.change(mine, birthdate="1911-11-11", email="mine@acme.example")
    other = await api.make("contacts", last_name="Other")
    for contact in (mine, other):
        await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={})
    done = await snapshot(ada, "contacts", "links")
    files = {file["object"]: await lines(ada, file) for file in done["result"]["files"]}
    assert files["contacts"] == await ada.all("/v1/contacts")
    assert "birthdate" not in files["contacts"][0]
    assert [link["to"]["id"] for link in files["links"]] == [mine["id"]]
    url = done["result"]["files"][0]["url"]
    bob = await colleague(api)
    assert (await bob.http.get(url)).status_code == 404
    whole = await snapshot(api, "contacts", "links")
    assert [file["rows"] for file in whole["result"]["files"]] == [2, 2]
    events = (await ada.ok("GET", "/v1/events", params={"cursor": done["result"]["cursor"], "object": "contacts"}))["data"]
    assert events == []
    await ada.fails("POST", "/v1/events/snapshot", 422, "validation_failed", json={"objects": ["leads"]})
