"""What filters and sorts mean, in plain Python: two-valued logic over the JSON that the API shows.

Written without the product's code, so that agreement means something.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]
Tree = dict[str, Any]

FIELDS: dict[str, dict[str, str]] = {
    "accounts": {
        "id": "id", "version": "int", "display_name": "text", "created_at": "datetime", "updated_at": "datetime", "owner_id": "id",
        "created_by": "actor", "name": "text", "domain": "domain", "website": "text", "industry": "text", "employees": "int",
        "annual_revenue": "money",
        "currency": "text", "parent_id": "id", "type": "text", "billing_address.city": "text", "billing_address.country": "text",
        "description": "long", "tags": "tags", "external_ids.erp": "exact",
    },
    "contacts": {
        "id": "id", "display_name": "text", "created_at": "datetime", "kind": "picklist", "first_name": "text", "last_name": "text",
        "email": "email",
        "phone": "phone", "title": "text", "account_id": "id", "lifecycle_stage": "picklist", "rating": "picklist", "birthdate": "date",
        "email_opt_out": "bool", "description": "long", "tags": "tags",
    },
    "deals": {
        "id": "id", "name": "text", "account_id": "id", "stage_id": "id", "amount": "money", "probability": "number", "close_date": "date",
        "opened_at": "datetime", "closed_at": "datetime", "status": "picklist", "next_step": "text", "description": "long", "tags": "tags",
    },
    "stages": {"id": "id", "name": "text", "position": "int", "probability": "number", "category": "picklist", "pipeline_id": "id"},
    "notes": {"title": "text", "body": "rich"},
}  # fmt: skip

ONE, MANY, LINKED = "one", "many", "linked"
RELATIONS: dict[str, dict[str, tuple[str, str, str]]] = {
    "accounts": {
        "parent": (ONE, "accounts", "parent_id"),
        "children": (MANY, "accounts", "parent_id"),
        "contacts": (MANY, "contacts", "account_id"),
        "deals": (MANY, "deals", "account_id"),
    },
    "contacts": {
        "account": (ONE, "accounts", "account_id"),
        "accounts": (LINKED, "accounts", "contacts.accounts"),
        "deals": (LINKED, "deals", "-deals.contacts"),
    },
    "deals": {
        "account": (ONE, "accounts", "account_id"),
        "stage": (ONE, "stages", "stage_id"),
        "contacts": (LINKED, "contacts", "deals.contacts"),
    },
    "stages": {"deals": (MANY, "deals", "stage_id")},
    "notes": {},
}
"""Relation → (kind, target, the reference field or the link's name, with a minus if the target is its `from` end)."""

TEXTS = ("text", "long", "rich", "email", "phone", "domain", "exact")
NEGATIVE = {"ne": "eq", "not_in": "in", "none_of": "any_of", "is_null": "is_not_null"}


def fold(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return plain.casefold()


def key(kind: str, value: Any) -> Any:
    """What a JSON value is compared by."""
    if value is None:
        return None
    match kind:
        case "text" | "long":
            return fold(value)
        case "domain":
            return re.sub(r"^(https?://)?(www\.)?|/.*$", "", fold(value))
        case "rich":
            return fold(
                re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", value["content"])).strip() if value["format"] == "html" else value["content"]
            )
        case "email":
            return value.casefold()
        case "phone":
            return re.sub(r"[^+0-9]", "", value)
        case "money" | "number":
            return Decimal(str(value))
        case "date":
            return date.fromisoformat(value)
        case "datetime":
            return datetime.fromisoformat(value)
        case "actor":
            return value["id"] if isinstance(value, dict) else value
        case _:
            return value


@dataclass
class World:
    """Everything there is, as the API shows it."""

    records: dict[str, dict[str, Record]]
    links: list[dict[str, Any]]
    zone: ZoneInfo
    now: datetime
    positions: dict[str, list[str]] = field(default_factory=dict)

    def of(self, name: str) -> list[Record]:
        return list(self.records[name].values())

    def related(self, name: str, record: Record, relation: str) -> Iterator[tuple[Record, dict[str, Any] | None]]:
        kind, target, how = RELATIONS[name][relation]
        if kind == ONE:
            found = self.records[target].get(record[how])
            if found is not None:
                yield found, None
        elif kind == MANY:
            yield from ((other, None) for other in self.of(target) if other[how] == record["id"])
        else:
            here, there = ("to", "from") if how.startswith("-") else ("from", "to")
            for link in self.links:
                if (
                    link["relation"] == how.removeprefix("-")
                    and link[here]["id"] == record["id"]
                    and link[there]["id"] in self.records[target]
                ):
                    yield self.records[target][link[there]["id"]], link

    # --- filters ------------------------------------------------------------------------------------------------------

    def matches(self, name: str, record: Record, tree: Tree, link: dict[str, Any] | None = None) -> bool:
        if "and" in tree:
            return all(self.matches(name, record, item, link) for item in tree["and"])
        if "or" in tree:
            return any(self.matches(name, record, item, link) for item in tree["or"])
        if "not" in tree:
            return not self.matches(name, record, tree["not"], link)
        path = tree["field"].split(".")
        for word in ("any", "all", "none"):
            if word in tree:
                found = [self.matches(target, other, tree[word], edge) for target, other, edge in self._along(name, record, path)]
                return any(found) if word == "any" else all(found) if word == "all" else not any(found)
        return self._condition(name, record, path, tree, link)

    def _along(self, name: str, record: Record, path: Sequence[str]) -> Iterator[tuple[str, Record, dict[str, Any] | None]]:
        target = RELATIONS[name][path[0]][1]
        for other, edge in self.related(name, record, path[0]):
            if len(path) == 1:
                yield target, other, edge
            else:
                yield from self._along(target, other, path[1:])

    def _condition(self, name: str, record: Record, path: list[str], tree: Tree, link: dict[str, Any] | None) -> bool:
        op = tree.get("op", "eq")
        if op in ("eq", "ne") and "value" in tree and tree["value"] is None:
            op = "is_null" if op == "eq" else "is_not_null"
            tree = {"field": tree["field"], "op": op}
        if path[0] == "link":
            assert link is not None
            return compare("tags", link["attributes"].get(path[1]), op, tree.get("value"), self)
        if path[0] not in RELATIONS[name]:
            dotted = ".".join(path)
            kind = FIELDS[name][dotted]
            value = read(record, dotted)
            given = tree.get("value")
            if isinstance(given, dict):
                other_kind, other = self._other(name, record, given["field"].split("."))
                return compare_keys(key(kind, value), op, key(other_kind, other))
            return compare(kind, value, op, given, self)
        kind = RELATIONS[name][path[0]][0]
        others = list(self.related(name, record, path[0]))
        target = RELATIONS[name][path[0]][1]
        if kind == ONE:
            if isinstance(tree.get("value"), dict):
                left = key(*self._other(name, record, path))
                return compare_keys(left, op, key(*self._other(name, record, tree["value"]["field"].split("."))))
            return (
                self._condition(target, others[0][0], path[1:], tree, None) if others else tree.get("op", "eq") in NEGATIVE
            )  # beyond a reference that leads nowhere all is null
        negated = op in NEGATIVE
        inner = {**tree, "op": NEGATIVE.get(op, op)}
        found = any(self._condition(target, other, path[1:], inner, edge) for other, edge in others)
        return found != negated

    def _other(self, name: str, record: Record, path: list[str]) -> tuple[str, Any]:
        current: Record | None = record
        while path[0] in RELATIONS[name]:
            _, target, how = RELATIONS[name][path[0]]
            current = None if current is None else self.records[target].get(current[how])
            name, path = target, path[1:]
        dotted = ".".join(path)
        return FIELDS[name][dotted], None if current is None else read(current, dotted)

    # --- sorts --------------------------------------------------------------------------------------------------------

    def ordered(self, name: str, records: Sequence[Record], sort: Sequence[str]) -> list[Record]:
        """By the keys, nulls last both ways, ties by id in the direction of the last key."""
        found = list(records)
        found.sort(key=lambda record: str(record["id"]), reverse=sort[-1].startswith("-"))
        for term in reversed(sort):
            ranks = {record["id"]: self._rank(name, record, term.removeprefix("-")) for record in found}
            present = [record for record in found if ranks[record["id"]] is not None]
            absent = [record for record in found if ranks[record["id"]] is None]
            # a stable sort in reverse keeps equal ones in their order
            present.sort(key=lambda record: ranks[record["id"]], reverse=term.startswith("-"))
            found = present + absent
        return found

    def _rank(self, name: str, record: Record, field_name: str) -> Any:
        value = record[field_name]
        order = self.positions.get(f"{name}.{field_name}")
        if order is not None:
            return order.index(value) if value in order else None
        if field_name == "stage_id":
            return self.records["stages"][value]["position"]
        found = key(FIELDS[name].get(field_name, "exact"), value)
        return found.encode() if isinstance(found, str) else found


def read(record: Record, dotted: str) -> Any:
    value: Any = record
    for part in dotted.split("."):
        value = None if value is None else value.get(part)
    return value


def compare_keys(left: Any, op: str, right: Any) -> bool:
    if op == "eq":
        return bool(left == right)
    if op == "ne":
        return bool(left != right)
    if left is None or right is None:
        return False
    left, right = (v.encode() if isinstance(v, str) else v for v in (left, right))
    return bool({"lt": left < right, "lte": left <= right, "gt": left > right, "gte": left >= right}[op])


def compare(kind: str, value: Any, op: str, given: Any, world: World) -> bool:
    """`value op given`."""
    if op == "is_null" or (op == "eq" and given is None):
        return value is None or value == []
    if op == "is_not_null" or (op == "ne" and given is None):
        return not (value is None or value == [])
    if kind == "tags":
        found = set(value or ())
        wanted = set(given if isinstance(given, list) else [given])
        return {"eq": bool(found & wanted), "any_of": bool(found & wanted), "contains": bool(found & wanted),
                "all_of": wanted <= found, "none_of": not found & wanted}[op]  # fmt: skip
    if op == "eq_exact":
        return bool(value == given)
    left = key(kind, value)
    if op in ("contains", "starts_with", "ends_with"):
        if left is None:
            return False
        part = (
            re.sub(r"[^+0-9]", "", given)
            if kind == "phone" and any(c.isdigit() for c in given)
            else given.casefold()
            if kind == "email"
            else fold(given)
        )
        return bool({"contains": part in left, "starts_with": left.startswith(part), "ends_with": left.endswith(part)}[op])
    if op in ("in", "not_in"):
        return (left is not None and left in [key(kind, item) for item in given]) != (op == "not_in")
    if op == "between":
        low, high = (key(kind, item) for item in given)
        return compare_keys(left, "gte", low) and compare_keys(left, "lte", high)
    if op in ("older_than", "newer_than", "within"):
        return left is not None and relative(kind, left, op, given, world)
    return compare_keys(left, op, key(kind, given))


def relative(kind: str, value: Any, op: str, given: str, world: World) -> bool:
    today = world.now.astimezone(world.zone).date()
    if given.startswith("P"):
        days = int(given[1:-1])
        if kind == "date":
            start, end = today - timedelta(days=days), today
        else:
            local = world.now.astimezone(world.zone)
            start = datetime.combine(today - timedelta(days=days), local.time(), world.zone).astimezone(UTC)
            end = world.now
        return bool({"older_than": value < start, "newer_than": value >= start, "within": start <= value <= end}[op])
    first, after = span(given, today)
    if kind == "datetime":
        first, after = (datetime(d.year, d.month, d.day, tzinfo=world.zone).astimezone(UTC) for d in (first, after))
    return bool({"older_than": value < first, "newer_than": value >= after, "within": first <= value < after}[op])


def span(name: str, today: date) -> tuple[Any, Any]:
    """The days of a named period: the first, and the first after it."""
    if name in ("yesterday", "today", "tomorrow"):
        first = today + timedelta(days=("yesterday", "today", "tomorrow").index(name) - 1)
        return first, first + timedelta(days=1)
    which, unit = name.split("_", 1)
    shift = ("last", "this", "next").index(which) - 1
    if unit == "week":
        monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * shift)
        return monday, monday + timedelta(days=7)
    months = {"month": 1, "quarter": 3, "year": 12}[unit]
    index = (today.year * 12 + today.month - 1) // months * months + shift * months
    return date(index // 12, index % 12 + 1, 1), date((index + months) // 12, (index + months) % 12 + 1, 1)
