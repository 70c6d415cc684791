"""Copying an organisation's rows into a sandbox.

The rows are read in one snapshot of the original, so they fit together however long it takes, and written in chunks of the
sandbox's own transactions, so memory and locks stay small. Tables follow in the order of their references; references within
a table are set when all its rows are there. A copy that was interrupted goes on where it stopped (`catching_up`).
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
from crm_api.flows.sandboxes.progress import Place, Progress
from crm_api.flows.sandboxes.remap import Remap
from crm_api.flows.sandboxes.selection import Chosen, unreachable
from crm_api.flows.sandboxes.tables import ABOUT, clear, columns_of, is_resumable, kind_of, self_references, stored_columns, tenant_tables
from crm_api.kernel.context import Context
from crm_api.kernel.fields import Field
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.values import derive
from crm_api.kernel.writes.shape import Shape, shape_of

CHUNK: Final = 500
"""Rows of one transaction."""

_ORG: Final = sa.bindparam("org_id", type_=sa.Uuid())
_IDS: Final = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))
_ONLY: Final = sa.bindparam("only", type_=ARRAY(sa.Uuid()))
_AFTER: Final = sa.bindparam("after", type_=sa.Uuid())

Guard = Callable[[Progress | None], Awaitable[None]]
"""Called before anything is written, with how far the copy has come (None: as told before); raises if the work is no longer ours."""


@dataclass(frozen=True, slots=True)
class Step:
    """One table, or what one object has in it."""

    table: sa.Table
    resource: AnyResource | None
    data: bool

    @property
    def key(self) -> tuple[str, str | None]:
        """What names it."""
        return str(self.table.name), None if self.resource is None else self.resource.name


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
    head: int
    done: int = 0
    common: set[UUID] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)
    place: Place | None = None
    resumed: bool = False

    def resume(self, progress: Progress) -> None:
        """Goes on behind what an earlier attempt has written, which has been brought up to date."""
        self.done, self.rows, self.place, self.resumed = progress.done, dict(progress.rows), progress.place, True

    async def run(self) -> dict[str, int]:
        """Copies every table; how many rows of each."""
        if self.chosen is not None:
            await self._find_common()
        steps = self.steps()
        begun = self.place
        first = 0 if begun is None else next(index for index, step in enumerate(steps) if step.key == begun.key)
        for index, step in enumerate(steps[first:], first):
            mine = begun if begun is not None and index == first else Place(*step.key)
            if not mine.rows_done:
                self.place = mine
                if self.resumed and not is_resumable(step.table):
                    await self.run_out(clear(step.table))
                await self.rows_of(step, mine.after)
            if self_references(step.table):
                self.place = Place(*step.key, rows_done=True)
                await self.loops_of(step)
        return self.rows

    def steps(self) -> list[Step]:
        """What is copied, those first that others refer to."""
        registry = self.source.whole
        found: list[Step] = []
        by_table: dict[str, list[AnyResource]] = {}
        for one in registry:
            by_table.setdefault(one.table.name, []).append(one)
        for table in tenant_tables():
            kind = kind_of(registry, table)
            if kind in (None, "never") or (
                kind == "data" and table.name not in ABOUT and self.chosen is not None and not self.chosen.get(table.name)
            ):
                continue
            owners: Sequence[AnyResource | None] = by_table.get(table.name) or [None]
            found += [Step(table, resource, kind == "data") for resource in owners]
        return found

    async def rows_of(self, step: Step, after: UUID | None = None, *, ids: Sequence[UUID] | None = None, quiet: bool = False) -> set[UUID]:
        """Writes the rows of a step behind an id, or those that belong to some ids; the ids of the latter that there are. `quiet`: it is
        no progress."""
        transform = None if step.resource is None else self._transform(step.resource, step.data)
        statement = _insert(step.table, anew=(self.resumed or quiet) and is_resumable(step.table))
        values = self._values(step)
        values |= {"after": after} if after is not None else {}
        values |= {"only": list(ids)} if ids is not None else {}
        resumable = is_resumable(step.table)
        found: set[UUID] = set()
        waiting: list[str] = []
        last: UUID | None = after

        async def flush() -> None:
            await self._write(statement, waiting, None if quiet else self._progress())
            if not quiet:
                self.done += len(waiting)
                name = str(step.table.name)
                self.rows[name] = self.rows.get(name, 0) + len(waiting)
                self.place = Place(*step.key, last if resumable else None)
            waiting.clear()

        async for row in self.source.uow.stream(self._select(step, after=after is not None, only=ids is not None), values, CHUNK):
            text = self.remap.text(row["row"])
            waiting.append(text if transform is None else transform(text))
            if resumable:
                last = row["id"]
                found.add(row["id"])
            if len(waiting) == CHUNK:
                await flush()
                if ids is None:
                    found.clear()
        if waiting:
            await flush()
        return found

    async def loops_of(self, step: Step, ids: Sequence[UUID] | None = None) -> None:
        """Sets what rows of a step refer to in their own table, of all of them or of some."""
        loops = self_references(step.table)
        if not loops or (ids is not None and not ids):
            return
        row = step.table.alias("t")
        where = [row.c.org_id == _ORG, sa.or_(*(row.c[name].is_not(None) for name in loops))]
        values: dict[str, Any] = {"org_id": self.source.uow.org_id}
        if ids is not None:
            where.append(row.c.id == sa.any_(_ONLY))
            values["only"] = list(ids)
        elif step.data and self.chosen is not None:
            where.append(row.c.id == sa.any_(_IDS))
            values["ids"] = list(self.chosen[step.table.name])
        if step.resource is not None:
            where += step.resource.scope(row)
        listed = compile_statement(sa.select(row.c.id, *(row.c[name] for name in loops)).where(*where).order_by(row.c.id))
        waiting: list[str] = []
        statement = _set_loops(step.table)
        told = None if ids is not None else self._progress()
        async for found in self.source.uow.stream(listed, values, CHUNK):
            held = {name: found[name] for name in loops if found[name] is not None}
            kept = {name: str(self.remap.id(target)) for name, target in held.items() if self._reaches(step, target)}
            waiting.append(orjson.dumps({"id": str(self.remap.id(found["id"])), **kept}).decode())
            if len(waiting) == CHUNK:
                await self._write(statement, waiting, told)
                waiting.clear()
        if waiting:
            await self._write(statement, waiting, told)

    def _progress(self) -> Progress:
        return Progress(self.head, self.source.principal.organization.schema_version, self.place, self.done, dict(self.rows))

    def _reaches(self, step: Step, id_: UUID) -> bool:
        return self.chosen is None or not step.data or id_ in self.chosen.get(step.table.name, ())

    async def _write(self, statement: Statement, rows: Sequence[str], progress: Progress | None) -> None:
        await self.guard(progress)
        await self.in_sandbox(statement, {"rows": f"[{','.join(rows)}]"})

    async def in_sandbox(self, statement: Statement, values: Mapping[str, Any]) -> Any:
        """Runs a statement in a transaction of the sandbox."""
        async with unit_of_work(self.database, self.sandbox_id, self.clock) as uow:
            return await uow.fetch_value(statement, {"org_id": self.sandbox_id, **values})

    async def run_out(self, statement: Statement) -> None:
        """Runs a statement that takes away some rows until none is left."""
        while True:
            await self.guard(None)
            if await self.in_sandbox(statement, {"limit": CHUNK}) < CHUNK:
                return

    def _select(self, step: Step, *, after: bool, only: bool) -> Statement:
        table = step.table
        row = table.alias("t")
        without = "".join(f" - '{column.name}'" for column in table.c if column.computed is not None)
        columns: list[sa.ColumnElement[Any]] = [sa.literal_column(f"(to_jsonb(t) - 'org_id'{without})::text").label("row")]
        if "id" in row.c:
            columns.append(row.c.id)
        where = [row.c.org_id == _ORG]
        if step.resource is not None:
            where += step.resource.scope(row)
        if after:
            where.append(row.c.id > _AFTER)
        if only:
            where.append(sa.or_(*(row.c[name] == sa.any_(_ONLY) for name in columns_of(table))))
        if table.name == "counters":
            where += [row.c.name != sa.literal_column("'journal'"), ~row.c.name.startswith(sa.literal_column("'lock:'"))]
        if step.data and self.chosen is not None:
            where += [row.c[name] == sa.any_(_IDS) for name in ABOUT.get(table.name, ("id",))]
        return compile_statement(sa.select(*columns).select_from(row).where(*where).order_by(*(row.c[c.name] for c in table.primary_key)))

    def _values(self, step: Step) -> dict[str, Any]:
        values: dict[str, Any] = {"org_id": self.source.uow.org_id}
        if step.data and self.chosen is not None:
            values["ids"] = list(self.copied()) if step.table.name in ABOUT else list(self.chosen[step.table.name])
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


def _insert(table: sa.Table, *, anew: bool = False) -> Statement:
    """Adds rows; `anew` over those that are there already."""
    loops = self_references(table)
    names = stored_columns(table)
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join("NULL" if name in loops else f'u."{name}"' for name in names)
    source = f"json_populate_recordset(NULL::{table.name}, $2::json) u"
    over = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name != "id")
    conflict = f" ON CONFLICT (org_id, id) DO UPDATE SET {over}" if anew else ""
    return Statement(f"INSERT INTO {table.name} (org_id, {columns}) SELECT $1, {values} FROM {source}{conflict}", ("org_id", "rows"))


def _set_loops(table: sa.Table) -> Statement:
    changes = ", ".join(f'"{name}" = u."{name}"' for name in self_references(table))
    source = f"json_populate_recordset(NULL::{table.name}, $2::json) u"
    return Statement(f"UPDATE {table.name} t SET {changes} FROM {source} WHERE t.org_id = $1 AND t.id = u.id", ("org_id", "rows"))
