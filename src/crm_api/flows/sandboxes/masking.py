"""Masking personal data on the way into a sandbox.

A value becomes another of its kind that follows from the value alone, under the sandbox's own key: the same e-mail address is
the same masked one wherever it stands, so records still belong together, and two runs give the same.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from crm_api.core.errors import FieldError, join_pointer
from crm_api.core.text import fold
from crm_api.kernel.custom.definitions import COMPUTED
from crm_api.kernel.fields import Field
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.columns import FieldType

Rule = Literal["first_name", "last_name", "name", "email", "phone", "address", "text", "date", "clear", "keep"]
RULES: Final[tuple[Rule, ...]] = ("first_name", "last_name", "name", "email", "phone", "address", "text", "date", "clear", "keep")

_BY_TYPE: Final[Mapping[FieldType, Rule]] = {
    FieldType.EMAIL: "email",
    FieldType.PHONE: "phone",
    FieldType.ADDRESS: "address",
    FieldType.LONG_TEXT: "text",
    FieldType.RICH_TEXT: "text",
}
_BY_NAME: Final[Mapping[str, Rule]] = {
    "first_name": "first_name",
    "last_name": "last_name",
    "birthdate": "date",
    "subject": "text",
    "emails": "email",
    "phones": "phone",
    "next_step": "text",
    "lost_reason": "text",
    "status_reason": "text",
    "notes.title": "text",
    "users.name": "name",
}
"""Personal by what they are called, in any object or in one."""

_TEXTS: Final = (FieldType.TEXT, FieldType.LONG_TEXT, FieldType.RICH_TEXT)
_FIRST: Final = ("Alex", "Bente", "Chris", "Dana", "Eli", "Fenna", "Gale", "Hana", "Ida", "Jona", "Kim", "Lou", "Mika", "Noa", "Ola", "Pat")
_LAST: Final = (
    "Ash", "Birch", "Cedar", "Dale", "Elm", "Field", "Grove", "Hill", "Iver", "Juniper", "Knoll", "Lake", "Moor", "North", "Oak", "Pine",
)  # fmt: skip
_WORDS: Final = ("amber", "basin", "cobalt", "delta", "ember", "fjord", "garnet", "harbor", "indigo", "jasper", "kelp", "lumen")

Masks = dict[str, Rule]
"""Rules by the address of a field in a row: a column, or a column and a member of its JSON."""


def rules_of(resource: AnyResource, chosen: Mapping[str, str]) -> Masks:
    """What is masked in an object's records: personal fields by their type and name, custom ones also by their sensitivity.

    `chosen` are a caller's rules by `<object>.<field>`; they win.
    """
    found: Masks = {}
    for name, field in resource.all_fields.items():
        rule = chosen.get(f"{resource.name}.{name}") or _default(resource, field)
        if rule is not None and rule != "keep":
            found[field.address] = rule  # type: ignore[assignment]  # checked by `check`
    return found


def check(registry: Registry, chosen: Mapping[str, str]) -> list[FieldError]:
    """The mistakes in a caller's rules."""
    errors = []
    for name, rule in chosen.items():
        object_name, _, field = name.partition(".")
        resource = registry.get(object_name)
        if resource is None or field not in resource.all_fields:
            allowed = None if resource is None else [f"{object_name}.{known}" for known in resource.all_fields]
            errors.append(FieldError("unknown_field", pointer=join_pointer("mask", name), allowed=allowed))
        elif rule not in RULES:
            errors.append(FieldError("enum", pointer=join_pointer("mask", name), allowed=list(RULES)))
    return errors


def _default(resource: AnyResource, field: Field) -> Rule | None:
    if field.definition is not None:
        if field.type is FieldType.TEXT and field.definition.type in COMPUTED:
            return "text"  # it may be made of names
        if field.definition.properties.get("sensitivity", "none") != "none":
            return _BY_TYPE.get(field.type, "text" if field.type in _TEXTS else "clear")
    return _BY_NAME.get(f"{resource.name}.{field.name}") or _BY_NAME.get(field.name) or _BY_TYPE.get(field.type)


class Masker:
    """Masks values under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._by_rule: dict[str, Callable[[Any], Any]] = {
            "first_name": lambda value: _FIRST[self._number("name", value) % len(_FIRST)],
            "last_name": self._last_name,
            "name": lambda value: f"{_FIRST[self._number('name', value) % len(_FIRST)]} {self._last_name(value)}",
            "email": self._email,
            "phone": lambda value: f"+1555{self._number('phone', _digits(value)) % 8_000_000 + 2_000_000}",
            "text": self._text,
            "date": lambda value: f"{str(value)[:4]}-01-01",
        }

    def row(self, masks: Masks, row: dict[str, Any]) -> None:
        """Masks a row's values in place."""
        for address, rule in masks.items():
            column, _, member = address.partition(".")
            holder = row.get(column) if member else row
            name = member or column
            if not isinstance(holder, dict) or holder.get(name) is None:
                continue
            if rule == "clear" or (rule == "date" and not isinstance(holder[name], str)):
                holder[name] = None
                if member:
                    del holder[name]
            else:
                holder[name] = self._value(rule, holder[name])

    def _value(self, rule: Rule, value: Any) -> Any:
        if isinstance(value, list):
            return [self._value(rule, entry) for entry in value]
        if isinstance(value, dict):
            if rule == "address":
                return self._address(value)
            members = {"email": ("address",), "phone": ("number",), "text": ("content",)}.get(rule, tuple(value))
            return {name: self._value(rule, inner) if name in members else inner for name, inner in value.items()}
        if not isinstance(value, str):
            return value
        return self._by_rule[rule](value) if rule in self._by_rule else self._text(value)

    def _number(self, kind: str, value: str) -> int:
        digest = hmac.new(self._key, f"{kind}:{fold(value)}".encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:8], "big")

    def _last_name(self, value: str) -> str:
        number = self._number("name", value)
        return f"{_LAST[number % len(_LAST)]}-{number // 16 % 10_000:04}"

    def _email(self, value: str) -> str:
        return f"user-{self._number('email', value.strip()):016x}@example.com"

    def _address(self, value: dict[str, Any]) -> dict[str, Any]:
        number = self._number("address", "|".join(str(part) for part in value.values()))
        changed = {
            "street": f"{number % 900 + 1} Sample Street",
            "city": f"City {number // 900 % 1000}",
            "postal_code": f"{number % 90_000 + 10_000}",
        }
        return {name: changed.get(name, part) if part is not None else None for name, part in value.items()}

    def _text(self, value: str) -> str:
        number = self._number("text", value)
        count = max(1, min(len(value.split()), 200))
        return " ".join(_WORDS[(number >> (index % 16 * 4)) % len(_WORDS)] for index in range(count))[: max(len(value), 8)].strip()


def _digits(value: str) -> str:
    return "".join(character for character in value if character.isdigit())
