"""Requests for lists and searches: from a query string or a search body to a plan, its values and what its cursors belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote_plus

from crm_api.core.clock import format_timestamp, parse_timestamp
from crm_api.core.cursor import query_digest
from crm_api.core.errors import BadRequest, InvalidValue
from crm_api.core.json import loads_limited
from crm_api.core.text import check_text, fold
from crm_api.kernel.query.parse import Place, QueryParser
from crm_api.kernel.query.plan import DEFAULT_PAGE, MAX_PAGE, And, Condition, Expansion, Node, Not, Or, Parent, Plan, Quantified, SortKey
from crm_api.kernel.query.values import Locale
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource

LIST_PARAMETERS = ("limit", "cursor", "sort", "fields", "expand", "count", "deleted", "q", "filter", "since", "as_of", "consistent")
SEARCH_KEYS = ("filter", "q", "sort", "fields", "expand", "limit", "cursor", "count", "deleted", "explain", "as_of")
NAME_LISTS = ("sort", "fields", "expand")
_BRACKETS = re.compile(r"^([A-Za-z0-9_.]+)\[([a-z_]+)\]$")
_EXPAND = re.compile(r"^expand\[([A-Za-z0-9_]+)\]\[([a-z]+)\]$")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A parsed request for a page: the plan without its page start, and the cursor that will give it."""

    plan: Plan
    values: list[Any]
    digest: str
    cursor: str | None
    limit: int
    consistent: bool = False
    explain: bool = False
    objects: frozenset[str] = frozenset()


def split_query(raw: str) -> list[tuple[str, list[str]]]:
    """A query string as names with their lists of values. Commas split before percent-decoding, so `%2C` stays in a value."""
    pairs: list[tuple[str, list[str]]] = []
    for part in raw.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        try:
            name = unquote_plus(name, errors="strict")
            if name in NAME_LISTS or name.startswith("expand["):
                value = unquote_plus(value, errors="strict")  # names hold no commas, so an encoded one separates too
                pairs.append((name, value.split(",")))
            else:
                pairs.append((name, [unquote_plus(item, errors="strict") for item in value.split(",")]))
        except UnicodeDecodeError:
            raise BadRequest(errors=[InvalidValue("invalid_utf8").at(parameter=name[:80])]) from None
    return pairs


def tsquery(text: str) -> str:
    """A user's words as a query for the `simple` configuration: all of them, each as a prefix."""
    words = search_words(text)
    return " & ".join(f"{word}:*" for word in words[:16])


def search_words(text: str) -> list[str]:
    """The folded words of a text: runs of letters and digits."""
    return re.findall(r"[^\W_]+", fold(text))


class _Reader:
    """Reads one request's parameters."""

    def __init__(
        self, registry: Registry, resource: AnyResource, locale: Locale, source: Literal["body", "query"], events_seq: Callable[[str], int]
    ) -> None:
        self.parser = QueryParser(registry, locale, source)
        self.registry = registry
        self.resource = resource
        self.events_seq = events_seq

    def limit(self, raw: Any, place: Place) -> int:
        try:
            value = int(raw) if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 9 else raw
            if isinstance(value, bool) or not isinstance(value, int):
                raise InvalidValue("type", expected="integer")
            if value < 1:
                raise InvalidValue("min", min=1)
            if value > MAX_PAGE:
                raise InvalidValue("max", max=MAX_PAGE)
            return value
        except InvalidValue as error:
            self.parser.wrong(error, place)
            return 1

    def choice(self, raw: Any, allowed: tuple[str, ...], place: Place) -> str:
        if raw not in allowed:
            self.parser.wrong(InvalidValue("enum", allowed=list(allowed)), place)
            return allowed[0]
        return str(raw)

    def text(self, raw: Any, place: Place) -> str | None:
        try:
            if not isinstance(raw, str):
                raise InvalidValue("type", expected="string")
            check_text(raw)
            if len(raw) > 256:
                raise InvalidValue("max_length", max_length=256)
            query = tsquery(raw)
            if not query:
                raise InvalidValue("min_length", min_length=1)
            if not self.resource.has_search:
                raise InvalidValue("not_filterable")
            return query
        except InvalidValue as error:
            self.parser.wrong(error, place)
            return None

    def instant(self, raw: Any, place: Place) -> datetime | None:
        try:
            if not isinstance(raw, str):
                raise InvalidValue("type", expected="string")
            return parse_timestamp(raw)
        except InvalidValue as error:
            self.parser.wrong(error, place)
            return None


