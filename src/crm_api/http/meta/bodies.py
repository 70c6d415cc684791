"""What a caller says of an object or a field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

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

    field: Annotated[str, Field(description="The controlling picklist of the same object.", examples=["region"])]
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
    pattern: Annotated[Text500 | None, Field(description="A regular expression that a whole text matches.", examples=["[A-Z]{2}"])] = None
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


_PROPERTIES = (
    "help", "required", "read_only", "searchable", "sensitivity", "default", "min", "max", "max_length", "pattern", "scale", "options",
    "depends_on", "target", "inverse", "multiple", "prefix", "suffix", "padding", "start", "formula", "returns", "relation", "function",
    "field", "filter",
)  # fmt: skip


def field_values(body: FieldBody) -> dict[str, Any]:
    """A field's body as the flow takes it: names apart from properties, without what was left out."""
    given = body.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return {
        "api_name": body.api_name,
        "label": body.label or body.api_name.replace("_", " ").capitalize(),
        "type": body.type,
        "indexed": body.indexed,
        "unique": body.unique,
        "properties": {name: given[name] for name in _PROPERTIES if name in given},
    }
