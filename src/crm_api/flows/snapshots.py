"""Snapshots of the journal: all records of some objects at one instant, and the cursor from which to follow them.

The cursor is the journal's number in the very snapshot that the files are read from. Every event up to it had committed by
then, so it is in the files; what committed meanwhile without a number yet is in the files too and comes again after the
cursor, where its version tells that it is known. Hence the recipe: load the files, read from the cursor, apply an event if
its version is greater than the stored one.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.core.clock import format_timestamp
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.event_json import LINKS
from crm_api.kernel.journal import encode_events_cursor
from crm_api.kernel.link_reach import visible_links
from crm_api.kernel.principal import Principal
from crm_api.kernel.query.projection import record_json
from crm_api.kernel.registry import Registry
from crm_api.kernel.writes.edges import TABLE as LINK_TABLE
from crm_api.kernel.writes.edges import link_json

Deleted = Literal["include", "exclude"]
Progress = Callable[[int, int], Awaitable[None]]
"""Told now and then: lines written, lines in all."""

_BATCH: Final = 1_000
_BUFFER: Final = 1 << 20
_ORG: Final = sa.bindparam("org_id", type_=sa.Uuid())
_HEAD: Final = Statement("SELECT value FROM counters WHERE org_id = $1 AND name = 'journal'", ("org_id",))


@dataclass(frozen=True, slots=True)
class File:
    """One finished file."""

    object: str
    rows: int
    bytes: int
    sha256: str


def objects_of(registry: Registry) -> list[str]:
    """What a snapshot may hold: every object, and the links between their records."""
    return [*(resource.name for resource in registry), LINKS]


def relations_of(registry: Registry, principal: Principal) -> list[str]:
    """The relations whose links the caller may read: those with both ends readable."""
    found = []
    for relations in registry.relations.values():
        for relation in relations.values():
            if relation.kind != "many_to_many" or not relation.forward or relation.link_name is None:
                continue
            if principal.may(relation.source, "read") and principal.may(relation.target, "read"):
                found.append(relation.link_name)
    return found


async def write(context: Context, objects: Sequence[str], deleted: Deleted, folder: Path, progress: Progress) -> dict[str, Any]:
    """Writes one NDJSON file per object into `folder` and gives the snapshot's `cursor`, `as_of` and files.

    The context's unit of work is one snapshot, opened after the journal was numbered.
    """
    uow = context.uow
    values = {"org_id": uow.org_id, **context.policy.values, "relations": relations_of(context.registry, context.principal)}
    head: int = await uow.fetch_value(_HEAD, values) or 0
    total = 0
    for name in objects:
        total += await uow.fetch_value(_statement(context, name, deleted, counting=True), values)
    files: list[File] = []
    written = 0
    await progress(0, total)
    await asyncio.to_thread(_make_folder, folder)
    for name in objects:
        with _Writer(folder / f"{name}.ndjson") as file:
            async for row in uow.stream(_statement(context, name, deleted, counting=False), values, _BATCH):
                if file.add(row["json"]):
                    await asyncio.to_thread(file.flush)
                    await progress(written + file.rows, total)
            await asyncio.to_thread(file.finish)
        written += file.rows
        files.append(File(name, file.rows, file.bytes, file.digest.hexdigest()))
    return {
        "cursor": encode_events_cursor(uow.org_id, head),
        "as_of": format_timestamp(uow.now),
        "files": [{"object": f.object, "rows": f.rows, "bytes": f.bytes, "sha256": f.sha256} for f in files],
    }


def _statement(context: Context, name: str, deleted: Deleted, *, counting: bool) -> Statement:
    def build() -> Statement:
        if name == LINKS:
            row: sa.FromClause = LINK_TABLE
            where = [row.c.org_id == _ORG, row.c.relation == sa.func.any(sa.bindparam("relations", type_=ARRAY(sa.Text())))]
            where += visible_links(policy, context.registry, row)
            json_ = link_json(LINK_TABLE)
        else:
            resource = context.registry[name]
            row = resource.table.alias("t")
            where = [row.c.org_id == _ORG]
            if deleted == "exclude":
                where.append(row.c.deleted_at.is_(None))
            seen = policy.predicate(resource, row)
            if seen is not None:
                where.append(seen)
            json_ = record_json(resource, row)
        if counting:
            return compile_statement(sa.select(sa.func.count()).select_from(row).where(*where))
        return compile_statement(sa.select(json_.label("json")).select_from(row).where(*where).order_by(row.c.id))

    policy = context.policy
    return context.statements.get(("snapshot", context.registry.key, name, policy.shape, deleted, counting), build)


class _Writer:
    """An NDJSON file as it grows: lines gather in memory and go to the disk by the megabyte, off the event loop."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self.digest = hashlib.sha256()
        self.rows = 0
        self.bytes = 0

    def __enter__(self) -> _Writer:
        self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, line: str) -> bool:
        """Adds a line; tells whether it is time to flush."""
        encoded = line.encode() + b"\n"
        self._held.append(encoded)
        self._held_bytes += len(encoded)
        self.rows += 1
        return self._held_bytes >= _BUFFER

    def flush(self) -> None:
        """Writes what has gathered."""
        assert self._file is not None
        data = b"".join(self._held)
        self._held, self._held_bytes = [], 0
        self.digest.update(data)
        self.bytes += len(data)
        self._file.write(data)

    def finish(self) -> None:
        """Writes the rest and waits for the disk."""
        assert self._file is not None
        self.flush()
        self._file.flush()
        os.fsync(self._file.fileno())


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def job_folder(data_dir: Path, org_id: UUID, job_id: UUID) -> Path:
    """Where a job's files are, a folder for each attempt."""
    return data_dir / "files" / str(org_id) / str(job_id)