def list_request(
    registry: Registry,
    resource: AnyResource,
    raw_query: str,
    locale: Locale,
    *,
    parent: tuple[AnyResource, Relation, Any] | None = None,
    events_seq: Callable[[str], int],
) -> ReadRequest:
    """A GET that lists. Raises BadRequest or UnknownParameter with every mistake at once."""
    reader = _Reader(registry, resource, locale, "query", events_seq)
    parser = reader.parser
    given: dict[str, list[str]] = {}
    for name, items in split_query(raw_query):
        if name in given and name in ("limit", "cursor", "count", "deleted", "q", "filter", "since", "as_of", "consistent"):
            parser.wrong(InvalidValue("repeated_parameter"), {"parameter": name})
        given.setdefault(name, []).extend(items)
    link = parent[1] if parent is not None and parent[1].kind == "many_to_many" else None
    conditions: list[Node | None] = []
    for name, items in given.items():
        if name in LIST_PARAMETERS:
            continue
        place = {"parameter": name}
        if _EXPAND.match(name) is not None:
            continue
        bracketed = _BRACKETS.match(name)
        path_text, op = (bracketed.group(1), bracketed.group(2)) if bracketed else (name, "eq")
        before = len(parser.errors)
        raw: Any = items if op in ("in", "not_in", "between", "any_of", "all_of", "none_of") or len(items) > 1 else items[0]
        if op == "eq" and isinstance(raw, list):
            op = "in"
        conditions.append(parser.condition(resource, tuple(path_text.split(".")), op, raw, True, place, place, place, link))
        for error in parser.errors[before:]:
            if error.code == "unknown_field":
                parser.errors.remove(error)
                parser.unknown.append(
                    InvalidValue("unknown_parameter", allowed=[*LIST_PARAMETERS, *(error.allowed or ())]).at(parameter=name)
                )

    def single(name: str) -> str | None:
        return ",".join(given[name]) if name in given else None

    limit = reader.limit(single("limit"), {"parameter": "limit"}) if "limit" in given else DEFAULT_PAGE
    if (raw_filter := single("filter")) is not None:
        try:
            tree = loads_limited(raw_filter.encode())
            conditions.append(parser.tree(tree, resource, {"parameter": "filter"}, link=link))
        except BadRequest:
            parser.wrong(InvalidValue("invalid_json", reason="not a JSON filter tree"), {"parameter": "filter"})
    sort = parser.sort([s for s in given["sort"] if s], resource, {"parameter": "sort"}) if "sort" in given else ()
    fields = parser.fields([f for f in given["fields"] if f], resource, {"parameter": "fields"}) if "fields" in given else None
    expand = expansions_of(parser, given, resource)
    count = reader.choice(single("count"), ("none", "estimate", "exact"), {"parameter": "count"}) if "count" in given else "none"
    deleted = (
        reader.choice(single("deleted"), ("exclude", "only", "include"), {"parameter": "deleted"}) if "deleted" in given else "exclude"
    )
    text = reader.text(single("q"), {"parameter": "q"}) if "q" in given else None
    as_of = reader.instant(single("as_of"), {"parameter": "as_of"}) if "as_of" in given else None
    consistent = (
        reader.choice(single("consistent"), ("false", "true"), {"parameter": "consistent"}) == "true" if "consistent" in given else False
    )
    since = events_seq(given["since"][0]) if "since" in given else None
    request = _assemble(
        reader,
        [c for c in conditions if c is not None],
        sort,
        fields,
        expand,
        limit,
        count,
        deleted,
        text,
        as_of,
        since,
        consistent,
        parent,
        {"parameter": "sort"},
    )
    return replace(request, cursor=single("cursor"), consistent=consistent)


