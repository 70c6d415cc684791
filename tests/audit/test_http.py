"""The audit log over HTTP: who may read it, filters and pages, verifying, checkpoints."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crm_api.core.clock import SystemClock, parse_timestamp
from crm_api.db.uow import Actor, Cause, unit_of_work
from crm_api.flows.organizations import create_token, create_user
from crm_api.http.app import Application
from crm_api.jobs.sweeps import Jobs, sign_audit_logs
from crm_api.kernel import audit
from crm_api.kernel.audit_chain import checkpoint_message
from crm_api.settings import Settings
from tests.api import Api, client

pytestmark = pytest.mark.anyio
CLOCK = SystemClock()
SOMEBODY = UUID("01a201b3-fa6b-7331-a786-3bbfe1908256")


async def write(api: Api, *actions: str, actor: Actor | None = None, **more: Any) -> None:
    """Entries in one transaction."""
    database = api.app.state.services.database
    async with unit_of_work(database, api.org_id, CLOCK, cause=Cause(ip="203.0.113.7", request_id="req_x")) as uow:
        for action in actions:
            audit.record(uow, action, actor=actor, **more)


async def actions(api: Api, **params: Any) -> list[str]:
    """What is listed, newest first."""
    return [entry["action"] for entry in await api.all("/v1/audit", **params)]


async def test_an_entry(api: Api) -> None:
    actor = Actor("user", SOMEBODY)
    await write(
        api, "user.sign_in_failed", actor=actor, object="users", record_id=SOMEBODY, details={"n": 1}, personal={"email": "x@y.example"}
    )
    page = await api.ok("GET", "/v1/audit", params={"limit": 1})
    (entry,) = page["data"]
    assert entry == await api.ok("GET", f"/v1/audit/{entry['id']}")
    known = ("action", "actor", "object", "record_id", "request_id", "ip", "details", "personal", "cause", "erased_at")
    assert [entry[name] for name in known] == [
        "user.sign_in_failed", {"type": "user", "id": str(SOMEBODY)}, "users", str(SOMEBODY), "req_x", "203.0.113.7", {"n": 1},
        {"email": "x@y.example"}, {}, None,
    ]  # fmt: skip
    assert page["page"]["has_more"] is True
    await api.fails("GET", f"/v1/audit/{SOMEBODY}", 404, "not_found")
    await api.fails("GET", "/v1/audit/nothing", 404, "not_found")


async def test_filters(api: Api) -> None:
    before = len(await actions(api))
    await write(api, "user.signed_in", actor=Actor("user", SOMEBODY))
    await write(api, "user_group.made", "users.counted", "user.signed_out", object="things", record_id=SOMEBODY)
    await write(api, "user.token.lent", actor=Actor("app", SOMEBODY))
    assert await actions(api, action="user.*", actor_id=str(SOMEBODY)) == ["user.token.lent", "user.signed_in"]
    assert await actions(api, action="user.signed_in") == ["user.signed_in"]
    assert await actions(api, actor_type="app") == ["user.token.lent"]
    assert await actions(api, object="things") == await actions(api, record_id=str(SOMEBODY)) == [
        "user.signed_out", "users.counted", "user_group.made",
    ]  # fmt: skip
    everything = await api.all("/v1/audit")
    assert len(everything) == before + 5
    middle = everything[2]["occurred_at"]
    assert await actions(api, since=middle, action="user.*", object="things") == ["user.signed_out"]
    assert [entry["seq"] for entry in await api.all("/v1/audit", until=middle)] == list(range(everything[2]["seq"] - 1, 0, -1))
    assert await actions(api, action="nothing.*") == []


async def test_pages(api: Api) -> None:
    await write(api, *("thing.done" for _ in range(250)))
    seen, cursor = [], None
    while True:
        page = await api.ok("GET", "/v1/audit", params={"limit": 60, "action": "thing.*"} | ({"cursor": cursor} if cursor else {}))
        seen += [entry["seq"] for entry in page["data"]]
        if cursor is None:
            await write(api, "thing.meanwhile")  # what comes meanwhile moves nothing
        cursor = page["page"]["next_cursor"]
        if cursor is None:
            break
        await api.fails("GET", "/v1/audit", 400, "invalid_cursor", params={"cursor": cursor})  # of another list
    assert len(seen) == 250
    assert seen == sorted(seen, reverse=True)
    for wrong in ({"limit": 201}, {"limit": 0}, {"action": "A"}, {"action": "a.*.b"}, {"actor_id": "x"}, {"since": "yesterday"}):
        await api.fails("GET", "/v1/audit", 400, "bad_request", params=wrong)
    await api.fails("GET", "/v1/audit", 400, "unknown_parameter", params={"who": "me"})
    await api.fails("GET", "/v1/audit", 400, "invalid_cursor", params={"cursor": "x"})


async def test_whatever_was_typed(api: Api) -> None:
    """NUL, which PostgreSQL's JSON can't hold, becomes the replacement character; an escaped backslash before it stays."""
    await write(api, "user.sign_in_failed", details={"a": "x\x00y", "b": "\\u0000", "c\x00": "\\\x00"}, personal={"email": "\x00@y"})
    (entry,) = (await api.ok("GET", "/v1/audit", params={"limit": 1}))["data"]
    assert entry["details"] == {"a": "x\ufffdy", "b": "\\u0000", "c\ufffd": "\\\ufffd"}
    assert entry["personal"] == {"email": "\ufffd@y"}
    assert (await api.ok("GET", "/v1/audit/verify"))["ok"]


async def test_one_statement_for_a_page(api: Api) -> None:
    ran: list[str] = []
    database = api.app.state.services.database
    database.observers.append(ran.append)
    try:
        await api.ok("GET", "/v1/audit", params={"action": "token.*", "limit": 5})
    finally:
        database.observers.remove(ran.append)
    assert len([sql for sql in ran if "audit_log" in sql]) == 1


async def test_who_may_read_it(app: Application, api: Api, other_api: Api) -> None:
    reader = await api.with_scopes("audit:read")
    await reader.ok("GET", "/v1/audit")
    await reader.ok("GET", "/v1/audit/verify")
    narrow = await api.with_scopes("contacts:read")
    paths = ("/v1/audit", "/v1/audit/verify", "/v1/audit/checkpoints", f"/v1/audit/{SOMEBODY}")
    for path in paths:
        problem = await narrow.fails("GET", path, 403, "insufficient_scope")
        assert problem["required_scopes"] == ["audit:read"]
    database = app.state.services.database
    user_id = await create_user(database, org_id=api.org_id, email="standard@acme.example")
    made = await create_token(database, org_id=api.org_id, user_id=user_id, name="theirs", scopes=["admin"])
    async with client(app, made["token"]) as http:
        for path in paths:
            assert (await http.get(path)).status_code == 403, "the standard profile gives no right to it"
    (entry, *_) = (await api.ok("GET", "/v1/audit"))["data"]
    await other_api.fails("GET", f"/v1/audit/{entry['id']}", 404, "not_found")
    for path in paths:
        answer = await api.http.post(path)
        assert answer.status_code in (405, 404)


async def test_verifying(api: Api) -> None:
    await write(api, *("thing.done" for _ in range(20)))
    head = (await api.ok("GET", "/v1/audit", params={"limit": 1}))["data"][0]
    found = await api.ok("GET", "/v1/audit/verify")
    assert (found["ok"], found["entries"], found["hash"]) == (True, head["seq"], head["hash"])
    part = await api.ok("GET", "/v1/audit/verify", params={"from_seq": 3, "to_seq": 7})
    assert (part["entries"], part["from_seq"], part["to_seq"], part["head_seq"]) == (5, 3, 7, head["seq"])
    kept = await api.ok("GET", "/v1/audit/verify", params={"kept_seq": head["seq"], "kept_hash": head["hash"]})
    assert kept["ok"]
    wrong = await api.ok("GET", "/v1/audit/verify", params={"kept_seq": head["seq"], "kept_hash": "0" * 64})
    assert (wrong["ok"], wrong["first_broken"]["seq"], wrong["first_broken"]["reason"]) == (False, head["seq"], "unlike_kept")
    await api.fails("GET", "/v1/audit/verify", 400, "bad_request", params={"kept_seq": 1})
    await api.fails("GET", "/v1/audit/verify", 400, "bad_request", params={"kept_hash": "0" * 64})
    await api.fails("GET", "/v1/audit/verify", 400, "bad_request", params={"kept_seq": 1, "kept_hash": "x"})
    await api.fails("GET", "/v1/audit/verify", 400, "bad_request", params={"from_seq": 0})


async def test_checkpoints(api: Api, settings: Settings) -> None:
    """The worker's sweep signs; with the public key anybody can check what was signed."""
    jobs = Jobs(api.app.state.services.database, CLOCK, signer=settings.signer)
    assert (await api.ok("GET", "/v1/audit/checkpoints"))["data"] == []
    await sign_audit_logs(jobs)
    await sign_audit_logs(jobs)
    await write(api, "thing.done")
    await sign_audit_logs(jobs)
    first = await api.ok("GET", "/v1/audit/checkpoints", params={"limit": 1})
    second = await api.ok("GET", "/v1/audit/checkpoints", params={"limit": 1, "cursor": first["page"]["next_cursor"]})
    newest, oldest = first["data"][0], second["data"][0]
    assert (newest["number"], oldest["number"]) == (2, 1)
    assert second["page"]["next_cursor"] is None
    assert newest["seq"] == oldest["seq"] + 1
    keys = {key["key_id"]: base64.b64decode(key["public_key"]) for key in first["keys"]}
    for point in (newest, oldest):
        hash = bytes.fromhex(point["hash"])
        message = checkpoint_message(api.org_id, point["number"], point["seq"], hash, parse_timestamp(point["signed_at"]))
        Ed25519PublicKey.from_public_bytes(keys[point["key_id"]]).verify(base64.b64decode(point["signature"]), message)
    found = await api.ok("GET", "/v1/audit/verify")
    assert (found["ok"], found["checkpoints"]) == (True, 2)
    await api.fails("GET", "/v1/audit/checkpoints", 400, "invalid_cursor", params={"cursor": "x"})


