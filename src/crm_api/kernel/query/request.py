"""Requests for lists and searches: from a query string or a search body to a plan, its values and what its cursors belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote_plus

from crm_api.core.clock import parse_timestamp
from crm_api.core.errors import BadRequest, InvalidValue
from crm_api.core.json import loads_limited
from crm_api.kernel.query.digest import plan_digest, touched
from crm_api.kernel.query.parse import Place, QueryParser, under
from crm_api.kernel.query.plan import DEFAULT_PAGE, MAX_PAGE, And, Expansion, Node, Parent, Path, Plan, SortKey
from crm_api.kernel.query.shape import (
    EXPAND_PARAMETER,
    check_expanded_rows,
    default_sort,
    expansions_of,
    needs_guard,
    parse_expand,
    parse_fields,
    parse_sort,
    sign_expansions,
)
from crm_api.kernel.query.text import text_query
from crm_api.kernel.query.values import LISTS, Locale
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource

LIST_PARAMETERS = (
    "limit", "cursor", "sort", "fields", "expand", "count", "deleted", "q", "filter", "since", "as_of", "consistent", "view_id",
    "include",
)  # fmt: skip
SEARCH_KEYS = ("filter", "q", "sort", "fields", "expand", "limit", "cursor", "count", "deleted", "explain", "as_of", "view_id", "include")
NAME_LISTS = ("sort", "fields", "expand", "include")
INCLUDES = ("labels", "abilities")
"""What a record may carry beside its own: names and formatted values for people, and what the caller may do with it."""

COUNTS = ("none", "estimate", "exact")
DELETED = ("exclude", "only", "include")
_BRACKETS = re.compile(r"([^\[\]]+)\[([a-z_]+)\]")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A parsed request for a page: the plan without its page start, and the cursor that will give it.

    `objects` are all those that the answer shows or looks at. `lasting`: the same request later means the same, so that it
    may be kept instead of being read again.
    """

    plan: Plan
    values: tuple[Any, ...]
    digest: str
    limit: int
    cursor: str | None = None
    parent_id: Any = None
    text: str | None = None
    since: int | None = None
    as_of: datetime | None = None
    consistent: bool = False
    explain: bool = False
    objects: frozenset[str] = frozenset()
    lasting: bool = False
    from_query: bool = True


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """What a saved view says: a search tree, an order, and the fields to show; empty where it says nothing."""

    filter: Any = None
    sort: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class _Asked:
    """What both spellings of a request say, each part already read."""

    conditions: list[Node | None] = field(default_factory=list)
    sort: tuple[SortKey, ...] = ()
    fields: tuple[Path, ...] | None = None
    expand: tuple[Expansion, ...] = ()
    limit: int = DEFAULT_PAGE
    count: str = "none"
    deleted: str = "exclude"
    text: str | None = None
    as_of: datetime | None = None
    since: int | None = None
    cursor: str | None = None
    consistent: bool = False
    explain: bool = False
    include: frozenset[str] = frozenset()


def included(parser: QueryParser, names: Sequence[Any], place: Place) -> frozenset[str]:
    """What `include` asks for; anything that isn't known is a mistake."""
    for index, name in enumerate(names):
        if name not in INCLUDES:
            parser.wrong(InvalidValue("enum", allowed=list(INCLUDES)), under(place, index))
    return frozenset(name for name in INCLUDES if name in names)


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


