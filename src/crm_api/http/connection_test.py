"""`POST /v1/connections/{id}/test`: a connection tried out. No transaction is open while the other side is asked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from pydantic import MISSING, Field, StringConstraints
from starlette.responses import JSONResponse, Response

from crm_api.core.errors import BadRequest, NotAcceptable, Problem, UnknownParameter, ValidationFailed
from crm_api.core.problem import FieldError
from crm_api.db.uow import Cause
from crm_api.flows import connections
from crm_api.flows.connection_test import tested
from crm_api.http.admin import record_id
from crm_api.http.middleware.headers import accepts_json
from crm_api.http.routing import JOINED, client_ip, reads
from crm_api.http.services import services_of
from crm_api.http.session import enter, working
from crm_api.http.state import REQUEST_ID
from crm_api.kernel.principal import Principal
from crm_api.kernel.schema import Input, Output, about

COST: Final = 10
"""What a test counts against the rate limit: it makes others work."""


class OutsideRoute(APIRoute):
    """A route that authenticates first and opens its own short transactions; the endpoint finds the caller in `request.state`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind authentication. A denial goes into the audit log, as it does for the kernel's routes."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if request.scope.get(JOINED) is not None:
                raise BadRequest("This can't be part of a composite request.")
            if not accepts_json(request.headers.get("accept")):
                raise NotAcceptable("Answers are application/json, problems application/problem+json.")
            services = services_of(request)
            principal = await enter(request, services, COST)
            request.state.principal = principal
            if request.query_params:
                raise UnknownParameter(next(iter(request.query_params)), [])
            try:
                return await inner(request)
            except Problem as problem:
                if problem.status == 403:
                    cause = cause_of(request, principal)
                    await services.denials.tell(services.database, services.clock, principal, request, problem, cause)
                raise

        return handle


router = APIRouter(route_class=OutsideRoute)


def cause_of(request: Request, principal: Principal) -> Cause:
    """Where a change comes from that such a route makes."""
    return Cause(
        request_id=getattr(request.state, REQUEST_ID, None), app_id=principal.app_id, token_id=principal.token_id, ip=client_ip(request)
    )


Path = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^/[\x21-\x22\x24-\x5b\x5d-\x7e]*$")]


class ConnectionTest(Input):
    """How to try a connection out."""

    path: Path | MISSING | None = about(
        "What to ask for behind `base_url`, with a query if need be; not for `smtp`. The default is `base_url` itself.",
        "/orders?limit=1",
        default=MISSING,
    )


_Ms = Annotated[float, Field(ge=0)] | None


class RequestTimings(Output):
    """How long the phases took, in milliseconds; null for those that did not happen."""

    dns_ms: _Ms = about("Looking the name up.", 4.1)
    connect_ms: _Ms = about("Connecting.", 12.7)
    tls_ms: _Ms = about("The TLS handshake of `https`.", 20.3)
    wait_ms: _Ms = about("From the request to the head of the answer.", 88.0)
    read_ms: _Ms = about("From there to its end.", 0.4)
    total_ms: _Ms = about("All of it.", 125.9)


class ConnectionTested(Output):
    """How it went. It is also noted in the connection's `status`, `tested_at` and `last_error`."""

    ok: bool = about("Whether the other side answered with a status from 200 to 299, or the mail server let us in.", False)
    status_code: int | None = about("The status of the answer, or of SMTP's last reply; null if there was no answer.", 401)
    error: str | None = about("Why it went wrong, in few words; null if it went well.", "401 Unauthorized")
    timings: RequestTimings = about(
        "How long it took.", {"dns_ms": 4.1, "connect_ms": 12.7, "tls_ms": 20.3, "wait_ms": 88.0, "read_ms": 0.4, "total_ms": 125.9}
    )


@router.post("/v1/connections/{id}/test", response_model=ConnectionTested, summary="Test a connection", name="test_connection")
@reads  # nothing that an Idempotency-Key or dry_run could keep from being done twice or at all
async def try_connection(request: Request, id: str, body: ConnectionTest | None = None) -> JSONResponse:
    """Uses the connection once, with its secret: for HTTP a `GET` of `base_url` (or of a `path` behind it), for `smtp` a sign-in over
    TLS without any mail.

    Nothing is shown of the answer but its status. Redirects are not followed, and it is given up after 15 seconds. Addresses that
    may not be reached, don't exist or don't answer all look the same. A connection that is switched off or has no secret: 409.
    Counts 10 against the rate limit. Needs the scope `connections:write`.
    """
    services = services_of(request)
    principal: Principal = request.state.principal
    connection_id = record_id(id)
    path = None if body is None else body.given().get("path")
    cause = cause_of(request, principal)
    async with working(services, principal) as context:
        context.uow.cause = cause
        context.policy.require("connections", "update")
        used = await connections.credentials(context, connection_id, purpose="connection.test")
        if path is not None and used.type == "smtp":
            raise ValidationFailed(
                [FieldError("not_for_type", pointer="/path", params={"type": used.type, "property": "path"}, allowed=[])]
            )
    result = await tested(services.egress, used, path)
    async with working(services, principal) as context:
        context.uow.cause = cause
        await connections.note_use(context, services.engine.writer, used, result.error, tested=True)
    return JSONResponse(result.json())
