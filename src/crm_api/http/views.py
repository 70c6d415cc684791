"""What holds for a caller of layouts, navigation, themes, widgets and links: `/v1/meta/…`."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from crm_api.core.errors import BadRequest, FieldError, NotFound
from crm_api.core.ids import parse_uuid
from crm_api.flows import presentation
from crm_api.http.routing import KernelRoute
from crm_api.kernel.context import Context
from crm_api.kernel.endpoint import ContextDep, EngineDep
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.schema import JsonObject, Output, about
from crm_api.kernel.shapes import Colour, MenuEntries, RelatedLists, Sections
from crm_api.resources.custom_links.schemas import CustomLinkRead
from crm_api.resources.layouts.schemas import LayoutRead, LayoutType
from crm_api.resources.widgets.schemas import WidgetRead

router = APIRouter(route_class=KernelRoute, tags=["meta"])

_ID = "01976f6e-8a00-7000-8000-0000000000b7"
Source = Literal["profile", "default", "generated"]
SOURCE = about("Whose it is: the profile's own, the default, or made from the fields because there is none.", "default")
_OWN_ID = about("The stored record; null for a generated one.", _ID)
_OWN_VERSION = about("Its version; null for a generated one.", 3)
Profile = Annotated[str | None, Field(description="The profile to look as; for none in particular if left out.", examples=["sales"])]


class LayoutQuery(BaseModel):
    """Which layouts."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[LayoutType | None, Field(description="Only layouts of this type.", examples=["detail"])] = None


class EffectiveLayoutQuery(BaseModel):
    """Which layout."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[LayoutType, Field(description="The type of layout.", examples=["detail"])] = "detail"
    profile_id: Profile = None


class ProfileQuery(BaseModel):
    """Whose."""

    model_config = ConfigDict(extra="forbid")

    profile_id: Profile = None


class WidgetQuery(ProfileQuery):
    """Which widgets."""

    placement: Annotated[
        Literal["home", "detail", "sidebar"] | None, Field(description="Only widgets of this place.", examples=["home"])
    ] = None


class LinkQuery(ProfileQuery):
    """Which links."""

    object: Annotated[str | None, Field(description="Only links beside records of this object.", examples=["accounts"])] = None
    placement: Annotated[
        Literal["detail", "list", "related"] | None, Field(description="Only links of this place.", examples=["detail"])
    ] = None


class RenderQuery(BaseModel):
    """For which record."""

    model_config = ConfigDict(extra="forbid")

    record_id: Annotated[str, Field(description="The record whose values go into the address.", examples=[_ID])]


class ObjectLayouts(Output):
    """Layouts of one object."""

    data: list[LayoutRead] = about("The layouts, those last changed first.", [])


class EffectiveLayout(Output):
    """The layout that holds."""

    source: Source = SOURCE
    id: str | None = _OWN_ID
    version: int | None = _OWN_VERSION
    applies_to: str = about("The object.", "deals")
    type: LayoutType = about("The type of layout.", "detail")
    name: str = about("What it is called.", "Deal page for sales")
    sections: Sections = about("Its parts.", [{"key": "main", "rows": [[{"field": "name"}, {"field": "amount"}]]}])
    related_lists: RelatedLists = about("Lists of what hangs on the record.", [{"relation": "contacts"}])
    canvas: JsonObject | None = about("The page of a `canvas`.", None)


class EffectiveNavigation(Output):
    """The menu that holds."""

    source: Source = SOURCE
    id: str | None = _OWN_ID
    version: int | None = _OWN_VERSION
    name: str = about("What it is called.", "Sales")
    entries: MenuEntries = about("Its entries, as far as the caller can go there.", [{"key": "home", "type": "home"}])


class EffectiveTheme(Output):
    """The theme that holds."""

    source: Source = SOURCE
    id: str | None = _OWN_ID
    version: int | None = _OWN_VERSION
    name: str = about("What it is called.", "Evening")
    mode: Literal["light", "dark", "auto"] = about("Light or dark, or as the device says.", "auto")
    density: Literal["comfortable", "compact"] = about("How much room there is between things.", "compact")
    colors: dict[str, Colour] = about("Colours by what they are for.", {"accent": "#0a7d55"})
    logo_url: str | None = about("The logo.", None)


class EffectiveWidgets(Output):
    """Widgets in their order."""

    data: list[WidgetRead] = about("The widgets.", [])


class EffectiveLinks(Output):
    """Custom links in their order."""

    data: list[CustomLinkRead] = about("The links.", [])


class RenderedLink(Output):
    """A custom link with a record's values in its address."""

    id: str = about("The link.", _ID)
    record_id: str = about("The record.", _ID)
    name: str = about("What is written on it.", "Search the news")
    url: str = about("The address.", "https://news.example/search?q=Acme%20Corp")
    opens_in: Literal["new", "same"] = about("Whether it opens a window of its own.", "new")


