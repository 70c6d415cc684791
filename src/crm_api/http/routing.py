"""The route class under every authenticated route: caller, limits, transaction, idempotency, retries, commit.

It wraps FastAPI's own handling of a route. That way it sees the body before the endpoint runs, which idempotency needs, and
the commit happens after the endpoint has made its answer and before a byte of it is sent: an answer that says 201 is durable.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_api.core.errors import BadRequest, FieldError, NotAcceptable, Problem, Unavailable, UserSuspended
from crm_api.db.engine import Busy, Connection
from crm_api.db.errors import classify
from crm_api.db.uow import Cause, Uow
from crm_api.http import idempotency
from crm_api.http.auth import AddressRefused, authenticate, bearer_hash
from crm_api.http.middleware.headers import accepts_json
from crm_api.http.services import Services
from crm_api.http.state import ACTOR, LANGUAGE, ORG_ID, RATE, REQUEST_ID, VERSION, VERSION_HEADER
from crm_api.http.strict import strict
from crm_api.kernel.access.rights import NOTHING
from crm_api.kernel.context import Context
from crm_api.kernel.preferences import preferences_of
from crm_api.kernel.principal import Principal

Handler = Callable[[Request], Awaitable[Response]]
READS: Final = frozenset({"GET", "HEAD"})
TRIES: Final = 6
PAUSE_S: Final = 0.02
"""The longest pause before the second try; it doubles with each. How long it is, chance decides, so that requests that ended each
other don't meet again."""

JOINED: Final = "crm.joined"
"""Scope key of a context that a composite operation runs in: its caller and unit of work, which is not ours to commit."""

WRITES_ATTRIBUTE: Final = "crm_reads"
OPEN_ATTRIBUTE: Final = "crm_open"
OTHER_MEDIA_ATTRIBUTE: Final = "crm_other_media"


E = TypeVar("E", bound=Callable[..., Any])


def reads(endpoint: E) -> E:
    """Marks an endpoint that only reads although its method is POST (search, batch read)."""
    setattr(endpoint, WRITES_ATTRIBUTE, True)
    return endpoint


def open_to_all(endpoint: E) -> E:
    """Marks an endpoint that asks for no token."""
    setattr(endpoint, OPEN_ATTRIBUTE, True)
    return endpoint


def other_media(endpoint: E) -> E:
    """Marks an endpoint that answers with something else than JSON, so that `Accept` is its own business."""
    setattr(endpoint, OTHER_MEDIA_ATTRIBUTE, True)
    return endpoint


