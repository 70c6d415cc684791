"""The secrets of connections over HTTP: set, used in a test, and removed, never read. The connections themselves are ordinary records."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import MISSING, StringConstraints
from starlette.responses import Response

from crm_api.flows import connections
from crm_api.http import connection_test
from crm_api.http.records.answers import write_answer
from crm_api.http.records.call import Call
from crm_api.http.routing import KernelRoute
from crm_api.kernel.endpoint import ContextDep, EngineDep
from crm_api.kernel.schema import Input, Timestamp, about
from crm_api.resources.connections.schemas import ConnectionRead

router = APIRouter(route_class=KernelRoute, tags=["connections"])
router.include_router(connection_test.router)
Secret = Annotated[str, StringConstraints(min_length=1, max_length=8192)]


class ConnectionSecretSet(Input):
    """A connection's secret: the parts that its type has. What was there before is replaced as a whole."""

    access_token: Secret | MISSING | None = about("Of `oauth2`, required: the access token.", "ya29.a0Ae4lvC1", default=MISSING)
    refresh_token: Secret | MISSING | None = about("Of `oauth2`: what a new access token is asked for with.", "1//0gX", default=MISSING)
    client_secret: Secret | MISSING | None = about("Of `oauth2`: the secret that belongs to `client_id`.", "GOCSPX-1", default=MISSING)
    api_key: Secret | MISSING | None = about("Of `api_key`, required.", "k-31f0", default=MISSING)
    password: Secret | MISSING | None = about("Of `basic` and `smtp`, required.", "correct horse", default=MISSING)
    token: Secret | MISSING | None = about("Of `bearer`, required.", "t-8842", default=MISSING)
    expires_at: Timestamp | MISSING | None = about(
        "When it stops working there, if that is known.", "2026-12-22T03:31:00.000000Z", default=MISSING
    )


@router.put("/v1/connections/{id}/secret", response_model=ConnectionRead, summary="Set a connection's secret")
async def set_connection_secret(request: Request, context: ContextDep, engine: EngineDep, id: str, body: ConnectionSecretSet) -> Response:
    """Stores what is secret about a connection, sealed with the server's encryption key. No answer, event or export ever shows it.

    Parts that the connection's type doesn't have: 422 `not_for_type`. On a server without encryption keys: 503. Needs the scope
    `connections:write`.
    """
    call = Call.of(request)
    call.policy.require("connections", "update")
    given = body.given()
    expires_at = given.pop("expires_at", None)
    outcome = await connections.set_secret(context, engine.writer, call.path_id(), given, expires_at)
    resource = context.registry["connections"]
    return await write_answer(call, resource, outcome, call.answer_options(resource))


@router.delete("/v1/connections/{id}/secret", response_model=ConnectionRead, summary="Remove a connection's secret")
async def remove_connection_secret(request: Request, context: ContextDep, engine: EngineDep, id: str) -> Response:
    """Destroys the secret; the connection stays and can't be used until it gets another. Needs the scope `connections:write`."""
    call = Call.of(request)
    call.policy.require("connections", "update")
    outcome = await connections.remove_secret(context, engine.writer, call.path_id())
    resource = context.registry["connections"]
    return await write_answer(call, resource, outcome, call.answer_options(resource))
