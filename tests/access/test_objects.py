"""A user who may work with contacts only: everything else is as if it weren't there, and nothing falls over for its absence."""

from __future__ import annotations

import pytest

from tests.access.people import colleague
from tests.access.walk import filled, operations
from tests.api import Api, Record, unchecked

pytestmark = pytest.mark.anyio

ALL = ["read", "create", "update", "delete", "export", "import", "bulk", "transfer", "share", "purge"]
OPEN = ("/healthz", "/readyz", "/problems", "/oauth", "/.well-known", "/metrics", "/openapi.json")


async def narrow(api: Api, *objects: str) -> Api:
    profile = await api.make("profiles", name=f"Only {' '.join(objects)}", permissions={**dict.fromkeys(objects, ALL), "events": ["read"]})
    user = await colleague(api, profile_id=profile["id"])
    user.http.event_hooks = {}
    return user


async def test_routes_of_other_objects_are_not_there(api: Api) -> None:
    """404 for all of them (403 for what only administrators may do anyway), without a single failure of the server's own."""
    contact = await api.make("contacts", last_name="King", email="king@acme.example")
    account = await api.make("accounts", name="Acme")
    user = await narrow(api, "contacts")
    document = (await api.http.get("/openapi.json")).json()
    objects = {path.split("/")[2] for path in document["paths"] if path.endswith("/batch/create")}
    ids: Record = {"contacts": contact["id"], "accounts": account["id"]}
    names = {"": {"object": "contacts", "unique_field": "email", "value": "king@acme.example", "key": "x"}}
    wrong, seen = [], 0
    async with unchecked(api.app, user.token) as http:
        for operation in operations(document):
            if operation.path.startswith(OPEN) or operation.path == "/v1/events/stream":
                continue
            if operation.path.startswith(("/v1/me/totp", "/v1/me/password", "/v1/tokens/revoke")):
                continue
            path = filled(operation.path, ids, names)
            answer = await http.request(operation.method, path, **({"json": operation.body} if operation.body is not None else {}))
            seen += 1
            elsewhere = operation.path.split("/")[2] in objects - {"contacts"}
            for_administrators = answer.status_code == 403 and "administrators" in answer.text
            if answer.status_code == 500 or (elsewhere and answer.status_code != 404 and not for_administrators):
                wrong.append(f"{operation.method} {path} → {answer.status_code}: {answer.text[:200]}")
    assert seen > 900
    assert not wrong, "\n".join(wrong)


async def test_work_goes_on_without_the_objects_around(api: Api) -> None:
    """Rules, references, defaults and events of a contact look at objects that its user may not know of."""
    user = await narrow(api, "contacts")
    account = await api.make("accounts", name="Acme")
    contact = await user.make("contacts", last_name="King", email="king@acme.example", lifecycle_stage="lead")
    assert "account" not in contact
    await api.change(contact, account_id=account["id"])
    deal = await api.make("deals", name="D")
    await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={"roles": ["champion"]})
    await user.change(contact, title="Countess", tags=["vip"])
    other = await user.make("contacts", last_name="King", phone="+49 30 1234567")
    merged = await user.ok("POST", "/v1/contacts/merge", json={"winner_id": contact["id"], "loser_ids": [other["id"]]})
    assert merged["id"] == contact["id"]
    for path in ("history", "timeline"):
        text = (await user.http.get(f"/v1/contacts/{contact['id']}/{path}")).text
        assert "deals" not in text
    events = (await user.ok("GET", "/v1/events", params={"limit": 1000}))["data"]
    assert {event["object"] for event in events} == {"contacts"}
    found = await user.ok("GET", "/v1/contacts", params={"q": "king", "include": "labels,abilities", "count": "exact"})
    assert found["page"]["count"] == 1
    await user.fails("GET", "/v1/contacts", 400, "bad_request", params={"expand": "account"})
    await user.ok("DELETE", f"/v1/contacts/{contact['id']}", params={"on_children": "detach"})
    await user.ok("POST", f"/v1/contacts/{contact['id']}/restore")
    for path in ("/v1/me", "/v1/me/home", "/v1/me/recent", "/v1/meta", "/v1/meta/navigation", "/v1/limits", "/v1/jobs"):
        assert (await user.http.get(path)).status_code in (200, 403, 404), path
