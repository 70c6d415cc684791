"""A custom field answers as the standard field of its kind does: with the same values, the same questions find the same records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from typing import Any

import pytest

from crm_api.http.app import Application
from crm_api.kernel.query.values import LISTS, NULL_TESTS, OPERATORS, PARTIAL, RELATIVE
from crm_api.models.columns import FieldType
from tests.api import new_organization
from tests.meta.parity import LABELS, PAIRS, Pair, World, make_world

pytestmark = pytest.mark.anyio

NO_TWIN = (FieldType.JSON,)
"""Kinds of which no standard field can hold any value."""


@pytest.fixture(scope="module")
async def world(app: Application) -> AsyncIterator[World]:
    async with new_organization(app) as made:
        made.http.event_hooks = {"response": []}
        yield await make_world(made)


def questions(pair: Pair) -> Iterator[dict[str, Any]]:
    """Conditions with every operator that the type has, without the field's name."""
    for op in OPERATORS[pair.type]:
        if op in NULL_TESTS:
            yield {"op": op}
        elif op in RELATIVE:
            yield from ({"op": op, "value": value} for value in ("P30D", "today", "this_month", "last_year"))
        elif op in PARTIAL and pair.type is not FieldType.MULTI_PICKLIST:
            yield from ({"op": op, "value": part} for part in pair.parts)
        elif op in LISTS:
            yield from ({"op": op, "value": list(pair.operands[:n])} for n in range(1, len(pair.operands) + 1))
        elif op == "between":
            yield from ({"op": op, "value": [low, high]} for low, high in pairwise([*pair.operands, pair.operands[0]]))
        else:
            yield from ({"op": op, "value": value} for value in pair.operands)
    if pair.type is not FieldType.MULTI_PICKLIST and "eq" in OPERATORS[pair.type]:
        yield from ({"op": op, "value": None} for op in ("eq", "ne"))


def compared(pair: Pair) -> list[tuple[str, str]]:
    """Where to ask the same: object and field."""
    return [(pair.object, f"custom_fields.{name}") for name in pair.names] + [("things", name) for name in pair.names]


@pytest.mark.parametrize(
    "pair", [p for p in PAIRS if p.type not in NO_TWIN], ids=[n for n, p in zip(LABELS, PAIRS, strict=True) if p.type not in NO_TWIN]
)
async def test_every_operator(world: World, pair: Pair) -> None:
    for question in questions(pair):
        for wrapped in (lambda c: c, lambda c: {"not": c}):
            expected = await world.asked(pair.object, {"filter": wrapped({"field": pair.standard, **question}), "sort": ["id"]})
            for object_name, name in compared(pair):
                found = await world.asked(object_name, {"filter": wrapped({"field": name, **question}), "sort": ["id"]})
                assert found == expected, f"{object_name}.{name} {question}: {found} instead of {expected}"


async def test_json_is_there_or_not(world: World) -> None:
    for object_name, name in (("leads", "custom_fields.x_json"), ("things", "x_json")):
        assert await world.asked(object_name, {"filter": {"field": name, "op": "is_null"}, "sort": ["id"]}) == [0, 2, 4, 6, 8, 10]
        assert await world.asked(object_name, {"filter": {"field": name, "op": "is_not_null"}, "sort": ["id"]}) == [1, 3, 5, 7, 9, 11]


SORTED = [p for p in PAIRS if p.type not in (*NO_TWIN, FieldType.LONG_TEXT, FieldType.MULTI_PICKLIST)]


