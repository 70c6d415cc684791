"""Consents: only ever added, the latest counts, and `email_opt_out` follows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api import Api, Record
from tests.jobs.support import events

pytestmark = pytest.mark.anyio


async def said(api: Api, person: Record, purpose: str, channel: str, status: str, **more: Any) -> Record:
    return await api.make(
        "consents", **{f"{person['object'][:-1]}_id": person["id"]}, purpose=purpose, channel=channel, status=status, **more
    )


async def standing(api: Api, person: Record) -> dict[tuple[str, str], str]:
    found = await api.ok("GET", f"/v1/{person['object']}/{person['id']}/consents")
    return {(entry["purpose"], entry["channel"]): entry["status"] for entry in found["state"]}


async def test_the_latest_word_counts(api: Api) -> None:
    ada = await api.make("contacts", last_name="King", email="ada@acme.example")
    first = await said(api, ada, "newsletter", "email", "granted", legal_basis="consent", source="form", proof="ticked")
    assert first["occurred_at"] is not None
    await said(api, ada, "newsletter", "phone", "denied")
    await said(api, ada, "offers", "any", "granted", occurred_at="2026-01-01T00:00:00Z")
    last = await said(api, ada, "newsletter", "email", "withdrawn")
    await said(api, ada, "newsletter", "email", "granted", occurred_at="2020-01-01T00:00:00Z")  # told late, and overtaken
    assert await standing(api, ada) == {
        ("newsletter", "email"): "withdrawn",
        ("newsletter", "phone"): "denied",
        ("offers", "any"): "granted",
    }
    found = await api.ok("GET", f"/v1/contacts/{ada['id']}/consents")
    assert found["history"][0]["id"] == last["id"]
    assert len(found["history"]) == 5
    assert found["state"][0]["consent_id"] == last["id"]
    told = await events(api, event_types="consent.created")
    assert len(told) == 5
    assert {event["object"] for event in told} == {"consents"}


async def test_nobody_changes_what_was_said(api: Api) -> None:
    ada = await api.make("contacts", last_name="King")
    consent = await said(api, ada, "newsletter", "email", "granted")
    for method, path in (
        ("PATCH", f"/v1/consents/{consent['id']}"),
        ("DELETE", f"/v1/consents/{consent['id']}"),
        ("POST", f"/v1/consents/{consent['id']}/restore"),
        ("POST", f"/v1/consents/{consent['id']}/transfer"),
        ("PUT", f"/v1/consents/{consent['id']}/tags/x"),
        ("POST", "/v1/consents/batch/update"),
        ("POST", "/v1/consents/bulk"),
    ):
        answer = await api.http.request(method, path, json={})
        assert answer.status_code in (404, 405), (method, path, answer.text)
    assert await api.get(consent) == consent
    found = await api.ok("POST", "/v1/consents/search", json={"filter": {"field": "contact.last_name", "value": "King"}})
    assert [row["id"] for row in found["data"]] == [consent["id"]]


async def test_what_is_wrong(api: Api) -> None:
    ada, lead = await api.make("contacts", last_name="King"), await api.make("leads", last_name="King")
    good = {"contact_id": ada["id"], "purpose": "newsletter", "channel": "email", "status": "granted"}
    for change, pointer in (
        ({"lead_id": lead["id"]}, ""),
        ({"contact_id": None}, ""),
        ({"contact_id": lead["id"]}, "/contact_id"),
        ({"status": "maybe"}, "/status"),
        ({"channel": "pigeon"}, "/channel"),
        ({"purpose": "No Key"}, "/purpose"),
        ({"legal_basis": "because"}, "/legal_basis"),
        ({"occurred_at": "2199-01-01T00:00:00Z"}, "/occurred_at"),
    ):
        answer = await api.http.post("/v1/consents", json={**good, **change})
        assert answer.status_code == 422, change
        assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.text
    writer = await api.with_scopes("contacts:write")
    await writer.fails("POST", "/v1/consents", 403, "insufficient_scope", json=good)
    await writer.fails("GET", f"/v1/contacts/{ada['id']}/consents", 403, "insufficient_scope")
    await api.fails("GET", f"/v1/contacts/{lead['id']}/consents", 404, "not_found")


async def test_opting_out_follows_e_mail(api: Api) -> None:
    """A contact has opted out once they have said something about e-mail and no purpose is granted over it; never the other way."""
    ada = await api.make("contacts", last_name="King")

    async def opted_out() -> bool:
        return bool((await api.get(ada))["email_opt_out"])

    await said(api, ada, "calls", "phone", "denied")
    assert not await opted_out()
    await said(api, ada, "newsletter", "email", "denied")
    assert await opted_out()
    await said(api, ada, "offers", "email", "granted")
    assert not await opted_out()
    await said(api, ada, "offers", "any", "withdrawn")
    assert await opted_out()
    await api.change(ada, email_opt_out=False)
    assert len((await api.ok("GET", f"/v1/contacts/{ada['id']}/consents"))["history"]) == 4
    other = await api.make("contacts", last_name="Two")
    version = other["version"]
    await said(api, other, "newsletter", "email", "granted")
    assert (await api.get(other))["version"] == version  # nothing changed


async def test_leads_and_merged_contacts_keep_theirs(api: Api) -> None:
    lead = await api.make("leads", last_name="King")
    await said(api, lead, "newsletter", "email", "granted")
    assert await standing(api, lead) == {("newsletter", "email"): "granted"}
    winner, loser = await api.make("contacts", last_name="A"), await api.make("contacts", last_name="B")
    await said(api, loser, "newsletter", "post", "denied")
    await api.ok("POST", "/v1/contacts/merge", json={"winner_id": winner["id"], "loser_ids": [loser["id"]]})
    assert await standing(api, winner) == {("newsletter", "post"): "denied"}
