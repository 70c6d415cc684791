"""Asking for the work that follows a change of the schema. Workers do it, see `work.py`.

Requests that began before a change know the old schema. So the work begins `grace_s` seconds later, when the longest of them
has ended: from then on everybody writes what the new definition asks for, and nothing is written behind the job's back.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.flows.metadata.changes import Schema
from crm_api.kernel.context import Context
from crm_api.kernel.custom.definitions import CustomField
from crm_api.kernel.enqueue import add_job, due

SCHEMA: Final = "schema"
"""The jobs' type."""

GRACE_S: Final = 35.0
"""Longer than the longest request."""

SLOTS, COMPUTE, NUMBER, PURGE_FIELD, PURGE_OBJECT, REPLACE = "slots", "compute", "number", "purge_field", "purge_object", "replace_option"
DERIVE: Final = "derive"
_DERIVING: Final = "metadata.deriving"

_ENDED: Final = Statement("SELECT status NOT IN ('queued', 'running') FROM jobs WHERE org_id = $1 AND id = $2", ("org_id", "id"))


async def ask(context: Context, action: str, object_name: str, *, grace_s: float, field: str | None = None, **more: Any) -> UUID:
    """Stores a job for workers."""
    request = {"action": action, "object": object_name, **({} if field is None else {"field": field}), **more, "grace_s": grace_s}
    job_id = await add_job(context, SCHEMA, request)
    await due(context, job_id, grace_s)
    return job_id


async def derive_anew(context: Context, object_name: str, grace_s: float) -> None:
    """Has a job bring names to show and what `q` finds of an object's records up to date; one job for a transaction."""
    asked: set[str] = context.uow.state.setdefault(_DERIVING, set())
    if object_name not in asked:
        asked.add(object_name)
        await ask(context, DERIVE, object_name, grace_s=grace_s)


async def ask_for(schema: Schema, field: CustomField, action: str, grace_s: float, **more: Any) -> CustomField:
    """The same for a field, whose definition then names the job."""
    job_id = await ask(schema.context, action, field.object, grace_s=grace_s, field=field.api_name, **more)
    return await schema.put(field, properties={**field.properties, "job_id": str(job_id)})


async def at_work(context: Context, field: CustomField) -> bool:
    """Whether a job of the field is still under way; one that was cancelled, failed or is forgotten isn't."""
    job_id = field.properties.get("job_id")
    if job_id is None:
        return False
    ended = await context.uow.fetch_value(_ENDED, {"org_id": context.uow.org_id, "id": UUID(job_id)})
    return ended is False
