"""Bulk changes over HTTP, done by a real worker."""

from __future__ import annotations

import subprocess
from typing import Any
from uuid import uuid4

import pytest

from tests.api import Api
from tests.jobs.support import bulk, events, finished, make_contacts

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]
Worker = subprocess.Popen[bytes]


async def test_a_filter_is_changed_by_a_job(api: Api) -> None:
    made = await make_contacts(api, 450, title="Buyer")
    await make_contacts(api, 3, title="Other")
    answer = await api.http.post(
        "/v1/contacts/bulk",
        json={"filter": {"field": "title", "value": "buyer"}, "expect_count": 450, "action": "update", "set": {"title": "Lead buyer"}},
    )
    assert answer.status_code == 202
    job = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    assert job["status"] == "queued"
    assert job["progress"] == {"done": 0, "total": 450, "failed": 0}
    done = await finished(api, job)
    assert done["status"] == "succeeded"
    assert done["progress"] == {"done": 450, "total": 450, "failed": 0}
    assert done["result"] == {"updated": 450}
    assert done["request"]["object"] == "contacts"
    assert done["created_by"] == {"type": "user", "id": str(api.user_id)}
    assert done["created_at"] <= done["started_at"] <= done["finished_at"] < done["expires_at"]
    changed = await api.all("/v1/contacts", title="Lead buyer")
    assert {row["id"] for row in changed} == {row["id"] for row in made}
    assert {row["version"] for row in changed} == {2}
    assert (await api.ok("GET", "/v1/contacts", params={"title": "Other", "count": "exact"}))["page"]["count"] == 3
    told = await events(api, event_types="contact.updated")
    assert sorted(event["record_id"] for event in told) == sorted(row["id"] for row in made)
    for event in told:
        assert event["cause"]["job_id"] == job["id"]
        assert event["cause"]["action"] == "contacts.update"
        assert event["actor"] == {"type": "user", "id": str(api.user_id)}
    [ended] = await events(api, event_types="job.finished")
    assert (ended["object"], ended["record_id"]) == ("jobs", job["id"])
    assert ended["changes"] == {"status": {"old": "running", "new": "succeeded"}}
    assert ended["record"]["status"] == "succeeded"
    assert "request" not in ended["record"]
    again = await finished(
        api, await bulk(api, "contacts", filter={"field": "title", "value": "Lead buyer"}, action="update", set={"title": "Lead buyer"})
    )
    assert again["result"] == {"unchanged": 450}
    assert len(await events(api, event_types="contact.updated")) == 450


async def test_every_action(api: Api) -> None:
    made = await make_contacts(api, 5, tags=["a"])
    ids = [row["id"] for row in made]

    async def run(action: str, **more: Any) -> list[dict[str, Any]]:
        job = await finished(api, await bulk(api, "contacts", ids=ids, action=action, **more))
        assert job["status"] == "succeeded", job
        return sorted(await api.all("/v1/contacts", deleted="include"), key=lambda row: str(row["id"]))

    assert {tuple(row["tags"]) for row in await run("tag", set={"tags": ["b", "a", " c "]})} == {("a", "b", "c")}
    assert {tuple(row["tags"]) for row in await run("untag", set={"tags": ["a", "c"]})} == {("b",)}
    assert all(row["deleted_at"] for row in await run("delete"))
    assert not any(row["deleted_at"] for row in await run("restore"))
    assert {row["owner_id"] for row in await run("transfer", set={"owner_id": None})} == {None}
    assert {row["owner_id"] for row in await run("transfer", set={"owner_id": str(api.user_id)})} == {str(api.user_id)}
    kinds = [(event["type"], event["cause"].get("action")) for event in await events(api, object="contacts", record_id=ids[0])]
    assert kinds[1:] == [
        ("contact.updated", "contacts.tag"),
        ("contact.updated", "contacts.untag"),
        ("contact.deleted", "contacts.delete"),
        ("contact.restored", "contacts.restore"),
        ("contact.updated", "contacts.transfer"),
        ("contact.updated", "contacts.transfer"),
    ]


async def test_deleted_records_are_what_restore_selects(api: Api) -> None:
    made = await make_contacts(api, 4)
    for row in made[:2]:
        await api.ok("DELETE", f"/v1/contacts/{row['id']}")
    body = {"filter": {"field": "last_name", "op": "starts_with", "value": "person"}, "action": "restore"}
    job = await finished(api, await bulk(api, "contacts", expect_count=2, **body))
    assert job["result"] == {"restored": 2}


