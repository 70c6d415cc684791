"""Values on their way into a row: what a well-formed value means in this organisation.

The resource's Pydantic model has checked shapes and types; here an e-mail address is normalised, a telephone number read with
the organisation's region, an amount brought to its currency's digits, rich text sanitised, and a merge patch merged into what
is stored. `references.py` answers the questions that need the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from crm_api.core.domains import check_url, normalize_domain
from crm_api.core.email import Email, normalize_email
from crm_api.core.errors import FieldError, InvalidValue, ValidationFailed, join_pointer
from crm_api.core.phone import normalize_phone
from crm_api.core.richtext import clean_body, plain_text
from crm_api.core.text import check_text, fold, folded_trigrams, folded_words
from crm_api.kernel.amounts import bring_to_currency
from crm_api.kernel.context import Context
from crm_api.kernel.custom import writing as custom
from crm_api.kernel.custom.values import slot_value
from crm_api.kernel.fields import ADDRESS_PARTS, Field
from crm_api.kernel.principal import Principal
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.kernel.writes.shape import Shape
from crm_api.models import slots
from crm_api.models.columns import FieldType

CUSTOM: Final = custom.COLUMN
MAX_TAGS: Final = 100
MAX_TAG_LENGTH: Final = 60
MAX_SEARCH_TEXT: Final = 20_000
"""Characters of a record whose words `q` finds; beyond, the index would cost more than it finds."""

_DIGITS: Final = re.compile(r"\d+")
_email: Callable[[str], Email] = lru_cache(maxsize=4096)(normalize_email)


@dataclass(frozen=True, slots=True)
class Locale:
    """What values depend on: the organisation's default currency and the region its national telephone numbers belong to."""

    currency: str
    region: str


def locale_of(context: Context) -> Locale:
    """The organisation's."""
    organization = context.principal.organization
    return Locale(organization.currency, organization.region)


def refused_fields(resource: AnyResource, principal: Principal, given: Mapping[str, Any], *, creating: bool) -> list[FieldError]:
    """A `read_only` mistake for each known field that this caller may not write in this operation."""
    errors = []
    for name in given:
        field = resource.fields.get(name)
        writable = "never" if name == "object" else None if field is None else field.spec.writable
        if writable is None or writable == "always" or (creating and writable == "create"):
            continue
        if writable == "import" and creating and principal.may(resource.name, "import"):
            continue
        errors.append(FieldError("read_only", pointer=join_pointer(name)))
    return errors


def apply(shape: Shape, locale: Locale, draft: Draft, given: Mapping[str, Any]) -> None:
    """Merges the caller's values into the draft's row; mistakes go into `draft.errors`.

    References given as `{"by", "value"}` are left as they are for `references.resolve`.
    """
    fields = shape.resource.fields
    row = draft.new
    for name, value in given.items():
        field = fields.get(name)
        if field is None or name in ("id", CUSTOM):
            continue
        if value is None:
            if field.nullable:
                row[field.column] = None
            elif field.type not in (FieldType.ITEMS, FieldType.TAGS):
                draft.errors.append(FieldError("null_not_allowed", pointer=join_pointer(name)))
            else:
                row[field.column] = []
            continue
        normalise = _NORMALISE.get(field.type)
        if normalise is None:
            row[field.column] = value
            continue
        try:
            row[field.column] = normalise(field, value, row.get(field.column), locale)
        except InvalidValue as error:
            draft.errors.append(error.at(pointer=join_pointer(name)))
        except ValidationFailed as error:
            draft.errors.extend(error.errors)
    for scalar, items in shape.pairs:
        _pair(draft, scalar, items, given, locale.region)
    if shape.money or shape.priced:
        bring_to_currency(shape, locale.currency, draft, given)
    if CUSTOM in given:
        currency = row.get("currency") or locale.currency
        custom.merge(shape.resource, draft, given[CUSTOM] or {}, currency=currency, region=locale.region)


# --- one value -------------------------------------------------------------------------------------------------------


def normal_form(field: Field, value: Any, locale: Locale) -> Any:
    """One value as it is stored. Raises InvalidValue."""
    if field.definition is not None:
        return check_text(value)
    normalise = _NORMALISE.get(field.type)
    return value if normalise is None else normalise(field, value, None, locale)


