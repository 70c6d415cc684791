"""What the API tells of fields and objects."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import MISSING, Field, JsonValue

from crm_api.kernel.schema import Output

_ID = "01976f6e-8a00-7000-8000-0000000000f1"


class OptionShown(Output):
    """One choice of a picklist."""

    key: Annotated[str, Field(description="What records store.", examples=["gold"])]
    label: Annotated[str, Field(description="What people see.", examples=["Gold"])]
    active: Annotated[bool, Field(description="Whether it can still be chosen.", examples=[True])]
    color: Annotated[str | None, Field(description="A color as `#rrggbb`.", examples=["#e0b000"])]


class FieldRead(Output):
    """A field of an object, standard or made by the organisation. What its type doesn't know is left out."""

    object: Annotated[Literal["fields"], Field(description="Always `fields`.", examples=["fields"])]
    id: Annotated[str | None, Field(description="The definition's id; null for a standard field.", examples=[_ID])]
    of: Annotated[str, Field(description="The object it is a field of.", examples=["contacts"])]
    api_name: Annotated[str, Field(description="Its stable name.", examples=["tier"])]
    path: Annotated[str, Field(description="What filters, `fields`, sorts and events call it.", examples=["custom_fields.tier"])]
    label: Annotated[str, Field(description="What people see.", examples=["Tier"])]
    type: Annotated[str, Field(description="The kind of value.", examples=["picklist"])]
    standard: Annotated[bool, Field(description="Whether every organisation has it.", examples=[False])]
    help: Annotated[str | None, Field(description="A hint for who fills it in.", examples=["As agreed in the contract."])]
    required: Annotated[bool, Field(description="Whether new records must have a value.", examples=[False])]
    unique: Annotated[bool, Field(description="Whether no two live records may have the same value.", examples=[False])]
    indexed: Annotated[bool, Field(description="Whether an index serves filters and sorts by it.", examples=[True])]
    read_only: Annotated[bool, Field(description="Whether only the system writes it.", examples=[False])]
    sensitivity: Annotated[str, Field(description="`none`, `personal` or `sensitive`.", examples=["none"])]
    default: Annotated[JsonValue, Field(description="What new records get that say nothing.", examples=["gold"])]
    version: Annotated[int, Field(description="Rises with every change of the definition; `If-Match` compares it.", examples=[1])]
    archived: Annotated[bool, Field(description="Whether it is out of sight; its values are kept.", examples=[False])]
    state: Annotated[
        str,
        Field(description="`active`, `building` while a job brings old records after, or `dropping` an index.", examples=["active"]),
    ]
    job_id: Annotated[str | None, Field(description="The job at work on it, or that was last.", examples=[_ID])]
    searchable: Annotated[bool | MISSING, Field(description="Whether `q` finds its text.", examples=[True])] = MISSING
    min: Annotated[JsonValue | MISSING, Field(description="The least value.", examples=[0])] = MISSING
    max: Annotated[JsonValue | MISSING, Field(description="The greatest value.", examples=[100])] = MISSING
    max_length: Annotated[int | MISSING, Field(description="The most characters.", examples=[80])] = MISSING
    pattern: Annotated[str | MISSING, Field(description="A regular expression (RE2) that a whole text matches.", examples=["[A-Z]{2}"])] = (
        MISSING
    )
    scale: Annotated[int | MISSING, Field(description="Digits after the point.", examples=[2])] = MISSING
    options: Annotated[list[OptionShown] | MISSING, Field(description="The choices, in order.")] = MISSING
    option_object: Annotated[
        str | MISSING, Field(description="The object whose records' keys are the choices.", examples=["lead_statuses"])
    ] = MISSING
    depends_on: Annotated[
        dict[str, Any] | MISSING,
        Field(description="Which choices go with which value of another picklist.", examples=[{"field": "continent", "values": {}}]),
    ] = MISSING
    target: Annotated[str | MISSING, Field(description="The object that it refers to.", examples=["accounts"])] = MISSING
    inverse: Annotated[str | MISSING, Field(description="The name of the way back.", examples=["sponsored_contacts"])] = MISSING
    multiple: Annotated[bool | MISSING, Field(description="Whether it refers to any number of records.", examples=[True])] = MISSING
    prefix: Annotated[str | MISSING, Field(description="What its numbers begin with.", examples=["V-"])] = MISSING
    suffix: Annotated[str | MISSING, Field(description="What its numbers end with.", examples=["-X"])] = MISSING
    padding: Annotated[int | MISSING, Field(description="The least digits.", examples=[5])] = MISSING
    start: Annotated[int | MISSING, Field(description="The first number.", examples=[1000])] = MISSING
    gaps: Annotated[
        Literal["none"] | MISSING,
        Field(
            description="An autonumber's numbers have no gaps: what is rolled back is given again. Purged records leave one.",
            examples=["none"],
        ),
    ] = MISSING
    formula: Annotated[str | MISSING, Field(description="The expression.", examples=["amount * 0.2"])] = MISSING
    returns: Annotated[str | MISSING, Field(description="The type of the result.", examples=["decimal"])] = MISSING
    relation: Annotated[str | MISSING, Field(description="The relation that a roll-up looks at.", examples=["deals"])] = MISSING
    function: Annotated[str | MISSING, Field(description="What a roll-up works out.", examples=["sum"])] = MISSING
    field: Annotated[str | MISSING, Field(description="The related records' field.", examples=["amount"])] = MISSING
    filter: Annotated[
        dict[str, Any] | MISSING, Field(description="Which related records count.", examples=[{"field": "status", "value": "won"}])
    ] = MISSING