async def test_errors_of_single_records(api: Api) -> None:
    accounts = [await api.make("accounts", name=f"A{number}") for number in range(5)]
    await api.make("contacts", last_name="Held", account_id=accounts[1]["id"])
    stranger = "01a201b3-fa6b-7331-a786-3bbfe1908256"
    ids = [row["id"] for row in accounts] + [stranger]
    job = await finished(api, await bulk(api, "accounts", ids=ids, except_ids=[accounts[4]["id"]], action="delete"))
    assert job["status"] == "partly_failed"
    assert job["progress"] == {"done": 5, "total": 5, "failed": 2}
    assert job["result"] == {"deleted": 3}
    first = await api.ok("GET", job["errors_url"], params={"limit": 1})
    assert [(row["index"], row["id"], row["error"]["code"]) for row in first["data"]] == [(1, accounts[1]["id"], "conflict")]
    rest = await api.ok("GET", job["errors_url"], params={"limit": 1, "cursor": first["page"]["next_cursor"]})
    assert [(row["index"], row["id"], row["error"]["code"]) for row in rest["data"]] == [(4, stranger, "not_found")]
    assert rest["page"] == {"next_cursor": None, "prev_cursor": None, "has_more": False}
    answer = await api.ok("POST", "/v1/accounts/bulk?on_children=detach", json={"ids": [accounts[1]["id"]], "action": "delete"}, status=202)
    assert (await finished(api, answer))["status"] == "succeeded"
    answer = await api.ok("POST", "/v1/accounts/bulk", json={"ids": [stranger], "action": "delete"}, status=202)
    assert (await finished(api, answer))["status"] == "failed"


async def test_the_count_is_checked_and_a_dry_run_changes_nothing(api: Api) -> None:
    await make_contacts(api, 7, title="x")
    body = {"filter": {"field": "title", "value": "x"}, "action": "update", "set": {"title": "y"}}
    problem = await api.fails("POST", "/v1/contacts/bulk", 409, "selection_changed", json={**body, "expect_count": 6})
    assert (problem["expected"], problem["actual"]) == (6, 7)
    for answer in (
        await api.ok("POST", "/v1/contacts/bulk", json={**body, "dry_run": True}, status=200),
        await api.ok("POST", "/v1/contacts/bulk?dry_run=true", json=body, status=200),
    ):
        assert answer == {"dry_run": True, "object": "contacts", "action": "update", "count": 7}
    assert (await api.ok("GET", "/v1/jobs"))["data"] == []
    assert len(await api.all("/v1/contacts", title="x")) == 7
    nothing = await finished(api, await bulk(api, "contacts", filter={"field": "title", "value": "z"}, action="delete"))
    assert (nothing["status"], nothing["progress"]["total"]) == ("succeeded", 0)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"action": "explode"}, "/action", "enum"),
        ({"action": None}, "/action", "enum"),
        ({"more": 1}, "/more", "unknown_field"),
        ({"ids": ["01a201b3-fa6b-7331-a786-3bbfe1908256"]}, "/ids", "invalid_combination"),
        ({"filter": None}, "/filter", "null_not_allowed"),
        ({"filter": {"field": "nope", "value": 1}}, "/filter/field", "unknown_field"),
        ({"filter": {}}, "/filter/field", "required"),
        ({"expect_count": "7"}, "/expect_count", "type"),
        ({"expect_count": True}, "/expect_count", "type"),
        ({"dry_run": "yes"}, "/dry_run", "invalid_boolean"),
        ({"except_ids": [1]}, "/except_ids/0", "invalid_uuid"),
        ({"set": {"nope": 1}}, "/set/nope", "unknown_field"),
        ({"set": {"title": 5}}, "/set/title", "type"),
        ({"set": {"version": 5}}, "/set/version", "read_only"),
        ({"set": {}}, "/set", "required"),
        ({"set": []}, "/set", "type"),
        ({"action": "tag", "set": {"title": "x"}}, "/set/title", "unknown_field"),
        ({"action": "tag", "set": {"tags": []}}, "/set/tags", "min_items"),
        ({"action": "transfer", "set": {"owner_id": "me"}}, "/set/owner_id", "invalid_uuid"),
        ({"action": "delete"}, "/set", "invalid_combination"),
    ],
)
async def test_bad_requests_store_nothing(api: Api, change: dict[str, Any], pointer: str, code: str) -> None:
    body = {"filter": {"field": "title", "value": "x"}, "action": "update", "set": {"title": "y"}, **change}
    problem = await api.fails("POST", "/v1/contacts/bulk", 422, "validation_failed", json=body)
    assert [(error.get("pointer"), error["code"]) for error in problem["errors"]] == [(pointer, code)]
    assert (await api.ok("GET", "/v1/jobs"))["data"] == []