class _Reader:
    """Reads one request."""

    def __init__(self, registry: Registry, resource: AnyResource, locale: Locale, source: Literal["body", "query"]) -> None:
        self.parser = QueryParser(registry, locale, source)
        self.registry = registry
        self.resource = resource

    def limit(self, raw: Any, place: Place) -> int:
        """A page size."""
        if isinstance(raw, bool) or not isinstance(raw, int):
            self.parser.wrong(InvalidValue("type", expected="integer"), place)
        elif raw < 1:
            self.parser.wrong(InvalidValue("min", min=1), place)
        elif raw > MAX_PAGE:
            self.parser.wrong(InvalidValue("max", max=MAX_PAGE), place)
        else:
            return raw
        return 1

    def choice(self, raw: Any, allowed: tuple[str, ...], place: Place) -> str:
        """One of a few words."""
        if raw not in allowed:
            self.parser.wrong(InvalidValue("enum", allowed=list(allowed)), place)
            return allowed[0]
        return str(raw)

    def text(self, raw: Any, place: Place) -> str | None:
        """The words of a full-text search."""
        try:
            if not self.resource.has_search:
                raise InvalidValue("not_filterable")
            return text_query(raw, self.parser.locale.region)
        except InvalidValue as error:
            self.parser.wrong(error, place)
            return None

    def instant(self, raw: Any, place: Place) -> datetime | None:
        """A moment in the past."""
        try:
            if not isinstance(raw, str):
                raise InvalidValue("type", expected="string")
            return parse_timestamp(raw)
        except InvalidValue as error:
            self.parser.wrong(error, place)
            return None

    def add(self, asked: _Asked, saved: SavedQuery | None, *, sort: bool, fields: bool) -> None:
        """Adds what a saved query says and the request does not: `sort` and `fields` tell what the request names itself."""
        if saved is None:
            return
        place: Place = {"parameter": "view_id", "pointer": ""}
        if saved.filter is not None:
            asked.conditions.append(self.parser.tree(saved.filter, self.resource, place))
        if saved.sort and not sort:
            asked.sort = parse_sort(self.parser, saved.sort, self.resource, place)
        if saved.fields and not fields:
            asked.fields = parse_fields(self.parser, saved.fields, self.resource, place)

    def request(self, asked: _Asked, parent: tuple[AnyResource, Relation, Any] | None, at: Callable[[str], Place]) -> ReadRequest:
        """Everything put together. Raises what was found wrong."""
        parser, resource = self.parser, self.resource
        conditions = [condition for condition in asked.conditions if condition is not None]
        tree = conditions[0] if len(conditions) == 1 else And(tuple(conditions)) if conditions else None
        if asked.text is not None and (asked.as_of is not None or asked.consistent):
            parser.wrong(InvalidValue("invalid_combination", other="as_of" if asked.as_of is not None else "consistent"), at("q"))
        parser.finish()
        check_expanded_rows(asked.limit, asked.expand)
        sort = asked.sort or (() if asked.text is not None else default_sort(parser, resource))
        plan = Plan(
            object=resource.name,
            fields=asked.fields,
            filter=tree,
            sort=sort,
            deleted=asked.deleted,  # type: ignore[arg-type]  # checked by `choice`
            count=asked.count,  # type: ignore[arg-type]  # checked by `choice`
            text=asked.text is not None,
            as_of=asked.as_of is not None,
            since=asked.since is not None,
            limit=asked.limit,
            parent=None if parent is None else Parent(parent[0].name, parent[1].name),
            guarded=parent is None and needs_guard(self.registry, resource, asked.sort, tree),
            expand=sign_expansions(self.registry, resource, asked.expand, parser),
            labels="labels" in asked.include,
            abilities="abilities" in asked.include,
        )
        return ReadRequest(
            plan,
            tuple(parser.values),
            plan_digest(plan, parser.values, text=asked.text, since=asked.since, as_of=asked.as_of),
            asked.limit,
            asked.cursor,
            None if parent is None else parent[2],
            asked.text,
            asked.since,
            asked.as_of,
            asked.consistent,
            asked.explain,
            touched(self.registry, resource, plan),
            lasting=not parser.relative and asked.since is None,
            from_query=parser.source == "query",
        )


# --- query strings -----------------------------------------------------------------------------------------------------


def list_request(
    registry: Registry,
    resource: AnyResource,
    raw_query: str,
    locale: Locale,
    *,
    parent: tuple[AnyResource, Relation, Any] | None = None,
    events_seq: Callable[[str], int],
    saved: SavedQuery | None = None,
) -> ReadRequest:
    """A GET that lists. Raises BadRequest or UnknownParameter with every mistake at once.

    Of a `saved` query the filter holds beside the others, order and fields where the request names none.
    """
    reader = _Reader(registry, resource, locale, "query")
    parser = reader.parser
    given = _given(raw_query, parser)
    asked = _Asked(limit=DEFAULT_PAGE)
    link = parent[1] if parent is not None and parent[1].kind == "many_to_many" else None
    for name, items in given.items():
        if name not in LIST_PARAMETERS and EXPAND_PARAMETER.match(name) is None:
            asked.conditions.append(_parameter_condition(parser, resource, name, items, link))
    if "filter" in given:
        asked.conditions.append(_filter_parameter(parser, resource, ",".join(given["filter"]), link))
    single = {name: ",".join(items) for name, items in given.items() if name in LIST_PARAMETERS}
    if "limit" in single:
        text = single["limit"]
        asked.limit = reader.limit(int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text, {"parameter": "limit"})
    if "sort" in given:
        asked.sort = parse_sort(parser, given["sort"], resource, {"parameter": "sort"})
    if "fields" in given:
        asked.fields = parse_fields(parser, given["fields"] if single["fields"] else [], resource, {"parameter": "fields"})
    asked.expand = expansions_of(parser, given, resource)
    asked.include = included(parser, given.get("include", ()), {"parameter": "include"})
    if "count" in single:
        asked.count = reader.choice(single["count"], COUNTS, {"parameter": "count"})
    if "deleted" in single:
        asked.deleted = reader.choice(single["deleted"], DELETED, {"parameter": "deleted"})
    if "q" in single:
        asked.text = reader.text(single["q"], {"parameter": "q"})
    if "as_of" in single:
        asked.as_of = reader.instant(single["as_of"], {"parameter": "as_of"})
    if "consistent" in single:
        asked.consistent = reader.choice(single["consistent"], ("false", "true"), {"parameter": "consistent"}) == "true"
    if "since" in single:
        asked.since = events_seq(single["since"])
        if "deleted" not in single:
            asked.deleted = "include"  # what changed since includes what was deleted since
    asked.cursor = single.get("cursor")
    reader.add(asked, saved, sort="sort" in given or asked.text is not None, fields="fields" in given)
    return reader.request(asked, parent, lambda name: {"parameter": name})