class ObjectRead(Output):
    """An object of the organisation's API."""

    object: Annotated[Literal["objects"], Field(description="Always `objects`.", examples=["objects"])]
    id: Annotated[str | None, Field(description="The definition's id; null for a standard object.", examples=[_ID])]
    api_name: Annotated[str, Field(description="Its plural name, in paths and scopes.", examples=["vessels"])]
    singular: Annotated[str, Field(description="Its singular name, in event types.", examples=["vessel"])]
    label: Annotated[str, Field(description="What people call one record.", examples=["Vessel"])]
    plural_label: Annotated[str, Field(description="What people call many.", examples=["Vessels"])]
    standard: Annotated[bool, Field(description="Whether every organisation has it.", examples=[False])]
    archived: Annotated[bool, Field(description="Whether it is out of sight with its records, which are kept.", examples=[False])]
    version: Annotated[int, Field(description="Rises with every change of the definition.", examples=[1])]
    description: Annotated[str, Field(description="What the object is for.", examples=["Ships that we charter."])]
    display_field: Annotated[str | None, Field(description="The field that gives its records their name.", examples=["name"])]
    has_pipeline: Annotated[bool, Field(description="Whether its records move through stages.", examples=[False])]
    verbs: Annotated[list[str], Field(description="What can be done with its records.", examples=[["create", "get", "list"]])]


class FieldList(Output):
    """All fields of an object, in their order; standard ones first."""

    data: Annotated[list[FieldRead], Field(description="On one page.")]
    page: Annotated[
        dict[str, Any], Field(description="Always the only one.", examples=[{"next_cursor": None, "prev_cursor": None, "has_more": False}])
    ]


class ObjectList(Output):
    """All objects, standard ones first."""

    data: Annotated[list[ObjectRead], Field(description="On one page.")]
    page: Annotated[
        dict[str, Any], Field(description="Always the only one.", examples=[{"next_cursor": None, "prev_cursor": None, "has_more": False}])
    ]


class UseShown(Output):
    """Something that uses a field."""

    kind: Annotated[
        str, Field(description="What it is: `fields` (formulas, roll-ups, dependent picklists), `views`, …", examples=["views"])
    ]
    id: Annotated[str | None, Field(description="Its id.", examples=[_ID])]
    name: Annotated[str, Field(description="What people call it.", examples=["Gold customers"])]
    at: Annotated[str, Field(description="Where in it the field stands, as a JSON pointer.", examples=["/columns/1"])]


class Impact(Output):
    """What a change of the field would touch."""

    data: Annotated[list[UseShown], Field(description="Everything that uses the field; each place is an item.")]
    records: Annotated[int, Field(description="Live records that have a value.", examples=[120])]


class ReplacementPreview(Output):
    """How many records a replacement would change."""

    dry_run: Annotated[Literal[True], Field(description="Nothing was changed.", examples=[True])]
    count: Annotated[int, Field(description="Live records that hold the option.", examples=[12])]
