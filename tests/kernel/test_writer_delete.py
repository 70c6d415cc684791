"""Deletes, children, restores, purges and upserts."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.errors import Conflict, Deleted, Duplicate, NotFound, VersionConflict
from crm_api.core.ids import uuid7
from crm_api.kernel.writer import Target
from tests.kernel.conftest import WRITER, Org, new_org, read
from tests.kernel.objects import REGISTRY

pytestmark = pytest.mark.anyio


async def test_delete_is_soft_and_repeatable(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada", email="a@x.example", external_ids={"sap": "1"})
    [first] = await org.delete("contacts", made["id"])
    record = read(first)
    assert (first.outcome, first.version) == ("deleted", 2)
    assert record["deleted_at"] == record["updated_at"] > made["updated_at"]
    [again] = await org.delete("contacts", made["id"])
    assert (again.outcome, again.version) == ("unchanged", 2)
    assert read(again) == record
    assert [event["type"] for event in await org.events(made["id"])] == ["contact.created", "contact.deleted"]
    assert await org.sql("SELECT 1 FROM external_ids WHERE org_id = $1", org.id) == []
    [back] = await org.restore("contacts", made["id"])
    assert (back.outcome, back.version, read(back)["deleted_at"]) == ("restored", 3, None)
    assert len(await org.sql("SELECT 1 FROM external_ids WHERE org_id = $1", org.id)) == 1
    assert (await org.restore("contacts", made["id"]))[0].outcome == "unchanged"
    with pytest.raises(NotFound):
        await org.delete("contacts", UUID(int=7))


async def test_a_stale_delete_is_refused(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada")
    await org.update("contacts", made["id"], {"first_name": "B"})
    async with org.context() as context:
        with pytest.raises(VersionConflict):
            await WRITER.delete(context, REGISTRY["contacts"], [Target(UUID(made["id"]), 1)])


async def test_children_block_a_delete(org: Org) -> None:
    top = await org.make("accounts", name="Top")
    await org.make("accounts", name="Sub", parent_id=top["id"])
    await org.create("contacts", {"first_name": "A", "account_id": top["id"]}, {"first_name": "B", "account_id": top["id"]})
    with pytest.raises(Conflict) as caught:
        await org.delete("accounts", top["id"])
    relations = sorted(caught.value.extra["relations"], key=lambda entry: entry["relation"])
    assert relations == [
        {"relation": "children", "object": "accounts", "count": 1},
        {"relation": "contacts", "object": "contacts", "count": 2},
    ]
    assert caught.value.errors[0].code == "has_children"


async def test_children_are_detached_or_go_too(org: Org) -> None:
    top = await org.make("accounts", name="Top")
    sub = await org.make("accounts", name="Sub", parent_id=top["id"])
    person = await org.make("contacts", first_name="A", account_id=sub["id"])
    await org.delete("accounts", top["id"], on_children="detach")
    assert read(await org.update("accounts", sub["id"], {}))["parent_id"] is None
    assert (await org.events(sub["id"]))[-1]["changes"] == {"parent_id": {"old": top["id"], "new": None}}
    await org.delete("accounts", sub["id"], on_children="cascade")
    with pytest.raises(Deleted):
        await org.update("contacts", person["id"], {})
    case = await org.make("cases", subject="Broken")
    await org.make("case_comments", case_id=case["id"], body={"format": "html", "content": "<p>Hi<script>x</script></p>"})
    with pytest.raises(Conflict):
        await org.delete("cases", case["id"], on_children="detach")
    await org.delete("cases", case["id"], on_children="cascade")


async def test_a_partial_delete_goes_on_past_what_is_blocked(org: Org) -> None:
    top = await org.make("accounts", name="Top")
    await org.make("contacts", first_name="A", account_id=top["id"])
    free = await org.make("accounts", name="Free")
    found = await org.delete("accounts", top["id"], free["id"], UUID(int=3), atomic=False)
    assert [outcome.problem.code if outcome.problem else outcome.outcome for outcome in found] == ["conflict", "deleted", "not_found"]


async def test_a_purged_record_leaves_a_tombstone_and_nothing_else(org: Org) -> None:
    account = await org.make("accounts", name="Secret", external_ids={"sap": "1"})
    await org.make("contacts", first_name="A", account_id=account["id"])
    deleted = await org.make("contacts", first_name="B", account_id=account["id"])
    await org.delete("contacts", deleted["id"])
    with pytest.raises(Conflict):
        await org.delete("accounts", account["id"], purge=True)
    [outcome] = await org.delete("accounts", account["id"], purge=True, on_children="detach")
    assert (outcome.outcome, outcome.record, outcome.version) == ("purged", "", 2)
    created, purged = await org.events(account["id"])
    assert purged["type"] == "account.purged"
    assert purged["changes"] == {}
    assert created["changes"]["name"] == {"old": None, "new": None}
    assert await org.sql("SELECT 1 FROM accounts WHERE org_id = $1", org.id) == []
    assert await org.sql("SELECT 1 FROM external_ids WHERE org_id = $1", org.id) == []
    assert await org.sql("SELECT 1 FROM links WHERE org_id = $1", org.id) == []
    snapshots = await org.sql("SELECT row FROM event_snapshots WHERE org_id = $1", org.id)
    assert not [row for row in snapshots if "Secret" in row["row"]]
    [row] = await org.sql("SELECT account_id, version FROM contacts WHERE org_id = $1 AND id = $2", org.id, UUID(deleted["id"]))
    assert tuple(row) == (None, 3)
    with pytest.raises(Deleted) as caught:
        await org.update("accounts", account["id"], {})
    assert caught.value.extra["restorable"] is False
    with pytest.raises(Duplicate) as taken:
        await org.create("accounts", {"id": account["id"], "name": "Again"})
    assert taken.value.extra["existing"][0]["field"] == "id"


async def test_created_and_deleted_in_one_transaction(org: Org) -> None:
    async with org.context() as context:
        [made] = await WRITER.create(context, REGISTRY["contacts"], [{"first_name": "A"}])
        assert made.id is not None
        [gone] = await WRITER.delete(context, REGISTRY["contacts"], [Target(made.id)])
        assert gone.version == 1
    [event] = await org.events(made.id)
    assert (event["type"], event["version"]) == ("contact.deleted", 1)


async def test_an_upsert_makes_or_updates(org: Org) -> None:
    [one] = await org.upsert("contacts", "email", {"email": "A@x.example", "first_name": "A"})
    assert (one.outcome, one.status) == ("created", 201)
    found = await org.upsert(
        "contacts",
        "email",
        {"email": "a@X.example", "first_name": "B"},
        {"email": "b@x.example"},
        {"first_name": "C"},
        {"email": "B@x.example"},
        {"email": "a@x", "rating": "hot"},
        atomic=False,
    )
    assert [outcome.problem.code if outcome.problem else outcome.outcome for outcome in found] == [
        "updated",
        "created",
        "validation_failed",
        "repeated_item",
        "validation_failed",
    ]
    assert found[0].id == one.id
    [same] = await org.upsert("contacts", "email", {"first_name": "B"}, values=["a@x.example"])
    assert (same.outcome, same.id) == ("unchanged", one.id)
    [fixed] = await org.upsert("contact_roles", "key", {"key": "buyer", "label": "Buyer", "position": 1})
    [again] = await org.upsert("contact_roles", "key", {"key": "buyer", "label": "The buyer", "position": 1})
    assert (again.outcome, again.id) == ("updated", fixed.id)
    [external] = await org.upsert("accounts", "external_ids.sap", {"name": "X", "external_ids": {"sap": "9"}})
    [external2] = await org.upsert("accounts", "external_ids.sap", {"name": "Y"}, values=["9"])
    assert (external2.outcome, external2.id) == ("updated", external.id)
    record_id = str(uuid7(SystemClock()))
    assert (await org.upsert("accounts", "id", {"id": record_id, "name": "Z"}))[0].outcome == "created"
    assert (await org.upsert("accounts", "id", {"id": record_id, "name": "Z"}))[0].outcome == "unchanged"


async def test_racing_upserts_make_one_record(org: Org) -> None:
    results = await asyncio.gather(*(org.upsert("contacts", "email", {"email": "a@x.example", "first_name": f"A{n}"}) for n in range(10)))
    assert sorted(outcome.outcome for [outcome] in results) == ["created"] + ["updated"] * 9
    assert len({outcome.id for [outcome] in results}) == 1


async def test_ids_given_by_the_caller(org: Org) -> None:
    record_id = str(uuid7(SystemClock()))
    await org.create("accounts", {"id": record_id, "name": "A"})
    with pytest.raises(Duplicate) as caught:
        await org.create("accounts", {"id": record_id, "name": "A"})
    assert caught.value.extra["existing"] == [{"object": "accounts", "id": record_id, "field": "id"}]
    await org.delete("accounts", record_id)
    with pytest.raises(Duplicate):
        await org.create("accounts", {"id": record_id, "name": "A"})


async def test_a_caller_without_read_is_not_told_who_holds_a_value(org: Org) -> None:
    writer = await new_org(org.database, "accounts:create_only")
    await writer.create("accounts", {"name": "A", "domain": "a.example"})
    with pytest.raises(Duplicate) as caught:
        await writer.create("accounts", {"name": "B", "domain": "a.example"})
    assert caught.value.extra["existing"] == [{"object": "accounts", "id": None, "field": "domain", "visible": False}]


async def test_a_batch_skips_its_own_duplicates(org: Org) -> None:
    bodies: list[dict[str, object]] = [
        {"email": "a@x.example"},
        {"email": "A@x.example"},
        {"email": "b@x.example", "external_ids": {"s": "1"}},
        {"first_name": "E", "external_ids": {"s": "1"}},
    ]
    found = await org.create("contacts", *bodies, atomic=False)
    assert [outcome.problem.code if outcome.problem else outcome.outcome for outcome in found] == [
        "created",
        "duplicate",
        "created",
        "duplicate",
    ]
    assert found[1].problem is not None
    assert found[1].problem.extra["existing"][0]["id"] == str(found[0].id)
    assert len(await org.sql("SELECT 1 FROM contacts WHERE org_id = $1", org.id)) == 2
    assert len(await org.events()) == 2


async def test_import_fields_need_the_permission(org: Org) -> None:
    [outcome] = await org.create(
        "cases", {"subject": "Old", "closed_at": "2020-01-01T00:00:00Z", "created_at": "2019-01-01T00:00:00+01:00"}
    )
    record = read(outcome)
    assert (record["closed_at"], record["created_at"]) == ("2020-01-01T00:00:00.000000Z", "2018-12-31T23:00:00.000000Z")
    plain = await new_org(org.database, "cases:write", "cases:read")
    found = await plain.create("cases", {"subject": "Old", "closed_at": "2020-01-01T00:00:00Z"}, atomic=False)
    assert found[0].problem is not None
    assert [(error.pointer, error.code) for error in found[0].problem.errors] == [("/closed_at", "read_only")]
