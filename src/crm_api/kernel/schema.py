"""The shapes of records in the API: what a caller may send, what comes back, and the types of single fields.

A resource says each of its fields once, as it reads (`class ContactFields(Output)`). `create_of` and `update_of` derive the
writable forms from it: a field left out stays `MISSING`, never null, and a reference may also be written as
`{"by": "domain", "value": "acme.example"}`.

Types here check the *shape* of a value and turn it into plain Python (UUID, Decimal, date, aware datetime, dict, list).
What a value means in an organisation (a phone number's region, a currency's digits, whether a reference leads anywhere) is
`kernel/values.py`'s business. Everything is strict: `"1"` is no integer, `1` is no boolean, money is never a JSON number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, NotRequired, TypeVar
from uuid import UUID

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
    create_model,
    with_config,
)
from typing_extensions import TypedDict, get_type_hints

from crm_api.core.clock import parse_date, parse_timestamp
from crm_api.core.errors import InvalidValue
from crm_api.core.ids import is_uuid7, parse_uuid
from crm_api.core.money import CURRENCIES, parse_decimal

M = TypeVar("M", bound=BaseModel)

STRICT: Final = ConfigDict(extra="forbid", strict=True)


class Input(BaseModel):
    """A body. Unknown keys are refused, and no value is coerced."""

    model_config = STRICT

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent, as plain Python values. Nested values are plain already."""
        values = self.__dict__
        return {name: values[name] for name in self.model_fields_set}


class Output(BaseModel):
    """An answer. Its fields have no defaults: what is documented is always there."""

    model_config = ConfigDict(strict=True)


def about(description: str, example: Any, **more: Any) -> Any:
    """A field's documentation: what it means, and a value that shows it."""
    return Field(description=description, examples=[example], **more)


# --- from JSON to Python ---------------------------------------------------------------------------------------------


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidValue("null_not_allowed") if value is None else InvalidValue("type", expected="string")
    return value


def _uuid(value: Any) -> UUID:
    found = parse_uuid(_string(value))
    if found is None:
        raise InvalidValue("invalid_uuid")
    return found


def _uuid7(value: Any) -> UUID:
    found = _uuid(value)
    if not is_uuid7(found):
        raise InvalidValue("invalid_id")
    return found


def _reference(value: Any) -> UUID | dict[str, str]:
    if not isinstance(value, dict):
        return _uuid(value)
    unknown = [key for key in value if key not in ("by", "value")]
    if unknown or not isinstance(value.get("by"), str) or not isinstance(value.get("value"), str):
        raise InvalidValue("type", expected='id or {"by", "value"}')
    return value


def _timestamp(value: Any) -> datetime:
    return parse_timestamp(_string(value))


def _date(value: Any) -> date:
    return parse_date(_string(value))


def _decimal(value: Any) -> Decimal:
    return parse_decimal(_string(value), 24, 6)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidValue("null_not_allowed") if value is None else InvalidValue("invalid_number")
    return Decimal(repr(value))


def _between_0_and_1(value: Any) -> Decimal:
    number = _number(value)
    if number < 0:
        raise InvalidValue("min", min=0)
    if number > 1:
        raise InvalidValue("max", max=1)
    return number


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise InvalidValue("invalid_currency")
    return value


def _distinct(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


# --- single values ---------------------------------------------------------------------------------------------------

Text60 = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Text120 = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Text500 = Annotated[str, StringConstraints(min_length=1, max_length=500)]
LongText = Annotated[str, StringConstraints(max_length=32_000)]
Description = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=re.compile(r"\S"))]
Key = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
Count = Annotated[int, Field(ge=0, le=2**53)]
Position = Annotated[int, Field(ge=0, le=10_000)]

