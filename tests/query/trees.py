"""Random filter trees about a world, most of their values taken from it so that they match something."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.query.model import FIELDS, LINKED, ONE, RELATIONS, Tree, World, read
from tests.query.worlds import ROLES, TAGS, WORDS

EQUALITY = ("eq", "ne", "in", "not_in", "is_null", "is_not_null", "null")
ORDER = ("lt", "lte", "gt", "gte", "between")
PARTIAL = ("contains", "starts_with", "ends_with")
RELATIVE = ("older_than", "newer_than", "within")
OPS: dict[str, tuple[str, ...]] = {
    "id": EQUALITY,
    "actor": ("eq", "ne"),
    "exact": (*EQUALITY, "eq_exact"),
    "picklist": (*EQUALITY, "eq_exact"),
    "bool": ("eq", "ne"),
    "int": (*EQUALITY, *ORDER),
    "money": (*EQUALITY, *ORDER),
    "number": (*EQUALITY, *ORDER),
    "date": (*EQUALITY, *ORDER, *RELATIVE),
    "datetime": (*EQUALITY, *ORDER, *RELATIVE),
    "text": (*EQUALITY, *ORDER, *PARTIAL, "eq_exact"),
    "domain": (*EQUALITY, *PARTIAL, "eq_exact"),
    "email": (*EQUALITY, *PARTIAL, "eq_exact"),
    "phone": (*EQUALITY, *PARTIAL),
    "long": (*PARTIAL, "is_null", "is_not_null"),
    "rich": PARTIAL,
    "tags": ("any_of", "all_of", "none_of", "is_null", "is_not_null", "eq", "contains"),
}
PERIODS = tuple(f"{which}_{unit}" for which in ("last", "this", "next") for unit in ("week", "month", "quarter", "year"))
FALLBACK: dict[str, list[Any]] = {
    "id": ["01976f6e-8a00-7000-8000-000000000001"],
    "actor": ["01976f6e-8a00-7000-8000-000000000001"],
    "exact": ["E1", "e1"],
    "picklist": [],
    "bool": [True, False],
    "int": [-1, 50, 2**40],
    "money": ["10.5", "-3", "0.001"],
    "number": [0.5, 1, 0],
    "date": ["1980-02-29", "2199-01-01"],
    "datetime": ["2020-01-01T00:00:00Z"],
    "text": list(WORDS),
    "domain": ["a1.example", "https://www.A2.example/x"],
    "email": ["ADA1@acme.EXAMPLE", "not an address"],
    "phone": ["+49301234567"],
    "long": list(WORDS),
    "rich": ["gruss", "ökostrom", "back", "50%", "twice"],
}


@st.composite
def leaves(draw: st.DrawFn, world: World, name: str, linked: bool) -> Tree:
    """One condition, up to two relations away."""
    if linked and draw(st.integers(0, 3)) == 0:
        op = draw(st.sampled_from(("any_of", "all_of", "none_of", "is_null")))
        return {"field": "link.roles", "op": op, **({} if op == "is_null" else {"value": draw(roles())})}
    start, path, current = name, [], name
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 1, 2)))):
        if not RELATIONS[current]:
            break
        step = draw(st.sampled_from(sorted(RELATIONS[current])))
        path.append(step)
        current = RELATIONS[current][step][1]
    field = draw(st.sampled_from(sorted(FIELDS[current])))
    kind = FIELDS[current][field]
    dotted = ".".join([*path, field])
    op = draw(st.sampled_from(OPS[kind]))
    if op in ("eq", "ne", "lt", "gte") and draw(st.integers(0, 4)) == 0 and all(RELATIONS[n][s][0] == ONE for n, s in _walk(start, path)):
        other = draw(other_fields(start, kind))
        if other is not None:
            return {"field": dotted, "op": op, "value": {"field": other}}
    return draw(conditions(world, current, field, kind, dotted, op))


def roles() -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from(ROLES), min_size=1, max_size=2, unique=True)


def _walk(name: str, path: list[str]) -> list[tuple[str, str]]:
    steps = []
    for step in path:
        steps.append((name, step))
        name = RELATIONS[name][step][1]
    return steps


@st.composite
def other_fields(draw: st.DrawFn, name: str, kind: str) -> str | None:
    """A field of a like kind, of the record itself or one reference away."""
    numbers = ("int", "money", "number")
    alike = numbers if kind in numbers else ("text", "email", "phone", "picklist") if kind in ("text", "email") else (kind,)
    found = [field for field, its in FIELDS[name].items() if its in alike]
    for relation, (how, target, _) in RELATIONS[name].items():
        if how == ONE:
            found += [f"{relation}.{field}" for field, its in FIELDS[target].items() if its in alike]
    usable = [f for f in found if kind not in ("tags", "bool", "long", "rich", "exact")]
    return draw(st.sampled_from(sorted(usable))) if usable else None


@st.composite
def conditions(draw: st.DrawFn, world: World, name: str, field: str, kind: str, dotted: str, op: str) -> Tree:
    if op in ("is_null", "is_not_null"):
        return {"field": dotted, "op": op}
    if op == "null":
        return {"field": dotted, "op": draw(st.sampled_from(("eq", "ne"))), "value": None}
    if op in RELATIVE:
        return {"field": dotted, "op": op, "value": draw(st.sampled_from((*PERIODS, "today", "yesterday", "P30D", "P90D", "P400D")))}
    if kind == "tags":
        return {
            "field": dotted,
            "op": op,
            "value": draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=2, unique=True))
            if op != "contains"
            else draw(st.sampled_from(TAGS)),
        }
    if op in PARTIAL:
        return {"field": dotted, "op": op, "value": draw(parts(world, name, field, kind))}
    values = st.sampled_from(_values(world, name, field, kind))
    if op in ("in", "not_in"):
        return {"field": dotted, "op": op, "value": draw(st.lists(values, min_size=1, max_size=3))}
    if op == "between":
        return {"field": dotted, "op": op, "value": draw(st.lists(values, min_size=2, max_size=2))}
    value = draw(values)
    if isinstance(value, str) and kind in ("text", "email") and draw(st.booleans()):
        value = value.swapcase()
    return {"field": dotted, "op": op, "value": value}


def _values(world: World, name: str, field: str, kind: str) -> list[Any]:
    """Values of the field that there are, and some that there are not."""
    found = [value for record in world.of(name) if (value := read(record, field)) is not None]
    if kind == "actor":
        found = [value["id"] for value in found]
    found = sorted({str(v): v for v in found}.values(), key=str)
    return found + FALLBACK[kind]


@st.composite
def parts(draw: st.DrawFn, world: World, name: str, field: str, kind: str) -> str:
    """A piece of a value, short or long."""
    whole = draw(st.sampled_from(_values(world, name, field, kind)))
    text = whole["content"].replace("<p>", "").replace("</p>", " ") if isinstance(whole, dict) else whole
    start = draw(st.integers(0, max(0, len(text) - 1)))
    part = text[start : start + draw(st.integers(1, 6))]
    part = part.upper() if draw(st.booleans()) and kind != "phone" else part
    if kind == "phone":
        return part if any(c.isdigit() for c in part) else "1"
    return part if part.strip() else "a"


@st.composite
def trees(draw: st.DrawFn, world: World, name: str, depth: int = 3, linked: bool = False) -> Tree:
    """A filter tree."""
    what = draw(st.sampled_from(("leaf", "leaf", "and", "or", "not", "quantifier"))) if depth else "leaf"
    if what in ("and", "or"):
        return {what: draw(st.lists(trees(world, name, depth - 1, linked), min_size=1, max_size=3))}
    if what == "not":
        return {"not": draw(trees(world, name, depth - 1, linked))}
    lists = [relation for relation, (kind, _, _) in RELATIONS[name].items() if kind != ONE]
    if what == "quantifier" and lists:
        relation = draw(st.sampled_from(lists))
        kind, target, _ = RELATIONS[name][relation]
        inner = draw(trees(world, target, depth - 1, kind == LINKED))
        return {"field": relation, draw(st.sampled_from(("any", "all", "none"))): inner}
    return draw(leaves(world, name, linked))
