"""Updates: merge patches, versions, stale versions, unique values, and the events they leave."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.errors import Deleted, Duplicate, NotFound, Problem, ValidationFailed, VersionConflict
from crm_api.core.ids import uuid7
from crm_api.kernel.writer import Patch, WriteOptions
from tests.kernel.conftest import WRITER, Org, add_member, read
from tests.kernel.objects import REGISTRY, contact_rules

pytestmark = pytest.mark.anyio


async def codes(org: Org, name: str, id: str, body: dict[str, object]) -> dict[str | None, str]:
    """What a patch is refused for."""
    with pytest.raises(Problem) as caught:
        await org.update(name, id, body)
    return {error.pointer: error.code for error in caught.value.errors}


async def patch_all(org: Org, patches: list[Patch]) -> None:
    async with org.context() as context:
        await WRITER.update(context, REGISTRY["contacts"], patches, options=WriteOptions(items=len(patches)))


async def test_a_patch_changes_what_it_names(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada", last_name="King", email="Ada@Acme.example", tags=["vip"])
    outcome = await org.update("contacts", made["id"], {"last_name": "Lovelace", "rating": "hot"})
    record = read(outcome)
    assert (outcome.outcome, outcome.version, outcome.status) == ("updated", 2, 200)
    assert record == {
        **made,
        "version": 2,
        "last_name": "Lovelace",
        "rating": "hot",
        "display_name": "Ada Lovelace",
        "updated_at": record["updated_at"],
    }
    assert record["updated_at"] > made["updated_at"]
    created, updated = await org.events(made["id"])
    assert created["type"] == "contact.created"
    assert updated["type"] == "contact.updated"
    assert updated["changes"] == {"last_name": {"old": "King", "new": "Lovelace"}, "rating": {"old": None, "new": "hot"}}
    assert updated["version"] == 2
    [row] = await org.sql("SELECT last_name_key, search_text FROM contacts WHERE org_id = $1", org.id)
    assert row["last_name_key"] == "lovelace"
    assert "lovelace" in row["search_text"]
    assert "king" not in row["search_text"]


async def test_a_patch_that_changes_nothing_is_unchanged(org: Org) -> None:
    made = await org.make("accounts", name="Acme", annual_revenue="10.50")
    outcome = await org.update("accounts", made["id"], {"name": "Acme", "annual_revenue": "10.5"})
    assert (outcome.outcome, outcome.version) == ("unchanged", 1)
    assert read(outcome) == made
    assert len(await org.events(made["id"])) == 1


async def test_objects_merge_and_arrays_replace(org: Org) -> None:
    made = await org.make(
        "accounts",
        name="Acme",
        billing_address={"street": " Torstraße 1 ", "city": "Berlin"},
        external_ids={"hubspot": "1", "sap": "2"},
        tags=["a", "b"],
    )
    assert made["billing_address"] == {"street": "Torstraße 1", "city": "Berlin", "region": None, "postal_code": None, "country": None}
    record = read(
        await org.update(
            "accounts",
            made["id"],
            {"billing_address": {"city": None, "country": "DE"}, "external_ids": {"hubspot": None, "x": "3"}, "tags": ["c"]},
        )
    )
    assert record["billing_address"] == {"street": "Torstraße 1", "city": None, "region": None, "postal_code": None, "country": "DE"}
    assert record["external_ids"] == {"sap": "2", "x": "3"}
    assert record["tags"] == ["c"]
    changes = (await org.events(made["id"]))[1]["changes"]
    assert changes["external_ids.hubspot"] == {"old": "1", "new": None}
    assert changes["external_ids.x"] == {"old": None, "new": "3"}
    rows = await org.sql("SELECT system, value FROM external_ids WHERE org_id = $1 ORDER BY system", org.id)
    assert [tuple(row) for row in rows] == [("sap", "2"), ("x", "3")]


async def test_a_change_of_currency_checks_the_amounts(org: Org) -> None:
    made = await org.make("accounts", name="Acme", annual_revenue="10.50")
    assert await codes(org, "accounts", made["id"], {"currency": "JPY"}) == {"/annual_revenue": "digits"}
    record = read(await org.update("accounts", made["id"], {"currency": "JPY", "annual_revenue": "11"}))
    assert (record["annual_revenue"], record["currency"]) == ("11", "JPY")
    record = read(await org.update("accounts", made["id"], {"currency": "EUR"}))
    assert record["annual_revenue"] == "11.00"


async def test_email_and_the_primary_of_emails_are_one(org: Org) -> None:
    made = await org.make("contacts", email="a@x.example")
    assert made["emails"] == [{"address": "a@x.example", "type": None, "is_primary": True}]
    two = [{"address": "B@x.example", "type": "work", "is_primary": True}, {"address": "a@x.example"}]
    record = read(await org.update("contacts", made["id"], {"emails": two}))
    assert record["email"] == "B@x.example"
    assert record["emails"][1] == {"address": "a@x.example", "type": None, "is_primary": False}
    record = read(await org.update("contacts", made["id"], {"email": "c@x.example"}))
    assert [entry["address"] for entry in record["emails"]] == ["c@x.example", "a@x.example"]
    assert record["emails"][0]["type"] == "work"
    record = read(await org.update("contacts", made["id"], {"email": "a@x.example"}))
    assert record["emails"] == [{"address": "a@x.example", "type": None, "is_primary": True}]
    none = [{"address": "a@x.example"}]
    assert await codes(org, "contacts", made["id"], {"emails": none}) == {"/emails": "exactly_one_primary"}
    other = [{"address": "q@x.example", "is_primary": True}]
    assert await codes(org, "contacts", made["id"], {"email": "z@x.example", "emails": other}) == {"/email": "invalid_combination"}
    twice = [{"address": "q@x.example", "is_primary": True}, {"address": "Q@X.example"}]
    assert await codes(org, "contacts", made["id"], {"emails": twice}) == {"/emails/1/address": "repeated_item"}
    record = read(await org.update("contacts", made["id"], {"email": None, "first_name": "Ada"}))
    assert record["emails"] == []
    record = read(await org.update("contacts", made["id"], {"phone": "030 1234567"}))
    assert record["phones"] == [{"number": "030 1234567", "type": None, "is_primary": True}]
    [row] = await org.sql("SELECT phone_key, search_text FROM contacts WHERE org_id = $1", org.id)
    assert row["phone_key"] == "+49301234567"
    assert "49301234567" in row["search_text"]


async def test_bad_values_are_refused_each_with_its_place(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada")
    body = {
        "version": 3,
        "nope": 1,
        "first_name": 5,
        "rating": "tepid",
        "birthdate": "2026-02-30",
        "account_id": "x",
        "do_not_call": None,
        "created_at": "2026-01-01T00:00:00Z",
        "tags": "vip",
    }
    assert await codes(org, "contacts", made["id"], body) == {
        "/version": "read_only",
        "/nope": "unknown_field",
        "/first_name": "type",
        "/rating": "enum",
        "/birthdate": "invalid_date",
        "/account_id": "invalid_uuid",
        "/do_not_call": "null_not_allowed",
        "/created_at": "read_only",
        "/tags": "type",
    }
    assert await codes(org, "contacts", made["id"], {"phone": "abc", "email": "nope", "custom_fields": {"x": 1}}) == {
        "/phone": "invalid_phone",
        "/email": "invalid_email",
        "/custom_fields/x": "unknown_field",
    }
    assert await codes(org, "contacts", made["id"], {"last_name": "a\x00b"}) == {"/last_name": "invalid_characters"}
    assert await codes(org, "contacts", made["id"], {"last_name": "Nobody"}) == {"/last_name": "pattern"}
    with pytest.raises(ValidationFailed) as caught:
        await org.update("contacts", made["id"], {"rating": "tepid", "nope": 1})
    allowed = {error.pointer: error.allowed for error in caught.value.errors}
    assert allowed["/rating"] == ["hot", "warm", "cold"]
    assert "first_name" in (allowed["/nope"] or [])
    assert len(await org.events(made["id"])) == 1


async def test_references_must_lead_to_live_records_of_this_organisation(org: Org, other: Org) -> None:
    foreign = await other.make("accounts", name="Foreign")
    gone = await org.make("accounts", name="Gone")
    await org.delete("accounts", gone["id"])
    mine = await org.make("accounts", name="Mine", domain="mine.example", external_ids={"sap": "7"})
    made = await org.make("contacts", first_name="Ada")
    for id in (foreign["id"], gone["id"]):
        assert await codes(org, "contacts", made["id"], {"account_id": id}) == {"/account_id": "not_found_reference"}
    record = read(await org.update("contacts", made["id"], {"account_id": {"by": "domain", "value": "WWW.mine.example"}}))
    assert record["account_id"] == mine["id"]
    outcome = await org.update("contacts", made["id"], {"account_id": {"by": "external_ids.sap", "value": "7"}})
    assert outcome.outcome == "unchanged"
    assert await codes(org, "contacts", made["id"], {"account_id": {"by": "domain", "value": "no.example"}}) == {
        "/account_id": "unresolved_reference"
    }
    assert await codes(org, "contacts", made["id"], {"account_id": {"by": "name", "value": "Mine"}}) == {"/account_id/by": "enum"}
    suspended = uuid7(SystemClock())
    await add_member(org, suspended, "suspended")
    assert await codes(org, "contacts", made["id"], {"owner_id": str(suspended)}) == {"/owner_id": "not_found_reference"}


async def test_picklists_of_the_organisation(org: Org) -> None:
    await org.make("lifecycle_stages", key="customer", label="Customer", position=2)
    await org.make("lifecycle_stages", key="lead", label="Lead", position=1)
    made = await org.make("contacts", first_name="Ada", lifecycle_stage="lead")
    with pytest.raises(ValidationFailed) as caught:
        await org.update("contacts", made["id"], {"lifecycle_stage": "nope"})
    assert caught.value.errors[0].code == "enum"
    assert caught.value.errors[0].allowed == ["lead", "customer"]


async def test_a_stale_version_is_answered_with_what_happened(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada", last_name="King")
    await org.update("contacts", made["id"], {"last_name": "Byron"})
    await org.update("contacts", made["id"], {"last_name": "Lovelace"})
    with pytest.raises(VersionConflict) as caught:
        await org.update("contacts", made["id"], {"last_name": "Noel", "rating": "hot"}, if_match=1)
    extra = caught.value.extra
    assert extra["version"] == 3
    [conflict] = extra["conflicts"]
    assert {key: conflict[key] for key in ("field", "base", "yours", "theirs")} == {
        "field": "last_name",
        "base": "King",
        "yours": "Noel",
        "theirs": "Lovelace",
    }
    assert conflict["actor"] == org.principal.actor.json()
    outcome = await org.update("contacts", made["id"], {"rating": "hot"}, if_match=1, conflict="fields")
    assert outcome.version == 4
    with pytest.raises(VersionConflict):
        await org.update("contacts", made["id"], {"last_name": "Noel"}, if_match=1, conflict="fields")
    assert (await org.update("contacts", made["id"], {"rating": "cold"}, if_match=4)).version == 5


async def test_a_taken_unique_value_names_its_holder(org: Org) -> None:
    first = await org.make("contacts", email="a@x.example", external_ids={"sap": "1"})
    second = await org.make("contacts", email="b@x.example")
    with pytest.raises(Duplicate) as caught:
        await org.update("contacts", second["id"], {"email": "A@x.example"})
    assert caught.value.extra["existing"] == [{"object": "contacts", "id": first["id"], "field": "email"}]
    with pytest.raises(Duplicate) as caught:
        await org.update("contacts", second["id"], {"external_ids": {"sap": "1"}})
    assert caught.value.extra["existing"] == [{"object": "contacts", "id": first["id"], "field": "external_ids.sap"}]
    assert caught.value.errors[0].pointer == "/external_ids/sap"
    await org.delete("contacts", first["id"])
    assert (await org.update("contacts", second["id"], {"email": "a@x.example", "external_ids": {"sap": "1"}})).version == 2
    with pytest.raises(Duplicate) as caught:
        await org.restore("contacts", first["id"])
    assert caught.value.extra["existing"][0]["id"] == second["id"]


async def test_a_partial_batch_writes_what_it_can(org: Org) -> None:
    one = await org.make("contacts", email="a@x.example")
    two = await org.make("contacts", email="b@x.example")
    three = await org.make("contacts", first_name="C")
    missing = UUID(int=UUID(one["id"]).int + 1)
    patches = [
        Patch(UUID(one["id"]), {"first_name": "A"}),
        Patch(UUID(two["id"]), {"email": "a@x.example"}),
        Patch(missing, {"first_name": "X"}),
        Patch(UUID(three["id"]), {"email": "c@x.example"}),
        Patch(UUID(one["id"]), {"first_name": "B"}),
        Patch(UUID(three["id"]), {"first_name": 5}),
    ]
    async with org.context() as context:
        found = await WRITER.update(context, REGISTRY["contacts"], patches, options=WriteOptions(atomic=False))
    assert [outcome.index for outcome in found] == [0, 1, 2, 3, 4, 5]
    assert [outcome.problem.code if outcome.problem else outcome.outcome for outcome in found] == [
        "updated",
        "duplicate",
        "not_found",
        "updated",
        "repeated_item",
        "validation_failed",
    ]
    assert read(found[0])["email"] == "a@x.example"
    rows = await org.sql("SELECT email, first_name, version FROM contacts WHERE org_id = $1 ORDER BY id", org.id)
    assert [tuple(row) for row in rows] == [("a@x.example", "A", 2), ("b@x.example", None, 1), ("c@x.example", "C", 2)]
    assert len(await org.events()) == 5


async def test_an_atomic_batch_raises_the_first_failure_below_its_item(org: Org) -> None:
    one = await org.make("contacts", first_name="A")
    two = await org.make("contacts", first_name="B")
    patches = [Patch(UUID(one["id"]), {"first_name": "Z"}), Patch(UUID(two["id"]), {"rating": "x"})]
    with pytest.raises(ValidationFailed) as caught:
        await patch_all(org, patches)
    assert caught.value.errors[0].pointer == "/items/1/rating"
    assert [result["status"] for result in caught.value.extra["results"]] == [424, 422]
    assert read(await org.update("contacts", one["id"], {}))["first_name"] == "A"


async def test_two_changes_in_one_transaction_are_one_event(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada", last_name="King")
    async with org.context() as context:
        contacts = REGISTRY["contacts"]
        await WRITER.update(context, contacts, [Patch(UUID(made["id"]), {"last_name": "B", "rating": "hot"})])
        found = await WRITER.update(context, contacts, [Patch(UUID(made["id"]), {"last_name": "C", "rating": None})])
        assert found[0].version == 2
    _, event = await org.events(made["id"])
    assert event["changes"] == {"last_name": {"old": "King", "new": "C"}}
    assert event["version"] == 2


async def test_gone_records(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada")
    await org.delete("contacts", made["id"])
    with pytest.raises(Deleted) as caught:
        await org.update("contacts", made["id"], {"first_name": "B"})
    assert caught.value.extra["restorable"] is True
    with pytest.raises(NotFound):
        await org.update("contacts", UUID(int=5), {"first_name": "B"})


async def test_rules_are_asked_once_for_all_items(org: Org) -> None:
    contact_rules.calls.clear()
    await org.create("contacts", {"first_name": "A"}, {"first_name": "B"})
    assert contact_rules.calls == [("before_write", 2), ("after_write", 2)]


async def test_one_of_many_writers_with_one_version_wins(org: Org) -> None:
    made = await org.make("contacts", first_name="Ada")

    async def attempt(n: int) -> str:
        try:
            return (await org.update("contacts", made["id"], {"first_name": f"A{n}"}, if_match=1)).outcome
        except VersionConflict as problem:
            return problem.code

    results = await asyncio.gather(*(attempt(n) for n in range(12)))
    assert sorted(results) == ["updated"] + ["version_conflict"] * 11
    assert len(await org.events(made["id"])) == 2


async def test_one_of_many_writers_of_one_unique_value_wins(org: Org) -> None:
    ids = [(await org.make("contacts", first_name=f"A{n}"))["id"] for n in range(8)]

    async def change(id: str) -> str:
        try:
            return (await org.update("contacts", id, {"email": "one@x.example"})).outcome
        except Duplicate as problem:
            return problem.code

    async def make(n: int) -> str:
        try:
            return (await org.create("contacts", {"email": "One@x.example", "external_ids": {"sap": "1"}}))[0].outcome
        except Duplicate as problem:
            return problem.code if problem.extra["existing"][0]["id"] else "unexplained"

    results = await asyncio.gather(*(change(id) for id in ids), *(make(n) for n in range(8)))
    assert sorted(set(results)) in (["duplicate", "updated"], ["created", "duplicate"])
    assert results.count("duplicate") == 15
