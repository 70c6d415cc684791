"""Labels: what people see in place of a record's values, in the caller's language, zone and formats (`include=labels`).

Names of related records and of an organisation's own choices come with the record out of the same statement, as its member
`_labels`; numbers, amounts and dates are written here. A value that needs no label (a text) has none, nor has null. Spaces in
labels are ordinary ones, where CLDR has some that don't break: what one types in a test or a search is what one finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from babel.dates import format_date, format_time, get_datetime_format
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

from crm_api.core.messages import language_of
from crm_api.core.money import CURRENCIES, format_money
from crm_api.kernel.fields import Field
from crm_api.kernel.labels_de import OPTIONS_DE
from crm_api.kernel.preferences import NUMBER_FORMATS, Preferences, cldr
from crm_api.kernel.registry import Registry
from crm_api.models.columns import FieldType

MEMBER: Final = "labels"
RAW: Final = "_labels"
"""Where the statement leaves what only it can know."""

CURRENCY: Final = "_currency"
"""The member of `_labels` with the record's currency, which the answer itself may not show."""

_YES_NO: Final = {"en": ("Yes", "No"), "de": ("Ja", "Nein")}
_SPACES: Final = {0xA0: " ", 0x202F: " "}
_ACRONYMS: Final = frozenset({"api", "mal", "mql", "sal", "sql"})


@dataclass(frozen=True, slots=True)
class Labeller:
    """Writes the labels of records for one caller. `currency` is the organisation's own."""

    registry: Registry
    locale: str
    zone: ZoneInfo
    date_format: str | None
    number_format: str | None
    currency: str

    @classmethod
    def of(cls, registry: Registry, preferences: Preferences, zone: ZoneInfo, currency: str, locale: str | None = None) -> Labeller:
        """By a caller's preferences; `locale` is what a request asks for instead of their language."""
        if locale is None or locale.partition("-")[0] == preferences.locale.partition("-")[0]:
            locale = preferences.locale
        return cls(registry, locale, zone, preferences.date_format, preferences.number_format, currency)

    def apply(self, records: bytes) -> bytes:
        """The inside of an array of records, each with its labels in place of what the statement has left."""
        found = orjson.loads(b"[" + records + b"]")
        for record in found:
            self._label(record)
        return orjson.dumps(found)[1:-1]

    def _label(self, record: dict[str, Any]) -> None:
        raw = record.pop(RAW, None)
        if raw is None:
            return
        labels: dict[str, str] = {}
        for field in self.registry[record["object"]].all_fields.values():
            value = _value(record, field)
            if value is None:
                continue
            label = raw.get(field.name)
            if label is None:
                label = self._text(field, value, raw)
                label = label if label is None else label.translate(_SPACES)
            if label is not None:
                labels[field.name] = label
        record[MEMBER] = labels
        for value in record.values():
            if isinstance(value, dict):
                self._related(value)

    def _related(self, value: dict[str, Any]) -> None:
        """The labels of expanded records: of one, or of a list of them."""
        if RAW in value:
            self._label(value)
        elif "page" in value and isinstance(value.get("data"), list):
            for record in value["data"]:
                self._label(record)

    def _text(self, field: Field, value: Any, raw: Mapping[str, Any]) -> str | None:
        write = _WRITERS.get(field.type)
        return None if write is None else write(self, field, value, raw)

    # --- one kind of value each ---------------------------------------------------------------------------------------

    def option(self, field: Field, value: Any) -> str:
        """A choice by its name: the organisation's own, or the product's in the caller's language."""
        if field.definition is not None:
            return next((option.label for option in field.definition.options if option.key == value), str(value))
        return option_label(str(value), language_of(self.locale)) if field.spec.options else str(value)

    def options(self, field: Field, values: Any) -> str:
        """Several choices."""
        return ", ".join(self.option(field, value) for value in values)

    def number(self, value: Any) -> str:
        """A number with the marks of the language, or those that were chosen."""
        return self._marked(_number(str(value), self.locale))

    def money(self, field: Field, value: Any, raw: Mapping[str, Any]) -> str:
        """An amount with its currency."""
        currency = self.currency if is_base(field) else raw.get(CURRENCY) or self.currency
        if currency not in CURRENCIES:
            return self.number(value)
        return self._marked(_money(value, currency, self.locale))

    def day(self, value: date) -> str:
        """A date."""
        return _day(value, self.date_format or "medium", self.locale)

    def moment(self, value: Any) -> str:
        """An instant by the clocks of the caller's zone."""
        at = datetime.fromisoformat(value).astimezone(self.zone)
        return (
            _together(self.locale)
            .replace("{0}", _time(at.time().replace(second=0, microsecond=0), self.locale))
            .replace("{1}", self.day(at.date()))
        )

    def truth(self, value: Any) -> str:
        """Yes or no."""
        return _YES_NO[language_of(self.locale)][0 if value else 1]

    def _marked(self, text: str) -> str:
        if self.number_format is None:
            return text
        group, fraction = NUMBER_FORMATS[self.number_format]
        ours = cldr(self.locale)
        return _marks(str(get_group_symbol(ours)), str(get_decimal_symbol(ours))).sub(lambda m: group if m[1] else fraction, text)


