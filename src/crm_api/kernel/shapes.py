"""Shapes that several of the resources about presentation share: paths, conditions, colours, keys of profiles."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, WithJsonSchema, with_config
from typing_extensions import TypedDict

from crm_api.core.errors import InvalidValue
from crm_api.core.ids import parse_uuid
from crm_api.kernel.schema import STRICT, JsonObject, Text60, Text120, Text500, about

MAX_COLUMNS: Final = 100
MAX_SORTS: Final = 3


def _uuid_text(value: str) -> str:
    found = parse_uuid(value)
    if found is None:
        raise InvalidValue("invalid_uuid")
    return str(found)


UuidText = Annotated[str, AfterValidator(_uuid_text), WithJsonSchema({"type": "string", "format": "uuid"})]
"""An id inside a stored structure, where it is text."""

ObjectName = Annotated[str, StringConstraints(min_length=1, max_length=80)]
PathText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Paths = Annotated[list[PathText], Field(max_length=MAX_COLUMNS)]
Sorts = Annotated[list[PathText], Field(max_length=MAX_SORTS)]
ProfileKey = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$")]
ItemKey = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]

APPLIES_TO: Final = about("The object that it is about; set once.", "deals")
PROFILE: Final = about("The profile that it is for; null for none in particular.", None)
IS_DEFAULT: Final = about("Whether it holds for those whose profile has none of its own. A new default ends the old one.", False)


@with_config(STRICT)
class Criterion(TypedDict):
    """One condition of the search language; its place in the list, from 1, is its number in the pattern."""

    field: Annotated[PathText, about("The field, or a path to one (`account.industry`).", "amount")]
    op: Annotated[NotRequired[Text60], about("The operator; `eq` if left out.", "gte")]
    value: Annotated[NotRequired[JsonValue], about("What to compare with.", "1000.00")]
    any: Annotated[
        NotRequired[JsonObject], about("At least one record of the relation fits this tree.", {"field": "rating", "value": "hot"})
    ]
    all: Annotated[NotRequired[JsonObject], about("All records of the relation fit this tree.", {"field": "rating", "value": "hot"})]
    none: Annotated[NotRequired[JsonObject], about("No record of the relation fits this tree.", {"field": "rating", "value": "hot"})]


@with_config(STRICT)
class ShareEntry(TypedDict):
    """Somebody who may see what is private."""

    type: Annotated[Literal["user"], about("What `id` is the id of.", "user")]
    id: Annotated[UuidText, about("Who it is.", "01976f6e-8a00-7000-8000-000000000002")]


@with_config(STRICT)
class LayoutField(TypedDict):
    """A field in a cell."""

    field: Annotated[PathText, about("The field, or a path to one over relations to one record.", "amount")]
    label: Annotated[NotRequired[Text120], about("What to write beside it, in place of the field's own label.", "Volume")]
    read_only: Annotated[NotRequired[bool], about("Shown but not to be changed here.", True)]
    required: Annotated[NotRequired[bool], about("To be asked for by the form; the API itself asks for what the field asks for.", True)]
    span: Annotated[NotRequired[Annotated[int, Field(ge=1, le=4)]], about("How many columns it takes.", 1)]


@with_config(STRICT)
class LayoutSection(TypedDict):
    """A part of a page."""

    key: Annotated[ItemKey, about("Its name, unique in the layout.", "details")]
    label: Annotated[NotRequired[Text120], about("Its heading.", "Details")]
    columns: Annotated[NotRequired[Annotated[int, Field(ge=1, le=4)]], about("How many columns it has; 2 if left out.", 2)]
    collapsed: Annotated[NotRequired[bool], about("Whether it is folded at first.", False)]
    condition: Annotated[
        NotRequired[JsonObject], about("A search tree; the section is shown for records that fit it.", {"field": "status", "value": "won"})
    ]
    rows: Annotated[
        Annotated[list[Annotated[list[LayoutField], Field(min_length=1, max_length=4)]], Field(max_length=100)],
        about("Rows of cells.", [[{"field": "name"}, {"field": "amount"}]]),
    ]


@with_config(STRICT)
class RelatedList(TypedDict):
    """A list of records that hang on the shown one."""

    relation: Annotated[Text60, about("The relation, as in `GET /v1/{object}/{id}/{relation}`.", "contacts")]
    label: Annotated[NotRequired[Text120], about("Its heading.", "People")]
    columns: Annotated[NotRequired[Paths], about("Fields of the related records.", ["display_name", "email"])]
    sort: Annotated[NotRequired[Sorts], about("Their order.", ["-created_at"])]
    limit: Annotated[NotRequired[Annotated[int, Field(ge=1, le=50)]], about("How many at first.", 10)]


@with_config(STRICT)
class ColumnSetting(TypedDict):
    """How one column of a view looks."""

    key: Annotated[PathText, about("The column: a path of `columns`, or the key of a board's column.", "amount")]
    label: Annotated[NotRequired[Text120], about("Its heading.", "Volume")]
    width: Annotated[NotRequired[Annotated[int, Field(ge=20, le=2000)]], about("Its width in pixels.", 120)]
    hidden: Annotated[NotRequired[bool], about("Whether it is folded away.", False)]
    color: Annotated[NotRequired[Colour], about("Its colour.", "#0a7d55")]


@with_config(STRICT)
class MenuLeaf(TypedDict):
    """A place to go to, in a group."""

    key: Annotated[ItemKey, about("Its name, unique in the menu.", "deals")]
    type: Annotated[Literal["object", "view", "home", "url"], about("What it leads to.", "object")]
    label: Annotated[NotRequired[Text120], about("What is written there.", "Deals")]
    icon: Annotated[NotRequired[Text60], about("The name of an icon.", "briefcase")]
    object: Annotated[NotRequired[ObjectName], about("The object, for `object`.", "deals")]
    view_id: Annotated[NotRequired[UuidText], about("The view, for `view`.", "01976f6e-8a00-7000-8000-0000000000b1")]
    url: Annotated[NotRequired[Text500], about("The address, for `url`.", "https://wiki.example/")]


@with_config(STRICT)
class MenuEntry(TypedDict):
    """A place to go to, or a group of them."""

    key: Annotated[ItemKey, about("Its name, unique in the menu.", "sales")]
    type: Annotated[Literal["object", "view", "home", "url", "group"], about("What it leads to; a `group` has `entries`.", "group")]
    label: Annotated[NotRequired[Text120], about("What is written there.", "Sales")]
    icon: Annotated[NotRequired[Text60], about("The name of an icon.", "chart")]
    object: Annotated[NotRequired[ObjectName], about("The object, for `object`.", "deals")]
    view_id: Annotated[NotRequired[UuidText], about("The view, for `view`.", "01976f6e-8a00-7000-8000-0000000000b1")]
    url: Annotated[NotRequired[Text500], about("The address, for `url`.", "https://wiki.example/")]
    entries: Annotated[
        NotRequired[Annotated[list[MenuLeaf], Field(max_length=50)]],
        about("What the group holds.", [{"key": "deals", "type": "object", "object": "deals"}]),
    ]


Criteria = Annotated[list[Criterion], Field(max_length=100)]
Shares = Annotated[list[ShareEntry], Field(max_length=100)]
Sections = Annotated[list[LayoutSection], Field(max_length=50)]
RelatedLists = Annotated[list[RelatedList], Field(max_length=50)]
ColumnSettings = Annotated[list[ColumnSetting], Field(max_length=MAX_COLUMNS)]
MenuEntries = Annotated[list[MenuEntry], Field(max_length=100)]


def bounded(value: dict[str, Any]) -> dict[str, Any]:
    """Refuses free JSON of more than 100,000 characters."""
    import orjson

    size = len(orjson.dumps(value))
    if size > MAX_FREE_JSON:
        raise InvalidValue("max_length", max_length=MAX_FREE_JSON)
    return value


MAX_FREE_JSON: Final = 100_000
FreeJson = Annotated[JsonObject, AfterValidator(bounded)]
"""JSON that only a user interface understands, of bounded size."""
