"""Merging: values, references, links, external ids, and what the losers answer afterwards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest

from crm_api.core.errors import Merged, ValidationFailed
from crm_api.kernel.links import LinkPut, Links
from crm_api.kernel.merge import Merger, MergeRequest, MergeResult
from tests.kernel.conftest import WRITER, Org, read
from tests.kernel.objects import REGISTRY

pytestmark = pytest.mark.anyio


async def merge(
    org: Org, name: str, winner: str, *losers: str, dry_run: bool = False, choices: dict[str, str] | None = None
) -> MergeResult:
    async with org.context(dry_run=dry_run) as context:
        chosen = {field: UUID(id) for field, id in (choices or {}).items()}
        return await Merger(WRITER).merge(context, REGISTRY[name], MergeRequest(UUID(winner), [UUID(id) for id in losers], chosen))


async def test_the_winner_takes_over(org: Org) -> None:
    winner = await org.make("contacts", first_name="Ada", email="a@x.example", tags=["vip"], external_ids={"sap": "1"})
    loser = await org.make(
        "contacts",
        first_name="Augusta",
        last_name="King",
        email="b@x.example",
        phone="+49 30 1234567",
        tags=["vip", "math"],
        external_ids={"sap": "2", "hubspot": "3"},
    )
    third = await org.make("contacts", first_name="A", rating="hot")
    case = await org.make("cases", subject="Broken", contact_id=loser["id"])
    gone = await org.make("cases", subject="Old", contact_id=loser["id"])
    await org.delete("cases", gone["id"])
    result = await merge(org, "contacts", winner["id"], loser["id"], third["id"], choices={"first_name": loser["id"]})
    record = read(result.winner)
    assert (record["first_name"], record["last_name"], record["email"], record["rating"]) == ("Augusta", "King", "a@x.example", "hot")
    assert record["display_name"] == "Augusta King"
    assert [entry["address"] for entry in record["emails"]] == ["a@x.example", "b@x.example"]
    assert [entry["is_primary"] for entry in record["emails"]] == [True, False]
    assert record["phone"] == "+49 30 1234567"
    assert record["tags"] == ["vip", "math"]
    assert record["external_ids"] == {"sap": "1", "hubspot": "3"}
    assert record["version"] == 2
    assert result.moved == {"cases": 2}
    assert read(await org.update("cases", case["id"], {}))["contact_id"] == winner["id"]
    event = (await org.events(winner["id"]))[-1]
    assert (event["type"], event["related"]) == ("contact.merged", [loser["id"], third["id"]])
    assert event["changes"]["last_name"] == {"old": None, "new": "King"}
    assert (await org.events(loser["id"]))[-1]["type"] == "contact.merged"
    for attempt in (org.update("contacts", loser["id"], {}), org.delete("contacts", loser["id"]), org.restore("contacts", loser["id"])):
        with pytest.raises(Merged) as caught:
            await attempt
        assert caught.value.extra["merged_into"] == winner["id"]
    rows = await org.sql("SELECT system, value, record_id FROM external_ids WHERE org_id = $1 ORDER BY system", org.id)
    assert [(row["system"], row["value"], str(row["record_id"])) for row in rows] == [
        ("hubspot", "3", winner["id"]),
        ("sap", "1", winner["id"]),
    ]


async def test_a_unique_value_may_come_from_a_loser(org: Org) -> None:
    winner = await org.make("accounts", name="Acme")
    loser = await org.make("accounts", name="ACME Inc", domain="acme.example", annual_revenue="5", currency="USD", parent_id=winner["id"])
    record = read((await merge(org, "accounts", winner["id"], loser["id"])).winner)
    assert record["domain"] == "acme.example"
    assert record["annual_revenue"] is None
    again = await org.make("accounts", name="Third")
    await merge(org, "accounts", again["id"], winner["id"])
    rows = await org.sql("SELECT id FROM accounts WHERE org_id = $1 AND merged_into = $2", org.id, UUID(again["id"]))
    assert {str(row["id"]) for row in rows} == {winner["id"], loser["id"]}


async def test_links_are_united(org: Org) -> None:
    for position, key in enumerate(("buyer", "boss")):
        await org.make("contact_roles", key=key, label=key, position=position)
    case, other_case = [(await org.make("cases", subject=subject))["id"] for subject in ("A", "B")]
    a, b = [(await org.make("accounts", name=name))["id"] for name in "AB"]
    winner = await org.make("contacts", first_name="W", account_id=a)
    loser = await org.make("contacts", first_name="L", account_id=b)
    links = Links(WRITER)
    async with org.context() as context:
        relation = REGISTRY.relations["cases"]["contacts"]
        await links.put(context, relation, UUID(case), [LinkPut(UUID(winner["id"]), {"roles": ["buyer"]})])
        await links.put(context, relation, UUID(case), [LinkPut(UUID(loser["id"]), {"roles": ["boss"], "is_primary": True})])
        await links.put(context, relation, UUID(other_case), [LinkPut(UUID(loser["id"]), {})])
    result = await merge(org, "contacts", winner["id"], loser["id"])
    assert result.moved == {"links": 3}
    rows = await org.sql("SELECT * FROM links WHERE org_id = $1", org.id)
    found: dict[tuple[str, str], Any] = {(str(row["from_id"]), str(row["to_id"])): orjson.loads(row["attributes"]) for row in rows}
    assert found == {
        (case, winner["id"]): {"roles": ["buyer", "boss"], "is_primary": True},
        (other_case, winner["id"]): {"roles": [], "is_primary": False},
        (winner["id"], a): {"roles": [], "is_primary": True},
        (winner["id"], b): {"roles": [], "is_primary": False},
    }


async def test_a_dry_run_changes_nothing(org: Org) -> None:
    winner, loser = await org.make("contacts", first_name="W"), await org.make("contacts", last_name="L")
    assert read((await merge(org, "contacts", winner["id"], loser["id"], dry_run=True)).winner)["last_name"] == "L"
    assert read(await org.update("contacts", winner["id"], {}))["last_name"] is None
    assert len(await org.events()) == 2


async def test_what_can_not_be_merged(org: Org) -> None:
    winner, loser = await org.make("accounts", name="W"), await org.make("accounts", name="L", annual_revenue="5", currency="USD")

    async def codes(*losers: str, **choices: str) -> dict[str | None, str]:
        with pytest.raises(ValidationFailed) as caught:
            await merge(org, "accounts", winner["id"], *losers, choices=choices)
        return {error.pointer: error.code for error in caught.value.errors}

    assert await codes() == {"/loser_ids": "min_items"}
    assert await codes(winner["id"], loser["id"], loser["id"]) == {"/loser_ids/0": "repeated_item", "/loser_ids/2": "repeated_item"}
    assert await codes(str(UUID(int=4))) == {"/loser_ids/0": "not_found_reference"}
    assert await codes(loser["id"], nope=loser["id"], version=loser["id"], name=str(UUID(int=4))) == {
        "/field_choices/nope": "unknown_field",
        "/field_choices/version": "read_only",
        "/field_choices/name": "enum",
    }
    assert await codes(loser["id"], annual_revenue=loser["id"]) == {"/field_choices/annual_revenue": "invalid_combination"}
    record = read(
        (await merge(org, "accounts", winner["id"], loser["id"], choices={"annual_revenue": loser["id"], "currency": loser["id"]})).winner
    )
    assert (record["annual_revenue"], record["currency"]) == ("5.00", "USD")