@pytest.mark.parametrize("pair", SORTED, ids=lambda p: f"{p.standard}-{p.type.value}")
async def test_every_order_in_pages_of_two(world: World, pair: Pair) -> None:
    for sign in ("", "-"):
        expected = await world.asked(pair.object, {"sort": [sign + pair.standard]})
        assert len(expected) == 12
        for object_name, name in compared(pair):
            assert await world.asked(object_name, {"sort": [sign + name]}) == expected, f"{sign}{name}"
            numbers = world.number(object_name)
            pages: list[list[int]] = []
            cursor: str | None = None
            while True:
                params: dict[str, Any] = {"sort": sign + name, "limit": 2, "fields": "id", **({"cursor": cursor} if cursor else {})}
                page = await world.api.ok("GET", f"/v1/{object_name}", params=params)
                pages.append([numbers[row["id"]] for row in page["data"]])
                cursor = page["page"]["next_cursor"]
                if cursor is None:
                    break
            assert [n for some in pages for n in some] == expected, f"{sign}{name} {pages}"
            back: list[list[int]] = [pages[-1]]
            cursor = page["page"]["prev_cursor"]
            while cursor is not None:
                page = await world.api.ok(
                    "GET", f"/v1/{object_name}", params={"sort": sign + name, "limit": 2, "fields": "id", "cursor": cursor}
                )
                back.insert(0, [numbers[row["id"]] for row in page["data"]])
                cursor = page["page"]["prev_cursor"]
            assert [n for some in back for n in some] == expected, f"back {sign}{name} {back}"


@pytest.mark.parametrize("pair", [p for p in SORTED if p.type is not FieldType.BOOLEAN], ids=lambda p: f"{p.standard}-{p.type.value}")
async def test_second_in_an_order(world: World, pair: Pair) -> None:
    first = {"contacts": "do_not_call", "leads": "-rating", "accounts": "type", "tasks": "priority"}[pair.object]
    for sign in ("", "-"):
        expected = await world.asked(pair.object, {"sort": [first, sign + pair.standard]})
        for name in pair.names:
            assert await world.asked(pair.object, {"sort": [first, f"{sign}custom_fields.{name}"]}) == expected


@pytest.mark.parametrize("pair", PAIRS, ids=LABELS)
async def test_what_was_written_is_read(world: World, pair: Pair) -> None:
    for n, record in enumerate(world.records[pair.object]):
        read = await world.api.get(record)
        assert read == record
        for name in pair.names:
            assert same(pair, read["custom_fields"][name], pair.values[n])
            assert same(pair, world.things[n][name], pair.values[n])
            if pair.type not in (*NO_TWIN, FieldType.MULTI_PICKLIST):
                assert same(pair, read["custom_fields"][name], read[pair.standard])
            few = await world.api.get(record, fields=f"custom_fields.{name}")
            assert few == {"object": pair.object, "id": record["id"], "custom_fields": {name: read["custom_fields"][name]}}


def same(pair: Pair, one: Any, other: Any) -> bool:
    if pair.type is FieldType.DECIMAL and one is not None and other is not None:
        return float(one) == float(other)
    return bool(one == other)


GROUPED = [
    p
    for p in PAIRS
    if p.type in (FieldType.TEXT, FieldType.PICKLIST, FieldType.BOOLEAN, FieldType.INTEGER, FieldType.NUMBER, FieldType.EMAIL)
]


@pytest.mark.parametrize("pair", GROUPED, ids=lambda p: p.type.value)
async def test_groups(world: World, pair: Pair) -> None:
    async def groups(object_name: str, name: str) -> list[tuple[Any, int]]:
        found = await world.api.ok("POST", f"/v1/{object_name}/aggregate", json={"group_by": [name], "measures": [{"op": "count"}]})
        return [(row["group"][name], row["count"]) for row in found["data"]]

    expected = await groups(pair.object, pair.standard)
    for object_name, name in compared(pair):
        assert await groups(object_name, name) == expected


@pytest.mark.parametrize("pair", [p for p in PAIRS if p.type in (FieldType.DATE, FieldType.DATETIME)], ids=lambda p: p.type.value)
async def test_periods(world: World, pair: Pair) -> None:
    for by in ("day", "week", "month", "quarter", "year", "fiscal_year"):

        async def groups(object_name: str, name: str, by: str = by) -> list[tuple[Any, int]]:
            body = {"group_by": [{"field": name, "by": by}]}
            found = await world.api.ok("POST", f"/v1/{object_name}/aggregate", json=body, headers={"time-zone": "Europe/Berlin"})
            return [(row["group"][name], row["count"]) for row in found["data"]]

        expected = await groups(pair.object, pair.standard)
        for object_name, name in compared(pair):
            assert await groups(object_name, name) == expected


