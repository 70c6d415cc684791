"""Copying an organisation's rows into a sandbox.

The rows are read in one snapshot of the original, so they fit together however long it takes, and written in chunks of the
sandbox's own transactions, so memory and locks stay small. Tables follow in the order of their references; references within
a table are set when all its rows are there. A copy that was interrupted is begun anew on an empty sandbox.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.core.clock import Clock
from crm_api.db.engine import Database
from crm_api.db.statement import Statement, compile_statement
from crm_api.db.uow import unit_of_work
from crm_api.flows.sandboxes.masking import Masker, Masks, rules_of
from crm_api.flows.sandboxes.remap import Remap
from crm_api.flows.sandboxes.selection import Chosen, unreachable
from crm_api.flows.sandboxes.tables import ABOUT, kind_of, self_references, stored_columns, tenant_tables
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.values import derive
from crm_api.kernel.writes.shape import Shape, shape_of

CHUNK: Final = 500
"""Rows of one transaction."""

_ORG: Final = sa.bindparam("org_id", type_=sa.Uuid())
_IDS: Final = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))

Guard = Callable[[int], Awaitable[None]]
"""Called with the number of rows copied so far, before each chunk is written; raises if the work is no longer ours."""


@dataclass(slots=True)
class Copy:
    """One copy under way. `chosen` are the records of a sample by table, None for all of them."""

    source: Context
    database: Database
    clock: Clock
    sandbox_id: UUID
    remap: Remap
    masker: Masker | None
    rules: Mapping[str, str]
    chosen: Chosen | None
    keep: UUID
    guard: Guard
    done: int = 0
    common: set[UUID] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)

    async def run(self) -> dict[str, int]:
        """Copies every table; how many rows of each."""
        registry = self.source.registry
        if self.chosen is not None:
            await self._find_common()
        by_table: dict[str, list[AnyResource]] = {}
        for one in registry:
            by_table.setdefault(one.table.name, []).append(one)
        for table in tenant_tables():
            kind = kind_of(registry, table)
            if kind in (None, "never") or (
                kind == "data" and table.name not in ABOUT and self.chosen is not None and not self.chosen.get(table.name)
            ):
                continue
            found: Sequence[AnyResource | None] = by_table.get(table.name) or [None]
            for resource in found:
                await self._table(table, resource, kind == "data")
        return self.rows

    async def _table(self, table: sa.Table, resource: AnyResource | None, data: bool) -> None:
        waiting: list[str] = []
        transform = None if resource is None else self._transform(resource, data)
        loops = self_references(table)
        later: list[dict[str, Any]] = []
        async for row in self.source.uow.stream(self._select(table, resource, data), self._values(table, data), CHUNK):
            text = self.remap.text(row["row"])
            if transform is not None:
                text = transform(text)
            waiting.append(text)
            if loops:
                held = {name: found for name in loops if (found := row[f"loop_{name}"]) is not None}
                if held:
                    ids = {name: str(self.remap.id(found)) for name, found in held.items() if self._reaches(table, found, data)}
                    later.append({"id": str(self.remap.id(row["id"])), **ids})
            if len(waiting) == CHUNK:
                await self._write(_insert(table), waiting)
                waiting = []
        if waiting:
            await self._write(_insert(table), waiting)
        for start in range(0, len(later), CHUNK):
            await self._write(_set_loops(table), [orjson.dumps(row).decode() for row in later[start : start + CHUNK]], counted=False)

    def _reaches(self, table: sa.Table, id_: UUID, data: bool) -> bool:
        return self.chosen is None or not data or id_ in self.chosen.get(table.name, ())

    async def _write(self, statement: Statement, rows: list[str], *, counted: bool = True) -> None:
        await self.guard(self.done)
        async with unit_of_work(self.database, self.sandbox_id, self.clock) as uow:
            await uow.fetch(statement, {"org_id": self.sandbox_id, "rows": f"[{','.join(rows)}]"})
        if counted:
            self.done += len(rows)
            name = statement.sql.split(" ", 3)[2]
            self.rows[name] = self.rows.get(name, 0) + len(rows)

    def _select(self, table: sa.Table, resource: AnyResource | None, data: bool) -> Statement:
        row = table.alias("t")
        without = "".join(f" - '{column.name}'" for column in table.c if column.computed is not None)
        columns: list[sa.ColumnElement[Any]] = [sa.literal_column(f"(to_jsonb(t) - 'org_id'{without})::text").label("row")]
        if "id" in row.c:
            columns.append(row.c.id)
        columns += [row.c[name].label(f"loop_{name}") for name in self_references(table)]
        where = [row.c.org_id == _ORG]
        if resource is not None:
            where += resource.scope(row)
        if table.name == "counters":
            where += [row.c.name != sa.literal_column("'journal'"), ~row.c.name.startswith(sa.literal_column("'lock:'"))]
        if data and self.chosen is not None:
            where += [row.c[name] == sa.any_(_IDS) for name in ABOUT.get(table.name, ("id",))]
        return compile_statement(sa.select(*columns).select_from(row).where(*where).order_by(*(row.c[c.name] for c in table.primary_key)))

    def _values(self, table: sa.Table, data: bool) -> dict[str, Any]:
        values: dict[str, Any] = {"org_id": self.source.uow.org_id}
        if data and self.chosen is not None:
            values["ids"] = list(self.copied()) if table.name in ABOUT else list(self.chosen[table.name])
        return values

    async def _find_common(self) -> None:
        """The records that every copy has."""
        for table in tenant_tables():
            if kind_of(self.source.registry, table) == "configuration" and "id" in table.c:
                listed = compile_statement(sa.select(table.c.id).where(table.c.org_id == _ORG))
                self.common |= {row["id"] for row in await self.source.uow.fetch(listed, {"org_id": self.source.uow.org_id})}

    def copied(self) -> Iterable[UUID]:
        """The records of a sample, whatever their table, and those that every copy has."""
        assert self.chosen is not None
        return self.common.union(*self.chosen.values())

    def _transform(self, resource: AnyResource, data: bool) -> Callable[[str], str] | None:
        """What is done to a row's JSON beside its ids: references that would lead nowhere go, personal data is masked."""
        loose = unreachable(self.source, resource, self.chosen) if self.chosen is not None else []
        masks = rules_of(resource, self.rules) if self.masker is not None else {}
        if not loose and not masks:
            return None
        shape = shape_of(self.source, resource)
        reachable = {str(self.remap.id(id_)) for id_ in self.copied()} if loose else set()
        kept = str(self.keep)

        def transform(text: str) -> str:
            row: dict[str, Any] = json.loads(text, parse_float=Decimal)
            for reference in loose:
                _loosen(reference, row, reachable)
            if masks and row["id"] != kept:
                self._mask(shape, masks, row)
            return orjson.dumps(row, default=_number).decode()

        return transform

    def _mask(self, shape: Shape, masks: Masks, row: dict[str, Any]) -> None:
        assert self.masker is not None
        self.masker.row(masks, row)
        known = {name: row.get(name) for name in shape.columns}
        changed = {address.partition(".")[0] for address in masks}
        row.update(derive(shape, self.source.principal.organization.region, known, changed))
        row["display_name"] = known["display_name"]


def _loosen(reference: Field, row: dict[str, Any], reachable: set[str]) -> None:
    holder: dict[str, Any] = row if reference.member is None else row[reference.column]
    name = reference.member or reference.column
    if holder.get(name) is None or holder[name] in reachable:
        return
    if reference.member is None:
        holder[name] = None
    else:
        del holder[name]
        if reference.definition is not None and reference.definition.slot is not None:
            row[reference.definition.slot] = None


def _number(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(type(value).__name__)


def _insert(table: sa.Table) -> Statement:
    loops = self_references(table)
    names = stored_columns(table)
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join("NULL" if name in loops else f'u."{name}"' for name in names)
    source = f"json_populate_recordset(NULL::{table.name}, $2::json) u"
    return Statement(f"INSERT INTO {table.name} (org_id, {columns}) SELECT $1, {values} FROM {source}", ("org_id", "rows"))


def _set_loops(table: sa.Table) -> Statement:
    changes = ", ".join(f'"{name}" = u."{name}"' for name in self_references(table))
    source = f"json_populate_recordset(NULL::{table.name}, $2::json) u"
    return Statement(f"UPDATE {table.name} t SET {changes} FROM {source} WHERE t.org_id = $1 AND t.id = u.id", ("org_id", "rows"))
