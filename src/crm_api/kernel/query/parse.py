"""Reading questions: filter trees, sorts, field lists and expansions, from JSON bodies and from query strings.

Everything that is wrong is collected and reported at once, each mistake at its place (a JSON pointer or a parameter's name)
with what would have been allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from crm_api.core.errors import BadRequest, FieldError, InvalidValue, SortNotIndexed, UnknownParameter, ValidationFailed
from crm_api.core.relative import PERIODS, parse_duration, period
from crm_api.core.text import folded_trigrams
from crm_api.kernel.fields import Field
from crm_api.kernel.query.paths import ResolvedPath, resolve
from crm_api.kernel.query.plan import (
    DEFAULT_EXPANDED,
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_EXPAND_DEPTH,
    MAX_EXPANDED,
    And,
    Condition,
    Expansion,
    Node,
    Not,
    Or,
    Path,
    Quantified,
    Slot,
    SortKey,
)
from crm_api.kernel.query.values import OPERATORS, Locale, compare_value
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

Place = Mapping[str, str]
"""Where a value stands: `{"pointer": …}` or `{"parameter": …}`."""

SETS = (FieldType.TAGS, FieldType.MULTI_PICKLIST)
QUANTIFIERS: tuple[Literal["any", "all", "none"], ...] = ("any", "all", "none")
NO_VALUE = ("is_null", "is_not_null")


class QueryParser:
    """Builds the parts of a plan for one request, collecting values and mistakes."""

    def __init__(self, registry: Registry, locale: Locale, source: Literal["body", "query"]) -> None:
        self.registry = registry
        self.locale = locale
        self.source = source
        self.values: list[Any] = []
        self.errors: list[FieldError] = []
        self.unknown: list[FieldError] = []
        self._conditions = 0

    def slot(self, value: Any) -> Slot:
        """Keeps a value and names its place."""
        self.values.append(value)
        return len(self.values) - 1

    def wrong(self, error: InvalidValue, place: Place) -> None:
        """Notes a mistake."""
        self.errors.append(error.at(**place))

    def finish(self) -> None:
        """Raises what was collected: 400 for a query string, 422 for a body."""
        if self.unknown:
            raise UnknownParameter.of(self.unknown + self.errors)
        if self.errors and any(error.code == "sort_not_indexed" for error in self.errors):
            raise SortNotIndexed(errors=self.errors)
        if self.errors:
            raise BadRequest(errors=self.errors) if self.source == "query" else ValidationFailed(errors=self.errors)

    # --- filters -----------------------------------------------------------------------------------------------------

    def tree(self, raw: Any, resource: AnyResource, place: Place, *, depth: int = 1, link: Relation | None = None) -> Node | None:
        """A search tree; None if it is wrong (and noted)."""
        if not isinstance(raw, dict):
            self.wrong(InvalidValue("type", expected="object"), place)
            return None
        if depth > MAX_DEPTH:
            self.wrong(InvalidValue("filter_depth", max=MAX_DEPTH), place)
            return None
        for word in ("and", "or"):
            if word in raw:
                return self._junction(word, raw, resource, place, depth, link)
        if "not" in raw:
            if not self._only(raw, ("not",), place):
                return None
            item = self.tree(raw["not"], resource, _under(place, "not"), depth=depth + 1, link=link)
            return None if item is None else Not(item)
        return self._leaf(raw, resource, place, depth, link)

    def _junction(
        self, word: str, raw: dict[str, Any], resource: AnyResource, place: Place, depth: int, link: Relation | None
    ) -> Node | None:
        if not self._only(raw, (word,), place):
            return None
        items = raw[word]
        if not isinstance(items, list) or not items:
            self.wrong(InvalidValue("type", expected="non-empty array"), _under(place, word))
            return None
        nodes = [self.tree(item, resource, _under(place, f"{word}/{i}"), depth=depth + 1, link=link) for i, item in enumerate(items)]
        good = tuple(node for node in nodes if node is not None)
        return (And(good) if word == "and" else Or(good)) if len(good) == len(nodes) else None

    def _only(self, raw: dict[str, Any], allowed: Sequence[str], place: Place) -> bool:
        for key in raw:
            if key not in allowed:
                self.errors.append(InvalidValue("unknown_field", allowed=list(allowed)).at(**_under(place, key)))
        return all(key in allowed for key in raw)

    def _leaf(self, raw: dict[str, Any], resource: AnyResource, place: Place, depth: int, link: Relation | None) -> Node | None:
        name = raw.get("field")
        if not isinstance(name, str) or not name:
            self.wrong(InvalidValue("required") if "field" not in raw else InvalidValue("type", expected="string"), _under(place, "field"))
            return None
        path = tuple(name.split("."))
        quantifiers = [word for word in QUANTIFIERS if word in raw]
        if quantifiers:
            return self._quantified(raw, path, quantifiers, resource, place, depth)
        if not self._only(raw, ("field", "op", "value"), place):
            return None
        op = raw.get("op", "eq")
        if not isinstance(op, str):
            self.wrong(InvalidValue("type", expected="string"), _under(place, "op"))
            return None
        return self.condition(
            resource, path, op, raw.get("value"), "value" in raw, _under(place, "field"), _under(place, "op"), _under(place, "value"), link
        )

    def _quantified(
        self,
        raw: dict[str, Any],
        path: Path,
        quantifiers: Sequence[Literal["any", "all", "none"]],
        resource: AnyResource,
        place: Place,
        depth: int,
    ) -> Node | None:
        word = quantifiers[0]
        if not self._only(raw, ("field", word), place):
            return None
        resolved = self._resolve(resource, path, _under(place, "field"), None)
        if resolved is None:
            return None
        if resolved.field is not None or not resolved.steps or resolved.steps[-1].kind == "to_one":
            self.wrong(InvalidValue("wrong_object", expected="to-many relation"), _under(place, "field"))
            return None
        target = self.registry[resolved.steps[-1].target]
        self._count(place)
        item = self.tree(
            raw[word], target, _under(place, word), depth=depth + 1, link=resolved.steps[-1] if resolved.steps[-1].link else None
        )
        return None if item is None else Quantified(path, word, item)

    def _count(self, place: Place) -> None:
        self._conditions += 1
        if self._conditions == MAX_CONDITIONS + 1:
            self.wrong(InvalidValue("filter_conditions", max=MAX_CONDITIONS), place)

    def _resolve(self, resource: AnyResource, path: Path, place: Place, link: Relation | None) -> ResolvedPath | None:
        try:
            return resolve(self.registry, resource, path, link=link)
        except InvalidValue as error:
            self.wrong(error, place)
            return None

    def condition(
        self,
        resource: AnyResource,
        path: Path,
        op: str,
        raw: Any,
        given: bool,
        at_field: Place,
        at_op: Place,
        at_value: Place,
        link: Relation | None = None,
    ) -> Node | None:
        """One comparison."""
        self._count(at_field)
        resolved = self._resolve(resource, path, at_field, link)
        if resolved is None:
            return None
        field = resolved.field
        if field is None:
            self.wrong(InvalidValue("not_filterable"), at_field)
            return None
        allowed = OPERATORS[field.type]
        if field.type in SETS and op == "eq":
            op = "any_of"
        if op not in allowed:
            self.wrong(InvalidValue("unknown_operator", allowed=list(allowed)), at_op)
            return None
        if op in NO_VALUE:
            return self._null_test(path, op, raw, given, at_value)
        if not given:
            self.wrong(InvalidValue("required"), at_value)
            return None
        if isinstance(raw, dict) and self.source == "body":
            return self._field_to_field(resource, path, field, op, raw, at_value, link)
        if raw is None and op in ("eq", "ne"):
            return Condition(path, "is_null" if op == "eq" else "is_not_null")
        try:
            return self._with_value(path, field, op, raw)
        except InvalidValue as error:
            self.wrong(error, at_value)
            return None

    def _null_test(self, path: Path, op: str, raw: Any, given: bool, at_value: Place) -> Node | None:
        if not given or raw is True or raw == "true":
            return Condition(path, op)
        if raw is False or raw == "false":
            return Condition(path, "is_not_null" if op == "is_null" else "is_null")
        self.wrong(InvalidValue("invalid_boolean"), at_value)
        return None

    def _field_to_field(
        self, resource: AnyResource, path: Path, field: Field, op: str, raw: dict[str, Any], at_value: Place, link: Relation | None
    ) -> Node | None:
        if not self._only(raw, ("field",), at_value) or not isinstance(raw.get("field"), str):
            self.wrong(InvalidValue("type", expected='{"field": name}'), at_value)
            return None
        other_path = tuple(raw["field"].split("."))
        other = self._resolve(resource, other_path, _under(at_value, "field"), link)
        if other is None:
            return None
        if (
            op not in ("eq", "ne", "lt", "lte", "gt", "gte")
            or other.field is None
            or other.to_many
            or other.field.sql_type.python_type is not field.sql_type.python_type
        ):
            self.wrong(InvalidValue("type", expected=f"{field.type.value} field"), at_value)
            return None
        return Condition(path, op, other_path)

    def _with_value(self, path: Path, field: Field, op: str, raw: Any) -> Node:
        text = self.source == "query"
        if op in ("in", "not_in", "any_of", "all_of", "none_of"):
            items = raw if isinstance(raw, list) else [raw]
            if not items or len(items) > 1000:
                raise InvalidValue("too_many_items", max_items=1000) if items else InvalidValue("min_items", min_items=1)
            return Condition(path, op, self.slot([compare_value(field, item, self.locale, from_text=text) for item in items]))
        if op == "between":
            if not isinstance(raw, list) or len(raw) != 2:
                raise InvalidValue("type", expected="array of two")
            low, high = (compare_value(field, item, self.locale, from_text=text) for item in raw)
            return Condition(path, op, self.slot(low), self.slot(high))
        if isinstance(raw, list):
            raise InvalidValue("type", expected="single value")
        if op in ("older_than", "newer_than", "within"):
            return self._relative(path, field, op, raw)
        if op in ("contains", "starts_with", "ends_with"):
            if field.type in SETS:
                return Condition(path, "any_of", self.slot([compare_value(field, raw, self.locale, from_text=text)]))
            needle = compare_value(field, raw, self.locale, from_text=text) if field.type is not FieldType.PHONE else str(raw)
            if not needle:
                raise InvalidValue("min_length", min_length=1)
            pattern = needle.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            pattern = {"contains": f"%{pattern}%", "starts_with": f"{pattern}%", "ends_with": f"%{pattern}"}[op]
            grams = folded_trigrams(needle)
            if op == "starts_with":
                return Condition(path, op, self.slot(needle), self.slot(pattern))
            return Condition(path, op, self.slot(pattern), self.slot(grams) if grams else None, "" if grams else "short")
        value = compare_value(field, raw, self.locale, from_text=text, exact=op == "eq_exact")
        return Condition(path, op, self.slot(value))

    def _relative(self, path: Path, field: Field, op: str, raw: Any) -> Node:
        if not isinstance(raw, str):
            raise InvalidValue("type", expected="string")
        locale, is_date = self.locale, field.type is FieldType.DATE
        today = locale.now.astimezone(locale.zone).date()
        if raw in PERIODS:
            span = period(raw, locale.now, locale.zone, locale.fiscal_year_start)
            start, end = (span.start_date, span.end_date) if is_date else (span.start, span.end)
            if op == "within":
                return And((Condition(path, "gte", self.slot(start)), Condition(path, "lt", self.slot(end))))
            return Condition(path, "lt" if op == "older_than" else "gte", self.slot(start if op == "older_than" else end))
        if not raw.startswith("P"):
            raise InvalidValue("invalid_period", allowed=list(PERIODS))
        duration = parse_duration(raw)
        start = duration.date_before(today) if is_date else duration.before(locale.now, locale.zone)
        if op == "within":
            return Condition(path, "between", self.slot(start), self.slot(today if is_date else locale.now))
        return Condition(path, "lt" if op == "older_than" else "gte", self.slot(start))

    # --- sort, fields, expand ----------------------------------------------------------------------------------------

    def sort(self, names: Sequence[Any], resource: AnyResource, place: Place, *, by_index: bool = False) -> tuple[SortKey, ...]:
        """Sort keys. `by_index`: `place` is an array, each key stands at its own index."""
        keys: list[SortKey] = []
        for index, raw in enumerate(names):
            where = _under(place, str(index)) if by_index else place
            if not isinstance(raw, str) or not raw.removeprefix("-"):
                self.wrong(InvalidValue("type", expected="string"), where)
                continue
            name = raw.removeprefix("-").removeprefix("+")
            field = resource.fields.get(name)
            if field is None or not field.sortable:
                allowed = [n for n, f in resource.fields.items() if f.sortable]
                self.wrong(InvalidValue("not_sortable" if field is not None else "unknown_field", allowed=allowed), where)
                continue
            if any(key.path == (name,) for key in keys):
                self.wrong(InvalidValue("repeated_item"), where)
                continue
            options = self.slot(list(field.spec.options)) if field.spec.options else None
            keys.append(SortKey((name,), raw.startswith("-"), field.nullable, options))
        if len(keys) > 3:
            self.wrong(InvalidValue("too_many_items", max_items=3), place)
        return tuple(keys)

    def fields(self, names: Sequence[Any], resource: AnyResource, place: Place, *, by_index: bool = False) -> tuple[Path, ...]:
        """A field list; `account.name` brings the related record with that field."""
        paths: list[Path] = []
        for index, raw in enumerate(names):
            where = _under(place, str(index)) if by_index else place
            if not isinstance(raw, str) or not raw:
                self.wrong(InvalidValue("type", expected="string"), where)
                continue
            if raw in ("object", "id"):
                continue
            path = tuple(raw.split("."))
            resolved = self._resolve(resource, path, where, None)
            if resolved is None:
                continue
            if (
                resolved.to_many
                or (resolved.field is None and len(path) > 1)
                or len(resolved.steps) > 1
                or resolved.field is None
                or resolved.part is not None
            ):
                self.wrong(InvalidValue("unknown_field", allowed=list(resource.fields)), where)
            elif path not in paths:
                paths.append(path)
        return tuple(paths)

    def expand_tree(self, raw: Any, resource: AnyResource, place: Place, depth: int = 1) -> tuple[Expansion, ...]:
        """Expansions as a search body writes them: `{"deals": {"limit": 5, "sort": […], "fields": […], "filter": …, "expand": {…}}}`."""
        if isinstance(raw, list):
            raw = {name: {} for name in raw if isinstance(name, str)}
        if not isinstance(raw, dict):
            self.wrong(InvalidValue("type", expected="object"), place)
            return ()
        found = []
        for name, options in raw.items():
            where = _under(place, name)
            expansion = self.expansion(name, options if options is not None else {}, resource, where, depth)
            if expansion is not None:
                found.append(expansion)
        return tuple(found)

    def expansion(self, name: str, options: Any, resource: AnyResource, place: Place, depth: int) -> Expansion | None:
        """One relation to bring along, with its options."""
        relations = self.registry.relations[resource.name]
        relation = relations.get(name)
        if relation is None:
            self.wrong(InvalidValue("unknown_relation", allowed=list(relations)), place)
            return None
        if depth > MAX_EXPAND_DEPTH:
            self.wrong(InvalidValue("expand_depth", max=MAX_EXPAND_DEPTH), place)
            return None
        if not isinstance(options, dict):
            self.wrong(InvalidValue("type", expected="object"), place)
            return None
        to_many = relation.kind != "to_one"
        self._only(options, ("limit", "sort", "fields", "filter", "expand") if to_many else ("fields", "expand"), place)
        target = self.registry[relation.target]
        limit = options.get("limit", DEFAULT_EXPANDED)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_EXPANDED:
            self.wrong(
                InvalidValue("max" if isinstance(limit, int) and limit > 0 else "min", min=1, max=MAX_EXPANDED), _under(place, "limit")
            )
            limit = 1
        fields = self.fields(options["fields"], target, _under(place, "fields"), by_index=True) if _is_list(options, "fields") else None
        sort = self.sort(options["sort"], target, _under(place, "sort"), by_index=True) if _is_list(options, "sort") else ()
        raw_filter = options.get("filter")
        tree = (
            None if raw_filter is None else self.tree(raw_filter, target, _under(place, "filter"), link=relation if relation.link else None)
        )
        inner = self.expand_tree(options["expand"], target, _under(place, "expand"), depth + 1) if "expand" in options else ()
        if not to_many:
            return Expansion(name, fields, inner)
        return Expansion(name, fields, inner, self.slot(limit), sort or self.default_sort(target), tree)

    def default_sort(self, resource: AnyResource) -> tuple[SortKey, ...]:
        """The order of a list that names none."""
        return tuple(
            SortKey((name.removeprefix("-"),), name.startswith("-"), resource.fields[name.removeprefix("-")].nullable)
            for name in resource.default_sort
        )

    def check_indexed(self, keys: Sequence[SortKey], resource: AnyResource, filter_: Node | None, place: Place) -> None:
        """Refuses an order that no index serves, unless the filter leaves few records."""
        if not keys or is_selective(filter_, resource):
            return
        first = resource.fields[keys[0].path[0]]
        indexed = first.name in ("created_at", "updated_at", "id") or first.spec.indexed or first.spec.unique
        names = tuple(key.text for key in keys)
        few_ties = first.type not in (FieldType.PICKLIST, FieldType.REFERENCE, FieldType.BOOLEAN)
        if keys[0].options is None and indexed and (len(keys) == 1 or few_ties or names in resource.composite_sorts):
            return
        allowed = [
            n
            for n, f in resource.fields.items()
            if n in ("created_at", "updated_at") or ((f.spec.indexed or f.spec.unique) and not f.spec.options)
        ]
        self.wrong(InvalidValue("sort_not_indexed", allowed=allowed), place)


def is_selective(node: Node | None, resource: AnyResource) -> bool:
    """Whether a filter is sure to leave few records: an equality on an indexed, reference or unique field."""
    if isinstance(node, And):
        return any(is_selective(item, resource) for item in node.items)
    if not isinstance(node, Condition) or node.op not in ("eq", "in", "eq_exact") or len(node.path) != 1:
        return False
    spec = resource.fields[node.path[0]].spec
    return spec.unique or (spec.indexed and spec.type is not FieldType.PICKLIST)


def _is_list(options: Mapping[str, Any], key: str) -> bool:
    return isinstance(options.get(key), list)


def _under(place: Place, key: str) -> Place:
    if "pointer" in place:
        return {"pointer": f"{place['pointer']}/{key}"}
    return place
