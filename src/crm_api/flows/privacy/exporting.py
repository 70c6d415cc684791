"""Bringing together what is known of a person: one ZIP file with each table as JSON lines and as CSV.

Everything is read in one snapshot of the database through a cursor and written as it comes, so memory stays small.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import os
import shutil
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.core.clock import format_timestamp
from crm_api.db.statement import Statement, compile_statement
from crm_api.flows.privacy.people import OBJECTS, MatchOn, People, find
from crm_api.kernel.context import Context
from crm_api.kernel.fields import TIMESTAMP_FORMAT
from crm_api.kernel.query.projection import ordered_names, record_json
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.edges import TABLE as LINKS
from crm_api.kernel.writes.edges import link_json
from crm_api.models.columns import FieldType

NAME: Final = "export.zip"
_BATCH: Final = 500
_ORG: Final = sa.bindparam("org_id", type_=sa.Uuid())
_IDS: Final = sa.bindparam("ids", type_=ARRAY(sa.Uuid()))
_EVENTS: Final = Statement(
    f"""
    SELECT json_build_object(
               'id', e.id, 'type', e.type, 'object', e.object, 'record_id', e.record_id, 'version', e.version,
               'occurred_at', to_char(e.occurred_at AT TIME ZONE 'UTC', '{TIMESTAMP_FORMAT}'), 'actor', e.actor, 'changes', e.changes
           )::text AS json
      FROM events e WHERE e.org_id = $1 AND e.record_id = ANY($2::uuid[]) ORDER BY e.id
    """,
    ("org_id", "ids"),
)
_EVENT_COLUMNS: Final = ("id", "type", "object", "record_id", "version", "occurred_at", "actor", "changes")
_LINK_COLUMNS: Final = ("object", "id", "relation", "from", "to", "attributes", "version", "created_at", "updated_at")

Progress = Callable[[int], Awaitable[None]]
"""Told now and then how many rows are written."""


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the export: its name, the members of its rows for the CSV, and the statement whose rows are JSON."""

    name: str
    columns: Sequence[str]
    statement: Statement


def parts(context: Context) -> list[Part]:
    """Everything that tells of people: themselves, what refers to them, what is linked to them, links and history."""
    whole = context.whole
    found = []
    for resource in whole:
        row = resource.table.alias("t")
        fields = [f for f in resource.all_fields.values() if f.type is FieldType.REFERENCE and f.spec.target in OBJECTS]
        if resource.name in OBJECTS:
            found.append(_records(resource, row, row.c.id == sa.any_(_IDS)))
        elif fields:
            found.append(_records(resource, row, sa.or_(*(field.comparable(row) == sa.any_(_IDS) for field in fields))))
        elif resource.name == "case_comments":
            cases = whole["cases"].table
            theirs = sa.select(cases.c.id).where(cases.c.org_id == _ORG, cases.c.contact_id == sa.any_(_IDS))
            found.append(_records(resource, row, row.c.case_id.in_(theirs)))
        elif resource.name in ("notes", "tasks"):
            relations = (LINKS.c.relation == sa.literal_column(f"'{resource.name}.{person}'") for person in OBJECTS)
            linked = sa.select(LINKS.c.from_id).where(LINKS.c.org_id == _ORG, LINKS.c.to_id == sa.any_(_IDS), sa.or_(*relations))
            found.append(_records(resource, row, row.c.id.in_(linked)))
    ends = sa.or_(LINKS.c.from_id == sa.any_(_IDS), LINKS.c.to_id == sa.any_(_IDS))
    edges = sa.select(link_json(LINKS).label("json")).where(LINKS.c.org_id == _ORG, ends).order_by(LINKS.c.id)
    return [*found, Part("links", _LINK_COLUMNS, compile_statement(edges)), Part("events", _EVENT_COLUMNS, _EVENTS)]


def _records(resource: AnyResource, row: sa.FromClause, condition: sa.ColumnElement[bool]) -> Part:
    rows = sa.select(record_json(resource, row).label("json")).where(row.c.org_id == _ORG, *resource.scope(row), condition)
    return Part(resource.name, ("object", *ordered_names(resource)), compile_statement(rows.order_by(row.c.id)))


async def write(context: Context, people: People, match_on: Sequence[MatchOn], folder: Path, progress: Progress) -> dict[str, Any]:
    """Writes the file into `folder`, and gives its name, size and digest, and the rows of each table."""
    people = await find(context, people, match_on)
    await asyncio.to_thread(folder.mkdir, 0o700, True, True)
    values = {"org_id": context.uow.org_id, "ids": people.ids}
    rows: dict[str, int] = {}
    total = 0
    with _Archive(folder / NAME, folder) as archive:
        for part in parts(context):
            archive.begin(part)
            async for row in context.uow.stream(part.statement, values, _BATCH):
                archive.add(row["json"])
                if archive.rows % _BATCH == 0:
                    await asyncio.to_thread(archive.flush)
                    await progress(total + archive.rows)
            total += archive.rows
            if archive.rows:
                rows[part.name] = archive.rows
            await asyncio.to_thread(archive.end)
        await asyncio.to_thread(archive.finish)
    size, digest = await asyncio.to_thread(_measured, folder / NAME)
    return {"as_of": format_timestamp(context.uow.now), "rows": rows, "files": [{"name": NAME, "bytes": size, "sha256": digest}]}


async def remove_others(folder: Path, kept: str) -> None:
    """Removes what earlier attempts have left."""

    def remove() -> None:
        for found in folder.iterdir():
            if found.name != kept:
                shutil.rmtree(found, ignore_errors=True)

    await asyncio.to_thread(remove)


class _Archive:
    """The ZIP file as it grows. A table is written into two files beside it first, since a member of a ZIP must be written in one go."""

    def __init__(self, path: Path, folder: Path) -> None:
        self._path = path
        self._lines, self._table = folder / "rows.jsonl", folder / "rows.csv"
        self._held: list[str] = []
        self._part: Part | None = None
        self.rows = 0

    def __enter__(self) -> _Archive:
        self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()
        for path in (self._lines, self._table):
            path.unlink(missing_ok=True)

    def begin(self, part: Part) -> None:
        self._part, self.rows, self._held = part, 0, []
        for path in (self._lines, self._table):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        with self._table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerow(part.columns)

    def add(self, row: str) -> None:
        self._held.append(row)
        self.rows += 1

    def flush(self) -> None:
        assert self._part is not None
        with self._lines.open("a", encoding="utf-8") as lines, self._table.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            for row in self._held:
                lines.write(row + "\n")
                writer.writerow(_cells(orjson.loads(row), self._part.columns))
        self._held = []

    def end(self) -> None:
        assert self._part is not None
        self.flush()
        if self.rows:
            self._zip.write(self._lines, f"{self._part.name}.jsonl")
            self._zip.write(self._table, f"{self._part.name}.csv")

    def finish(self) -> None:
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())


def _cells(row: Mapping[str, Any], columns: Iterable[str]) -> list[str]:
    """The cells of a row. What a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection)."""
    found = []
    for name in columns:
        value = row.get(name)
        text = "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()
        found.append(f"'{text}" if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text)
    return found


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()