class KernelRoute(APIRoute):
    """A route whose endpoint finds a `Context` in `request.state.context`.

    An endpoint marked `raw` takes the request and returns the response; FastAPI's dependency solving, which such an endpoint
    doesn't use, is then left out.
    """

    def plain_app(self) -> ASGIApp | None:
        """A raw endpoint's route as an ASGI application; None for an ordinary one."""
        if not getattr(self.endpoint, "raw", False):
            return None
        handle = self.get_route_handler()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await handle(Request(scope, receive, send))
            await response(scope, receive, send)

        return app

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler in its wrapping."""
        endpoint: Any = self.endpoint
        read_only = (self.methods or set()) <= READS or getattr(endpoint, WRITES_ATTRIBUTE, False)
        raw: bool = getattr(endpoint, "raw", False)
        inner: Handler = endpoint if raw else strict(self, super().get_route_handler(), writes=not read_only, joined=JOINED)
        cost: Callable[[Request], int] | None = getattr(endpoint, "cost", None)
        only_json = not getattr(endpoint, OTHER_MEDIA_ATTRIBUTE, False)

        async def handle(request: Request) -> Response:
            joined: Context | None = request.scope.get(JOINED)
            if joined is not None:
                request.state.context = joined
                return await inner(request)
            if only_json and not accepts_json(request.headers.get("accept")):
                raise NotAcceptable("Answers are application/json, problems application/problem+json.")
            return await serve(request, inner, read_only, 1 if cost is None else cost(request))

        return handle


async def serve(request: Request, inner: Handler, read_only: bool, cost: int) -> Response:
    """Runs an endpoint as its caller, in one transaction, and again if the database asks for that."""
    services: Services = request.app.state.services
    hash_ = bearer_hash(request)
    for attempt in range(TRIES):
        try:
            return await _attempt(request, services, inner, hash_, read_only, cost if attempt == 0 else 0)
        except Busy:
            raise Unavailable("Too many requests of this organisation are waiting for the database.", 1) from None
        except Problem as problem:
            if problem.status == 403 and (denied := _denied(request, problem)) is not None:
                await services.denials.tell(services.database, services.clock, denied, request, problem, _cause(request, denied))
            raise
        except Exception as error:
            kind = classify(error).kind
            if kind == "retry" and attempt + 1 < TRIES:
                await asyncio.sleep(random.uniform(0, PAUSE_S * 2**attempt))
                continue
            if kind == "retry":
                raise Unavailable("Other writers of the same records were in the way.", 1) from error
            if kind == "unavailable":
                raise Unavailable("The database is not reachable.", 2) from error
            if kind == "timeout":
                raise Unavailable("The statement took too long and was given up.", 5) from error
            raise
    raise AssertionError("unreachable")


def _denied(request: Request, problem: Problem) -> Principal | None:
    """Whose request was refused, as far as that is known."""
    if isinstance(problem, AddressRefused):
        return problem.principal
    context: Context | None = getattr(request.state, "context", None)
    return None if context is None else context.principal


async def _attempt(request: Request, services: Services, inner: Handler, hash_: bytes, read_only: bool, cost: int) -> Response:
    database = services.database
    async with database.connection() as connection:
        principal = await authenticate(connection, hash_, services.clock.now(), client_ip(request))
        services.token_use.note(hash_)
        await admit(request, services, principal, cost)
        if database.try_hold(principal.org_id):
            try:
                return await _run(request, services, inner, connection, principal, read_only)
            finally:
                database.release(principal.org_id)
    # every place of the organisation is taken: wait for one without a connection in hand
    await database.hold(principal.org_id)
    try:
        async with database.connection() as connection:
            return await _run(request, services, inner, connection, principal, read_only)
    finally:
        database.release(principal.org_id)


async def admit(request: Request, services: Services, principal: Principal, cost: int) -> None:
    """Notes who calls, for the logs and the answer's headers, and counts the call against the rate limit."""
    state = request.state
    setattr(state, ORG_ID, str(principal.org_id))
    setattr(state, ACTOR, f"user:{principal.user_id}")
    setattr(state, LANGUAGE, preferences_of(principal).language)
    if principal.api_version is not None and not getattr(state, VERSION_HEADER, None):
        setattr(state, VERSION, principal.api_version)
    if cost:
        rate = await services.limiter.check(str(principal.token_id), cost)
        setattr(state, RATE, rate)
        rate.require()


async def _run(
    request: Request, services: Services, inner: Handler, connection: Connection, principal: Principal, read_only: bool
) -> Response:
    uow = Uow(
        connection,
        principal.org_id,
        principal.organization.time.at(services.clock.now()),
        services.clock,
        principal.actor,
        Cause() if read_only else _cause(request, principal),
        read_only,
        not read_only and b"dry_run=true" in request.scope["query_string"].split(b"&"),
        services.database.statement_timeout_ms,
        time=principal.organization.time,
    )
    try:
        context = await services.engine.context(principal, uow)
        if context.principal.rights is NOTHING:  # suspended or removed since the token was looked up
            raise UserSuspended()
        request.state.context = context
        if read_only:
            response = await inner(request)
            await uow.commit()
            return response
        key = request.headers.get("idempotency-key")
        if key is None:
            response = await inner(request)
        else:
            response = await idempotency.guarded(request, context, key, inner)
        _only_success(response)
        await uow.commit()
        if idempotency.SECRET_HEADER in response.headers:
            del response.headers[idempotency.SECRET_HEADER]
        return response
    finally:
        await uow.rollback()


def _only_success(response: Response) -> None:
    if response.status_code >= 400:
        raise AssertionError("an endpoint must raise its problems, so that nothing of them is committed")


def _cause(request: Request, principal: Principal) -> Cause:
    return Cause(
        request_id=getattr(request.state, REQUEST_ID, None),
        idempotency_key=request.headers.get("idempotency-key"),
        app_id=principal.app_id,
        token_id=principal.token_id,
        ip=client_ip(request),
    )


def client_ip(request: Request) -> str | None:
    """The address that the request came from, as the server knows it."""
    return None if request.client is None else request.client.host


def no_body_allowed(request: Request) -> None:
    """Refuses a body where the route takes none."""
    if request.headers.get("content-length", "0") != "0":
        raise BadRequest(errors=[FieldError("body_not_allowed", pointer="")])


async def charge(request: Request, cost: int) -> None:
    """Takes more from the caller's rate limit, once a body has told what the call really costs."""
    if cost > 0 and request.scope.get(JOINED) is None:
        services: Services = request.app.state.services
        context: Context = request.state.context
        rate = await services.limiter.check(str(context.principal.token_id), cost)
        setattr(request.state, RATE, rate)
        rate.require()
