"""Reads: from a request to the bytes of the answer, in one statement."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from crm_api.core.cursor import decode_cursor, encode_cursor
from crm_api.core.errors import (
    BadRequest,
    Deleted,
    FieldError,
    InvalidCursor,
    InvalidValue,
    NotFound,
    SortNotIndexed,
    TooExpensive,
    ValidationFailed,
)
from crm_api.db.statement import Statement, StatementCache
from crm_api.kernel.context import Context
from crm_api.kernel.history import check_as_of, table_as_of
from crm_api.kernel.labels import Labeller
from crm_api.kernel.link_reach import AsTheyAreNow
from crm_api.kernel.query.abilities import Abilities
from crm_api.kernel.query.compiler import CompiledRead, ReadCompiler
from crm_api.kernel.query.expand import MARK, unpack_mark
from crm_api.kernel.query.plan import ANY_SORT_ROWS, RANK_LIMIT, Expansion, Path, Plan, Seek
from crm_api.kernel.query.request import ReadRequest, SavedQuery, list_request
from crm_api.kernel.query.shape import indexed_sorts
from crm_api.kernel.query.values import Locale
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.tombstones import absent

_MARKED: Final = re.compile(rb'"' + MARK.encode() + rb':([^:"]*):([^:"]*):([0-9a-f]*)"')
CURSOR: Final = "list"
MAX_ANSWER: Final = 10_000_000
"""Bytes of records in one answer."""


MAX_KEPT_QUERY: Final = 400
"""Characters of a query string whose parsed form is kept; longer ones hardly come twice."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as the caller may see it. `head` is the journal's number that it contains."""

    id: UUID
    json: bytes
    version: int
    head: int
    deleted: bool = False
    merged_into: UUID | None = None


@dataclass(frozen=True, slots=True)
class ReadPage:
    """One page of records: `data` is the inside of a JSON array. `head` is the journal's number that the answer contains.

    `purged` is the inside of an array of purged records, in lists of changes.
    """

    data: bytes
    next_cursor: str | None
    prev_cursor: str | None
    has_more: bool
    head: int
    count: int | None
    too_broad: bool
    purged: bytes | None = None


