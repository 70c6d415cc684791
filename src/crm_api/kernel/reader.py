"""Reads: from a request to the bytes of the answer, in one statement."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from crm_api.core.cursor import decode_cursor, encode_cursor
from crm_api.core.errors import Deleted, InvalidCursor, NotFound
from crm_api.db.statement import Statement
from crm_api.kernel.context import Context
from crm_api.kernel.history import check_as_of, table_as_of
from crm_api.kernel.policy import Policy
from crm_api.kernel.query.compiler import MARK, RANK_LIMIT, CompiledRead, ReadCompiler
from crm_api.kernel.query.plan import Expansion, Path, Plan, Seek
from crm_api.kernel.query.request import ReadRequest
from crm_api.kernel.resource import AnyResource

_MARKED = re.compile(rb'"' + MARK.encode() + rb':([^:"]*):([^:"]*):([0-9a-f]*)"')
CURSOR = "list"


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as the caller may see it."""

    json: bytes
    version: int
    head: int
    deleted: bool = False
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """One page of records. `head` is the journal's number that the answer contains."""

    rows: list[bytes]
    next_cursor: str | None
    prev_cursor: str | None
    has_more: bool
    head: int
    count: int | None
    too_broad: bool


class Reader:
    """Runs reads for any context. `cursor_key` signs page cursors and is the same in every process."""

    def __init__(self, cursor_key: bytes) -> None:
        self._key = cursor_key

    def _compiler(self, context: Context) -> ReadCompiler:
        return ReadCompiler(context.registry, Policy(context.principal), table_as_of)

    def _shape(self, context: Context, kind: str, plan: Plan) -> tuple[Any, ...]:
        return (kind, id(context.registry), Policy(context.principal).shape, plan)

    async def one(
        self,
        context: Context,
        resource: AnyResource,
        id: UUID,
        *,
        fields: tuple[Path, ...] | None = None,
        expand: tuple[Expansion, ...] = (),
        values: Sequence[Any] = (),
        as_of: datetime | None = None,
    ) -> StoredRecord:
        """One record, deleted or not. Raises NotFound if there is none that the caller may see."""
        found = await self.many(context, resource, [id], fields=fields, expand=expand, values=values, as_of=as_of)
        if id not in found:
            raise NotFound()
        return found[id]

    async def many(
        self,
        context: Context,
        resource: AnyResource,
        ids: Sequence[UUID],
        *,
        fields: tuple[Path, ...] | None = None,
        expand: tuple[Expansion, ...] = (),
        values: Sequence[Any] = (),
        as_of: datetime | None = None,
    ) -> dict[UUID, StoredRecord]:
        """Records by id; those that are not there for the caller are absent."""
        slots = [*values, list(ids)]
        plan = Plan(resource.name, fields=fields, expand=expand, ids=len(slots) - 1)
        if as_of is not None:
            slots.append(as_of)
            plan = replace(plan, as_of=len(slots) - 1)
        read = context.statements.get(self._shape(context, "one", plan), lambda: self._compiler(context).one(plan))
        rows = await context.uow.fetch(read.statement, _arguments(read, slots, context))
        return {
            row["id"]: StoredRecord(
                self._finish(row["json"].encode(), read), row["version"], row["head"] or 0, row["deleted"], row["merged_into"]
            )
            for row in rows
        }

    async def page(self, context: Context, resource: AnyResource, request: ReadRequest) -> ReadPage:
        """One page of a list or search."""
        plan, values, as_of = self._positioned(context, resource, request)
        if plan.as_of is not None:
            await check_as_of(context, resource, values[plan.as_of])
        read = context.statements.get(self._shape(context, "page", plan), lambda: self._compiler(context).page(plan))
        rows = await context.uow.fetch(read.statement, _arguments(read, values, context))
        if not rows[0]["parent"]:
            raise NotFound()
        head = rows[0]
        breadth = head["breadth"] if plan.text is not None else 0
        found = [row for row in rows if row["json"] is not None]
        backwards = plan.seek is not None and plan.seek.backwards
        more = len(found) > request.limit
        found = found[: request.limit]
        if backwards:
            found.reverse()
        has_more = (plan.seek is not None) if backwards else more
        has_previous = more if backwards else plan.seek is not None
        return ReadPage(
            [self._finish(row["json"].encode(), read) for row in found],
            self._cursor(request, read, found[-1], False, as_of) if found and has_more else None,
            self._cursor(request, read, found[0], True, as_of) if found and has_previous else None,
            has_more,
            head["head"] or 0,
            head["count"],
            breadth > RANK_LIMIT,
        )

    def prepared(self, context: Context, resource: AnyResource, request: ReadRequest) -> tuple[Statement, dict[str, Any]]:
        """The statement of a page with its values, for a look at its plan."""
        plan, values, _ = self._positioned(context, resource, request)
        read = context.statements.get(self._shape(context, "page", plan), lambda: self._compiler(context).page(plan))
        return read.statement, _arguments(read, values, context)

    def _positioned(self, context: Context, resource: AnyResource, request: ReadRequest) -> tuple[Plan, list[Any], datetime | None]:
        values = list(request.values)
        plan = request.plan
        as_of: datetime | None = context.uow.now if request.consistent else None
        if request.cursor is not None:
            backwards, pinned, *keys = decode_cursor(self._key, CURSOR, request.digest, request.cursor)
            expected = max(len(plan.sort), 1)
            if len(keys) != expected + 1 or not isinstance(keys[-1], UUID):
                raise InvalidCursor("mismatch")
            slots: list[int | None] = []
            for key in keys[:-1]:
                if key is None:
                    slots.append(None)
                else:
                    values.append(key)
                    slots.append(len(values) - 1)
            values.append(keys[-1])
            plan = replace(plan, seek=Seek(tuple(slots), len(values) - 1, bool(backwards)))
            if isinstance(pinned, datetime):
                as_of = pinned
        if as_of is not None and plan.as_of is None:
            values.append(as_of)
            plan = replace(plan, as_of=len(values) - 1)
        values.append(request.limit + 1)
        return replace(plan, limit=len(values) - 1), values, as_of

    def _cursor(self, request: ReadRequest, read: CompiledRead, row: asyncpg.Record, backwards: bool, as_of: datetime | None) -> str:
        keys = [row[f"k{i}"] for i in range(read.key_count)]
        return encode_cursor(self._key, CURSOR, request.digest, [backwards, as_of, *keys, row["id"]])

    def _finish(self, json: bytes, read: CompiledRead) -> bytes:
        return _MARKED.sub(self._signed, json) if read.has_marks else json

    def _signed(self, match: re.Match[bytes]) -> bytes:
        paths, digest, packed = match.groups()
        values = orjson.loads(bytes.fromhex(packed.decode()))
        typed = [_typed(kind, value) for kind, value in zip(paths.decode().split(",") if paths else [], values[:-1], strict=True)]
        cursor = encode_cursor(self._key, CURSOR, digest.decode(), [False, None, *typed, UUID(values[-1])])
        return b'"' + cursor.encode() + b'"'


def _typed(kind: str, text: str | None) -> Any:
    """A sort value that came as text inside JSON, as the type its column has."""
    if text is None:
        return None
    if kind == "datetime":
        return datetime.fromisoformat(text)
    if kind == "date":
        return date.fromisoformat(text)
    if kind in ("number", "decimal", "currency"):
        return Decimal(text)
    if kind == "integer":
        return int(text)
    if kind == "uuid":
        return UUID(text)
    if kind == "boolean":
        return text in ("true", "t")
    return text


def _arguments(read: CompiledRead, values: Sequence[Any], context: Context) -> dict[str, Any]:
    return {"org_id": context.principal.org_id, **{f"v{i}": value for i, value in enumerate(values)}}


def gone(record: StoredRecord) -> Deleted:
    """What answers for a deleted record, to those who could see it."""
    merged_into = record.merged_into
    return Deleted(restorable=merged_into is None, merged_into=None if merged_into is None else str(merged_into))


__all__ = ["CURSOR", "ReadPage", "Reader", "StoredRecord", "gone"]
