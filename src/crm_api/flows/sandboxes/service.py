"""Sandboxes as their organisation sees them: making, listing, refreshing, deleting them, and getting into them.

What takes long is a job (`jobs/sandboxes.py`); here is what goes into the request's own transaction.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import Conflict, Forbidden, LimitExceeded, NotFound, ValidationFailed
from crm_api.core.json import dumps
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows import tokens
from crm_api.flows.minting import limits_of
from crm_api.flows.sandboxes import masking
from crm_api.flows.sandboxes.remap import Remap
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.enqueue import add_job, due
from crm_api.kernel.locks import serialize
from crm_api.models.base import table
from crm_api.models.tenancy import Organization
from crm_api.resources.users import belongings

MAX_SANDBOXES: Final = 5
SANDBOX: Final = "sandbox"
"""The type of the jobs."""

What = Literal["metadata", "sample", "full"]
Action = Literal["create", "refresh", "delete"]

_COLUMNS: Final = (
    "s.id, s.name, s.copy, s.mask, s.sample_size, s.status, s.job_id, s.user_id, s.secret, s.created_at, s.refreshed_at, s.created_by"
)
_FROM: Final = (
    f"SELECT {_COLUMNS}, j.status AS job_status FROM sandboxes s LEFT JOIN jobs j ON j.org_id = s.org_id AND j.id = s.job_id"
    " WHERE s.org_id = $1 AND (j.org_id IS NULL OR j.org_id = $1)"
)
_LIST: Final = Statement(f"{_FROM} ORDER BY s.created_at, s.id LIMIT 100", ("org_id",))
_GET: Final = Statement(f"{_FROM} AND s.id = $2", ("org_id", "id"))
_COUNT: Final = Statement("SELECT count(*) FROM sandboxes WHERE org_id = $1", ("org_id",))
_OWN: Final = frozenset(
    {
        "id",
        "name",
        "environment",
        "settings",
        "schema_version",
        "access_version",
        "clock_offset_us",
        "clock_frozen_at",
        "parent_id",
        "created_at",
    }
)
_SHARED: Final = [column.name for column in table(Organization).c if column.name not in _OWN]
"""Columns of an organisation that its sandboxes have from it."""

_OFF: Final = 'settings || \'{"outbound": "off"}\'::jsonb'
_ORGANIZATION: Final = Statement(
    f"INSERT INTO organizations (id, name, environment, {', '.join(_SHARED)}, settings, schema_version, parent_id, created_at)"
    f" SELECT $2, $3, 'sandbox', {', '.join(_SHARED)}, {_OFF}, schema_version, id, $4 FROM organizations WHERE id = $1",
    ("org_id", "id", "name", "now"),
)
_ADD: Final = Statement(
    "INSERT INTO sandboxes (org_id, id, name, copy, mask, sample_size, status, job_id, user_id, secret, created_at, created_by)"
    " VALUES ($1, $2, $3, $4, $5::jsonb, $6, 'making', $7, $8, $9, $10, $11::jsonb)",
    ("org_id", "id", "name", "copy", "mask", "sample_size", "job_id", "user_id", "secret", "now", "actor"),
)
_BEGIN: Final = Statement(
    "UPDATE sandboxes SET status = $3, job_id = $4 WHERE org_id = $1 AND id = $2", ("org_id", "id", "status", "job_id")
)
_READY: Final = Statement("UPDATE sandboxes SET status = 'ready', refreshed_at = $3 WHERE org_id = $1 AND id = $2", ("org_id", "id", "now"))
# Processes keep what they know of an organisation by the number of its schema, so it has to rise.
_LIKE_PARENT: Final = Statement(
    f"UPDATE organizations s SET {', '.join(f'{name} = p.{name}' for name in _SHARED)}, settings = p.{_OFF},"
    " schema_version = greatest(s.schema_version, p.schema_version) + 1"
    " FROM organizations p WHERE s.id = $2 AND p.id = $1 AND s.parent_id = p.id",
    ("org_id", "id"),
)
_GONE: Final = Statement("DELETE FROM sandboxes WHERE org_id = $1 AND id = $2", ("org_id", "id"))
_END_TOKENS: Final = Statement("UPDATE tokens SET revoked_at = coalesce(revoked_at, $2) WHERE org_id = $1", ("org_id", "now"))


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One of the organisation's sandboxes. `mask` holds a caller's own rules; None: nothing is masked."""

    id: UUID
    name: str
    copy: What
    mask: Mapping[str, str] | None
    sample_size: int | None
    status: str
    job_id: UUID
    user_id: UUID
    secret: bytes
    shown: dict[str, Any]

    @property
    def remap(self) -> Remap:
        """What ids become in it: the person who made it stays the same."""
        return Remap(self.secret, {self.user_id: self.user_id})


def require_production(context: Context) -> None:
    """Raises Forbidden in a sandbox: sandboxes have none of their own."""
    if context.principal.organization.environment != "production":
        raise Forbidden("Sandboxes are made from production organisations; this is one itself.")


