"""`/v1/me/recent` and `/v1/me/home`: what a person had to do with lately, and the page that a person begins with."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, with_config
from starlette.responses import Response
from typing_extensions import TypedDict

from crm_api.core.errors import ValidationFailed
from crm_api.core.problem import FieldError
from crm_api.flows import home
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep, EngineDep
from crm_api.kernel.schema import STRICT, Input, JsonObject, Output, Text120, Uuid, about
from crm_api.kernel.shapes import ItemKey, ObjectName, UuidText

router = APIRouter(route_class=KernelRoute, tags=["account"])

_ID = "01976f6e-8a00-7000-8000-000000000001"
_VIEW = "01976f6e-8a00-7000-8000-0000000000b1"
_AT = "2026-11-22T03:31:00.000000Z"


@with_config(STRICT)
class HomeWidget(TypedDict):
    """A piece of the home page."""

    key: Annotated[ItemKey, about("Its name, unique on the page.", "big_deals")]
    type: Annotated[
        Literal["recent", "tasks", "deals", "view"],
        about("`recent` records, my open `tasks` by when they are due, my open `deals` by when they close, or a `view`.", "view"),
    ]
    title: Annotated[NotRequired[Text120], about("What to write above it.", "Big deals")]
    view_id: Annotated[NotRequired[UuidText], about("The view, for `view`.", _VIEW)]
    limit: Annotated[NotRequired[Annotated[int, Field(ge=1, le=50)]], about("How many records; 10 if left out.", 10)]


class HomeBody(Input):
    """What to put on the home page."""

    widgets: Annotated[
        list[HomeWidget],
        Field(max_length=home.MAX_WIDGETS),
        about("Its widgets in order.", [{"key": "recent", "type": "recent"}, {"key": "big_deals", "type": "view", "view_id": _VIEW}]),
    ]


class ShownWidget(Output):
    """A piece of the home page with what it shows."""

    key: str = about("Its name.", "tasks")
    type: Literal["recent", "tasks", "deals", "view"] = about("What it is.", "tasks")
    title: str | None = about("What to write above it; null if nobody said.", None)
    view_id: str | None = about("The view, for `view`.", None)
    limit: int = about("How many records at most.", 10)
    object: str | None = about("The object of the records; null for `recent`.", "tasks")
    data: list[JsonObject] = about("The records, or what is recent.", [{"object": "tasks", "id": _ID, "subject": "Send the offer"}])
    problem: str | None = about("The code of what keeps it from being shown, such as a view that is no longer there.", None)


class Home(Output):
    """The home page."""

    widgets: list[ShownWidget] = about("Its widgets in order, without those that the caller may not see.", [])


class RecentItem(Output):
    """A record that the caller had to do with."""

    object: str = about("The record's object.", "deals")
    id: str = about("The record's id.", _ID)
    display_name: str = about("What it is called.", "Robots for Acme")
    how: Literal["viewed", "changed"] = about("What the caller did last.", "viewed")
    at: str = about("When.", _AT)


class Recent(Output):
    """What the caller had to do with lately."""

    data: list[RecentItem] = about("The records, the latest first.", [])


class RecentQuery(BaseModel):
    """How many."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=home.RECENT, description="How many records.", examples=[10])] = home.RECENT


class ViewedBody(Input):
    """A record that was looked at."""

    object: Annotated[ObjectName, about("The record's object.", "deals")]
    id: Annotated[Uuid, about("The record's id.", _ID)]


@router.get("/v1/me/recent", response_model=Recent, summary="Recent records")
async def get_recent(context: ContextDep, engine: EngineDep, query: Annotated[RecentQuery, Query()]) -> dict[str, Any]:
    """The records that the caller looked at (as told by `POST /v1/me/recent`) or changed last, up to 50, without what is deleted or
    may not be read any more. Changes are looked for among the organisation's latest 5,000 events.
    """
    return {"data": await home.recent(context, engine.reader, query.limit)}


@router.post("/v1/me/recent", status_code=204, response_class=Response, summary="Note that a record was looked at")
async def note_recent(context: ContextDep, engine: EngineDep, body: ViewedBody) -> Response:
    """Remembers that the caller looked at a record. Reading one over the API alone is not noted. The last 50 are kept."""
    resource = context.registry.get(body.object)
    if resource is None:
        names = [resource.name for resource in context.registry]
        raise ValidationFailed([FieldError("enum", pointer="/object", allowed=names)])
    context.policy.require(resource.name, "read")
    await home.note_viewed(context, engine.reader, resource, body.id)
    return Response(status_code=204)


@router.get("/v1/me/home", response_model=Home, summary="Home page")
async def get_home(context: ContextDep, engine: EngineDep) -> dict[str, Any]:
    """The caller's home page with everything on it: recent records, open tasks and deals, views."""
    shown = await home.home(context, engine.reader)
    return {"widgets": [{"title": None, "view_id": None, **widget} for widget in shown]}


@router.put("/v1/me/home", response_model=Home, summary="Set up the home page")
async def put_home(context: ContextDep, engine: EngineDep, body: HomeBody) -> dict[str, Any]:
    """Says what is on the caller's home page, and gives it with everything on it. Up to 12 widgets."""
    await home.configure(context, engine.reader, [{"limit": 10, **widget} for widget in body.widgets])
    return await get_home(context, engine)