def _given(raw_query: str, parser: QueryParser) -> dict[str, list[str]]:
    """Parameters with all their values; those that take one value may stand there once."""
    given: dict[str, list[str]] = {}
    for name, items in split_query(raw_query):
        if name in given and name in LIST_PARAMETERS and name not in NAME_LISTS:
            parser.wrong(InvalidValue("repeated_parameter"), {"parameter": name})
            continue
        given.setdefault(name, []).extend(items)
    return given


def _parameter_condition(parser: QueryParser, resource: AnyResource, name: str, items: list[str], link: Relation | None) -> Node | None:
    """`email=a@b.c`, `amount[gte]=1000`, `custom_fields.tier[in]=gold,silver`."""
    place = {"parameter": name}
    matched = _BRACKETS.fullmatch(name)
    path, op = (matched.group(1), matched.group(2)) if matched is not None else (name, "eq")
    raw: Any = items if op in LISTS or op == "between" or len(items) > 1 else items[0]
    if op == "eq" and isinstance(raw, list):
        op = "in"
    before = len(parser.errors)
    node = parser.condition(resource, tuple(path.split(".")), op, raw, True, place, place, place, link)
    for error in parser.errors[before:]:
        if error.code == "unknown_field":
            parser.errors.remove(error)
            parser.unknown.append(InvalidValue("unknown_parameter", allowed=[*LIST_PARAMETERS, *(error.allowed or ())]).at(parameter=name))
    return node


def _filter_parameter(parser: QueryParser, resource: AnyResource, text: str, link: Relation | None) -> Node | None:
    """`filter=`: the search tree as JSON. Mistakes in it carry the parameter and a pointer into the tree."""
    try:
        return parser.tree(loads_limited(text.encode()), resource, {"parameter": "filter", "pointer": ""}, link=link)
    except BadRequest as problem:
        reason = problem.errors[0].code if problem.errors else "not JSON"
        parser.wrong(InvalidValue("invalid_filter", reason=reason), {"parameter": "filter"})
        return None


# --- bodies ------------------------------------------------------------------------------------------------------------


def search_request(
    registry: Registry,
    resource: AnyResource,
    body: Any,
    locale: Locale,
    *,
    events_seq: Callable[[str], int] | None = None,
    saved: SavedQuery | None = None,
) -> ReadRequest:
    """A `POST …/search`. Raises ValidationFailed with every mistake at once. For `saved` see `list_request`."""
    reader = _Reader(registry, resource, locale, "body")
    parser = reader.parser
    root: Place = {"pointer": ""}
    if not isinstance(body, dict):
        parser.wrong(InvalidValue("invalid_body", expected="object"), root)
        parser.finish()
    for key in body:
        if key not in SEARCH_KEYS:
            parser.wrong(InvalidValue("unknown_field", allowed=list(SEARCH_KEYS)), under(root, key))
    asked = _Asked()
    if body.get("filter") is not None:
        asked.conditions.append(parser.tree(body["filter"], resource, under(root, "filter")))
    names = {key: _listed(parser, body, key) for key in ("sort", "fields")}
    asked.sort = parse_sort(parser, names["sort"] or (), resource, under(root, "sort"), by_index=True)
    if names["fields"] is not None:
        asked.fields = parse_fields(parser, names["fields"], resource, under(root, "fields"), by_index=True)
    if body.get("expand") is not None:
        asked.expand = parse_expand(parser, body["expand"], resource, under(root, "expand"))
    asked.include = included(parser, _listed(parser, body, "include") or (), under(root, "include"))
    if body.get("limit") is not None:
        asked.limit = reader.limit(body["limit"], under(root, "limit"))
    if body.get("count") is not None:
        asked.count = reader.choice(body["count"], COUNTS, under(root, "count"))
    if body.get("deleted") is not None:
        asked.deleted = reader.choice(body["deleted"], DELETED, under(root, "deleted"))
    if body.get("q") is not None:
        asked.text = reader.text(body["q"], under(root, "q"))
    if body.get("as_of") is not None:
        asked.as_of = reader.instant(body["as_of"], under(root, "as_of"))
    asked.cursor, asked.explain = body.get("cursor"), body.get("explain") or False
    if asked.cursor is not None and not isinstance(asked.cursor, str):
        parser.wrong(InvalidValue("type", expected="string"), under(root, "cursor"))
    if not isinstance(asked.explain, bool):
        parser.wrong(InvalidValue("invalid_boolean"), under(root, "explain"))
    reader.add(asked, saved, sort=bool(names["sort"]) or asked.text is not None, fields=names["fields"] is not None)
    return reader.request(asked, None, lambda name: under(root, name))


def _listed(parser: QueryParser, body: Mapping[str, Any], key: str) -> Sequence[Any] | None:
    value = body.get(key)
    if value is None or isinstance(value, list):
        return value
    parser.wrong(InvalidValue("type", expected="array"), {"pointer": f"/{key}"})
    return None
