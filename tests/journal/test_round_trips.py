"""A single write brings its event along: record, event, outbox row and snapshot are one statement, where nothing else follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.api import Api

pytestmark = pytest.mark.anyio
EVENTS = "INSERT INTO events "


@contextmanager
def statements(api: Api) -> Iterator[list[str]]:
    """What runs on the database in the block."""
    seen: list[str] = []
    observers = api.app.state.services.database.observers
    observers.append(seen.append)
    try:
        yield seen
    finally:
        observers.remove(seen.append)


async def events_of(api: Api, record: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await api.ok("GET", f"/v1/{record['object']}/{record['id']}/history")
    return [{"type": event["type"], "version": event["version"], "changes": event["changes"]} for event in answer["data"]]


async def test_a_create_is_four_round_trips_and_a_change_five(api: Api) -> None:
    await api.make("contacts", last_name="Warm")
    with statements(api) as seen:
        made = await api.make("contacts", last_name="Lovelace", email="ada@acme.example")
    assert len(seen) == 4, seen  # who calls, BEGIN, all of the write, COMMIT
    assert "INSERT INTO contacts" in seen[2]
    assert EVENTS in seen[2]
    with statements(api) as seen:
        changed = await api.change(made, title="Countess")
    assert len(seen) == 5, seen  # the record is locked before
    assert "UPDATE contacts" in seen[3]
    assert EVENTS in seen[3]
    newest, first = await events_of(api, made)
    assert (first["type"], first["version"]) == ("contact.created", 1)
    assert first["changes"]["email"] == {"old": None, "new": "ada@acme.example"}
    assert newest == {"type": "contact.updated", "version": 2, "changes": {"title": {"old": None, "new": "Countess"}}}
    was = await api.get(made, as_of=made["updated_at"])
    assert (was["title"], was["version"], changed["version"]) == (None, 1, 2)


async def test_what_is_not_stored_has_no_event(api: Api) -> None:
    held = await api.make("contacts", last_name="First", email="one@acme.example")
    other = await api.make("contacts", last_name="Second")
    body = {"last_name": "Third", "email": "one@acme.example"}
    await api.fails("POST", "/v1/contacts", 409, "duplicate", json=body)
    await api.fails("PATCH", f"/v1/contacts/{other['id']}", 409, "duplicate", json={"email": "one@acme.example"})
    await api.ok("POST", "/v1/contacts", json={"last_name": "Tried"}, params={"dry_run": "true"})
    listed = await api.ok("GET", "/v1/events", params={"object": "contacts"})
    assert [event["record"]["id"] for event in listed["data"]] == [held["id"], other["id"]]


async def test_writes_that_others_follow_tell_all_events_at_the_end(api: Api) -> None:
    account = await api.make("accounts", name="Acme")
    with statements(api) as seen:
        await api.make("contacts", last_name="Linked", account_id=account["id"])
    assert [EVENTS in sql and "INSERT INTO contacts" in sql for sql in seen].count(True) == 0
    assert [EVENTS in sql for sql in seen].count(True) == 1
    operations = [{"method": "POST", "path": "/v1/contacts", "body": {"last_name": name}} for name in ("One", "Two")]
    with statements(api) as seen:
        await api.ok("POST", "/v1/composite", json={"operations": operations})
    assert [EVENTS in sql for sql in seen].count(True) == 1
