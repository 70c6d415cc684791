"""Records out of reach stand in the way all the same; which ones they are is not told."""

from __future__ import annotations

import pytest

from tests.access.people import colleague, share_out
from tests.api import Api

pytestmark = pytest.mark.anyio


async def test_a_record_out_of_reach_is_in_the_way_without_a_name(api: Api) -> None:
    """Creates, updates, upserts by field and by external id, single and in batches."""
    ada, bob = await colleague(api), await colleague(api)
    theirs = await bob.make(
        "contacts", last_name="King", emails=[{"address": "king@acme.example", "is_primary": True}], external_ids={"hub": "7"}
    )
    mine = await ada.make("contacts", last_name="Mine")
    seen = {"object": "contacts", "id": theirs["id"], "field": "email"}
    problem = await ada.fails("POST", "/v1/contacts", 409, "duplicate", json={"last_name": "N", "email": "King@acme.example"})
    assert problem["existing"] == [seen]
    await share_out(api, contacts="private")
    unseen = {"object": "contacts", "id": None, "field": "email", "visible": False}
    outside = {**unseen, "field": "external_ids.hub"}
    writes = [
        ("POST", "/v1/contacts", {"last_name": "N", "email": "King@acme.example"}, unseen),
        ("PATCH", f"/v1/contacts/{mine['id']}", {"email": "King@acme.example"}, unseen),
        ("PUT", "/v1/contacts/by/email/king@acme.example", {"last_name": "N"}, unseen),
        ("PUT", "/v1/contacts/by/external_ids.hub/7", {"last_name": "N"}, outside),
        ("POST", "/v1/contacts", {"last_name": "N", "external_ids": {"hub": "7"}}, outside),
    ]
    for method, path, body, entry in writes:
        problem = await ada.fails(method, path, 409, "duplicate", json=body)
        assert problem["existing"] == [entry], (method, path)
    body = {
        "match_on": "email",
        "items": [{"email": "king@acme.example", "last_name": "N"}, {"email": "new@acme.example", "last_name": "New"}],
    }
    first, second = (await ada.ok("POST", "/v1/contacts/batch/upsert", json=body))["results"]
    assert (first["status"], first["error"]["existing"]) == (409, [unseen])
    assert second["status"] == 201
    for method, body in (("GET", None), ("PATCH", {"title": "Dr"}), ("DELETE", None)):
        await ada.fails(method, "/v1/contacts/by/email/king@acme.example", 404, "not_found", **({} if body is None else {"json": body}))
    assert (await bob.get(theirs))["version"] == 1
