"""Random fields with random properties, random records for them, and what may be asked about those: for properties that hold of all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.query.model import Record, Tree, compare, fold, key

WORDS = (
    "Acme",
    "ACME",
    "acmé",
    "Straße",
    "STRASSE",
    "O'Neill",
    "50%",
    "a_b",
    "a\\b",
    "ﬁn",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "日本",
    " gap ",
    "zz",
    "{}",
    '"q"',
)
DAYS = tuple((date(2024, 2, 27) + timedelta(days=n)).isoformat() for n in range(5))
INSTANTS = tuple(f"{day}T23:59:59.{n:06d}Z" for day in DAYS[:3] for n in (0, 1))
AMOUNTS = ("0.00", "0.01", "10.50", "-3.00", "99999999999.99", "7.10")
PLACES = ("https://a.example/X", "https://b.example/?q=50%25", "http://a.example")
PHONES = ("+49 30 1234567", "+49 (40) 765-4321", "+12125550199")
KEYS = ("a", "b", "c", "d_e")

KINDS = {
    "text": "text", "long_text": "long", "integer": "int", "number": "number", "decimal": "money", "currency": "money", "boolean": "bool",
    "date": "date", "datetime": "datetime", "email": "email", "phone": "phone", "url": "text", "picklist": "picklist",
    "multi_picklist": "tags", "json": "json",
}  # fmt: skip
"""Types, and as what tests/query/model.py compares their values."""

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join),
    "long_text": st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map("\n".join),
    "integer": st.one_of(st.integers(-3, 3), st.integers(-(2**53), 2**53)),
    "number": st.one_of(st.sampled_from((0, 1, -1.5, 0.1, 1e-7, 123456.789)), st.integers(-5, 5)),
    "decimal": st.sampled_from(AMOUNTS),
    "currency": st.sampled_from(AMOUNTS),
    "boolean": st.booleans(),
    "date": st.sampled_from(DAYS),
    "datetime": st.sampled_from(INSTANTS),
    "email": st.sampled_from(("Ada@x.example", "ada@x.example", "bob.b@y.example", "zoe@y.example")),
    "phone": st.sampled_from(PHONES),
    "url": st.sampled_from(PLACES),
    "picklist": st.sampled_from(KEYS),
    "multi_picklist": st.lists(st.sampled_from(KEYS), unique=True, max_size=3),
    "json": st.recursive(
        st.one_of(st.booleans(), st.integers(-9, 9), st.sampled_from(WORDS)),
        lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(("k", "l m")), inner, max_size=2)),
        max_leaves=4,
    ),
}  # fmt: skip

WRONG: dict[str, tuple[Any, ...]] = {
    "text": (1, True, ["a"], {"a": 1}, "x" * 256, "nul\x00"),
    "long_text": (1, ["a"], "x" * 32_001),
    "integer": ("1", 1.5, True, 2**53 + 1, []),
    "number": ("1", True, [1], 2**60),
    "decimal": (1, 1.5, "1e5", "abc", "1.1234567", "9" * 30),
    "currency": (1, "1.005", "EUR 1", ""),
    "boolean": ("true", 1, 0, "no"),
    "date": ("2026-02-30", "22.11.2026", 20260101, "2026-01-01T00:00:00Z"),
    "datetime": ("2026-01-01", "soon", 1, "2026-01-01T25:00:00Z"),
    "email": ("nobody", "a@", 1, "@x.example"),
    "phone": ("call me", 1, ""),
    "url": ("ftp://x.example", "x", 1),
    "picklist": ("nowhere", 1, ["a"], "A B"),
    "multi_picklist": ("a", ["nowhere"], [1], {"a": 1}),
    "json": (),
}
INDEXED = tuple(kind for kind in KINDS if kind not in ("long_text", "boolean", "multi_picklist", "json"))
SORTED = tuple(kind for kind in KINDS if kind not in ("long_text", "multi_picklist", "json"))
RANGES = ("integer", "number", "decimal", "currency", "date", "datetime")
EQUAL = ("eq", "ne", "in", "not_in")
ORDER = ("lt", "lte", "gt", "gte", "between")
PARTS = ("contains", "starts_with", "ends_with")
NULLS = ("is_null", "is_not_null")
TEXTS = ("text", "url", "email", "phone")
OPS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(RANGES, (*EQUAL, *ORDER, *NULLS)),
    **dict.fromkeys(TEXTS, (*EQUAL, *ORDER, *PARTS, *NULLS, "eq_exact")),
    "long_text": (*PARTS, *NULLS),
    "boolean": ("eq", "ne", *NULLS),
    "picklist": (*EQUAL, "eq_exact", *NULLS),
    "multi_picklist": ("any_of", "all_of", "none_of", "contains", *NULLS),
    "json": NULLS,
}


@dataclass(frozen=True)
class Made:
    """A field as it was defined."""

    name: str
    type: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        return KINDS[self.type]


@st.composite
def fields(draw: st.DrawFn, number: int) -> Made:
    """A field of some type with some properties."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    name = f"f{number}_{draw(st.sampled_from(('a', 'x_y', 'order')))}"
    body: dict[str, Any] = {"api_name": name, "type": kind}
    if kind in ("picklist", "multi_picklist"):
        body["options"] = [{"key": key, "label": key.upper()} for key in draw(st.permutations(KEYS))]
    if kind == "decimal":
        body["scale"] = draw(st.sampled_from((2, 4)))
    if kind in INDEXED:
        body["indexed"] = draw(st.booleans())
    if kind in RANGES and draw(st.integers(0, 3)) == 0:
        body["min"] = draw(VALUES[kind])
    if kind != "json" and draw(st.integers(0, 3)) == 0:
        default = draw(VALUES[kind])
        if allowed(body, default):
            body["default"] = default
    body["required"] = "default" not in body and draw(st.integers(0, 5)) == 0
    return Made(name, kind, body)