NUMERIC = [p for p in PAIRS if p.type in (FieldType.INTEGER, FieldType.NUMBER, FieldType.CURRENCY, FieldType.DECIMAL)]


@pytest.mark.parametrize("pair", NUMERIC, ids=lambda p: p.type.value)
async def test_sums(world: World, pair: Pair) -> None:
    ops = ("sum", "avg", "min", "max", "median")

    async def figures(object_name: str, name: str) -> list[Any]:
        body = {"measures": [{"op": op, "field": name} for op in ops]}
        [row] = (await world.api.ok("POST", f"/v1/{object_name}/aggregate", json=body))["data"]
        return [float(row[f"{op}_{name}"]) for op in ops]

    expected = await figures(pair.object, pair.standard)
    for object_name, name in compared(pair):
        if object_name != "things" or pair.type is not FieldType.CURRENCY:
            assert await figures(object_name, name) == expected


async def test_references(world: World) -> None:
    """What a custom reference finds, brings along and groups is what the standard one does."""
    api = world.api
    conditions: list[dict[str, Any]] = [
        {"field": "{}.name", "value": "Record 1"},
        {"field": "{}.name", "op": "ne", "value": "Record 1"},
        {"field": "{}.employees", "op": "gte", "value": 3},
        {"field": "{}_id", "op": "is_null"},
        {"field": "{}_id", "op": "in", "value": [row["id"] for row in world.records["accounts"][:2]]},
        {"field": "{}_id", "op": "ne", "value": world.records["accounts"][1]["id"]},
        {"field": "{}.custom_fields.x_integer", "op": "gte", "value": 3},
    ]
    for condition in conditions:
        standard = {**condition, "field": condition["field"].format("account")}
        own = {**condition, "field": condition["field"].format("x_account")}
        if own["field"] == "x_account_id":
            own["field"] = "custom_fields.x_account_id"
        assert await world.asked("contacts", {"filter": own, "sort": ["id"]}) == await world.asked(
            "contacts", {"filter": standard, "sort": ["id"]}
        )
    for record in world.records["contacts"]:
        shown = await api.get(record, expand="account,x_account")
        assert shown["account"] == shown["x_account"]
    for tree in ({"field": "title", "value": "acme"}, {"field": "custom_fields.x_picklist", "op": "is_null"}):
        both = [
            await world.asked("accounts", {"filter": {"field": way, quantifier: tree}, "sort": ["id"]})
            for quantifier in ("any", "all", "none")
            for way in ("contacts", "x_contacts")
        ]
        assert both[0::2] == both[1::2]
    account = world.records["accounts"][1]
    lists = [[row["id"] for row in await api.all(f"/v1/accounts/{account['id']}/{way}", sort="id")] for way in ("contacts", "x_contacts")]
    assert lists[0] == lists[1]
    expanded = await api.get(account, expand="contacts,x_contacts")
    assert [row["id"] for row in expanded["contacts"]["data"]] == [row["id"] for row in expanded["x_contacts"]["data"]]
    groups = [
        (await api.ok("POST", "/v1/contacts/aggregate", json={"group_by": [name]}))["data"]
        for name in ("account_id", "custom_fields.x_account_id")
    ]
    assert [list(row["group"].values()) for row in groups[0]] == [list(row["group"].values()) for row in groups[1]]


async def test_two_fields_compared(world: World) -> None:
    for pair in PAIRS:
        if "lt" not in OPERATORS[pair.type] or pair.object == "leads":
            continue
        for op in ("eq", "ne", "lt", "gte"):
            standard = await world.asked(
                pair.object, {"filter": {"field": pair.standard, "op": op, "value": {"field": pair.standard}}, "sort": ["id"]}
            )
            for name in pair.names:
                tree = {"field": f"custom_fields.{name}", "op": op, "value": {"field": pair.standard}}
                assert await world.asked(pair.object, {"filter": tree, "sort": ["id"]}) == standard, tree
