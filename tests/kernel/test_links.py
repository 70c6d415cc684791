"""Links: edges from both ends, one primary, the reference that mirrors it."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import orjson
import pytest

from crm_api.core.errors import NotFound, ValidationFailed
from crm_api.kernel.links import LinkOutcome, LinkPut, Links
from crm_api.kernel.writer import WriteOptions
from tests.kernel.conftest import WRITER, Org, read
from tests.kernel.objects import REGISTRY

pytestmark = pytest.mark.anyio

LINKS = Links(WRITER)


async def put(org: Org, name: str, relation: str, id: str, *others: tuple[str, dict[str, Any]], **options: Any) -> list[LinkOutcome]:
    async with org.context() as context:
        items = [LinkPut(UUID(other), attributes) for other, attributes in others]
        return await LINKS.put(context, REGISTRY.relations[name][relation], UUID(id), items, options=WriteOptions(**options))


async def remove(org: Org, name: str, relation: str, id: str, *others: str) -> list[LinkOutcome]:
    async with org.context() as context:
        return await LINKS.delete(context, REGISTRY.relations[name][relation], UUID(id), [UUID(other) for other in others])


async def attributes(org: Org) -> dict[str, Any]:
    rows = await org.sql("SELECT to_id, attributes FROM links WHERE org_id = $1", org.id)
    return {str(row["to_id"]): orjson.loads(row["attributes"]) for row in rows}


async def test_put_makes_then_replaces_then_leaves_alone(org: Org) -> None:
    await org.make("contact_roles", key="buyer", label="Buyer", position=1)
    case = await org.make("cases", subject="Broken")
    person = await org.make("contacts", first_name="Ada")
    [made] = await put(org, "cases", "contacts", case["id"], (person["id"], {"roles": ["buyer"]}))
    assert (made.outcome, made.status, made.version) == ("created", 201, 1)
    assert orjson.loads(made.link) == {
        "id": str(made.id),
        "relation": "cases.contacts",
        "from": {"object": "cases", "id": case["id"]},
        "to": {"object": "contacts", "id": person["id"]},
        "attributes": {"roles": ["buyer"], "is_primary": False},
        "version": 1,
    }
    [same] = await put(org, "contacts", "linked_cases", person["id"], (case["id"], {"roles": ["buyer"]}))
    assert (same.outcome, same.status, same.id, same.link) == ("unchanged", 200, made.id, made.link)
    [changed] = await put(org, "contacts", "linked_cases", person["id"], (case["id"], {"is_primary": True}))
    assert (changed.outcome, changed.version) == ("updated", 2)
    with pytest.raises(ValidationFailed) as caught:
        await put(org, "cases", "contacts", case["id"], (person["id"], {"roles": ["nope"], "is_primary": False}))
    assert (caught.value.errors[0].pointer, caught.value.errors[0].allowed) == ("/roles/0", ["buyer"])
    with pytest.raises(ValidationFailed) as caught:
        await put(org, "cases", "contacts", case["id"], (person["id"], {"nope": 1}), items=1)
    assert caught.value.errors[0].pointer == "/items/0/nope"
    created, updated = await org.events(made.id)
    assert (created["type"], created["object"], created["related"]) == ("link.created", "links", [case["id"], person["id"]])
    assert updated["changes"] == {"attributes.roles": {"old": ["buyer"], "new": []}, "attributes.is_primary": {"old": False, "new": True}}
    assert [event["type"] for event in await org.events(case["id"])] == ["case.created"]
    assert len(await org.sql("SELECT 1 FROM event_snapshots WHERE org_id = $1 AND row->>'relation' = 'cases.contacts'", org.id)) == 2
    async with org.context() as context:
        [(_, link, record)] = await LINKS.page(context, REGISTRY.relations["cases"]["contacts"], UUID(case["id"]), limit=10)
        assert orjson.loads(record)["first_name"] == "Ada"
        assert [row[1] for row in await LINKS.of_relation(context, "cases.contacts", limit=10)] == [link]
        assert [row[1] for row in await LINKS.of_relation(context, None, limit=10)] == [link]
    [gone] = await remove(org, "contacts", "linked_cases", person["id"], case["id"])
    assert (gone.outcome, gone.version) == ("deleted", 3)
    with pytest.raises(NotFound):
        await remove(org, "contacts", "linked_cases", person["id"], case["id"])
    event = (await org.events(made.id))[-1]
    assert event["type"] == "link.deleted"
    assert event["changes"]["to"] == {"old": {"object": "contacts", "id": person["id"]}, "new": None}


async def test_ends_must_be_there(org: Org, other: Org) -> None:
    case = await org.make("cases", subject="Broken")
    foreign = await other.make("contacts", first_name="Ada")
    with pytest.raises(NotFound):
        await put(org, "cases", "contacts", case["id"], (foreign["id"], {}))
    with pytest.raises(NotFound):
        await put(org, "cases", "contacts", foreign["id"], (foreign["id"], {}))
    mine = await org.make("contacts", first_name="Ada")
    found = await put(org, "cases", "contacts", case["id"], (foreign["id"], {}), (mine["id"], {}), (mine["id"], {}), atomic=False)
    assert [outcome.problem.code if outcome.problem else outcome.outcome for outcome in found] == ["not_found", "created", "repeated_item"]


async def test_the_reference_is_the_primary_edge(org: Org) -> None:
    a, b, c = [(await org.make("accounts", name=name))["id"] for name in "ABC"]
    person = await org.make("contacts", first_name="Ada", account_id=a)
    assert await attributes(org) == {a: {"roles": [], "is_primary": True}}
    await put(org, "contacts", "accounts", person["id"], (b, {"is_primary": True}))
    assert await attributes(org) == {a: {"roles": [], "is_primary": False}, b: {"roles": [], "is_primary": True}}
    record = read(await org.update("contacts", person["id"], {}))
    assert (record["account_id"], record["version"]) == (b, 2)
    await org.update("contacts", person["id"], {"account_id": c})
    assert await attributes(org) == {a: {"roles": [], "is_primary": False}, c: {"roles": [], "is_primary": True}}
    await org.update("contacts", person["id"], {"account_id": a})
    assert await attributes(org) == {a: {"roles": [], "is_primary": True}}
    await put(org, "accounts", "people", a, (person["id"], {"is_primary": False}))
    assert read(await org.update("contacts", person["id"], {}))["account_id"] is None
    await put(org, "contacts", "accounts", person["id"], (a, {"is_primary": True}), (b, {"is_primary": True}))
    assert read(await org.update("contacts", person["id"], {}))["account_id"] == b
    assert await attributes(org) == {a: {"roles": [], "is_primary": False}, b: {"roles": [], "is_primary": True}}
    await remove(org, "contacts", "accounts", person["id"], b)
    assert read(await org.update("contacts", person["id"], {}))["account_id"] is None


async def test_racing_puts_leave_one_primary(org: Org) -> None:
    case = await org.make("cases", subject="Broken")
    people = [(await org.make("contacts", first_name=f"A{n}"))["id"] for n in range(6)]
    await asyncio.gather(*(put(org, "cases", "contacts", case["id"], (id, {"is_primary": True})) for id in people))
    assert sum(edge["is_primary"] for edge in (await attributes(org)).values()) == 1