class Reader:
    """Runs reads for any context. `cursor_key` signs page cursors and is the same in every process."""

    def __init__(self, cursor_key: bytes) -> None:
        self._key = cursor_key
        self._requests = StatementCache(1024)

    def list_request(
        self,
        context: Context,
        resource: AnyResource,
        raw_query: str,
        locale: Locale,
        *,
        parent: tuple[AnyResource, Relation, UUID] | None = None,
        events_seq: Callable[[str], int],
        saved: SavedQuery | None = None,
    ) -> ReadRequest:
        """A GET that lists, parsed, or as it was parsed before if the same question still means the same."""
        if saved is not None:  # what it says may be another thing tomorrow
            return list_request(context.registry, resource, raw_query, locale, parent=parent, events_seq=events_seq, saved=saved)
        of = None if parent is None else (parent[0].name, parent[1].name)
        key = (context.registry.key, resource.name, of, raw_query, locale.zone.key, locale.region)
        found: ReadRequest | None = self._requests.peek(key)
        if found is None:
            found = list_request(context.registry, resource, raw_query, locale, parent=parent, events_seq=events_seq)
            if found.lasting and found.cursor is None and len(raw_query) <= MAX_KEPT_QUERY:
                self._requests.put(key, found)
        elif parent is not None:
            found = replace(found, parent_id=parent[2])
        return found

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
        labels: Labeller | None = None,
        abilities: bool = False,
    ) -> StoredRecord:
        """One record, deleted or not. Raises NotFound if there is none that the caller may see, Deleted if it was purged."""
        plan = Plan(resource.name, fields=fields, expand=expand, labels=labels is not None, abilities=abilities)
        rows = await self._rows(context, "one", plan, {"id": id}, values, as_of, labels)
        if not rows:
            raise (await absent(context, resource, [id]))[id]
        return rows[0]

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
        labels: Labeller | None = None,
        abilities: bool = False,
    ) -> dict[UUID, StoredRecord]:
        """Records by id; those that are not there for the caller are absent."""
        plan = Plan(resource.name, fields=fields, expand=expand, labels=labels is not None, abilities=abilities)
        return {record.id: record for record in await self._rows(context, "many", plan, {"ids": ids}, values, as_of, labels)}

    async def _rows(
        self,
        context: Context,
        kind: str,
        plan: Plan,
        which: dict[str, Any],
        values: Sequence[Any],
        as_of: datetime | None,
        labels: Labeller | None,
    ) -> list[StoredRecord]:
        arguments = _arguments(context, values)
        arguments.update(which)
        if as_of is not None:
            plan = replace(plan, as_of=True)
            arguments["as_of"] = as_of
        read = self._compiled(context, kind, plan)
        rows = await context.uow.fetch(read.statement, arguments)
        _check_size([row["json"] for row in rows])
        return [
            StoredRecord(
                row["id"],
                self._finish(context, row["json"].encode(), read, as_of, labels),
                row["version"],
                row["head"] or 0,
                row["deleted"],
                row["merged_into"],
            )
            for row in rows
        ]

    async def page(self, context: Context, resource: AnyResource, request: ReadRequest, *, labels: Labeller | None = None) -> ReadPage:
        """One page of a list or search, with `labels` where the request asks for them.

        Raises NotFound if the record that the list hangs on is not there, InvalidCursor, SortNotIndexed, TooExpensive.
        """
        context.plan_by_values(resource)
        plan, arguments, pinned = self._positioned(context, request)
        if plan.labels and labels is None:
            plan = replace(plan, labels=False)
        elif not plan.labels:
            labels = None
        if plan.as_of:
            await _check_instant(context, resource, request, arguments["as_of"])
        read = self._compiled(context, "page", plan)
        row = await context.uow.fetch_row(read.statement, arguments)
        assert row is not None
        if plan.parent is not None and not row["parent"]:
            raise NotFound()
        if plan.guarded and row["few"] > ANY_SORT_ROWS:
            error = InvalidValue("sort_not_indexed", allowed=indexed_sorts(context.registry, resource))
            raise SortNotIndexed(errors=[error.at(parameter="sort") if request.from_query else error.at(pointer="/sort")])
        found: list[str] = row["data"] or []
        more = len(found) > plan.limit
        if more:
            del found[plan.limit :]
        _check_size(found)
        seeks = plan.seek is not None
        backwards = plan.seek is not None and plan.seek.backwards
        if backwards:
            found.reverse()
        following = previous = None
        if found and (more or backwards):
            following = self._cursor(context, request, row, "f" if backwards else "l", pinned, backwards=False)
        if found and (more if backwards else seeks):
            previous = self._cursor(context, request, row, "l" if backwards else "f", pinned, backwards=True)
        return ReadPage(
            self._finish(context, ",".join(found).encode(), read, pinned, labels),
            following,
            previous,
            following is not None,
            row["head"] or 0,
            row["count"] if plan.count != "none" else None,
            plan.text and not plan.sort and row["breadth"] > RANK_LIMIT,
        )

    def prepared(self, context: Context, resource: AnyResource, request: ReadRequest) -> tuple[Statement, dict[str, Any]]:
        """The statement of a page with its values, for a look at its plan."""
        plan, arguments, _ = self._positioned(context, request)
        return self._compiled(context, "page", plan).statement, arguments

    def _compiled(self, context: Context, kind: str, plan: Plan) -> CompiledRead:
        policy = context.policy
        named = policy.readable(context.registry) if plan.labels else frozenset()
        abilities = Abilities.of(policy, context.registry) if plan.abilities else None

        def build() -> CompiledRead:
            seen = AsTheyAreNow(policy) if plan.as_of else policy
            compiler = ReadCompiler(context.registry, seen, table_as_of, named, abilities)
            return compiler.page(plan) if kind == "page" else compiler.one(plan, many=kind == "many")

        return context.statements.get((kind, context.registry.key, policy.shape, plan, named, abilities and abilities.key), build)

    # --- where a page starts ------------------------------------------------------------------------------------------

    def _positioned(self, context: Context, request: ReadRequest) -> tuple[Plan, dict[str, Any], datetime | None]:
        """The plan with its page start, all its values, and the instant that the whole walk is pinned to."""
        plan, arguments = request.plan, _arguments(context, request.values)
        if request.parent_id is not None:
            arguments["parent_id"] = request.parent_id
        if request.text is not None:
            arguments["q"] = request.text
        if request.since is not None:
            arguments["since"] = request.since
        pinned = context.uow.now if request.consistent else request.as_of
        if request.cursor is not None:
            seek, pinned = self._seek(context, request, request.cursor, arguments, pinned)
            plan = replace(plan, seek=seek)
        if pinned is not None:
            arguments["as_of"] = pinned
            plan = replace(plan, as_of=True)
        return plan, arguments, pinned

    def _seek(
        self, context: Context, request: ReadRequest, cursor: str, arguments: dict[str, Any], pinned: datetime | None
    ) -> tuple[Seek, datetime | None]:
        try:
            backwards, instant, parent, *keys, last = decode_cursor(self._signing_key(context), CURSOR, request.digest, cursor)
            if len(keys) != max(len(request.plan.sort), 1) or parent != request.parent_id or not isinstance(last, UUID):
                raise InvalidCursor("mismatch")
        except InvalidCursor as problem:
            if not request.from_query:
                problem.errors = [FieldError(e.code, e.message, "/cursor", params=e.params) for e in problem.errors]
            raise
        for index, key in enumerate(keys):
            if key is not None:
                arguments[f"s{index}"] = key
        arguments["seek_id"] = last
        return Seek(tuple(key is not None for key in keys), bool(backwards)), instant if isinstance(instant, datetime) else pinned

    def _signing_key(self, context: Context) -> bytes:
        """Cursors of one organisation mean nothing in another."""
        return self._key + context.principal.org_id.bytes

    def _cursor(
        self, context: Context, request: ReadRequest, row: asyncpg.Record, end: str, pinned: datetime | None, *, backwards: bool
    ) -> str:
        """The cursor of the page after, or before, the row at one end of this one: `f`, the first that came, or `l`, the last."""
        keys = [row[f"{end}{i}"] for i in range(max(len(request.plan.sort), 1))]
        values = [backwards, pinned, request.parent_id, *keys, row["first_id" if end == "f" else "last_id"]]
        return encode_cursor(self._signing_key(context), CURSOR, request.digest, values)

    def signing_key(self, context: Context) -> bytes:
        """What cursors of the caller's organisation are signed with."""
        return self._signing_key(context)

    def finished(self, context: Context, json: bytes, *, marked: bool, labels: Labeller | None = None) -> bytes:
        """The JSON of records whose expanded lists still need their cursors, and which may need their labels."""
        if marked:
            json = self._signed_marks(context, json, None)
        return json if labels is None else labels.apply(json)

    # --- expanded lists -----------------------------------------------------------------------------------------------

    def _finish(self, context: Context, json: bytes, read: CompiledRead, pinned: datetime | None, labels: Labeller | None = None) -> bytes:
        """Puts cursors where the statement left marks, and labels in place of what they are made of."""
        if read.has_marks:
            json = self._signed_marks(context, json, pinned)
        return json if labels is None else labels.apply(json)

    def _signed_marks(self, context: Context, json: bytes, pinned: datetime | None) -> bytes:
        key = self._signing_key(context)

        def signed(match: re.Match[bytes]) -> bytes:
            kinds, digest, packed = (group.decode() for group in match.groups())
            return b'"' + encode_cursor(key, CURSOR, digest, [False, pinned, *unpack_mark(kinds, packed)]).encode() + b'"'

        return _MARKED.sub(signed, json)


def _arguments(context: Context, values: Sequence[Any]) -> dict[str, Any]:
    who = {"org_id": context.principal.org_id, **context.policy.values}
    return {**who, **{f"v{slot}": value for slot, value in enumerate(values)}}


async def _check_instant(context: Context, resource: AnyResource, request: ReadRequest, at: datetime) -> None:
    """Whether the table can be read as it was then; a mistake is told where the instant was given."""
    try:
        await check_as_of(context, resource, at)
    except BadRequest as problem:
        if request.from_query:
            raise
        raise ValidationFailed([FieldError(e.code, e.message, "/as_of", params=e.params) for e in problem.errors]) from None


def _check_size(records: Sequence[str]) -> None:
    size = sum(map(len, records))
    if size > MAX_ANSWER:
        raise TooExpensive("answer_bytes", MAX_ANSWER, size)


def gone(record: StoredRecord) -> Deleted:
    """What answers for a deleted record, to those who could see it."""
    merged_into = record.merged_into
    return Deleted(restorable=merged_into is None, merged_into=None if merged_into is None else str(merged_into))


__all__ = ["CURSOR", "ReadPage", "Reader", "StoredRecord", "gone"]
