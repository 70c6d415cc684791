"""Reading what an answer looks like: sorts, field lists, expansions; from JSON bodies and from query strings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_api.core.errors import InvalidValue, TooExpensive
from crm_api.kernel.query.digest import plan_digest
from crm_api.kernel.query.parse import Place, QueryParser, under
from crm_api.kernel.query.plan import (
    DEFAULT_EXPANDED,
    MAX_EXPAND_DEPTH,
    MAX_EXPANDED,
    MAX_EXPANDED_ROWS,
    MAX_SORT_KEYS,
    And,
    Condition,
    Expansion,
    Node,
    Parent,
    Path,
    Plan,
    SortKey,
)
from crm_api.kernel.query.sorting import follows_positions, is_indexed
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

TO_MANY_OPTIONS = ("limit", "sort", "fields", "filter", "expand")
TO_ONE_OPTIONS = ("fields", "expand")
EXPAND_PARAMETER = re.compile(r"^expand\[([A-Za-z0-9_.]+)\]\[([a-z_]+)\]$")


def parse_sort(
    parser: QueryParser, names: Sequence[Any], resource: AnyResource, place: Place, *, by_index: bool = False
) -> tuple[SortKey, ...]:
    """Sort keys. `by_index`: `place` is an array, each key stands at its own index."""
    keys: list[SortKey] = []
    for index, raw in enumerate(names):
        where = under(place, index) if by_index else place
        if not isinstance(raw, str):
            parser.wrong(InvalidValue("type", expected="string"), where)
            continue
        name = raw.removeprefix("-")
        field = resource.field_named(name)
        if field is None or not field.sortable:
            code = "unknown_field" if field is None else "not_sortable"
            parser.wrong(InvalidValue(code, allowed=[n for n, f in resource.all_fields.items() if f.sortable]), where)
        elif any(key.name == name for key in keys):
            parser.wrong(InvalidValue("repeated_item"), where)
        else:
            keys.append(_sort_key(parser, resource, name, raw.startswith("-")))
    if len(names) > MAX_SORT_KEYS:
        parser.wrong(InvalidValue("too_many_items", max_items=MAX_SORT_KEYS), place)
    return tuple(keys)


def default_sort(parser: QueryParser, resource: AnyResource) -> tuple[SortKey, ...]:
    """The order of a list that names none."""
    return tuple(_sort_key(parser, resource, name.removeprefix("-"), name.startswith("-")) for name in resource.default_sort)


def _sort_key(parser: QueryParser, resource: AnyResource, name: str, descending: bool) -> SortKey:
    field = resource.all_fields[name]
    by_position = follows_positions(parser.registry, resource, name)
    options = parser.slot(list(field.spec.options)) if by_position and field.spec.options else None
    return SortKey(tuple(name.split(".")), descending, field.nullable or by_position, options)


def is_selective(node: Node | None, resource: AnyResource) -> bool:
    """Whether a filter is sure to leave few records: an equality on a unique field or on one with an index and many values."""
    if isinstance(node, And):
        return any(is_selective(item, resource) for item in node.items)
    if not isinstance(node, Condition) or node.op not in ("eq", "in", "eq_exact"):
        return False
    field = resource.field_named(".".join(node.path))
    if field is None or isinstance(node.value, tuple):
        return False
    few_values = field.type is FieldType.PICKLIST or field.name == "owner_id"
    return field.spec.unique or field.name == "id" or (field.spec.indexed and not few_values)


def needs_guard(registry: Registry, resource: AnyResource, keys: Sequence[SortKey], tree: Node | None) -> bool:
    """Whether an order is served neither by an index nor by a filter that leaves few records to sort."""
    return bool(keys) and not is_indexed(registry, resource, keys) and not is_selective(tree, resource)


def indexed_sorts(registry: Registry, resource: AnyResource) -> list[str]:
    """The orders that any number of records can be listed in."""
    single = [name for name in resource.all_fields if is_indexed(registry, resource, (SortKey((name,), False, False),))]
    return [*single, *(",".join(keys) for keys in resource.composite_sorts)]


def parse_fields(
    parser: QueryParser, names: Sequence[Any], resource: AnyResource, place: Place, *, by_index: bool = False
) -> tuple[Path, ...]:
    """A field list; `account.name` brings the related record with that field."""
    paths: dict[Path, None] = {}
    for index, raw in enumerate(names):
        where = under(place, index) if by_index else place
        if not isinstance(raw, str):
            parser.wrong(InvalidValue("type", expected="string"), where)
            continue
        try:
            path = _field_path(parser.registry, resource, raw)
        except InvalidValue as error:
            parser.wrong(error, where)
            continue
        paths[path] = None
    return tuple(path for path in paths if path not in (("object",), ("id",)))


def _field_path(registry: Registry, resource: AnyResource, raw: str) -> Path:
    path = tuple(raw.split("."))
    current = resource
    for index, name in enumerate(path):
        last = index == len(path) - 1
        if ".".join(path[index:]) in current.custom:
            return path
        if last and (name in current.fields or name == "object"):
            return path
        relation = registry.relations[current.name].get(name)
        if last or relation is None or relation.kind != "to_one":
            to_one = [relation.name for relation in registry.relations[current.name].values() if relation.kind == "to_one"]
            raise InvalidValue("unknown_field", allowed=[*current.all_fields, *(f"{name}.…" for name in to_one)])
        if index == MAX_EXPAND_DEPTH:
            raise InvalidValue("expand_depth", max=MAX_EXPAND_DEPTH)
        current = registry[relation.target]
    raise AssertionError("unreachable")


# --- expansions ------------------------------------------------------------------------------------------------------


def parse_expand(parser: QueryParser, raw: Any, resource: AnyResource, place: Place, depth: int = 1) -> tuple[Expansion, ...]:
    """Expansions as a search body writes them: `{"deals": {"limit": 5, "sort": […], "fields": […], "filter": …, "expand": {…}}}`."""
    if isinstance(raw, list):
        for index, name in enumerate(raw):
            if not isinstance(name, str):
                parser.wrong(InvalidValue("type", expected="string"), under(place, index))
        raw = {name: {} for name in raw if isinstance(name, str)}
    if not isinstance(raw, dict):
        parser.wrong(InvalidValue("type", expected="object"), place)
        return ()
    found = [
        parse_expansion(parser, name, {} if options is None else options, resource, under(place, name), depth)
        for name, options in raw.items()
    ]
    return tuple(expansion for expansion in found if expansion is not None)


def parse_expansion(parser: QueryParser, name: str, options: Any, resource: AnyResource, place: Place, depth: int) -> Expansion | None:
    """One relation to bring along, with its options. `options["at"]` may say where each option stands, if not in a body."""
    relations = parser.registry.relations[resource.name]
    relation = relations.get(name)
    if relation is None:
        parser.wrong(InvalidValue("unknown_relation", allowed=list(relations)), place)
        return None
    if depth > MAX_EXPAND_DEPTH:
        parser.wrong(InvalidValue("expand_depth", max=MAX_EXPAND_DEPTH), place)
        return None
    if not isinstance(options, dict):
        parser.wrong(InvalidValue("type", expected="object"), place)
        return None
    places: Mapping[str, Place] = options.get("at", {}) if parser.source == "query" else {}

    def at(option: str) -> Place:
        return places.get(option) or under(place, option)

    to_many = relation.kind != "to_one"
    allowed = TO_MANY_OPTIONS if to_many else TO_ONE_OPTIONS
    for key in options:
        if key not in allowed and not (key == "at" and parser.source == "query"):
            parser.wrong(InvalidValue("unknown_field", allowed=list(allowed)), at(key))
    target = parser.registry[relation.target]
    fields = _names(parser, options, "fields", at("fields"))
    shown = None if fields is None else parse_fields(parser, fields, target, at("fields"), by_index=True)
    inner = parse_expand(parser, options["expand"], target, at("expand"), depth + 1) if options.get("expand") is not None else ()
    if not to_many:
        return Expansion(name, shown, inner)
    sort = parse_sort(parser, _names(parser, options, "sort", at("sort")) or (), target, at("sort"), by_index=True)
    raw_filter = options.get("filter")
    tree = None if raw_filter is None else parser.tree(raw_filter, target, at("filter"), link=relation if relation.link else None)
    limit = _limit(parser, options.get("limit", DEFAULT_EXPANDED), at("limit"))
    return Expansion(name, shown, inner, limit, sort or default_sort(parser, target), tree)


def _names(parser: QueryParser, options: Mapping[str, Any], key: str, place: Place) -> list[Any] | None:
    value = options.get(key)
    if value is None or isinstance(value, list):
        return value
    parser.wrong(InvalidValue("type", expected="array"), place)
    return None


def _limit(parser: QueryParser, limit: Any, place: Place) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int):
        parser.wrong(InvalidValue("type", expected="integer"), place)
    elif limit < 1:
        parser.wrong(InvalidValue("min", min=1), place)
    elif limit > MAX_EXPANDED:
        parser.wrong(InvalidValue("max", max=MAX_EXPANDED), place)
    else:
        return limit
    return 1


def expansions_of(parser: QueryParser, given: Mapping[str, list[str]], resource: AnyResource) -> tuple[Expansion, ...]:
    """`expand=account,deals.account` with its options `expand[deals][limit]=5`, `[sort]`, `[fields]`."""
    tree: dict[str, Any] = {}
    for text in given.get("expand", ()):
        options: dict[str, Any] = {"expand": tree}
        for name in text.split("."):
            options = options.setdefault("expand", {}).setdefault(name, {"at": {}})
    for name, items in given.items():
        matched = EXPAND_PARAMETER.match(name)
        if matched is not None:
            _expand_option(parser, tree, matched.group(1), matched.group(2), items, {"parameter": name})
    return parse_expand(parser, tree, resource, {"parameter": "expand"}) if tree else ()


def _expand_option(parser: QueryParser, tree: dict[str, Any], path: str, option: str, items: list[str], place: Place) -> None:
    options: dict[str, Any] | None = {"expand": tree}
    for name in path.split("."):
        options = (options or {}).get("expand", {}).get(name)
    if options is None:
        parser.wrong(InvalidValue("invalid_combination", other=f"a request without expand={path}"), place)
    elif option == "limit":
        text = items[0] if len(items) == 1 else ""
        options["limit"] = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
        options["at"]["limit"] = place
        if options["limit"] is None:
            parser.wrong(InvalidValue("type", expected="integer"), place)
            del options["limit"]
    elif option in ("sort", "fields"):
        options[option], options["at"][option] = items, place
    else:
        known = [f"expand[{path}][{name}]" for name in ("limit", "sort", "fields")]
        parser.unknown.append(InvalidValue("unknown_parameter", allowed=known).at(**place))


def check_expanded_rows(rows: int, expand: Sequence[Expansion]) -> None:
    """Raises TooExpensive if a page of `rows` records could bring more related ones than one answer may."""
    total = rows * _expanded_rows(expand)
    if total > MAX_EXPANDED_ROWS:
        raise TooExpensive("expanded_rows", MAX_EXPANDED_ROWS, total)


def _expanded_rows(expand: Sequence[Expansion]) -> int:
    """The most related records that one record brings along in lists."""
    return sum((e.limit or 0) + (e.limit or 1) * _expanded_rows(e.expand) for e in expand)


def sign_expansions(registry: Registry, resource: AnyResource, expand: tuple[Expansion, ...], parser: QueryParser) -> tuple[Expansion, ...]:
    """Gives each expanded list the digest of the list route on which its cursor goes on."""
    signed = []
    for expansion in expand:
        relation = registry.relations[resource.name][expansion.relation]
        inner = sign_expansions(registry, registry[relation.target], expansion.expand, parser)
        digest = None
        if relation.kind != "to_one":
            alike = Plan(relation.target, filter=expansion.filter, sort=expansion.sort, parent=Parent(resource.name, relation.name))
            digest = parser.slot(plan_digest(alike, parser.values))
        signed.append(replace(expansion, expand=inner, digest=digest))
    return tuple(signed)