async def test_parameters_and_bounds(api: Api) -> None:
    body = {"ids": [str(uuid4())], "action": "update", "set": {"title": "y"}}
    await api.fails("POST", "/v1/contacts/bulk?nope=1", 400, "unknown_parameter", json=body)
    await api.fails("POST", "/v1/contacts/bulk?on_children=detach", 422, "validation_failed", json=body)
    await api.fails("POST", "/v1/contacts/bulk?on_children=what", 400, "bad_request", json={**body, "action": "delete", "set": {}})
    await api.fails("GET", "/v1/jobs?limit=201", 400, "bad_request")
    await api.fails("GET", "/v1/jobs?nope=1", 400, "unknown_parameter")
    await api.fails("GET", "/v1/jobs?cursor=x", 400, "invalid_cursor")
    many = [f"01a201b3-fa6b-7331-a786-{number:012x}" for number in range(100_001)]
    problem = await api.fails("POST", "/v1/contacts/bulk", 422, "validation_failed", json={**body, "ids": many})
    assert problem["errors"][0]["params"] == {"max_items": 100_000}


async def test_whose_jobs_and_which_rights(api: Api, other_api: Api) -> None:
    made = await make_contacts(api, 2)
    body = {"ids": [made[0]["id"]], "action": "tag", "set": {"tags": ["x"]}}
    reader, writer = await api.with_scopes("contacts:read"), await api.with_scopes("contacts:write")
    await reader.fails("POST", "/v1/contacts/bulk", 403, "insufficient_scope", json=body)
    await writer.fails(
        "POST", "/v1/contacts/bulk", 403, "insufficient_scope",
        json={"filter": {"field": "account.name", "value": "x"}, "action": "tag", "set": {"tags": ["x"]}},
    )  # fmt: skip
    job = await finished(writer, await bulk(writer, "contacts", **body))
    assert job["status"] == "succeeded"
    assert (await api.ok("GET", f"/v1/jobs/{job['id']}")) == job
    await other_api.fails("GET", f"/v1/jobs/{job['id']}", 404, "not_found")
    await other_api.fails("GET", f"/v1/jobs/{job['id']}/errors", 404, "not_found")
    await other_api.fails("POST", f"/v1/jobs/{job['id']}/cancel", 404, "not_found")
    await api.fails("GET", "/v1/jobs/nothing", 404, "not_found")
    assert (await other_api.ok("GET", "/v1/jobs"))["data"] == []
    theirs = await other_api.ok("POST", "/v1/contacts/bulk", json={**body, "ids": [made[1]["id"]]}, status=202)
    assert (await finished(other_api, theirs))["status"] == "failed"
    assert (await api.get(made[1]))["tags"] == []


async def test_repeated_with_one_key_it_is_one_job(api: Api) -> None:
    made = await make_contacts(api, 3)
    body = {"ids": [row["id"] for row in made], "action": "tag", "set": {"tags": ["once"]}}
    answers = [await api.http.post("/v1/contacts/bulk", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len((await api.ok("GET", "/v1/jobs"))["data"]) == 1


async def test_jobs_are_listed_newest_first(api: Api) -> None:
    jobs = [await bulk(api, "contacts", filter={"field": "title", "value": str(number)}, action="delete") for number in range(5)]
    for job in jobs:
        await finished(api, job)
    listed = await api.all("/v1/jobs", limit=2)
    assert [row["id"] for row in listed] == [job["id"] for job in reversed(jobs)]
    assert (await api.ok("GET", "/v1/jobs", params={"status": "failed"}))["data"] == []
    assert len((await api.ok("GET", "/v1/jobs", params={"status": "succeeded", "type": "bulk"}))["data"]) == 5
    assert (await api.ok("GET", "/v1/jobs", params={"type": "snapshot"}))["data"] == []
