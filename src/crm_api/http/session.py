"""Callers of routes that outlive a transaction: long-poll and streams authenticate once and open short units of work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from crm_api.core.errors import Problem, Unavailable
from crm_api.db.engine import Busy
from crm_api.db.errors import classify
from crm_api.db.uow import unit_of_work
from crm_api.http.auth import authenticate, bearer_hash
from crm_api.http.routing import admit, client_ip
from crm_api.http.services import Services
from crm_api.kernel.context import Context
from crm_api.kernel.principal import Principal


async def enter(request: Request, services: Services, cost: int = 1, hash_: bytes | None = None) -> Principal:
    """The caller, counted against its rate limit; `hash_` is that of the token, where the request doesn't carry it.

    Raises a 401, 429 or 503 problem.
    """
    with_hash = bearer_hash(request) if hash_ is None else hash_
    async with answering(), services.database.connection() as connection:
        principal = await authenticate(connection, with_hash, services.clock.now(), client_ip(request))
    services.token_use.note(with_hash)
    await admit(request, services, principal, cost)
    return principal


async def enter_again(request: Request, services: Services) -> Principal:
    """The same caller as the token is now; for streams, which outlive a token's expiry or revocation."""
    async with answering(), services.database.connection() as connection:
        return await authenticate(connection, bearer_hash(request), services.clock.now(), client_ip(request))


@asynccontextmanager
async def working(services: Services, principal: Principal) -> AsyncIterator[Context]:
    """A context in a short unit of work of its own, committed at the end. Raises 503 if the database is busy or away."""
    async with answering():
        await services.database.hold(principal.org_id)
        try:
            async with unit_of_work(
                services.database, principal.org_id, services.clock, actor=principal.actor, time=principal.organization.time
            ) as uow:
                await uow.begin()
                # Planning a statement over all days' partitions takes longer than running it; the plan for any values is as good.
                await uow.connection.run("SET LOCAL plan_cache_mode = force_generic_plan")
                yield await services.engine.context(principal, uow)
        finally:
            services.database.release(principal.org_id)


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Turns the database's refusals into the problems that clients understand."""
    try:
        yield
    except Problem:
        raise
    except Busy:
        raise Unavailable("Too many requests of this organisation are waiting for the database.") from None
    except Exception as error:
        kind = classify(error).kind
        if kind in ("unavailable", "retry"):
            raise Unavailable("The database is not reachable.", retry_after=2) from error
        if kind == "timeout":
            raise Unavailable("The statement took too long and was given up.", retry_after=5) from error
        raise
