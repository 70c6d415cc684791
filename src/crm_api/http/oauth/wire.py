"""How clients speak to the endpoints beside /v1: forms in, RFC 6749's JSON out, and the ways in which a client says who it is."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final
from urllib.parse import unquote_plus
from uuid import UUID

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from crm_api.core.errors import Problem
from crm_api.db.errors import classify
from crm_api.db.uow import Actor, Cause, Uow, unit_of_work
from crm_api.flows.oauth import clients
from crm_api.flows.oauth.authorizing import Resources, one, parameters_of
from crm_api.flows.oauth.clients import Client, Credentials
from crm_api.flows.oauth.errors import OAuthError, invalid_client, invalid_request
from crm_api.flows.oauth.issuing import Lifetimes
from crm_api.http.oauth import limits
from crm_api.http.origin import issuer_of
from crm_api.http.services import Services, services_of
from crm_api.http.session import answering
from crm_api.http.state import REQUEST_ID
from crm_api.settings import Settings

MEDIA_TYPE: Final = "application/x-www-form-urlencoded"
MAX_BYTES: Final = 65_536
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_TRIES: Final = 4

Parameters = Mapping[str, Sequence[str]]


class OAuthRoute(APIRoute):
    """A route whose errors are RFC 6749's (section 5.2), whatever caused them. Its endpoint takes the request and nothing else, so
    FastAPI's solving of dependencies, which costs more than a statement, is left out.
    """

    def plain_app(self) -> ASGIApp:
        """The route as an ASGI application."""
        handle = self.get_route_handler()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            response = await handle(Request(scope, receive, send))
            await response(scope, receive, send)

        return app

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler in its wrapping."""
        inner: Callable[[Request], Awaitable[Response]] = self.endpoint

        async def handle(request: Request) -> Response:
            for attempt in range(_TRIES):
                try:
                    async with answering():
                        try:
                            return await inner(request)
                        except OAuthError:
                            raise
                        except Exception as error:
                            if classify(error).kind == "retry" and attempt + 1 < _TRIES:
                                continue
                            raise
                except OAuthError as error:
                    return error_answer(error)
                except Problem as problem:
                    return error_answer(_translated(problem))
            raise AssertionError("unreachable")

        return handle


def _translated(problem: Problem) -> OAuthError:
    name = "temporarily_unavailable" if problem.status in (429, 503) else "server_error" if problem.status >= 500 else "invalid_request"
    kept = {header: value for header, value in problem.headers.items() if header in ("Retry-After", "Allow")}
    return OAuthError(name, problem.detail or problem.title, problem.status, kept)


def error_answer(error: OAuthError) -> Response:
    """The answer that tells of an error."""
    return JSONResponse(error.json(), error.status, {**NO_STORE, **error.headers})


def answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """An answer that nobody may store."""
    return JSONResponse(dict(body), status, NO_STORE)


async def read_parameters(request: Request) -> tuple[str, dict[str, list[str]]]:
    """The form of a request, as text and taken apart. Parameters in the query string are refused: secrets would end in logs."""
    if request.scope["query_string"]:
        raise invalid_request("Parameters belong into the body, not into the query string.")
    length = request.headers.get("content-length", "0")
    body = b"" if length.isdigit() and int(length) > MAX_BYTES else await request.body()
    if len(body) > MAX_BYTES or int(length if length.isdigit() else 0) > MAX_BYTES:
        raise OAuthError("invalid_request", f"The body is longer than {MAX_BYTES} bytes.", 413)
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise invalid_request(f"The body must be {MEDIA_TYPE}.")
    try:
        text = body.decode("ascii")
    except UnicodeDecodeError:
        raise invalid_request("The body is not percent-encoded.") from None
    return text, parameters_of(text)


def credentials_of(request: Request, parameters: Parameters) -> Credentials:
    """How the client says who it is (RFC 6749 2.3.1): in the header, or in the body, and never in both."""
    headers = request.headers.getlist("authorization")
    if len(headers) > 1:
        raise invalid_request("There is more than one Authorization header.")
    client_id, secret = one(parameters, "client_id"), one(parameters, "client_secret")
    if "client_assertion" in parameters or "client_assertion_type" in parameters:
        raise invalid_client("Clients authenticate with client_secret_basic or client_secret_post.")
    if not headers:
        if client_id is None:
            raise invalid_client("The client does not say who it is.")
        return Credentials(client_id, secret, "none" if secret is None else "client_secret_post")
    name, password = _basic(headers[0])
    if secret is not None:
        raise invalid_request("The client authenticates in two ways at once.")
    if client_id is not None and client_id != name:
        raise invalid_request("client_id is not the client of the Authorization header.")
    # What has no secret may leave it empty (RFC 6749 2.3.1); whether it may have none is judged later.
    return Credentials(name, password or None, "client_secret_basic" if password else "none")


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        raise invalid_client("Clients authenticate with Basic, or in the body.", basic=True)
    try:
        name, colon, password = b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise invalid_client("The Authorization header can't be read.", basic=True) from None
    if not colon:
        raise invalid_client("The Authorization header can't be read.", basic=True)
    return unquote_plus(name), unquote_plus(password)


def address(request: Request) -> str:
    """From where a request comes, as failed attempts are counted."""
    return request.client.host if request.client is not None else "unknown"


async def authenticated(request: Request, parameters: Parameters) -> Client:
    """The client of a request. Raises OAuthError; a failure counts against the address that it came from."""
    services = services_of(request)
    await limits.admit(services, limits.CLIENTS, address(request))
    try:
        given = credentials_of(request, parameters)
        async with services.database.connection() as connection:
            return await clients.authenticate(connection, given, services.clock.now())
    except OAuthError as error:
        if error.error == "invalid_client":
            await limits.failed(services, limits.CLIENTS, address(request))
        raise


@asynccontextmanager
async def in_organization(request: Request, org_id: UUID, actor: Actor) -> AsyncIterator[Uow]:
    """A unit of work in an organisation, committed at the end of the block."""
    services = services_of(request)
    cause = Cause(request_id=getattr(request.state, REQUEST_ID, None), ip=None if request.client is None else request.client.host)
    await services.database.hold(org_id)
    try:
        async with unit_of_work(services.database, org_id, services.clock, actor=actor, cause=cause) as uow:
            yield uow
    finally:
        services.database.release(org_id)


def lifetimes_of(settings: Settings) -> Lifetimes:
    """How long tokens live here."""
    return Lifetimes(
        timedelta(seconds=settings.oauth_access_token_seconds),
        timedelta(days=settings.oauth_refresh_idle_days),
        timedelta(days=settings.oauth_grant_days),
        timedelta(seconds=settings.oauth_refresh_grace_seconds),
    )


def resources_of(request: Request, services: Services) -> Resources:
    """What tokens may be asked for: this API, by its address with and without /v1, and what the settings name."""
    issuer = issuer_of(request)
    return Resources((issuer, f"{issuer}/", f"{issuer}/v1", f"{issuer}/v1/"), services.settings.oauth_resources)