def allowed(body: dict[str, Any], value: Any) -> bool:
    """Whether a value keeps the field's lower bound."""
    least = body.get("min")
    return least is None or key(KINDS[body["type"]], value) >= key(KINDS[body["type"]], least)


@st.composite
def schemas(draw: st.DrawFn) -> list[Made]:
    """Some fields."""
    return [draw(fields(number)) for number in range(draw(st.integers(2, 6)))]


@st.composite
def members(draw: st.DrawFn, schema: list[Made]) -> dict[str, Any]:
    """A record's values; what is left out, and nulls too."""
    found: dict[str, Any] = {}
    for made in schema:
        how = draw(st.integers(0, 5))
        if made.body["required"] or how > 1:
            found[made.name] = draw(VALUES[made.type].filter(partial(allowed, made.body)))
        elif how == 1:
            found[made.name] = None
    return found


def stored(schema: list[Made], given: dict[str, Any]) -> dict[str, Any]:
    """What is read of a record that was made of these values."""
    return {made.name: canonical(made, given.get(made.name, made.body.get("default"))) for made in schema}


def canonical(made: Made, value: Any) -> Any:
    """A value as the API shows it."""
    if value is not None and made.type in ("decimal", "currency"):
        return Decimal(value)
    return value


# --- questions ---------------------------------------------------------------------------------------------------------


@st.composite
def conditions(draw: st.DrawFn, schema: list[Made]) -> Tree:
    """One condition on one of the fields."""
    made = draw(st.sampled_from(schema))
    op = draw(st.sampled_from(OPS[made.type]))
    tree: Tree = {"field": made.name, "op": op}
    one = VALUES[made.type]
    if op in NULLS:
        return tree
    if made.type == "multi_picklist":
        return {
            **tree,
            "value": draw(st.sampled_from(KEYS) if op == "contains" else st.lists(st.sampled_from(KEYS), min_size=1, max_size=2)),
        }
    if op in ("in", "not_in"):
        return {**tree, "value": draw(st.lists(one, min_size=1, max_size=3))}
    if op == "between":
        return {**tree, "value": [draw(one), draw(one)]}
    value = draw(one)
    if op in PARTS:
        letters = fold(value) if made.type != "phone" else value.replace(" ", "")
        start = draw(st.integers(0, max(0, len(letters) - 1)))
        value = letters[start : start + draw(st.integers(1, 4))]
    return {**tree, "value": value}


def trees(schema: list[Made]) -> st.SearchStrategy[Tree]:
    """Conditions joined by and, or, not."""
    return st.recursive(
        conditions(schema),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda some: {"and": some}),
            st.lists(inner, min_size=1, max_size=3).map(lambda some: {"or": some}),
            inner.map(lambda one: {"not": one}),
        ),
        max_leaves=4,
    )


def matches(schema: dict[str, Made], record: Record, tree: Tree) -> bool:
    """Whether a record is what a tree asks for: each condition is true or false, never unknown."""
    if "and" in tree:
        return all(matches(schema, record, part) for part in tree["and"])
    if "or" in tree:
        return any(matches(schema, record, part) for part in tree["or"])
    if "not" in tree:
        return not matches(schema, record, tree["not"])
    made, op = schema[tree["field"]], tree["op"]
    value = record[made.name]
    if made.type == "json" or op in NULLS:
        empty = value is None or (made.type == "multi_picklist" and value == [])
        return bool(empty == (op == "is_null"))
    return compare(made.kind, value, op, tree["value"], None)  # type: ignore[arg-type]  # only relative times need a world


def rank(made: Made, value: Any) -> Any:
    """What a record is sorted by; None comes last both ways."""
    if value is None:
        return None
    if made.type == "picklist":
        return [option["key"] for option in made.body["options"]].index(value)
    found = key(made.kind, value)
    return found.encode() if isinstance(found, str) else found


def ordered(schema: dict[str, Made], records: list[Record], sort: list[str]) -> list[Record]:
    """By the keys, nulls last, ties by id in the direction of the last key."""
    found = sorted(records, key=lambda record: str(record["id"]), reverse=sort[-1].startswith("-"))
    for term in reversed(sort):
        made = schema[term.removeprefix("-")]
        ranks = {record["id"]: rank(made, record[made.name]) for record in found}
        present = [record for record in found if ranks[record["id"]] is not None]
        present.sort(key=lambda record: ranks[record["id"]], reverse=term.startswith("-"))
        found = present + [record for record in found if ranks[record["id"]] is None]
    return found


__all__ = ["SORTED", "WRONG", "Made", "canonical", "matches", "members", "ordered", "schemas", "stored", "trees"]
