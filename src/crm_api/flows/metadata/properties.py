"""The properties of a field: which of them a type takes, and whether what they say makes sense together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from crm_api.core.errors import FieldError, InvalidValue, ReservedName, ValidationFailed, join_pointer
from crm_api.flows.metadata.names import RESERVED_FIELDS, check_name
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import COMPUTED, SLOT_KINDS, UNIQUE_TYPES, CustomField
from crm_api.kernel.custom.patterns import compile_pattern
from crm_api.kernel.custom.values import MAX_LONG_TEXT, MAX_TEXT, check_value, order_of
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType as T

_ANY: Final = ("help", "sensitivity")
_WRITTEN: Final = (*_ANY, "required", "read_only", "default")
_TEXT: Final = (*_WRITTEN, "searchable")
_RANGE: Final = (*_WRITTEN, "min", "max")
_CHOICES: Final = (*_WRITTEN, "options", "depends_on")

TAKES: Final[Mapping[T, tuple[str, ...]]] = {
    T.TEXT: (*_TEXT, "max_length", "pattern"),
    T.LONG_TEXT: (*_TEXT, "max_length", "pattern"),
    T.INTEGER: _RANGE,
    T.NUMBER: _RANGE,
    T.DECIMAL: (*_RANGE, "scale"),
    T.CURRENCY: _RANGE,
    T.BOOLEAN: _WRITTEN,
    T.DATE: _RANGE,
    T.DATETIME: _RANGE,
    T.EMAIL: _TEXT,
    T.PHONE: _TEXT,
    T.URL: _TEXT,
    T.PICKLIST: _CHOICES,
    T.MULTI_PICKLIST: _CHOICES,
    T.AUTONUMBER: (*_ANY, "searchable", "prefix", "suffix", "padding", "start"),
    T.REFERENCE: (*_ANY, "required", "read_only", "target", "inverse", "multiple"),
    T.FORMULA: (*_ANY, "searchable", "formula", "returns", "scale"),
    T.ROLLUP: (*_ANY, "relation", "function", "field", "filter"),
    T.JSON: _WRITTEN,
}
"""The properties of each type beside `label`, `indexed` and `unique`."""

FIXED: Final = ("target", "inverse", "multiple", "start", "returns", "scale")
"""Properties that never change, since paths, stored values or other fields rely on them."""

NEUTRAL: Final[Mapping[str, Any]] = {
    "required": False,
    "read_only": False,
    "searchable": True,
    "sensitivity": "none",
    "multiple": False,
    "prefix": "",
    "suffix": "",
    "padding": 0,
    "start": 1,
}
"""What is meant where a property is left out; said explicitly it is the same as left out."""

MAX_OPTIONS: Final = 1_000


def plain(given: Mapping[str, Any]) -> dict[str, Any]:
    """Properties without those that say nothing."""
    return {name: value for name, value in given.items() if value is not None and NEUTRAL.get(name) != value}


def check_properties(
    context: Context,
    resource: AnyResource,
    registry: Registry,
    fields: Sequence[CustomField],
    definition: CustomField,
    given: Mapping[str, Any],
    *,
    new: bool = True,
) -> dict[str, Any]:
    """The properties as they are stored, of a field that is `new` or about to change. `fields` are the object's other fields.

    Raises ValidationFailed naming every mistake, ReservedName.
    """
    kind, found = definition.type, plain(given)
    errors = [
        FieldError("not_for_type", pointer=join_pointer(name), params={"type": kind.value, "property": name}, allowed=list(TAKES[kind]))
        for name in found
        if name not in TAKES[kind]
    ]
    check = _Check(context, definition, {name: value for name, value in found.items() if name in TAKES[kind]}, errors)
    if kind in (T.PICKLIST, T.MULTI_PICKLIST):
        check.options()
        check.depends_on(fields)
    elif kind is T.REFERENCE and new:
        check.reference(resource, registry)
    check.text()
    check.bounds()
    check.default()
    if check.found.get("required") and check.found.get("read_only") and "default" not in check.found:
        check.wrong("invalid_combination", "read_only", other="required")
    if errors:
        raise ValidationFailed(errors)
    return check.found


def check_flags(kind: T, value_type: T, properties: Mapping[str, Any], *, indexed: bool, unique: bool) -> None:
    """Raises ValidationFailed for an index or uniqueness that the type can't have."""
    errors = []
    if indexed and (value_type not in SLOT_KINDS or properties.get("multiple") or properties.get("volatile")):
        allowed = [found.value for found in SLOT_KINDS]
        errors.append(FieldError("not_for_type", pointer="/indexed", params={"type": kind.value, "property": "indexed"}, allowed=allowed))
    if unique and (kind in COMPUTED or kind not in UNIQUE_TYPES):
        allowed = sorted(found.value for found in UNIQUE_TYPES)
        errors.append(FieldError("not_for_type", pointer="/unique", params={"type": kind.value, "property": "unique"}, allowed=allowed))
    if errors:
        raise ValidationFailed(errors)


