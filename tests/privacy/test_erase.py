"""Erasing a person: a word planted everywhere is found nowhere after, whatever happens to the worker meanwhile."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from crm_api.embedded import DatabaseUrls
from crm_api.settings import Settings
from tests.api import Api
from tests.jobs.support import events
from tests.privacy.support import erased, files, keys_with, plant, rows_with

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
Worker = subprocess.Popen[bytes]


async def assert_gone(api: Api, urls: DatabaseUrls, settings: Settings, words: list[str]) -> None:
    found = await rows_with(urls, words)
    assert not found, {table: rows[:3] for table, rows in found.items()}
    assert not await keys_with(settings, words)
    held = [name for name, data in files(Path(settings.data_dir)) if any(word.encode() in data.lower() for word in words)]
    assert not held


async def test_a_word_planted_everywhere_is_found_nowhere(api: Api, urls: DatabaseUrls, job_settings: Settings) -> None:
    planted = await plant(api, Path(job_settings.data_dir))
    marked = set(await rows_with(urls, planted.words))
    assert {
        "contacts", "leads", "notes", "tasks", "cases", "case_comments", "consents", "events", "event_snapshots", "idempotency_keys",
        "jobs", "views", "segments", "home_pages", "config_snapshots", "audit_log", "external_ids",
    } <= marked  # fmt: skip
    subject = {"object": "contacts", "id": planted.contact["id"]}

    dry = await erased(api, subject, dry_run=True)
    counted = dry["result"]["found"]
    assert (counted["contacts"], counted["leads"], counted["notes"], counted["cases"], counted["tasks"]) == (2, 1, 3, 1, 1)
    assert await api.get(planted.contact)
    assert dry["result"]["dry_run"] is True

    done = await erased(api, subject)
    assert done["result"]["dry_run"] is False
    for name in ("contacts", "leads", "notes", "cases", "tasks", "case_comments"):
        assert done["result"]["erased"][name] == counted[name], name
    await assert_gone(api, urls, job_settings, planted.words)
    await what_is_left(api, planted.contact, planted.lead, planted.others)

    again = await erased(api, subject)
    assert not {"contacts", "leads", "notes"} & set(again["result"]["erased"])
    await assert_gone(api, urls, job_settings, planted.words)


async def what_is_left(api: Api, contact: dict[str, Any], lead: dict[str, Any], others: dict[str, Any]) -> None:
    problem = await api.fails("GET", f"/v1/contacts/{contact['id']}", 410, "deleted")
    assert problem["restorable"] is False
    told = [event for event in await events(api, record_id=contact["id"]) if event["object"] == "contacts"]
    assert [event["type"] for event in told][-1] == "contact.erased"
    assert [event["seq"] for event in told] == sorted(event["seq"] for event in told)
    assert told[-1]["changes"] == {}
    assert told[-1]["record"] is None
    assert told[-1]["cause"]["action"] == "privacy.erase"
    assert all(change == {"old": None, "new": None} for event in told for change in event["changes"].values())
    assert "first_name" in told[0]["changes"]
    assert "lead.erased" in {event["type"] for event in await events(api, record_id=lead["id"])}
    case = await api.get(others["case"])
    assert (case["subject"], case["description"], case["contact_id"], case["tags"]) == ("[erased]", None, None, [])
    assert (case["status"], case["priority"], case["number"]) == ("open", "high", others["case"]["number"])
    changes = [event["changes"] for event in await events(api, record_id=case["id"])]
    assert {"old": "new", "new": "open"} in [change.get("status") for change in changes]
    assert (await api.get(others["task"]))["subject"] == "[erased]"
    assert (await api.get(others["deal"]))["name"] == "Robots"
    await api.fails("GET", f"/v1/notes/{others['note']['id']}", 410, "deleted")
    assert (await api.get(others["view"]))["criteria"][0] == {"field": "email", "value": "[erased]"}
    assert (await api.ok("GET", "/v1/contacts", params={"q": "king"}))["data"] == []


async def test_stored_answers_tell_that_the_record_is_gone(api: Api) -> None:
    body = {"last_name": "Short", "email": "short@acme.example"}
    made = await api.ok("POST", "/v1/contacts", json=body, headers={"Idempotency-Key": "once"}, status=201)
    other = {"last_name": "Kept", "email": "kept@acme.example"}
    kept = await api.ok("POST", "/v1/contacts", json=other, headers={"Idempotency-Key": "other"}, status=201)
    await erased(api, {"object": "contacts", "id": made["id"]})
    await api.fails("POST", "/v1/contacts", 409, "conflict", json=body, headers={"Idempotency-Key": "once"})
    again = await api.ok("POST", "/v1/contacts", json=other, headers={"Idempotency-Key": "other"}, status=201)
    assert again == kept


async def test_who_was_erased_does_not_come_back_unless_released(api: Api) -> None:
    """Not by creating, updating, batches or upserts; an administrator may let them in again, and says why."""
    made = await api.make("contacts", last_name="Gone", email="Gone@Acme.example", phone="+49 30 555 01 01")
    await erased(api, {"email": "gone@acme.example"})
    body = {"last_name": "Back", "email": "gone@ACME.example"}
    problem = await api.fails("POST", "/v1/contacts", 422, "suppressed", json=body)
    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [("/email", "suppressed")]
    await api.fails("POST", "/v1/leads", 422, "suppressed", json=body)
    await api.fails("PUT", "/v1/contacts/by/email/gone@acme.example", 422, "suppressed", json={"last_name": "Back"})
    second = {"last_name": "Back", "emails": [
        {"address": "new@acme.example", "is_primary": True}, {"address": "gone@acme.example", "is_primary": False}
    ]}  # fmt: skip
    problem = await api.fails("POST", "/v1/contacts", 422, "suppressed", json=second)
    assert problem["errors"][0]["pointer"] == "/emails/1/address"
    other = await api.make("contacts", last_name="Other", email="other@acme.example", phone="+49 30 5550101")  # a number may be shared
    await api.fails("PATCH", f"/v1/contacts/{other['id']}", 422, "suppressed", json={"email": "gone@acme.example"})
    answer = await api.ok("POST", "/v1/contacts/batch/create", json={"items": [body, {"last_name": "Fine"}]}, status=207)
    assert [result["status"] for result in answer["results"]] == [422, 201]
    asked = {"email": "GONE@acme.example"}
    assert (await api.ok("POST", "/v1/privacy/suppressions/check", json=asked)) == {"suppressed": True}
    await api.fails("POST", "/v1/privacy/suppressions/release", 422, "validation_failed", json=asked)
    reader = await api.with_scopes("contacts:write", "leads:write")
    await reader.fails("POST", "/v1/privacy/suppressions/release", 403, "insufficient_scope", json={**asked, "reason": "none"})
    released = {**asked, "reason": "Signed up again."}
    assert await api.ok("POST", "/v1/privacy/suppressions/release", json=released) == {"released": True}
    assert await api.ok("POST", "/v1/privacy/suppressions/release", json=released) == {"released": False}
    assert (await api.make("contacts", **body))["id"] != made["id"]


async def test_another_organisation_is_left_alone(api: Api, other_api: Api) -> None:
    body = {"last_name": "Same", "email": "same@acme.example"}
    made, twin = await api.make("contacts", **body), await other_api.make("contacts", **body)
    await erased(api, {"object": "contacts", "id": made["id"]})
    assert await other_api.get(twin) == twin
    await other_api.make("leads", **body)
    await other_api.fails("POST", "/v1/privacy/erase", 422, "validation_failed", json={"subject": {"object": "contacts", "id": made["id"]}})


async def test_by_telephone_number_only_if_that_is_asked_for(api: Api) -> None:
    made = await api.make("contacts", last_name="One", phone="+49 30 5550199")
    desk = await api.make("contacts", last_name="Two", phone="+49 (0)30 555 01 99")
    subject = {"object": "contacts", "id": made["id"]}
    assert (await erased(api, subject, dry_run=True))["result"]["found"]["contacts"] == 1
    assert (await erased(api, subject, dry_run=True, match_on=["email", "phone"]))["result"]["found"]["contacts"] == 2
    done = await erased(api, subject, suppress=False)
    assert done["result"]["erased"]["contacts"] == 1
    assert (await api.get(desk))["last_name"] == "Two"
    await api.make("contacts", last_name="Three", phone="+49 30 5550199")


async def test_what_is_asked_wrongly(api: Api) -> None:
    made = await api.make("contacts", last_name="Here")
    for subject, pointer in (
        ({}, "/subject"),
        ({"object": "contacts"}, "/subject"),
        ({"object": "contacts", "id": made["id"], "email": "a@acme.example"}, "/subject"),
        ({"object": "accounts", "id": made["id"]}, "/subject/object"),
        ({"object": "leads", "id": made["id"]}, "/subject/id"),
        ({"email": "nobody"}, "/subject/email"),
    ):
        for path in ("/v1/privacy/erase", "/v1/privacy/export"):
            problem = await api.fails("POST", path, 422, "validation_failed", json={"subject": subject})
            assert problem["errors"][0]["pointer"] == pointer, subject
    narrow = await api.with_scopes("contacts:write", "contacts:delete")
    for path in ("/v1/privacy/erase", "/v1/privacy/export"):
        await narrow.fails("POST", path, 403, "insufficient_scope", json={"subject": {"object": "contacts", "id": made["id"]}})


async def test_somebody_whom_nobody_knows_can_be_kept_out(api: Api) -> None:
    done = await erased(api, {"email": "stranger@acme.example"})
    assert done["result"]["erased"] == {}
    await api.fails("POST", "/v1/contacts", 422, "suppressed", json={"last_name": "S", "email": "stranger@acme.example"})


async def test_a_purged_contact_takes_its_consents_along(api: Api) -> None:
    """Consents belong to their person; deleting softly asks nobody about them."""
    made = await api.make("contacts", last_name="Said", email="said@acme.example")
    consent = await api.make("consents", contact_id=made["id"], purpose="newsletter", channel="email", status="granted", proof="secret")
    await api.ok("DELETE", f"/v1/contacts/{made['id']}")
    assert (await api.get(consent))["contact_id"] == made["id"]
    await api.ok("DELETE", f"/v1/contacts/{made['id']}", params={"purge": "true"}, status=204)
    await api.fails("GET", f"/v1/consents/{consent['id']}", 410, "deleted")
    told = await events(api, record_id=consent["id"])
    assert [event["type"] for event in told] == ["consent.created", "consent.purged"]
    assert told[0]["changes"]["proof"] == {"old": None, "new": None}
