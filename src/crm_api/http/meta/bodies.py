"""What a caller says of an object or a field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import MISSING, Field, JsonValue

from crm_api.kernel.schema import Input, Key, LongText, Name, Text, Text500

FieldTypeName = Literal[
    "text",
    "long_text",
    "integer",
    "number",
    "decimal",
    "currency",
    "boolean",
    "date",
    "datetime",
    "email",
    "phone",
    "url",
    "picklist",
    "multi_picklist",
    "autonumber",
    "reference",
    "formula",
    "rollup",
    "json",
]


class OptionBody(Input):
    """One choice of a picklist."""

    key: Annotated[Key, Field(description="What records store; it never changes.", examples=["gold"])]
    label: Annotated[Text, Field(description="What people see.", examples=["Gold"])]
    active: Annotated[bool, Field(description="Whether it can still be chosen.", examples=[True])] = True
    color: Annotated[str | None, Field(description="A color as `#rrggbb`.", pattern="^#[0-9a-f]{6}$", examples=["#e0b000"])] = None


class DependsOn(Input):
    """Which choices go with which value of another picklist."""

    field: Annotated[str, Field(description="The controlling picklist of the same object.", examples=["continent"])]
    values: Annotated[
        dict[str, list[str]],
        Field(description="For each of its keys, the keys that may be chosen here.", examples=[{"emea": ["de", "fr"]}]),
    ]


class FieldBody(Input):
    """A new field of an object."""

    api_name: Annotated[str, Field(description="Its name in records, filters and events; it never changes.", examples=["tier"])]
    label: Annotated[Text | None, Field(description="What people see; made from `api_name` if left out.", examples=["Tier"])] = None
    type: Annotated[FieldTypeName, Field(description="The kind of value; it never changes.", examples=["picklist"])]
    help: Annotated[Text500 | None, Field(description="A hint for who fills it in.", examples=["As agreed in the contract."])] = None
    required: Annotated[bool, Field(description="Whether new records must have a value.", examples=[False])] = False
    unique: Annotated[bool, Field(description="Whether no two live records may have the same value.", examples=[False])] = False
    indexed: Annotated[
        bool, Field(description="Whether lists of any length can be filtered and sorted by it quickly.", examples=[True])
    ] = False
    read_only: Annotated[bool, Field(description="Whether only the system writes it.", examples=[False])] = False
    searchable: Annotated[bool, Field(description="Whether `q` finds its text.", examples=[True])] = True
    sensitivity: Annotated[
        Literal["none", "personal", "sensitive"], Field(description="How the value is to be protected.", examples=["none"])
    ] = "none"
    default: Annotated[JsonValue, Field(description="What new records get that say nothing.", examples=["gold"])] = None
    min: Annotated[JsonValue, Field(description="The least value, inclusive; a string for decimals, amounts and dates.", examples=[0])] = (
        None
    )
    max: Annotated[JsonValue, Field(description="The greatest value, inclusive.", examples=[100])] = None
    max_length: Annotated[int | None, Field(ge=1, le=32_000, description="The most characters of a text.", examples=[80])] = None
    pattern: Annotated[
        Text500 | None, Field(description="A regular expression (RE2) that a whole text matches.", examples=["[A-Z]{2}"])
    ] = None
    scale: Annotated[int | None, Field(ge=0, le=6, description="Digits after the point of a decimal.", examples=[2])] = None
    options: Annotated[list[OptionBody] | None, Field(max_length=1_000, description="The choices of a picklist, in order.")] = None
    depends_on: Annotated[DependsOn | None, Field(description="Makes it a dependent picklist.")] = None
    target: Annotated[str | None, Field(description="The object that a reference points to.", examples=["accounts"])] = None
    inverse: Annotated[
        str | None, Field(description="The plural name of the way back, on the target.", examples=["sponsored_contacts"])
    ] = None
    multiple: Annotated[bool, Field(description="Whether a reference points to any number of records (a relation).", examples=[False])] = (
        False
    )
    prefix: Annotated[str, Field(max_length=20, description="What an autonumber begins with.", examples=["V-"])] = ""
    suffix: Annotated[str, Field(max_length=20, description="What an autonumber ends with.", examples=[""])] = ""
    padding: Annotated[int, Field(ge=0, le=15, description="The least digits of an autonumber.", examples=[5])] = 0
    start: Annotated[int, Field(ge=0, le=2**40, description="The first autonumber.", examples=[1])] = 1
    formula: Annotated[str | None, Field(max_length=4_000, description="The expression of a formula.", examples=["amount * 0.2"])] = None
    returns: Annotated[FieldTypeName | None, Field(description="The type of a formula's result.", examples=["decimal"])] = None
    relation: Annotated[str | None, Field(description="The to-many relation that a roll-up looks at.", examples=["deals"])] = None
    function: Annotated[
        Literal["count", "sum", "avg", "min", "max"] | None, Field(description="What a roll-up works out.", examples=["sum"])
    ] = None
    field: Annotated[str | None, Field(description="The related records' field that a roll-up takes.", examples=["amount"])] = None
    filter: Annotated[
        dict[str, JsonValue] | None,
        Field(description="Which related records count: a search tree.", examples=[{"field": "status", "value": "won"}]),
    ] = None


class ObjectBody(Input):
    """A new object of the organisation."""

    api_name: Annotated[str, Field(description="Its plural name, in paths and scopes; it never changes.", examples=["vessels"])]
    singular: Annotated[str, Field(description="Its singular name, in event types; it never changes.", examples=["vessel"])]
    label: Annotated[Name, Field(description="What people call one record.", examples=["Vessel"])]
    plural_label: Annotated[Text | None, Field(description="What people call many.", examples=["Vessels"])] = None
    description: Annotated[LongText | None, Field(description="What the object is for.", examples=["Ships that we charter."])] = None
    fields: Annotated[list[FieldBody], Field(max_length=200, description="Fields to begin with; `name` is always there.")] = Field(
        default_factory=list
    )


class FieldPatch(Input):
    """Changes of a field, as a merge patch: what is left out stays, null takes a property away.

    `api_name` and `type` never change. Of a standard field only `label`, `help` and `sensitivity` can be changed.
    """

    label: Annotated[Text | MISSING | None, Field(description="What people see.", examples=["Tier"])] = MISSING
    help: Annotated[Text500 | MISSING | None, Field(description="A hint for who fills it in.", examples=["As agreed."])] = MISSING
    sensitivity: Annotated[
        Literal["none", "personal", "sensitive"] | MISSING | None, Field(description="How the value is to be protected.", examples=["none"])
    ] = MISSING
    required: Annotated[
        bool | MISSING | None, Field(description="Whether new records must have a value; old ones stay as they are.", examples=[True])
    ] = MISSING
    unique: Annotated[
        bool | MISSING | None,
        Field(description="`true` is 409 `duplicate`, naming records, while live ones have the same value.", examples=[True]),
    ] = MISSING
    indexed: Annotated[
        bool | MISSING | None, Field(description="A job builds the index; `state` is `building` until it counts.", examples=[True])
    ] = MISSING
    read_only: Annotated[bool | MISSING | None, Field(description="Whether only the system writes it.", examples=[False])] = MISSING
    searchable: Annotated[
        bool | MISSING | None, Field(description="Whether `q` finds its text in what is written from then on.", examples=[True])
    ] = MISSING
    default: Annotated[JsonValue | MISSING, Field(description="What new records get that say nothing.", examples=["gold"])] = MISSING
    min: Annotated[JsonValue | MISSING, Field(description="The least value of what is written from then on.", examples=[0])] = MISSING
    max: Annotated[JsonValue | MISSING, Field(description="The greatest value of what is written from then on.", examples=[100])] = MISSING
    max_length: Annotated[int | MISSING | None, Field(ge=1, le=32_000, description="The most characters of a text.", examples=[80])] = (
        MISSING
    )
    pattern: Annotated[
        Text500 | MISSING | None, Field(description="A regular expression (RE2) that a whole text matches.", examples=["[A-Z]{2}"])
    ] = MISSING
    options: Annotated[
        list[OptionBody] | MISSING,
        Field(max_length=1_000, description="All choices in order. One that is left out must not be in use; make it inactive else."),
    ] = MISSING
    depends_on: Annotated[DependsOn | MISSING | None, Field(description="Makes it a dependent picklist.")] = MISSING
    target: Annotated[str | MISSING | None, Field(description="Can't be changed.", examples=["accounts"])] = MISSING
    inverse: Annotated[str | MISSING | None, Field(description="Can't be changed.", examples=["sponsored_contacts"])] = MISSING
    multiple: Annotated[bool | MISSING | None, Field(description="Can't be changed.", examples=[False])] = MISSING
    scale: Annotated[int | MISSING | None, Field(ge=0, le=6, description="Can't be changed.", examples=[2])] = MISSING
    prefix: Annotated[str | MISSING | None, Field(max_length=20, description="What new numbers begin with.", examples=["V-"])] = MISSING
    suffix: Annotated[str | MISSING | None, Field(max_length=20, description="What new numbers end with.", examples=[""])] = MISSING
    padding: Annotated[int | MISSING | None, Field(ge=0, le=15, description="The least digits of new numbers.", examples=[5])] = MISSING
    start: Annotated[int | MISSING | None, Field(ge=0, le=2**40, description="Can't be changed.", examples=[1])] = MISSING
    formula: Annotated[
        str | MISSING, Field(max_length=4_000, description="Another expression with a result of the same type.", examples=["amount * 0.2"])
    ] = MISSING
    returns: Annotated[FieldTypeName | MISSING | None, Field(description="Can't be changed.", examples=["decimal"])] = MISSING
    relation: Annotated[str | MISSING, Field(description="The relation that a roll-up looks at.", examples=["deals"])] = MISSING
    function: Annotated[
        Literal["count", "sum", "avg", "min", "max"] | MISSING, Field(description="What a roll-up works out.", examples=["sum"])
    ] = MISSING
    field: Annotated[str | MISSING | None, Field(description="The related records' field.", examples=["amount"])] = MISSING
    filter: Annotated[
        dict[str, JsonValue] | MISSING | None,
        Field(description="Which related records count.", examples=[{"field": "status", "value": "won"}]),
    ] = MISSING


class ObjectPatch(Input):
    """Changes of an object that the organisation made, as a merge patch. `api_name` and `singular` never change."""

    label: Annotated[Name | MISSING, Field(description="What people call one record.", examples=["Vessel"])] = MISSING
    plural_label: Annotated[Text | MISSING, Field(description="What people call many.", examples=["Vessels"])] = MISSING
    description: Annotated[LongText | MISSING | None, Field(description="What the object is for.", examples=["Ships."])] = MISSING
    display_field: Annotated[
        str | MISSING | None, Field(description="The field that gives records their name; null means `name`.", examples=["imo"])
    ] = MISSING


class OptionReplacement(Input):
    """One option of a picklist in the place of another."""

    from_: Annotated[str, Field(alias="from", description="The option that goes; it becomes inactive at once.", examples=["silver"])]
    to: Annotated[str | None, Field(description="The active option that takes its place; null leaves records without.", examples=["gold"])]
    dry_run: Annotated[bool, Field(description="Only tell how many records would change.", examples=[False])] = False


_FRAME = ("api_name", "label", "type", "indexed", "unique")


def field_values(body: FieldBody) -> dict[str, Any]:
    """A field's body as the flow takes it: names apart from properties, without what was left out."""
    given = body.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {
        "api_name": body.api_name,
        "label": body.label or body.api_name.removesuffix("_id").replace("_", " ").capitalize(),
        "type": body.type,
        "indexed": body.indexed,
        "unique": body.unique,
        "properties": {name: value for name, value in given.items() if name not in _FRAME},
    }


def patch_values(body: FieldPatch | ObjectPatch) -> dict[str, Any]:
    """What a patch gives, as plain JSON values."""
    dumped = body.model_dump(mode="json", exclude_unset=True)
    return {name: dumped[name] for name in body.model_fields_set}
