"""Answers to requests whose work goes on after them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from crm_api.db.uow import Uow
from crm_api.http.services import Services, services_of
from crm_api.http.valkey import ValkeyDown, ValkeyError
from crm_api.jobs import store
from crm_api.jobs.wake import channel
from crm_api.kernel.context import Context


async def accepted(
    request: Request, context: Context, kind: str, asked: Mapping[str, Any], *, ids: Sequence[UUID] | None = None
) -> Response:
    """Stores a job, wakes the workers once it is committed, and answers 202 with it."""
    job_id = await store.accept(context, kind, asked, ids=ids)
    wake_workers(request, context.uow)
    return Response(await store.shown(context, job_id), 202, {"location": f"/v1/jobs/{job_id}"}, "application/json")


def wake_workers(request: Request, uow: Uow) -> None:
    """Makes workers look at the organisation once the request is committed, instead of at the next of their own looks."""
    uow.after_commit.append(_wake(services_of(request)))


def _wake(services: Services) -> Callable[[Uow], Awaitable[None]]:
    async def wake(uow: Uow) -> None:
        if services.valkey is not None:
            with suppress(ValkeyDown, ValkeyError):  # workers look by themselves too
                await services.valkey.call("PUBLISH", channel(uow.org_id), b"")

    return wake
