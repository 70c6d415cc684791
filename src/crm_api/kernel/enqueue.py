"""Jobs that follow from writes: stored in the transaction that asks for them, done by a worker after its commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from crm_api.core.json import dumps
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.principal import Principal

_ADD: Final = Statement(
    "INSERT INTO jobs (org_id, id, type, request, principal, user_id, created_by, total, created_at)"
    " VALUES ($1, $2, $3, $4::jsonb, $5::jsonb, $6, $7::jsonb, $8, $9)",
    ("org_id", "id", "type", "request", "principal", "user_id", "created_by", "total", "now"),
)
_ADD_DUE: Final = Statement(
    "INSERT INTO job_due (org_id, job_id, due_at) VALUES ($1, $2, now() + make_interval(secs => $3))", ("org_id", "id", "seconds")
)


def principal_json(principal: Principal) -> dict[str, Any]:
    """The caller as a job keeps it: the organisation's own settings are read again when the job runs."""
    return {
        "user_id": principal.user_id,
        "token_id": principal.token_id,
        "token_name": principal.token_name,
        "scopes": sorted(principal.scopes),
        "app_id": principal.app_id,
        "api_version": principal.api_version,
        "token_fields": None if principal.token_fields is None else {name: sorted(one) for name, one in principal.token_fields.items()},
    }


async def add_job(context: Context, kind: str, request: Mapping[str, Any], total: int | None = None) -> UUID:
    """Stores a job of the caller's. It begins when it is `due`."""
    uow, principal = context.uow, context.principal
    job_id = uow.new_id()
    await uow.fetch(
        _ADD,
        {
            "org_id": uow.org_id,
            "id": job_id,
            "type": kind,
            "request": _text(request),
            "principal": _text({**principal_json(principal), "request_id": uow.cause.request_id}),
            "user_id": principal.user_id,
            "created_by": _text(uow.actor.json()),
            "total": total,
            "now": uow.now,
        },
    )
    return job_id


async def due(context: Context, job_id: UUID, after_s: float = 0) -> None:
    """Lets workers take up a job that is stored with all it needs, at once or some seconds later."""
    await context.uow.fetch(_ADD_DUE, {"org_id": context.uow.org_id, "id": job_id, "seconds": float(after_s)})


def _text(value: Any) -> str:
    return dumps(value).decode()
