"""Amounts valued anew, after rates or the organisation's own currency have changed: some records in each transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.base_amounts import DAY, twins, wanted_for
from crm_api.kernel.context import Context
from crm_api.kernel.custom.writing import COLUMN
from crm_api.kernel.engine import Engine
from crm_api.kernel.exchange import rates_of
from crm_api.kernel.locks import ORG
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.shape import Shape, shape_of
from crm_api.kernel.writes.types import WriteOptions

LOOKED_AT: Final = 500
"""Records that one step looks at; it writes those of them whose worth has changed."""

_NONE: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next step begins: behind this record of this object."""

    object: str
    after: UUID


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did; without a `next` it was the last one."""

    looked_at: int
    changed: int
    next: Place | None


def objects(context: Context) -> list[AnyResource]:
    """The objects whose amounts have a worth in the organisation's currency."""
    return [resource for resource in context.whole if shape_of(context, resource).twins]


def first(context: Context) -> Place | None:
    """Where the work begins."""
    found = objects(context)
    return Place(found[0].name, _NONE) if found else None


async def step(context: Context, engine: Engine, place: Place, currencies: Sequence[str] | None) -> Step:
    """Looks at the next records in these currencies (None: in any), and brings their twins up to date by ordinary writes."""
    resource = context.whole[place.object]
    shape = shape_of(context, resource)
    values: dict[str, Any] = {"org_id": context.uow.org_id, "after": place.after}
    if currencies is not None:
        values["currencies"] = list(currencies)
    if currencies is not None and not shape.priced:  # all of it is in the organisation's currency
        return Step(0, 0, _next(context, resource, ()))
    found = await context.uow.fetch(_statement(context, shape, everything=currencies is None), values)
    rows = [_with_members(row) for row in found]
    own = context.principal.organization.currency
    rates = await rates_of(context, [wanted_for(row, own) for row in rows], held=True)
    changes: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        worth = twins(shape, row, rates.get(wanted_for(row, own)), own)
        if any(str(twin.get(row)) != str(value) for twin, value in worth.items()):
            changes[row["id"]] = {twin.address: value for twin, value in worth.items()}
    if changes:
        await engine.writer.update_rows(context, resource, changes, options=WriteOptions(atomic=False))
    return Step(len(rows), len(changes), _next(context, resource, rows))


def _next(context: Context, resource: AnyResource, rows: Sequence[Any]) -> Place | None:
    if len(rows) == LOOKED_AT:
        return Place(resource.name, rows[-1]["id"])
    names = [one.name for one in objects(context)]
    place = names.index(resource.name) + 1
    return Place(names[place], _NONE) if place < len(names) else None


def _with_members(row: Any) -> dict[str, Any]:
    found = dict(row)
    if COLUMN in found:
        found[COLUMN] = orjson.loads(found[COLUMN])
    return found


def _statement(context: Context, shape: Shape, *, everything: bool) -> Statement:
    def build() -> Statement:
        table = shape.table
        own = (name for name in ("currency", DAY) if name in table.c)
        names = dict.fromkeys(["id", "created_at", *own, *(field.column for pair in shape.twins for field in pair)])
        query = sa.select(*(table.c[name] for name in names)).where(
            table.c.org_id == ORG,
            *shape.resource.scope(table),
            table.c.id > sa.bindparam("after", type_=PgUUID(as_uuid=True)),
            table.c.deleted_at.is_(None),
        )
        if not everything:
            query = query.where(table.c.currency == sa.any_(sa.bindparam("currencies", type_=ARRAY(sa.Text))))
        return compile_statement(query.order_by(table.c.id).limit(sa.literal_column(str(LOOKED_AT))))

    return context.statements.get(("revalue", shape.key, everything), build)
