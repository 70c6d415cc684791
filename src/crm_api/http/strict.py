"""Query strings of ordinary FastAPI routes, which FastAPI itself would read by half: what it doesn't know, it drops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest, FieldError, InvalidValue, UnknownParameter
from crm_api.kernel.context import Context
from crm_api.kernel.query.request import split_query

Handler = Callable[[Request], Awaitable[Response]]
DRY_RUN: Final = "dry_run"
EXPAND: Final = "expand"


def strict(route: APIRoute, inner: Handler, *, writes: bool, joined: str) -> Handler:
    """`inner` for requests whose query string holds only parameters of the route, and `dry_run` if it `writes`.

    `joined` is the scope key of requests inside a composite, which are tried together or not at all.
    """
    in_path = set(route.param_convertors)
    known = {field.alias for field in get_flat_params(route.dependant)} - in_path
    allowed = sorted(known | ({DRY_RUN} if writes else set()))

    async def handle(request: Request) -> Response:
        query: bytes = request.scope["query_string"]
        if query:
            _check(request, query.decode("latin-1"), allowed, joined if writes else None)
        return await inner(request)

    return handle


def _check(request: Request, query: str, allowed: Sequence[str], joined: str | None) -> None:
    errors = []
    for name, values in split_query(query):
        if name in allowed or (EXPAND in allowed and name.startswith(f"{EXPAND}[")):
            if name == DRY_RUN and joined is not None:
                _try_only(request, values, joined)
        else:
            errors.append(FieldError("unknown_parameter", parameter=name, allowed=allowed))
    if errors:
        raise UnknownParameter.of(errors)


def _try_only(request: Request, values: Sequence[str], joined: str) -> None:
    if values not in (["true"], ["false"]):
        raise BadRequest(errors=[InvalidValue("invalid_boolean").at(parameter=DRY_RUN)])
    if values == ["true"]:
        if joined in request.scope:
            raise BadRequest(errors=[InvalidValue("invalid_combination", other="composite").at(parameter=DRY_RUN)])
        context: Context = request.state.context
        context.uow.dry_run = True
