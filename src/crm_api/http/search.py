"""GET /v1/search: one search box for all objects."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from crm_api.core.errors import BadRequest, InvalidValue
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.schema import Output
from crm_api.kernel.search import MAX_HITS, search

router = APIRouter(route_class=KernelRoute)


class SearchQuery(BaseModel):
    """What to look for, and where."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description="Words, beginnings of words, or a telephone number in any spelling.",
            examples=["acme rob"],
        ),
    ]
    objects: Annotated[
        str | None,
        Field(
            description="Objects to search, separated by commas; all that the token may read if left out.", examples=["contacts,accounts"]
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=MAX_HITS, description="Most hits to return.", examples=[8])] = 10


class SearchHit(Output):
    """A record that was found."""

    object: Annotated[str, Field(description="The record's object.", examples=["contacts"])]
    id: Annotated[UUID, Field(description="The record's id.", examples=["01976f6e-8a00-7000-8000-0000000000c1"])]
    display_name: Annotated[str, Field(description="The record's name.", examples=["Ada King"])]
    detail: Annotated[str | None, Field(description="What tells it from others of that name.", examples=["ada@acme.example"])]
    highlight: Annotated[
        str,
        Field(
            description="Name and detail, HTML-escaped, with the matching parts in `<em>`.",
            examples=["<em>Ada</em> King · ada@acme.example"],
        ),
    ]
    score: Annotated[float, Field(description="The better the match, the higher; comparable within one answer.", examples=[0.2])]


class SearchPage(Output):
    """Hits, best first."""

    data: Annotated[list[SearchHit], Field(description="The hits.")]


@router.get("/v1/search", response_model=SearchPage, summary="Search all objects", tags=["search"])
async def search_everything(context: ContextDep, query: Annotated[SearchQuery, Query()]) -> JSONResponse:
    """Finds records of several objects at once, best matches first.

    Every word must be found, as a word or the beginning of one, in a record's search fields; accents and case don't matter.
    Telephone numbers are found in any spelling. Where that finds nothing, records with one letter different are found.
    A record just written is found at once.
    """
    policy = context.policy
    known = {resource.name: resource for resource in context.registry if resource.searchable}
    if query.objects is None:
        names = [name for name in known if context.principal.may(name, "read")]
    else:
        names = list(dict.fromkeys(query.objects.split(",")))
        wrong = [name for name in names if name not in known]
        if wrong:
            raise BadRequest(errors=[InvalidValue("enum", allowed=list(known)).at(parameter="objects")])
        policy.require_read(names)
    try:
        hits = await search(context, [known[name] for name in names], query.q, query.limit) if names else []
    except InvalidValue as error:
        raise BadRequest(errors=[error.at(parameter="q")]) from None
    return JSONResponse({"data": [hit.json() for hit in hits]})