def option_label(key: str, language: str) -> str:
    """The name of a choice that comes with the product."""
    if language == "de" and key in OPTIONS_DE:
        return OPTIONS_DE[key]
    return key.upper() if key in _ACRONYMS else key.replace("_", " ").capitalize()


def is_base(field: Field) -> bool:
    """Whether an amount is in the organisation's currency, whatever the record's."""
    return getattr(field.spec, "base_of", None) is not None


def _value(record: Mapping[str, Any], field: Field) -> Any:
    """A field's value as the answer shows it; None also where it doesn't."""
    if field.name in record:
        return record[field.name]
    parent, dot, member = field.name.partition(".")
    if not dot:
        return None
    members = record.get(parent)
    return members.get(member) if isinstance(members, dict) else None


@lru_cache(maxsize=256)
def _marks(group: str, fraction: str) -> re.Pattern[str]:
    """The marks between digits: those of groups (1) and that of the fraction."""
    return re.compile(rf"(?<=\d)(?:({re.escape(group)})|{re.escape(fraction)})(?=\d)")


# Records of a page, and of pages, have values in common; CLDR's patterns take a tenth of a millisecond each.


@lru_cache(maxsize=16_384)
def _number(value: str, locale: str) -> str:
    return str(format_decimal(Decimal(value), locale=cldr(locale), decimal_quantization=False))


@lru_cache(maxsize=16_384)
def _money(value: str, currency: str, locale: str) -> str:
    return format_money(Decimal(value), currency, str(cldr(locale)))


@lru_cache(maxsize=8_192)
def _day(value: date, pattern: str, locale: str) -> str:
    return str(format_date(value, pattern, locale=cldr(locale)))


@lru_cache(maxsize=8_192)
def _time(value: time, locale: str) -> str:
    return str(format_time(value, "short", locale=cldr(locale)))


@lru_cache(maxsize=256)
def _together(locale: str) -> str:
    """How a language puts a date and a time together."""
    return str(get_datetime_format("medium", locale=cldr(locale))).replace("'", "")


_Writer = Callable[[Labeller, Field, Any, Mapping[str, Any]], str]
_WRITERS: Final[Mapping[FieldType, _Writer]] = {
    FieldType.PICKLIST: lambda labeller, field, value, _: labeller.option(field, value),
    FieldType.MULTI_PICKLIST: lambda labeller, field, value, _: labeller.options(field, value),
    FieldType.CURRENCY: lambda labeller, field, value, raw: labeller.money(field, value, raw),
    FieldType.INTEGER: lambda labeller, _, value, __: labeller.number(value),
    FieldType.NUMBER: lambda labeller, _, value, __: labeller.number(value),
    FieldType.DECIMAL: lambda labeller, _, value, __: labeller.number(value),
    FieldType.DATE: lambda labeller, _, value, __: labeller.day(date.fromisoformat(value)),
    FieldType.DATETIME: lambda labeller, _, value, __: labeller.moment(value),
    FieldType.BOOLEAN: lambda labeller, _, value, __: labeller.truth(value),
}
