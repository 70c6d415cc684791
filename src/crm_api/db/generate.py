"""What Alembic writes into a new revision by itself: a table that is made is also placed and, if it is a tenant's, fenced.

Forgetting either would show only later (rows of other tenants in sight, a table on one node), so it isn't left to memory. The
few tables that are looked up before the organisation is known are written by hand (see `place_table`).
"""

from __future__ import annotations

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.rewriter import Rewriter
from alembic.operations.ops import CreateTableOp, MigrateOperation
from alembic.runtime.migration import MigrationContext

placed = Rewriter()
"""Hand this to `context.configure(process_revision_directives=…)`."""


class PlaceTableOp(MigrateOperation):
    """Stands behind a `create_table` in a revision that is being written; it is only ever rendered, never run."""

    def __init__(self, table: str, *, tenant: bool) -> None:
        self.table = table
        self.tenant = tenant


@placed.rewrites(CreateTableOp)
def _place(_: MigrationContext, __: object, made: CreateTableOp) -> list[MigrateOperation]:
    return [made, PlaceTableOp(made.table_name, tenant="org_id" in made.to_table().c)]


@renderers.dispatch_for(PlaceTableOp)
def _render(_: AutogenContext, place: PlaceTableOp) -> list[str]:
    if not place.tenant:
        return [f'place_table(op, "{place.table}", None)']
    return [f'place_table(op, "{place.table}")', f'fence_table(op, "{place.table}")']