async def test_plans(api: Api) -> None:
    """Filters walk their indexes backwards; nothing sorts a whole log."""
    database = api.app.state.services.database
    await write(api, *("thing.done" for _ in range(2_000)), actor=Actor("user", SOMEBODY))
    from crm_api.kernel.audit_query import AuditQuery, _list

    async with unit_of_work(database, api.org_id, CLOCK) as uow:
        await uow.begin()
        driver = uow.connection.driver
        await driver.execute("SET LOCAL enable_seqscan = off")
        for query in (AuditQuery(), AuditQuery(actor_id=SOMEBODY), AuditQuery(action="thing.done"), AuditQuery(record_id=SOMEBODY)):
            values = query.values()
            statement = _list(values)
            arguments = statement.arguments({**values, "org_id": api.org_id, "limit": 50})
            plan = "\n".join(row[0] for row in await driver.fetch(f"EXPLAIN {statement.sql}", *arguments))
            assert "Sort" not in plan, plan


@pytest.mark.parametrize("name", ["object", "actor_type", "action", "cursor", "since", "record_id"])
async def test_no_text_breaks_it(api: Api, name: str) -> None:
    for text in ("%00", "%FF", "%ED%A0%80", "%27", "x" * 3_000):
        answer = await api.http.get(f"/v1/audit?{name}={text}")
        assert answer.status_code in (200, 400), (text, answer.text)
