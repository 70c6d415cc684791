"""Asking for a person's data to be brought together or removed: checking whom it is about, and handing it to a job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.errors import FieldError, NotFound, ValidationFailed
from crm_api.core.json import dumps
from crm_api.db.statement import Statement, compile_statement
from crm_api.flows.privacy.people import OBJECTS, MatchOn, People, known_by_email
from crm_api.kernel import audit
from crm_api.kernel.context import Context
from crm_api.kernel.enqueue import add_job, due
from crm_api.kernel.tombstones import absent
from crm_api.kernel.writes.statements import IDS, ORG

EXPORT: Final = "privacy_export"
ERASE: Final = "privacy_erase"

_KEEP: Final = Statement("UPDATE jobs SET result = $3::jsonb WHERE org_id = $1 AND id = $2", ("org_id", "id", "result"))


async def subject(context: Context, object_name: str, record_id: UUID) -> People:
    """The people of a record, deleted or purged ones too. Raises ValidationFailed for one that never was."""
    resource = context.whole[object_name]
    table = resource.table
    there = compile_statement(sa.select(table.c.id).where(table.c.org_id == ORG, table.c.id == sa.any_(IDS)))
    if not await context.uow.fetch(there, {"org_id": context.uow.org_id, "ids": [record_id]}):
        problem = (await absent(context, resource, [record_id]))[record_id]
        if isinstance(problem, NotFound):
            raise ValidationFailed([FieldError("not_found_reference", pointer="/subject/id")])
    return People(contacts={record_id}) if object_name == OBJECTS[0] else People(leads={record_id})


def addressed(email: str) -> People:
    """The people of an e-mail address. Raises ValidationFailed for what is none."""
    found = known_by_email(email)
    if not found.emails:
        raise ValidationFailed([FieldError("invalid_email", pointer="/subject/email", params={"reason": "no e-mail address"})])
    return found


async def ask(context: Context, kind: str, people: People, match_on: Sequence[MatchOn], **more: Any) -> UUID:
    """Stores the job. What it is about stands with it only while it is at work, and in no request: ids alone are shown there."""
    ids = [{"object": name, "id": str(id_)} for name in OBJECTS for id_ in sorted(people.of(name))]
    request: Mapping[str, Any] = {"subject": ids[0] if ids else {"by": "email"}, "match_on": list(match_on), **more}
    job_id = await add_job(context, kind, request)
    kept = dumps({"people": people.json()}).decode()
    await context.uow.fetch(_KEEP, {"org_id": context.uow.org_id, "id": job_id, "result": kept})
    await due(context, job_id)
    if not more.get("dry_run"):
        record_id = UUID(ids[0]["id"]) if ids else None
        object_name = ids[0]["object"] if ids else None
        action = f"privacy.{kind.removeprefix('privacy_')}_asked"
        audit.record(context, action, object=object_name, record_id=record_id, details={"job_id": str(job_id)})
    return job_id
