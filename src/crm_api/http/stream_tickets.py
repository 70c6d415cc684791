"""POST /v1/events/tickets: an address of the stream for those who can't send a token, and what such an address lets in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import BadRequest, FieldError, InvalidCursor, TokenInvalid, ValidationFailed
from crm_api.core.tokens import parse as parse_token
from crm_api.flows.event_tickets import make_ticket, take_ticket
from crm_api.http.auth import bearer_hash
from crm_api.http.events import parse_query, position
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.origin import issuer_of
from crm_api.http.routing import JOINED, KernelRoute
from crm_api.http.services import Services, services_of
from crm_api.http.session import answering
from crm_api.http.stream_live import of_view
from crm_api.kernel.endpoint import ContextDep
from crm_api.kernel.journal import encode_events_cursor, number
from crm_api.kernel.query.request import split_query
from crm_api.kernel.schema import Input, JsonObject, Output, Uuid, about

TICKET: Final = "ticket"
PATH: Final = "/v1/events/stream"
_CURSOR: Final = "AZk1Zm9vYmFy"
_ID: Final = "01976f6e-8a00-7000-8000-000000000001"

router = APIRouter(route_class=KernelRoute)


class EventTicketCreate(Input):
    """What the stream is to be about: the parameters of `GET /v1/events/stream`. All of them may be left out."""

    cursor: Annotated[
        str | None, Field(description="Where to begin; the end of the journal at this moment if left out.", examples=[_CURSOR])
    ] = None
    event_types: Annotated[list[str] | None, Field(description="Only events of these types.", examples=[["deal.*"]], max_length=100)] = None
    object: Annotated[str | None, Field(description="Only events of this object.", examples=["deals"])] = None
    record_id: Annotated[Uuid | None, Field(description="Only events of this record.", examples=[_ID])] = None
    filter: Annotated[
        JsonObject | None,
        Field(description="A live query: a search tree. Needs `object`.", examples=[{"field": "amount", "op": "gte", "value": "1000"}]),
    ] = None
    view_id: Annotated[Uuid | None, Field(description="A live query: the conditions of this saved view.", examples=[_ID])] = None
    exclude_own: Annotated[bool, Field(description="Leave out what the calling token itself did.")] = False


class EventTicketRead(Output):
    """An address of the stream."""

    object: Annotated[str, about("Always `event_tickets`.", "event_tickets")]
    url: Annotated[
        str | None,
        about(
            "The address for `new EventSource(url)`. It holds a secret: shown this once, null in a repeated answer.",
            f"https://crm.example/v1/events/stream?cursor={_CURSOR}&ticket=crm_et_…",
        ),
    ]
    expires_at: Annotated[str, about("Until when it has to be opened for the first time.", "2026-11-22T03:32:00.000000Z")]


@router.post("/v1/events/tickets", status_code=201, response_model=EventTicketRead, summary="Get an address of the stream")
async def create_event_ticket(context: ContextDep, request: Request, body: EventTicketCreate) -> JSONResponse:
    """Makes an address of `GET /v1/events/stream` that needs no `Authorization` header, for a browser's `EventSource`.

    It acts with the calling token's rights, on the stream and nowhere else, and ends with the token. Open it within 60 seconds; after that
    the same address lets the browser come back after breaks for an hour (each time it sends `Last-Event-ID` by itself, so nothing is
    missed). Then it is 401, `EventSource` gives up, and the page asks for another one with the `lastEventId` that it has seen as `cursor`.
    Without a `cursor` the address begins at the end of the journal as it is now, so that nothing after this answer is missed.

    Scope: `events:read`.
    """
    if JOINED in request.scope:
        raise BadRequest("A ticket can't be made in a composite request.")
    context.policy.require("events", "read")
    services = services_of(request)
    parameters = _parameters(body)
    query = urlencode(parameters, quote_via=quote)
    try:
        asked = parse_query(query, context, services, ("view_id",))
        if body.view_id is not None and body.filter is not None:
            raise ValidationFailed([FieldError("invalid_combination", pointer="/view_id", params={"other": "filter"})])
        if body.view_id is not None:
            await of_view(context, services.engine.reader, str(body.view_id), body.object)
    except (BadRequest, InvalidCursor) as problem:
        raise ValidationFailed([_in_body(error) for error in problem.errors]) from None
    head = (await number(context.uow)).head
    after = await position(context, asked.start, head, default="now")
    ticket, until = await make_ticket(context.uow, bearer_hash(request))
    address = urlencode({**parameters, "cursor": encode_events_cursor(context.principal.org_id, after), TICKET: ticket}, quote_via=quote)
    answer = {"object": "event_tickets", "url": f"{issuer_of(request)}{PATH}?{address}", "expires_at": format_timestamp(until)}
    return JSONResponse(answer, 201, {SECRET_HEADER: "url", "Cache-Control": "no-store"})


def _parameters(body: EventTicketCreate) -> dict[str, str]:
    given: dict[str, Any] = {
        "cursor": body.cursor,
        "event_types": None if body.event_types is None else ",".join(body.event_types),
        "object": body.object,
        "record_id": body.record_id,
        "filter": None if body.filter is None else orjson.dumps(body.filter).decode(),
        "view_id": body.view_id,
        "exclude_own": "true" if body.exclude_own else None,
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def _in_body(error: FieldError) -> FieldError:
    at = error.parameter or ""
    return FieldError(error.code, error.message, pointer=f"/{at}" if at else "", params=error.params, allowed=error.allowed)


async def token_behind(request: Request, services: Services) -> bytes | None:
    """The hash of the token that the request's ticket stands for; None for a request without one.

    Raises TokenInvalid for a ticket that is not (or no longer) good, BadRequest if there is a token as well (RFC 6750 2: one way only).
    """
    given = [value for name, values in split_query(request.scope["query_string"].decode("latin-1")) if name == TICKET for value in values]
    if not given:
        return None
    if "authorization" in request.headers:
        raise BadRequest(errors=[FieldError("invalid_combination", parameter=TICKET, params={"other": "Authorization"})])
    hash_ = parse_token(given[0], "crm_et_") if len(given) == 1 else None
    now: datetime = services.clock.now()
    if hash_ is not None:
        async with answering(), services.database.connection() as connection:
            found = await take_ticket(connection, hash_, now)
        if found is not None:
            return found
    raise TokenInvalid()
