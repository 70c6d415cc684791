"""What a widget looks like from outside."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import MISSING

from crm_api.kernel.schema import Name, Output, Position, RecordCreate, RecordRead, RecordUpdate, Ref, Url, about, create_of, update_of
from crm_api.kernel.shapes import PROFILE, FreeJson, ObjectName, ProfileKey

_ABOUT = about("The object whose records it shows; set once, null for none.", "deals")


class WidgetFields(Output):
    """The fields of a widget."""

    name: Name = about("What it is called.", "My biggest deals")
    type: Literal["list", "figure", "chart", "text", "web"] = about(
        "What it is. `list`, `figure` and `chart` show an object or a view, `web` a page by `url`, `text` what is in `settings`.", "list"
    )
    placement: Literal["home", "detail", "sidebar"] = about("Where it stands.", "home")
    source_view_id: Ref | None = about("The view that it shows; its object is the widget's.", "01976f6e-8a00-7000-8000-0000000000b1")
    profile_id: ProfileKey | None = PROFILE
    position: Position | None = about("Its place among the widgets of its placement.", 1)
    url: Url | None = about("The page of a `web` widget.", "https://status.example/")
    settings: FreeJson | None = about("Whatever its type needs: what is counted, the kind of chart, the text.", {"chart": "bar"})


class WidgetRead(WidgetFields, RecordRead):
    """A widget: a piece of a page."""

    object: Literal["widgets"] = about("The object's name.", "widgets")
    applies_to: Annotated[ObjectName | None, _ABOUT]


@create_of(WidgetFields, required=("name",))
class WidgetCreate(RecordCreate):
    """A new widget."""

    applies_to: Annotated[ObjectName | MISSING | None, _ABOUT] = MISSING


@update_of(WidgetFields)
class WidgetUpdate(RecordUpdate):
    """Changes of a widget, as a merge patch."""