def _text(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    text = check_text(value)
    return normalize_domain(text) if field.spec.format == "domain" else text


def _email_value(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    return _email(check_text(value)).display


def _phone_value(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    if normalize_phone(check_text(value), locale.region) is None:
        raise InvalidValue("invalid_phone")
    return value.strip()


def _url(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    return check_url(check_text(value))


def _rich_text(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    return clean_body(value, pointer=join_pointer(field.name), max_length=field.spec.max_length or 100_000)


def _address(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    address = {part: (old or {}).get(part) for part in ADDRESS_PARTS}
    for part, text in value.items():
        address[part] = None if text is None else check_text(text).strip() or None
    return address if any(address.values()) else None


def _json(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    _check_texts(value)
    return merge_patch(old, value)


def _tags(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    tags: dict[str, None] = {}
    for index, raw in enumerate(value):
        tag = check_text(raw).strip()
        if not tag or len(tag) > MAX_TAG_LENGTH:
            code, limit = ("min_length", {"min_length": 1}) if not tag else ("max_length", {"max_length": MAX_TAG_LENGTH})
            raise ValidationFailed([FieldError(code, pointer=join_pointer(field.name, index), params=limit)])
        tags[tag] = None
    if len(tags) > MAX_TAGS:
        raise InvalidValue("too_many_items", max_items=MAX_TAGS)
    return list(tags)


def _external_ids(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    merged = dict(old or {})
    for system, identifier in value.items():
        if identifier is None:
            merged.pop(system, None)
        else:
            merged[system] = check_text(identifier)
    return merged


def _items(field: Field, value: Any, old: Any, locale: Locale) -> Any:
    _check_texts(value)
    return value


_NORMALISE: Final[dict[FieldType, Callable[[Field, Any, Any, Locale], Any]]] = {
    FieldType.TEXT: _text,
    FieldType.LONG_TEXT: _text,
    FieldType.PICKLIST: _text,
    FieldType.EMAIL: _email_value,
    FieldType.PHONE: _phone_value,
    FieldType.URL: _url,
    FieldType.RICH_TEXT: _rich_text,
    FieldType.ADDRESS: _address,
    FieldType.JSON: _json,
    FieldType.TAGS: _tags,
    FieldType.EXTERNAL_IDS: _external_ids,
    FieldType.ITEMS: _items,
}


def merge_patch(old: Any, patch: Any) -> Any:
    """RFC 7396: objects merge member by member, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


# --- values that depend on each other --------------------------------------------------------------------------------


def _pair(draft: Draft, scalar: Field, items: Field, given: Mapping[str, Any], region: str) -> None:
    """Keeps a scalar (`email`) and the primary entry of its list (`emails`) one value, whichever was written."""
    if draft.errors or (scalar.name not in given and items.name not in given):
        return
    row = draft.new
    part = "address" if scalar.type is FieldType.EMAIL else "number"
    if items.name in given:
        entries = _entries(draft, items, part, row[items.column], region)
        if entries is None:
            return
        primary = next((entry[part] for entry in entries if entry["is_primary"]), None)
        if scalar.name in given and row[scalar.column] != primary:
            draft.errors.append(FieldError("invalid_combination", pointer=join_pointer(scalar.name), params={"other": items.name}))
            return
        row[items.column], row[scalar.column] = entries, primary
        return
    row[items.column] = _with_primary(row[items.column], part, row[scalar.column])
    if row[scalar.column] is None and row[items.column]:
        draft.errors.append(FieldError("exactly_one_primary", pointer=join_pointer(items.name)))


def _entries(draft: Draft, items: Field, part: str, raw: list[dict[str, Any]], region: str) -> list[dict[str, Any]] | None:
    entries: list[dict[str, Any]] = []
    seen: set[str] = set()
    for index, item in enumerate(raw):
        pointer = join_pointer(items.name, index, part)
        try:
            value, key = _entry(item[part], part, region)
        except InvalidValue as error:
            draft.errors.append(error.at(pointer=pointer))
            continue
        if key in seen:
            draft.errors.append(FieldError("repeated_item", pointer=pointer))
        seen.add(key)
        entries.append({part: value, "type": item.get("type"), "is_primary": bool(item.get("is_primary"))})
    if entries and sum(entry["is_primary"] for entry in entries) != 1:
        draft.errors.append(FieldError("exactly_one_primary", pointer=join_pointer(items.name)))
    return None if draft.errors else entries


def _entry(raw: str, part: str, region: str) -> tuple[str, str]:
    if part == "address":
        return _email(raw)
    phone = normalize_phone(raw, region)
    if phone is None:
        raise InvalidValue("invalid_phone")
    return raw.strip(), phone.key


def _with_primary(entries: list[dict[str, Any]] | None, part: str, value: str | None) -> list[dict[str, Any]]:
    """The list after its scalar was set: the primary entry carries the new value, or goes with null."""
    entries = list(entries or [])
    present = next((entry for entry in entries if entry[part] == value), None)
    if present is not None and present["is_primary"]:
        return entries
    if value is None or present is not None:
        kept = [entry for entry in entries if not entry["is_primary"]]
        return [{**entry, "is_primary": entry[part] == value} for entry in kept]
    if any(entry["is_primary"] for entry in entries):
        return [{**entry, part: value} if entry["is_primary"] else entry for entry in entries]
    return [{part: value, "type": None, "is_primary": True}, *entries]


# --- derived columns -------------------------------------------------------------------------------------------------


def key_of(field: Field, value: Any, region: str) -> Any:
    """What a value is compared and sorted by: the folded twin."""
    if value is None:
        return None
    if field.definition is not None:
        return slot_value(slots.UNIQUE, field.definition, value, region)
    if field.type is FieldType.EMAIL:
        return _email(value).key
    if field.type is FieldType.PHONE:
        phone = normalize_phone(value, region)
        return fold(value) if phone is None else phone.key
    if field.type is FieldType.ADDRESS:
        return {part: fold(text) for part, text in value.items() if text}
    if field.type is FieldType.RICH_TEXT:
        return fold(plain_text(value))
    return fold(value)


def derive(shape: Shape, region: str, row: Row, changed: set[str] | None = None, *, texts: bool = True) -> dict[str, Any]:
    """The columns that follow from others; with `changed`, only those that follow from these. Sets `display_name` in the row.

    `texts` False: of what has changed in custom fields, `q` finds nothing.
    """
    derived: dict[str, Any] = {}
    for field, column, twin in shape.keyed:
        if (changed is None or column in changed) and (changed is not None or row[column] is not None):
            derived[twin] = key_of(field, row[column], region)
    if shape.custom and (changed is None or CUSTOM in changed):
        found = custom.derived(shape.custom, row, region)
        derived.update(found if changed is not None else {name: value for name, value in found.items() if value is not None})
    display = shape.resource.display(row)
    if changed is None or display != row.get("display_name"):
        row["display_name"] = display
        if shape.has_display_key:
            derived["display_name_key"] = fold(display)
    searched = (
        changed is None or any(column in changed for column, _ in shape.search) or (texts and bool(shape.custom) and CUSTOM in changed)
    )
    if shape.resource.has_search and searched:
        text = " ".join([*_texts(shape, region, row), *custom.texts(shape.custom, row, region)])
        derived["search_text"] = " ".join(folded_words(text[:MAX_SEARCH_TEXT]))
        derived["trigrams"] = folded_trigrams(text)
    return derived


def _texts(shape: Shape, region: str, row: Row) -> list[str]:
    """The folded texts that `q` and `contains` look at; what is compared by another key than its folded self, by both."""
    texts: dict[str, None] = {}
    for column, kind in shape.search:
        value = row[column]
        if value is None:
            continue
        if kind is FieldType.RICH_TEXT:
            texts[fold(plain_text(value))] = None
        elif kind is FieldType.ITEMS:
            for entry in value:
                if isinstance(entry, str):
                    texts[fold(entry)] = None
                elif "address" in entry:
                    texts.update(dict.fromkeys(_email_texts(entry["address"])))
                else:
                    texts.update(dict.fromkeys(_phone_texts(entry["number"], region)))
        elif kind is FieldType.ADDRESS:
            texts.update(dict.fromkeys(fold(text) for text in value.values() if text))
        elif kind is FieldType.EMAIL:
            texts.update(dict.fromkeys(_email_texts(value)))
        elif kind is FieldType.PHONE:
            texts.update(dict.fromkeys(_phone_texts(value, region)))
        else:
            texts[fold(value)] = None
    return [text for text in texts if text]


def _email_texts(value: str) -> tuple[str, ...]:
    return fold(value), _email(value).key


def _phone_texts(value: str, region: str) -> tuple[str, ...]:
    """As written, in E.164, and its digits in one piece from each group on: people leave out spaces, and codes that go without saying."""
    phone = normalize_phone(value, region)
    groups = _DIGITS.findall(value)
    return fold(value), "" if phone is None else phone.key, *("".join(groups[start:]) for start in range(len(groups)))