class _Check:
    """One definition's properties; mistakes are collected, what is right is brought to its stored form."""

    def __init__(self, context: Context, definition: CustomField, found: dict[str, Any], errors: list[FieldError]) -> None:
        self._organization = context.principal.organization
        self._definition = definition
        self.found = found
        self.errors = errors

    def wrong(self, code: str, *at: str | int, allowed: Sequence[Any] | None = None, **params: Any) -> None:
        """Notes a mistake."""
        self.errors.append(FieldError(code, pointer=join_pointer(*at), params=params or None, allowed=allowed))

    def _value(self, name: str, properties: Mapping[str, Any]) -> bool:
        """Brings a property that is a value of the field to its stored form."""
        definition = self._definition
        probe = CustomField(UUID(int=0), definition.object, definition.api_name, "", definition.type, properties)
        currency, region = self._organization.currency, self._organization.region
        try:
            self.found[name] = check_value(probe, self.found[name], None, currency=currency, region=region)
        except InvalidValue as error:
            self.errors.append(error.at(pointer=join_pointer(name)))
            return False
        return True

    def options(self) -> None:
        """Keys are there, and no two are the same."""
        options = self.found.get("options")
        if not options:
            self.wrong("required" if options is None else "min_items", "options", min_items=1)
            return
        counts = Counter(option["key"] for option in options)
        seen: set[str] = set()
        for index, option in enumerate(options):
            if counts[option["key"]] > 1 and option["key"] in seen:
                self.wrong("repeated_item", "options", index, "key")
            seen.add(option["key"])

    def depends_on(self, fields: Sequence[CustomField]) -> None:
        """The controlling field is a picklist of the object, and all keys exist."""
        rule = self.found.get("depends_on")
        if rule is None:
            return
        name = self._definition.api_name
        lists = {f.api_name: f for f in fields if f.type is T.PICKLIST and not f.archived and f.api_name != name}
        controlling = lists.get(rule["field"])
        if controlling is None:
            self.wrong("enum", "depends_on", "field", allowed=sorted(lists))
            return
        above: str | None = rule["field"]
        while above is not None:
            if above == name:
                self.wrong("cycle", "depends_on", "field")
                return
            above = lists[above].properties.get("depends_on", {}).get("field") if above in lists else None
        theirs = [option.key for option in controlling.options]
        ours = [option["key"] for option in self.found.get("options") or ()]
        for key, allowed in rule["values"].items():
            if key not in theirs:
                self.wrong("enum", "depends_on", "values", key, allowed=theirs)
            for index, choice in enumerate(allowed):
                if choice not in ours:
                    self.wrong("enum", "depends_on", "values", key, index, allowed=ours)

    def reference(self, resource: AnyResource, registry: Registry) -> None:
        """The target is there, and the names of both directions are free."""
        definition, found = self._definition, self.found
        multiple = found.get("multiple", False)
        target, inverse = found.get("target"), found.get("inverse")
        if target is None:
            self.wrong("required", "target")
        elif target not in registry:
            self.wrong("enum", "target", allowed=sorted(other.name for other in registry))
        if not multiple and not definition.api_name.endswith("_id"):
            self.wrong("pattern", "api_name", pattern="^[a-z][a-z0-9_]*_id$")
        if multiple and found.get("required"):
            self.wrong("invalid_combination", "required", other="multiple")
        if multiple and found.get("read_only"):
            self.wrong("invalid_combination", "read_only", other="multiple")
        if inverse is None:
            if multiple:
                self.wrong("required", "inverse")
        else:
            check_name(inverse, "/inverse")
        names = [("api_name", resource.name, definition.api_name if multiple else definition.api_name.removesuffix("_id"))]
        if inverse is not None and target in registry:
            names.append(("inverse", str(target), inverse))
        for place, object_name, relation in names:
            if relation in RESERVED_FIELDS:
                raise ReservedName(errors=[FieldError("reserved_name", pointer=join_pointer(place))])
            if relation in registry.relations[object_name] or registry[object_name].field_named(relation) is not None:
                self.wrong("name_taken", place, name=f"{object_name}.{relation}")
        if inverse is not None and len(names) == 2 and names[0][1:] == names[1][1:]:
            self.wrong("name_taken", "inverse", name=f"{target}.{inverse}")

    def text(self) -> None:
        """The expression can be understood, and the length is one that a field can have."""
        found = self.found
        if "pattern" in found:
            try:
                compile_pattern(found["pattern"])
            except InvalidValue as error:
                self.errors.append(error.at(pointer="/pattern"))
                del found["pattern"]
        longest = MAX_LONG_TEXT if self._definition.type is T.LONG_TEXT else MAX_TEXT
        if found.get("max_length", 0) > longest:
            self.wrong("max", "max_length", max=longest)

    def bounds(self) -> None:
        """Both bounds are values of the type, the lower one first."""
        loose = {name: value for name, value in self.found.items() if name not in ("min", "max")}
        good = [name for name in ("min", "max") if name in self.found and self._value(name, loose)]
        if len(good) == 2:
            kind = self._definition.type
            if order_of(kind, self.found["min"]) > order_of(kind, self.found["max"]):
                self.wrong("min", "max", min=self.found["min"])

    def default(self) -> None:
        """The default is a value that a record could be given."""
        if "default" in self.found and not self.errors:
            self._value("default", self.found)
            rule = self.found.get("depends_on")
            if rule is not None:  # what it goes with is not known beforehand
                self.wrong("invalid_combination", "default", other="depends_on")


__all__ = ["FIXED", "MAX_OPTIONS", "NEUTRAL", "TAKES", "check_flags", "check_properties", "plain"]
