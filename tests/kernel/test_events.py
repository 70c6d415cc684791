"""What a transaction leaves in the log: one event per record, in order, or nothing."""

from __future__ import annotations

from uuid import UUID

import orjson
import pytest

from crm_api.core.errors import Duplicate
from crm_api.db.uow import Cause
from crm_api.kernel import events
from crm_api.kernel.context import Context
from crm_api.kernel.writer import Patch, Target
from tests.kernel.conftest import WRITER, Org
from tests.kernel.objects import REGISTRY

pytestmark = pytest.mark.anyio

CONTACTS, ACCOUNTS = REGISTRY["contacts"], REGISTRY["accounts"]


async def test_a_transaction_is_told_in_order_with_its_cause(org: Org) -> None:
    async with org.context(cause=Cause(action="leads.convert", request_id="r1", idempotency_key="k")) as context:
        [account] = await WRITER.create(context, ACCOUNTS, [{"name": "A"}])
        [contact] = await WRITER.create(context, CONTACTS, [{"first_name": "B", "account_id": str(account.id)}])
    found = await org.events()
    assert [event["type"] for event in found] == ["account.created", "contact.created", "link.created"]
    assert [event["transaction_index"] for event in found] == [0, 1, 2]
    assert [event["transaction_last"] for event in found] == [False, False, True]
    assert len({event["transaction_id"] for event in found}) == 1
    assert found[0]["cause"] == {"action": "leads.convert", "request_id": "r1", "idempotency_key": "k"}
    assert found[1]["visibility"] == {"before": None, "after": {"owner_id": str(org.principal.user_id)}}
    assert found[2]["related"] == [str(contact.id), str(account.id)]
    rows = await org.sql("SELECT row FROM event_snapshots WHERE org_id = $1 ORDER BY event_id", org.id)
    snapshots = [orjson.loads(row["row"]) for row in rows]
    assert snapshots[0]["name"] == "A"
    assert not {"search", "search_text", "trigrams"} & set(snapshots[0])
    assert snapshots[1]["first_name_key"] == "b"


async def test_nothing_remains_of_a_dry_run(org: Org) -> None:
    async with org.context(dry_run=True) as context:
        [outcome] = await WRITER.create(context, ACCOUNTS, [{"name": "A"}])
        assert outcome.record
    assert await org.events() == []
    assert await org.sql("SELECT 1 FROM accounts WHERE org_id = $1", org.id) == []


async def test_what_a_savepoint_undid_is_not_told(org: Org) -> None:
    await org.make("accounts", name="A", domain="a.example")
    async with org.context() as context:
        await WRITER.create(context, ACCOUNTS, [{"name": "B"}])
        with pytest.raises(Duplicate):
            await _in_vain(context)
    assert [event["changes"]["name"]["new"] for event in await org.events()] == ["A", "B"]


async def _in_vain(context: Context) -> None:
    async with context.uow.savepoint():
        await WRITER.create(context, ACCOUNTS, [{"name": "C"}])
        await WRITER.create(context, ACCOUNTS, [{"name": "D", "domain": "a.example"}])


async def test_the_number_of_statements_does_not_depend_on_the_number_of_records(org: Org) -> None:
    seen: list[str] = []
    org.database.observers.append(seen.append)
    for count in (1, 30):
        del seen[:]
        made = await org.create("accounts", *({"name": f"A{n}"} for n in range(count)))
        assert len(seen) == 4, seen  # BEGIN, the records, their events, COMMIT
        del seen[:]
        async with org.context() as context:
            await WRITER.update(context, ACCOUNTS, [Patch(outcome.id, {"name": "B"}) for outcome in made if outcome.id])
        assert len(seen) == 5, seen  # and the lock


async def test_the_two_ends_of_a_transaction_make_the_type(org: Org) -> None:
    made = UUID((await org.make("contacts", first_name="Ada"))["id"])
    async with org.context() as context:
        await WRITER.delete(context, CONTACTS, [Target(made)])
        await WRITER.restore(context, CONTACTS, [Target(made)])
        await WRITER.update(context, CONTACTS, [Patch(made, {"first_name": "B"})])
    event = (await org.events(made))[-1]
    assert (event["type"], event["version"]) == ("contact.updated", 2)
    assert event["changes"] == {"first_name": {"old": "Ada", "new": "B"}}
    await org.delete("contacts", made)
    async with org.context() as context:
        await WRITER.restore(context, CONTACTS, [Target(made)])
        await WRITER.update(context, CONTACTS, [Patch(made, {"first_name": "C"})])
    event = (await org.events(made))[-1]
    assert (event["type"], event["version"]) == ("contact.restored", 4)
    assert sorted(event["changes"]) == ["deleted_at", "first_name"]


async def test_readers_are_woken_after_commits_with_events_only(org: Org) -> None:
    woken: list[UUID] = []

    async def nudge(org_id: UUID) -> None:
        woken.append(org_id)

    end = events.on_commit(nudge)
    try:
        made = await org.make("contacts", first_name="Ada")
        await org.update("contacts", made["id"], {"first_name": "Ada"})
        await org.sql("SELECT 1")
    finally:
        end()
    assert woken == [org.id]