def search_request(
    registry: Registry, resource: AnyResource, body: Any, locale: Locale, *, events_seq: Callable[[str], int]
) -> ReadRequest:
    """A `POST …/search`. Raises ValidationFailed with every mistake at once."""
    reader = _Reader(registry, resource, locale, "body", events_seq)
    parser = reader.parser
    if not isinstance(body, dict):
        parser.wrong(InvalidValue("invalid_body", expected="object"), {"pointer": ""})
        parser.finish()
    for key in body:
        if key not in SEARCH_KEYS:
            parser.wrong(InvalidValue("unknown_field", allowed=list(SEARCH_KEYS)), {"pointer": f"/{key}"})

    def listed(name: str) -> list[Any] | None:
        value = body.get(name)
        if value is not None and not isinstance(value, list):
            parser.wrong(InvalidValue("type", expected="array"), {"pointer": f"/{name}"})
            return None
        return value

    conditions = [parser.tree(body["filter"], resource, {"pointer": "/filter"})] if body.get("filter") is not None else []
    sort_names, field_names = listed("sort"), listed("fields")
    sort = parser.sort(sort_names, resource, {"pointer": "/sort"}, by_index=True) if sort_names is not None else ()
    fields = parser.fields(field_names, resource, {"pointer": "/fields"}, by_index=True) if field_names is not None else None
    expand = parser.expand_tree(body["expand"], resource, {"pointer": "/expand"}) if body.get("expand") is not None else ()
    limit = (
        reader.limit(body["limit"] if not isinstance(body["limit"], str) else None, {"pointer": "/limit"})
        if "limit" in body
        else DEFAULT_PAGE
    )
    count = reader.choice(body["count"], ("none", "estimate", "exact"), {"pointer": "/count"}) if "count" in body else "none"
    deleted = reader.choice(body["deleted"], ("exclude", "only", "include"), {"pointer": "/deleted"}) if "deleted" in body else "exclude"
    text = reader.text(body["q"], {"pointer": "/q"}) if body.get("q") is not None else None
    as_of = reader.instant(body["as_of"], {"pointer": "/as_of"}) if body.get("as_of") is not None else None
    cursor = body.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        parser.wrong(InvalidValue("type", expected="string"), {"pointer": "/cursor"})
    explain = body.get("explain", False)
    if not isinstance(explain, bool):
        parser.wrong(InvalidValue("invalid_boolean"), {"pointer": "/explain"})
    request = _assemble(
        reader,
        [c for c in conditions if c is not None],
        sort,
        fields,
        expand,
        limit,
        count,
        deleted,
        text,
        as_of,
        None,
        False,
        None,
        {"pointer": "/sort"},
    )
    return replace(request, cursor=cursor, explain=bool(explain))


def _assemble(
    reader: _Reader,
    conditions: list[Node],
    sort: tuple[SortKey, ...],
    fields: Any,
    expand: tuple[Expansion, ...],
    limit: int,
    count: str,
    deleted: str,
    text: str | None,
    as_of: datetime | None,
    since: int | None,
    consistent: bool,
    parent: tuple[AnyResource, Relation, Any] | None,
    sort_place: Place,
) -> ReadRequest:
    parser, resource = reader.parser, reader.resource
    tree = conditions[0] if len(conditions) == 1 else And(tuple(conditions)) if conditions else None
    if text is not None and (as_of is not None or consistent):
        parser.wrong(InvalidValue("invalid_combination", other="q"), {k: v.replace("sort", "as_of") for k, v in sort_place.items()})
    if text is None and parent is None:
        parser.check_indexed(sort, resource, tree, sort_place)
    if not sort and text is None:
        sort = parser.default_sort(resource)
    rows = limit * _expanded_rows(expand, parser.values)
    if rows > 10_000:
        parser.wrong(InvalidValue("max", max=10_000), {k: v.replace("sort", "expand") for k, v in sort_place.items()})
    parser.finish()
    plan = Plan(
        object=resource.name,
        fields=fields,
        filter=tree,
        sort=sort,
        deleted=deleted,  # type: ignore[arg-type]
        count=count,  # type: ignore[arg-type]
        text=None if text is None else parser.slot(text),
        as_of=None if as_of is None else parser.slot(as_of),
        since=None if since is None else parser.slot(since),
        parent=None if parent is None else Parent(parent[0].name, parent[1].name, parser.slot(parent[2])),
    )
    digest = plan_digest(plan, parser.values)
    expand = sign_expansions(reader.registry, resource, expand, parser)
    return ReadRequest(
        replace(plan, expand=expand),
        parser.values,
        digest,
        None,
        limit,
        objects=frozenset(touched(reader.registry, resource, replace(plan, expand=expand))),
    )


def _expanded_rows(expand: tuple[Expansion, ...], values: list[Any]) -> int:
    total = 1
    for expansion in expand:
        per_row = 1 if expansion.limit is None else int(values[expansion.limit])
        total += (per_row * _expanded_rows(expansion.expand, values)) if expansion.limit is not None or expansion.expand else 0
    return total


def sign_expansions(registry: Registry, resource: AnyResource, expand: tuple[Expansion, ...], parser: QueryParser) -> tuple[Expansion, ...]:
    """Gives each expanded list the digest of the list route on which its cursor goes on."""
    signed = []
    for expansion in expand:
        relation = registry.relations[resource.name][expansion.relation]
        inner = sign_expansions(registry, registry[relation.target], expansion.expand, parser)
        if relation.kind == "to_one":
            signed.append(replace(expansion, expand=inner))
            continue
        alike = Plan(relation.target, filter=expansion.filter, sort=expansion.sort, parent=Parent(resource.name, relation.name, 0))
        signed.append(replace(expansion, expand=inner, digest=parser.slot(plan_digest(alike, parser.values))))
    return tuple(signed)


