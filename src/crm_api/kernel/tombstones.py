"""What answers for an id without a row: a purged record is `deleted` for good, anything else was never there.

Whoever may read an object could have seen its purged records, and the journal tells of them; so reads and writes alike say 410
with `restorable: false`. The look-up costs a statement in that case only.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.errors import Deleted, NotFound, Problem
from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource
from crm_api.models.base import table
from crm_api.models.platform import Tombstone

_TOMBSTONES = table(Tombstone)
_PURGED: Final = compile_statement(
    sa.select(_TOMBSTONES.c.id).where(
        _TOMBSTONES.c.org_id == sa.bindparam("org_id", type_=PgUUID(as_uuid=True)),
        _TOMBSTONES.c.id == sa.any_(sa.bindparam("ids", type_=ARRAY(PgUUID(as_uuid=True)))),
        _TOMBSTONES.c.object == sa.bindparam("object", type_=sa.Text()),
    )
)


async def absent(context: Context, resource: AnyResource, ids: Collection[UUID]) -> dict[UUID, Problem]:
    """The problem of each id that has no row."""
    if not ids:
        return {}
    values = {"org_id": context.uow.org_id, "ids": list(ids), "object": resource.name}
    purged = {row["id"] for row in await context.uow.fetch(_PURGED, values)}
    return {id: Deleted(restorable=False) if id in purged else NotFound() for id in ids}