async def create(context: Context, *, name: str, copy: What, mask: bool | Mapping[str, str], sample_size: int | None) -> UUID:
    """A new sandbox, and the job that fills it; the job's id.

    Raises Forbidden, LimitExceeded, ValidationFailed for unknown rules of masking.
    """
    require_production(context)
    rules = dict(mask) if isinstance(mask, Mapping) else {}
    errors = masking.check(context.whole, rules)
    if errors:
        raise ValidationFailed(errors)
    uow = context.uow
    await serialize(context, "sandboxes")
    count = await uow.fetch_value(_COUNT, {"org_id": uow.org_id})
    if count >= MAX_SANDBOXES:
        raise LimitExceeded("sandboxes", MAX_SANDBOXES, count + 1)
    sandbox_id = uow.new_id()
    await uow.fetch(_ORGANIZATION, {"org_id": uow.org_id, "id": sandbox_id, "name": name, "now": uow.now})
    job_id = await _job(context, sandbox_id, "create")
    await uow.fetch(
        _ADD,
        {
            "org_id": uow.org_id,
            "id": sandbox_id,
            "name": name,
            "copy": copy,
            "mask": None if mask is False else dumps(rules).decode(),
            "sample_size": sample_size,
            "job_id": job_id,
            "user_id": context.principal.user_id,
            "secret": os.urandom(32),
            "now": uow.now,
            "actor": dumps(uow.actor.json()).decode(),
        },
    )
    details = {"name": name, "copy": copy, "masked": mask is not False, "sample_size": sample_size}
    audit.record(uow, "sandbox.created", object="sandboxes", record_id=sandbox_id, details=details)
    return job_id


async def begin(context: Context, sandbox_id: UUID, action: Action) -> UUID:
    """Asks for a refresh or for the end of a sandbox; the job's id. A sandbox that is to go lets nobody in any more.

    Raises NotFound, Conflict while something else is done with it.
    """
    await serialize(context, "sandboxes")
    sandbox = await get(context.uow, sandbox_id)
    if sandbox.status not in ("ready", "failed"):
        raise Conflict(f"The sandbox is {sandbox.status} just now.")
    job_id = await _job(context, sandbox_id, action)
    status = "refreshing" if action == "refresh" else "deleting"
    await context.uow.fetch(_BEGIN, {"org_id": context.uow.org_id, "id": sandbox_id, "status": status, "job_id": job_id})
    verb = "refreshed" if action == "refresh" else "deleted"
    audit.record(context, f"sandbox.{verb}", object="sandboxes", record_id=sandbox_id, details={"name": sandbox.name})
    if action == "delete":
        await context.uow.fetch(_END_TOKENS, {"org_id": sandbox_id, "now": context.uow.clock.now()})
    return job_id


async def _job(context: Context, sandbox_id: UUID, action: Action) -> UUID:
    job_id = await add_job(context, SANDBOX, {"sandbox_id": sandbox_id, "action": action})
    await due(context, job_id)
    return job_id


async def token(context: Context, sandbox_id: UUID, name: str) -> tuple[str, dict[str, Any]]:
    """A token with all rights in a sandbox, for the caller as its member. Its text, and its description.

    Raises NotFound, Conflict for a sandbox that is not ready.
    """
    sandbox = await get(context.uow, sandbox_id)
    if sandbox.status != "ready":
        raise Conflict(f"The sandbox is {sandbox.status} just now.")
    user_id = sandbox.remap.id(context.principal.user_id)
    own = await limits_of(context)  # what holds for the calling token holds for the sandbox's
    return await tokens.create(
        context.uow,
        user_id=user_id,
        name=name,
        scopes=["admin"],
        expires_at=own.expires_at,
        networks=own.networks,
        maker_id=context.principal.user_id,
        org_id=sandbox_id,
    )


async def listed(context: Context) -> list[dict[str, Any]]:
    """The organisation's sandboxes, oldest first."""
    return [_of(row).shown for row in await context.uow.fetch(_LIST, {"org_id": context.uow.org_id})]


async def get(uow: Uow, sandbox_id: UUID) -> Sandbox:
    """One of the organisation's sandboxes. Raises NotFound."""
    row = await uow.fetch_row(_GET, {"org_id": uow.org_id, "id": sandbox_id})
    if row is None:
        raise NotFound()
    return _of(row)


async def ready(uow: Uow, sandbox_id: UUID) -> None:
    """The sandbox is filled; its settings are those of the organisation now."""
    values = {"org_id": uow.org_id, "id": sandbox_id, "now": uow.now}
    await uow.fetch(_LIKE_PARENT, values)
    await uow.fetch(_READY, values)
    await belongings.keep_in(uow, sandbox_id, (await get(uow, sandbox_id)).user_id)  # the only member who is a person


async def gone(uow: Uow, sandbox_id: UUID) -> None:
    """The sandbox is no more."""
    await uow.fetch(_GONE, {"org_id": uow.org_id, "id": sandbox_id})
    await belongings.forget(uow, sandbox_id)


def _of(row: Any) -> Sandbox:
    status = row["status"]
    if status != "ready" and row["job_status"] in (None, "failed", "cancelled"):
        status = "failed"
    mask = None if row["mask"] is None else orjson.loads(row["mask"])
    shown = {
        "object": "sandboxes",
        "id": str(row["id"]),
        "name": row["name"],
        "copy": row["copy"],
        "mask": False if mask is None else mask or True,
        "sample_size": row["sample_size"],
        "status": status,
        "job_id": str(row["job_id"]),
        "outbound": "off",
        "created_at": format_timestamp(row["created_at"]),
        "created_by": orjson.loads(row["created_by"]),
        "refreshed_at": None if row["refreshed_at"] is None else format_timestamp(row["refreshed_at"]),
    }
    named = (row["name"], row["copy"], mask, row["sample_size"], status)
    return Sandbox(row["id"], *named, row["job_id"], row["user_id"], bytes(row["secret"]), shown)