def plan_digest(plan: Plan, values: list[Any]) -> str:
    """What a cursor belongs to: object, parent relation, filter with its values, sort, text, deleted, instant."""
    parent = None if plan.parent is None else [plan.parent.object, plan.parent.relation]
    tree = None if plan.filter is None else _described(plan.filter, values)
    as_of = None if plan.as_of is None else format_timestamp(values[plan.as_of])
    text = None if plan.text is None else values[plan.text]
    since = None if plan.since is None else values[plan.since]
    return query_digest(plan.object, parent, tree, [key.text for key in plan.sort], plan.deleted, as_of, text, since)


def _described(node: Node, values: list[Any]) -> Any:
    if isinstance(node, (And, Or)):
        return [type(node).__name__, [_described(item, values) for item in node.items]]
    if isinstance(node, Not):
        return ["Not", _described(node.item, values)]
    if isinstance(node, Quantified):
        return [node.quantifier, node.path, _described(node.item, values)]
    value = list(node.value) if isinstance(node.value, tuple) else None if node.value is None else str(values[node.value])
    return [node.path, node.op, value, None if node.second is None else str(values[node.second])]


def touched(registry: Registry, resource: AnyResource, plan: Plan) -> set[str]:
    """Every object that the plan shows or looks at."""
    found = {resource.name}

    def walk_path(start: AnyResource, path: tuple[str, ...]) -> AnyResource:
        current = start
        for name in path:
            relation = registry.relations[current.name].get(name)
            if relation is None:
                break
            found.add(relation.target)
            current = registry[relation.target]
        return current

    def walk(node: Node, start: AnyResource) -> None:
        if isinstance(node, (And, Or)):
            for item in node.items:
                walk(item, start)
        elif isinstance(node, Not):
            walk(node.item, start)
        elif isinstance(node, Quantified):
            walk(node.item, walk_path(start, node.path))
        elif isinstance(node, Condition):
            walk_path(start, node.path)
            if isinstance(node.value, tuple):
                walk_path(start, node.value)

    def walk_expand(expand: tuple[Expansion, ...], start: AnyResource) -> None:
        for expansion in expand:
            target = walk_path(start, (expansion.relation,))
            if expansion.filter is not None:
                walk(expansion.filter, target)
            walk_expand(expansion.expand, target)

    if plan.filter is not None:
        walk(plan.filter, resource)
    for path in plan.fields or ():
        walk_path(resource, path)
    walk_expand(plan.expand, resource)
    if plan.parent is not None:
        found.add(plan.parent.object)
    return found


def expansions_of(parser: QueryParser, given: Mapping[str, list[str]], resource: AnyResource) -> tuple[Expansion, ...]:
    """`expand=account,deals.account` with its options `expand[deals][limit]=5`, `[sort]`, `[fields]`."""
    expansions: dict[str, dict[str, Any]] = {}
    for text in given.get("expand", ()):
        if text:
            head, _, rest = text.partition(".")
            options = expansions.setdefault(head, {})
            if rest:
                _nest(options, rest)
    for name, items in given.items():
        nested = _EXPAND.match(name)
        if nested is None:
            continue
        if nested.group(1) not in expansions:
            parser.wrong(InvalidValue("invalid_combination", other=f"a request without expand={nested.group(1)}"), {"parameter": name})
            continue
        _expand_option(parser, expansions, nested.group(1), nested.group(2), items, {"parameter": name})
    return parser.expand_tree(expansions, resource, {"parameter": "expand"}) if expansions else ()


def _expand_option(
    parser: QueryParser, expansions: dict[str, dict[str, Any]], name: str, option: str, items: list[str], place: Place
) -> None:
    options = expansions.setdefault(name, {})
    if option == "limit":
        text = items[0]
        options["limit"] = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text
    elif option in ("sort", "fields"):
        options[option] = [item for item in items if item]
    else:
        parser.unknown.append(
            InvalidValue("unknown_parameter", allowed=[f"expand[{name}][{o}]" for o in ("limit", "sort", "fields")]).at(**place)
        )


def _nest(options: dict[str, Any], rest: str) -> None:
    head, _, more = rest.partition(".")
    inner = options.setdefault("expand", {}).setdefault(head, {})
    if more:
        _nest(inner, more)


Options = Mapping[str, Any]