Uuid = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"})]
RecordId = Annotated[UUID, BeforeValidator(_uuid7), WithJsonSchema({"type": "string", "format": "uuid"})]
Ref = Annotated[UUID, BeforeValidator(_uuid), WithJsonSchema({"type": "string", "format": "uuid"}), "reference"]
Reference = Annotated[
    UUID | dict[str, str],
    PlainValidator(_reference),
    WithJsonSchema(
        {
            "oneOf": [
                {"type": "string", "format": "uuid"},
                {
                    "type": "object",
                    "description": "Another record found by one of its unique fields.",
                    "properties": {
                        "by": {"type": "string", "examples": ["domain"]},
                        "value": {"type": "string", "examples": ["acme.example"]},
                    },
                    "required": ["by", "value"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A reference as it may be written: an id, or a unique field of the target with its value."""

Timestamp = Annotated[datetime, BeforeValidator(_timestamp), WithJsonSchema({"type": "string", "format": "date-time"})]
DateValue = Annotated[date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
_DECIMAL_SCHEMA: Final = {"type": "string", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,6})?$"}
Money = Annotated[Decimal, BeforeValidator(_decimal), WithJsonSchema(_DECIMAL_SCHEMA)]
"""An amount of the record's currency, as a string: `"1000.50"`. A JSON number is refused."""
DecimalString = Annotated[Decimal, BeforeValidator(_decimal), WithJsonSchema(_DECIMAL_SCHEMA)]
Number = Annotated[Decimal, BeforeValidator(_number), WithJsonSchema({"type": "number"})]
Probability = Annotated[Decimal, BeforeValidator(_between_0_and_1), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Currency = Annotated[str, AfterValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]

Email = Annotated[str, StringConstraints(min_length=3, max_length=254), Field(json_schema_extra={"format": "email"})]
Phone = Annotated[str, StringConstraints(min_length=2, max_length=64)]
Url = Annotated[str, StringConstraints(min_length=4, max_length=2048)]
Domain = Annotated[str, StringConstraints(min_length=3, max_length=253)]


@with_config(STRICT)
class Address(TypedDict):
    """A postal address. Parts left out of an update stay; null clears one."""

    street: Annotated[NotRequired[Text500 | None], about("Street and number, several lines if need be.", "Torstraße 1")]
    city: Annotated[NotRequired[Text120 | None], about("City or town.", "Berlin")]
    region: Annotated[NotRequired[Text120 | None], about("State, province or county.", "Berlin")]
    postal_code: Annotated[NotRequired[Text60 | None], about("Postal code.", "10119")]
    country: Annotated[NotRequired[Text120 | None], about("Country, by preference as ISO 3166-1 code.", "DE")]


@with_config(STRICT)
class RichText(TypedDict):
    """A formatted body. HTML is sanitised before it is stored."""

    format: Annotated[Literal["markdown", "html", "text"], about("How `content` is to be read.", "markdown")]
    content: Annotated[str, StringConstraints(max_length=200_000), about("The text itself.", "Called back, **wants a quote**.")]


@with_config(STRICT)
class EmailItem(TypedDict):
    """One of several e-mail addresses."""

    address: Annotated[Email, about("The address.", "ada@acme.example")]
    type: Annotated[NotRequired[Text60 | None], about("What it is for.", "work")]
    is_primary: Annotated[NotRequired[bool], about("Whether it is the one shown as `email`; exactly one is.", True)]


@with_config(STRICT)
class PhoneItem(TypedDict):
    """One of several telephone numbers."""

    number: Annotated[Phone, about("The number, national (in the organisation's region) or international.", "+49 30 1234567")]
    type: Annotated[NotRequired[Text60 | None], about("What it is for.", "mobile")]
    is_primary: Annotated[NotRequired[bool], about("Whether it is the one shown as `phone`.", True)]


class ActorValue(TypedDict):
    """Who did something."""

    type: Annotated[Literal["user", "token", "app", "workflow", "system"], about("The kind of actor.", "user")]
    id: Annotated[Uuid | None, about("Its id; null for the system.", "01976f6e-8a00-7000-8000-000000000001")]


Emails = Annotated[list[EmailItem], Field(max_length=20)]
Phones = Annotated[list[PhoneItem], Field(max_length=20)]
Tags = Annotated[list[Text60], Field(max_length=50), AfterValidator(_distinct)]
System = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ExternalIds = Annotated[dict[System, Text], Field(max_length=20)]
ExternalIdsPatch = Annotated[dict[System, Text | None], Field(max_length=20)]
CustomFields = dict[str, JsonValue]
JsonObject = dict[str, JsonValue]
Keys = Annotated[list[Key], Field(max_length=50), AfterValidator(_distinct)]

_ID = "01976f6e-8a00-7000-8000-000000000001"
_TIME = "2026-11-22T03:31:00.000000Z"

_TAGS = about("Free labels; a set, kept in the order given.", ["vip"])
_EXTERNAL_IDS = about("The record's ids in other systems, one for each system, unique among live records.", {"hubspot": "51"})
_CUSTOM = about("Values of the fields that the organisation has added to this object.", {})
_OWNER = about("The user who is responsible for the record. Defaults to the caller.", _ID)


class RecordRead(Output):
    """What every record carries."""

    object: Annotated[str, about("The object's name.", "contacts")]
    id: Annotated[Uuid, about("UUIDv7.", _ID)]
    version: Annotated[int, about("Rises with each change; the number in front of the dot in `ETag`.", 3)]
    display_name: Annotated[str, about("What to show for the record.", "Ada King")]
    created_at: Annotated[Timestamp, about("When it was made.", _TIME)]
    updated_at: Annotated[Timestamp, about("When it last changed.", _TIME)]
    deleted_at: Annotated[Timestamp | None, about("When it was deleted; null for a live record.", None)]
    created_by: Annotated[ActorValue, about("Who made it.", {"type": "user", "id": _ID})]
    updated_by: Annotated[ActorValue, about("Who last changed it.", {"type": "user", "id": _ID})]
    owner_id: Annotated[Uuid | None, about("The user who is responsible for the record.", _ID)]
    custom_fields: Annotated[CustomFields, _CUSTOM]
    tags: Annotated[Tags, _TAGS]
    external_ids: Annotated[ExternalIds, _EXTERNAL_IDS]


class RecordCreate(Input):
    """What every new record may be given."""

    id: Annotated[
        RecordId | MISSING, about("A UUIDv7 of your own, which makes a retry safe for ever. Made by the server if left out.", _ID)
    ] = MISSING
    owner_id: Annotated[Reference | MISSING | None, _OWNER] = MISSING
    created_at: Annotated[Timestamp | MISSING, about("When the record was really made. Needs the `import` permission.", _TIME)] = MISSING
    custom_fields: Annotated[CustomFields | MISSING, _CUSTOM] = MISSING
    tags: Annotated[Tags | MISSING, _TAGS] = MISSING
    external_ids: Annotated[ExternalIds | MISSING, _EXTERNAL_IDS] = MISSING


class RecordUpdate(Input):
    """What may be changed of every record. A field left out stays as it is; null clears it."""

    owner_id: Annotated[Reference | MISSING | None, about("The user who is responsible for the record.", _ID)] = MISSING
    custom_fields: Annotated[CustomFields | MISSING, _CUSTOM] = MISSING
    tags: Annotated[Tags | MISSING, about("Free labels; replaces the whole set.", ["vip"])] = MISSING
    external_ids: Annotated[
        ExternalIdsPatch | MISSING, about("Ids in other systems; a system left out keeps its id, null removes it.", {"hubspot": "51"})
    ] = MISSING


# --- the writable forms of a resource's fields -----------------------------------------------------------------------


def create_of(fields: type[Output], *, required: tuple[str, ...] = ()) -> Callable[[type[M]], type[M]]:
    """Adds a resource's fields to the body of its creates; all but the `required` ones may be left out."""
    return lambda model: _extended(model, fields, required)


def update_of(fields: type[Output]) -> Callable[[type[M]], type[M]]:
    """Adds a resource's fields to the body of its updates (a merge patch); every one may be left out."""
    return lambda model: _extended(model, fields, ())


def _extended(model: type[M], fields: type[Output], required: tuple[str, ...]) -> type[M]:
    hints = get_type_hints(fields, include_extras=True)
    added: dict[str, Any] = {}
    for name, info in fields.model_fields.items():
        if name in model.__annotations__:  # it says itself what may be sent
            continue
        hint = _writable(hints[name])
        documentation = Field(description=info.description, examples=info.examples)
        added[name] = (Annotated[hint, documentation], ...) if name in required else (Annotated[hint | MISSING, documentation], MISSING)
    return create_model(model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **added)


def _writable(hint: Any) -> Any:
    """A field's type as it may be sent: references also by a unique value."""
    if hint == Ref:
        return Reference
    return Reference | None if hint == Ref | None else hint


# --- edges between records -------------------------------------------------------------------------------------------


class PlainLink(Input):
    """An edge that says no more than that two records belong together."""


class RoleLink(Input):
    """An edge to a contact: in which roles, and whether it is the main one."""

    roles: Annotated[Keys, about("Keys of contact roles (`/v1/contact_roles`).", ["decision_maker"])] = Field(default_factory=list)
    is_primary: Annotated[bool, about("Whether this is the main one of its kind; setting it ends that of the other.", True)] = False
