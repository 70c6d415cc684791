"""Reading filter trees, from JSON bodies and from query strings.

Everything that is wrong is collected and reported at once, each mistake at its place (a JSON pointer or a parameter's name)
with what would have been allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal

from crm_api.core.errors import (
    BadRequest,
    FieldError,
    FilterTooComplex,
    InvalidValue,
    SortNotIndexed,
    UnknownParameter,
    ValidationFailed,
    join_pointer,
)
from crm_api.core.relative import PERIODS, parse_duration, period
from crm_api.core.text import folded_trigrams
from crm_api.kernel.fields import Field
from crm_api.kernel.query.paths import ResolvedPath, resolve
from crm_api.kernel.query.plan import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_HOPS,
    MAX_VALUES,
    And,
    Condition,
    Node,
    Not,
    Or,
    Path,
    Quantified,
    Slot,
)
from crm_api.kernel.query.values import LISTS, NULL_TESTS, NUMBERS, OPERATORS, PARTIAL, RELATIVE, SETS, Locale, compare_value, part_value
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

Place = Mapping[str, str]
"""Where a value stands: `{"pointer": …}`, `{"parameter": …}`, or both for JSON inside a parameter."""

QUANTIFIERS: tuple[Literal["any", "all", "none"], ...] = ("any", "all", "none")
ORDERINGS = ("eq", "ne", "lt", "lte", "gt", "gte")
"""What a field may be compared with another field by."""

_TOO_MUCH = {"filter_conditions": ("conditions", MAX_CONDITIONS), "filter_depth": ("depth", MAX_DEPTH), "too_many_hops": ("hops", MAX_HOPS)}


class QueryParser:
    """Builds the parts of a plan for one request, collecting values and mistakes.

    `source` decides the status of mistakes: 400 for a query string, 422 for a body. `relative`: whether a value depends on the
    present moment, so that the result must not be kept.
    """

    def __init__(self, registry: Registry, locale: Locale, source: Literal["body", "query"]) -> None:
        self.registry = registry
        self.locale = locale
        self.source = source
        self.values: list[Any] = []
        self.errors: list[FieldError] = []
        self.unknown: list[FieldError] = []
        self.relative = False
        self._conditions = 0

    def slot(self, value: Any) -> Slot:
        """Keeps a value and names its place."""
        self.values.append(value)
        return len(self.values) - 1

    def wrong(self, error: InvalidValue, place: Place) -> None:
        """Notes a mistake."""
        self.errors.append(error.at(**place))

    def finish(self) -> None:
        """Raises what was collected."""
        if self.unknown:
            raise UnknownParameter.of(self.unknown + self.errors)
        if not self.errors:
            return
        codes = {error.code for error in self.errors}
        if codes == {"sort_not_indexed"}:
            raise SortNotIndexed(errors=self.errors)
        if codes <= _TOO_MUCH.keys():
            first = self.errors[0].code
            problem = FilterTooComplex(*_TOO_MUCH[first], self._conditions if first == "filter_conditions" else None)
            problem.errors = self.errors
            raise problem
        raise BadRequest(errors=self.errors) if self.source == "query" else ValidationFailed(errors=self.errors)

    # --- trees -------------------------------------------------------------------------------------------------------

    def tree(self, raw: Any, resource: AnyResource, place: Place, *, depth: int = 1, link: Relation | None = None) -> Node | None:
        """A search tree; None if it is wrong (and noted). `depth` counts what combines or quantifies."""
        if not isinstance(raw, dict):
            self.wrong(InvalidValue("type", expected="object"), place)
            return None
        word = next((word for word in ("and", "or", "not", *QUANTIFIERS) if word in raw), None)
        if word is not None and depth > MAX_DEPTH:
            self.wrong(InvalidValue("filter_depth", max=MAX_DEPTH), place)
            return None
        if word in ("and", "or"):
            return self._junction(word, raw, resource, place, depth, link)
        if word == "not":
            if not self._only(raw, ("not",), place):
                return None
            item = self.tree(raw["not"], resource, under(place, "not"), depth=depth + 1, link=link)
            return None if item is None else Not(item)
        return self._leaf(raw, resource, place, depth, link)

    def _junction(
        self, word: str, raw: dict[str, Any], resource: AnyResource, place: Place, depth: int, link: Relation | None
    ) -> Node | None:
        if not self._only(raw, (word,), place):
            return None
        items, at = raw[word], under(place, word)
        if not isinstance(items, list):
            self.wrong(InvalidValue("type", expected="array"), at)
            return None
        if not items:
            self.wrong(InvalidValue("min_items", min_items=1), at)
            return None
        nodes = [self.tree(item, resource, under(at, i), depth=depth + 1, link=link) for i, item in enumerate(items)]
        good = tuple(node for node in nodes if node is not None)
        if len(good) < len(nodes):
            return None
        return good[0] if len(good) == 1 else And(good) if word == "and" else Or(good)

    def _only(self, raw: Mapping[str, Any], allowed: Sequence[str], place: Place) -> bool:
        for key in raw:
            if key not in allowed:
                self.wrong(InvalidValue("unknown_field", allowed=list(allowed)), under(place, key))
        return all(key in allowed for key in raw)

    def _leaf(self, raw: dict[str, Any], resource: AnyResource, place: Place, depth: int, link: Relation | None) -> Node | None:
        name = raw.get("field")
        if not isinstance(name, str) or not name:
            if "field" in raw:
                self.wrong(InvalidValue("type", expected="string"), under(place, "field"))
            elif self._only(raw, ("and", "or", "not", "field", "op", "value", *QUANTIFIERS), place):
                self.wrong(InvalidValue("required"), under(place, "field"))
            return None
        path = tuple(name.split("."))
        quantifier = next((word for word in QUANTIFIERS if word in raw), None)
        if quantifier is not None:
            return self._quantified(raw, path, quantifier, resource, place, depth, link)
        if not self._only(raw, ("field", "op", "value"), place):
            return None
        op = raw.get("op", "eq")
        if not isinstance(op, str):
            self.wrong(InvalidValue("type", expected="string"), under(place, "op"))
            return None
        places = (under(place, "field"), under(place, "op"), under(place, "value"))
        return self.condition(resource, path, op, raw.get("value"), "value" in raw, *places, link)

    def _quantified(
        self,
        raw: dict[str, Any],
        path: Path,
        word: Literal["any", "all", "none"],
        resource: AnyResource,
        place: Place,
        depth: int,
        link: Relation | None,
    ) -> Node | None:
        if not self._only(raw, ("field", word), place):
            return None
        self._count(place)
        resolved = self._resolve(resource, path, under(place, "field"), link)
        if resolved is None:
            return None
        if resolved.field is not None or not resolved.steps or resolved.steps[-1].kind == "to_one":
            lists = [name for name, relation in self.registry.relations[resource.name].items() if relation.kind != "to_one"]
            self.wrong(InvalidValue("unknown_relation", allowed=lists), under(place, "field"))
            return None
        last = resolved.steps[-1]
        item = self.tree(
            raw[word], self.registry[last.target], under(place, word), depth=depth + 1, link=last if last.link is not None else None
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

    # --- conditions --------------------------------------------------------------------------------------------------

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
        """One comparison. A value that stands in a parameter of its own is text, whatever the field's type."""
        self._count(at_field)
        resolved = self._resolve(resource, path, at_field, link)
        if resolved is None:
            return None
        field = resolved.field
        if field is None or not OPERATORS[field.type]:
            self.wrong(InvalidValue("not_filterable", allowed=filterable(resource)), at_field)
            return None
        allowed = OPERATORS[field.type]
        if raw is None and given and op in ("eq", "ne") and (op in allowed or field.type in SETS):
            return Condition(path, "is_null" if op == "eq" else "is_not_null")
        if field.type in SETS and op == "eq":
            op = "any_of"
        if op not in allowed:
            self.wrong(InvalidValue("unknown_operator", allowed=list(allowed)), at_op)
            return None
        from_text = "pointer" not in at_value
        if op in NULL_TESTS:
            return self._null_test(path, op, raw, given, from_text, at_value)
        if not given:
            self.wrong(InvalidValue("required"), at_value)
            return None
        if isinstance(raw, dict):
            return self._field_to_field(resource, path, resolved, op, raw, at_value, link)
        try:
            return self._with_value(path, field, op, raw, from_text)
        except InvalidValue as error:
            self.wrong(error, at_value)
            return None

    def _null_test(self, path: Path, op: str, raw: Any, given: bool, from_text: bool, at_value: Place) -> Node | None:
        if not given or raw is True or (from_text and raw in ("true", "")):
            return Condition(path, op)
        if raw is False or (from_text and raw == "false"):
            return Condition(path, "is_not_null" if op == "is_null" else "is_null")
        self.wrong(InvalidValue("invalid_boolean"), at_value)
        return None

    def _field_to_field(
        self,
        resource: AnyResource,
        path: Path,
        resolved: ResolvedPath,
        op: str,
        raw: dict[str, Any],
        at_value: Place,
        link: Relation | None,
    ) -> Node | None:
        if not self._only(raw, ("field",), at_value):
            return None
        name = raw.get("field")
        if not isinstance(name, str) or not name:
            self.wrong(InvalidValue("type", expected="string"), under(at_value, "field"))
            return None
        other_path = tuple(name.split("."))
        other = self._resolve(resource, other_path, under(at_value, "field"), link)
        if other is None:
            return None
        assert resolved.field is not None
        if op not in ORDERINGS:
            self.wrong(InvalidValue("type", expected="value"), at_value)
        elif other.field is None or resolved.to_many or other.to_many or other.on_link or resolved.on_link:
            self.wrong(InvalidValue("not_filterable"), under(at_value, "field"))
        elif comparable_kind(other.field) != comparable_kind(resolved.field):
            self.wrong(InvalidValue("type", expected=f"{resolved.field.type.value} field"), under(at_value, "field"))
        else:
            return Condition(path, op, other_path)
        return None

    def _with_value(self, path: Path, field: Field, op: str, raw: Any, from_text: bool) -> Node:
        if op in LISTS:
            items = raw if isinstance(raw, list) else [raw]
            if not items:
                raise InvalidValue("min_items", min_items=1)
            if len(items) > MAX_VALUES:
                raise InvalidValue("too_many_items", max_items=MAX_VALUES)
            return Condition(path, op, self.slot([compare_value(field, item, self.locale, from_text=from_text) for item in items]))
        if op == "between":
            if not isinstance(raw, list) or len(raw) != 2:
                raise InvalidValue("type", expected="array of two values")
            low, high = (compare_value(field, item, self.locale, from_text=from_text) for item in raw)
            return Condition(path, op, self.slot(low), self.slot(high))
        if op in PARTIAL and from_text and isinstance(raw, list):
            raw = ",".join(raw)  # a part of a text is one value; its commas are its own
        if isinstance(raw, list):
            raise InvalidValue("type", expected="single value")
        if op in RELATIVE:
            return self._relative(path, field, op, raw)
        if op in PARTIAL:
            return self._part(path, field, op, raw)
        return Condition(path, op, self.slot(compare_value(field, raw, self.locale, from_text=from_text, exact=op == "eq_exact")))

    def _part(self, path: Path, field: Field, op: str, raw: Any) -> Node:
        if field.type in SETS:
            return Condition(path, "any_of", self.slot([compare_value(field, raw, self.locale, from_text=False)]))
        part = part_value(field, raw)
        pattern = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = {"contains": f"%{pattern}%", "starts_with": f"{pattern}%", "ends_with": f"%{pattern}"}[op]
        value = self.slot(pattern)
        if op == "starts_with" and field.spec.indexed:
            return Condition(path, op, value, third=self.slot(part))
        trigrams = folded_trigrams(part)  # none below three characters, which no index finds
        return Condition(path, op, value, self.slot(trigrams) if trigrams else None)

    def _relative(self, path: Path, field: Field, op: str, raw: Any) -> Node:
        if not isinstance(raw, str):
            raise InvalidValue("type", expected="string")
        self.relative = True
        locale, is_date = self.locale, field.type is FieldType.DATE
        if raw in PERIODS:
            span = period(raw, locale.now, locale.zone, locale.fiscal, locale.week_start)
            start, end = (span.start_date, span.end_date) if is_date else (span.start, span.end)
            if op == "within":
                # one condition, not two: over a to-many path both ends are to hold of the same record
                last = end - (timedelta(days=1) if is_date else timedelta(microseconds=1))
                return Condition(path, "between", self.slot(start), self.slot(last))
            return Condition(path, "lt" if op == "older_than" else "gte", self.slot(start if op == "older_than" else end))
        if not raw.startswith("P"):
            raise InvalidValue("invalid_period", allowed=list(PERIODS))
        duration = parse_duration(raw)
        today = locale.now.astimezone(locale.zone).date()
        since = duration.date_before(today) if is_date else duration.before(locale.now, locale.zone)
        if op == "within":
            return Condition(path, "between", self.slot(since), self.slot(today if is_date else locale.now))
        return Condition(path, "lt" if op == "older_than" else "gte", self.slot(since))


def comparable_kind(field: Field) -> Any:
    """What two fields must share to be compared with each other."""
    if field.type in NUMBERS:
        return "number"
    return field.type if field.type is FieldType.ACTOR else field.sql_type.python_type


def filterable(resource: AnyResource) -> list[str]:
    """The fields that may stand in a filter."""
    return [name for name, field in resource.all_fields.items() if OPERATORS[field.type]]


def under(place: Place, key: str | int) -> Place:
    """The place of a member. A parameter's value has none, unless it is JSON."""
    return {**place, "pointer": place["pointer"] + join_pointer(key)} if "pointer" in place else place


__all__ = ["Place", "QueryParser", "filterable", "under"]