def _object(context: Context, name: str) -> AnyResource:
    found = context.registry.get(name)
    if found is None:
        raise NotFound()
    context.policy.require_read((found.name, "layouts"))
    return found


@router.get("/v1/meta/{object}/layouts", response_model=ObjectLayouts, summary="Layouts of an object")
async def list_object_layouts(
    object: str, context: ContextDep, engine: EngineDep, query: Annotated[LayoutQuery, Query()]
) -> dict[str, Any]:
    """All layouts of one object, up to 200. To make and change them use `/v1/layouts`. Scopes: `layouts:read` and the object's."""
    resource = _object(context, object)
    kind = {} if query.type is None else {"type": query.type}
    return {"data": await presentation.rows_of(context, engine.reader, "layouts", applies_to=resource.name, sort="-updated_at", **kind)}


@router.get("/v1/meta/{object}/layouts/effective", response_model=EffectiveLayout, summary="The layout that holds")
async def get_effective_layout(
    object: str, context: ContextDep, engine: EngineDep, query: Annotated[EffectiveLayoutQuery, Query()]
) -> dict[str, Any]:
    """The layout by which to show a record: the profile's own, else the default, else one made from the fields.

    Scopes: `layouts:read` and the object's.
    """
    return await presentation.effective_layout(context, engine.reader, _object(context, object), query.type, query.profile_id)


@router.get("/v1/meta/navigation", response_model=EffectiveNavigation, summary="The menu that holds")
async def get_navigation(context: ContextDep, engine: EngineDep, query: Annotated[ProfileQuery, Query()]) -> dict[str, Any]:
    """Where a user interface should offer to go, without what the caller may not read. Scope: `navigation_menus:read`."""
    context.policy.require("navigation_menus", "read")
    return await presentation.effective_navigation(context, engine.reader, query.profile_id)


@router.get("/v1/meta/themes", response_model=EffectiveTheme, summary="The theme that holds")
async def get_theme(context: ContextDep, engine: EngineDep, query: Annotated[ProfileQuery, Query()]) -> dict[str, Any]:
    """How a user interface should look. To make and change themes use `/v1/themes`. Scope: `themes:read`."""
    context.policy.require("themes", "read")
    return await presentation.effective_theme(context, engine.reader, query.profile_id)


@router.get("/v1/meta/widgets", response_model=EffectiveWidgets, summary="The widgets that hold")
async def list_effective_widgets(context: ContextDep, engine: EngineDep, query: Annotated[WidgetQuery, Query()]) -> dict[str, Any]:
    """The widgets to offer, up to 200: those of the profile and those for all, in their order. Scope: `widgets:read`."""
    context.policy.require("widgets", "read")
    more = {} if query.placement is None else {"placement": query.placement}
    return {"data": await presentation.effective_rows(context, engine.reader, "widgets", query.profile_id, **more)}


@router.get("/v1/meta/links", response_model=EffectiveLinks, summary="The custom links that hold")
async def list_effective_links(context: ContextDep, engine: EngineDep, query: Annotated[LinkQuery, Query()]) -> dict[str, Any]:
    """The links to offer beside records, up to 200: those of the profile and those for all. Scope: `custom_links:read`."""
    context.policy.require("custom_links", "read")
    more = {name: value for name, value in (("placement", query.placement), ("applies_to", query.object)) if value is not None}
    return {"data": await presentation.effective_rows(context, engine.reader, "custom_links", query.profile_id, **more)}


@router.get("/v1/meta/links/{id}/render", response_model=RenderedLink, summary="Fill in a custom link")
async def render_link(id: str, context: ContextDep, engine: EngineDep, query: Annotated[RenderQuery, Query()]) -> dict[str, Any]:
    """The link's address with values of a record in it, percent-encoded. What the caller may not read stays out.

    Scopes: `custom_links:read` and the object's.
    """
    return await presentation.rendered_link(context, engine.reader, _uuid(id), _record(query.record_id))


def _uuid(text: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise NotFound()
    return found


def _record(text: str) -> UUID:
    found = parse_uuid(text)
    if found is None:
        raise BadRequest(errors=[FieldError("invalid_uuid", parameter="record_id")])
    return found
