"""Short ordered lists that an organisation shapes itself: their order, the one default, and not losing what is in use."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from crm_api.core.errors import Conflict, FieldError
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.context import Context
from crm_api.kernel.locks import ORG, serialize
from crm_api.kernel.resource import Draft
from crm_api.kernel.writer import Writer

_HANDING_OVER: Final = "vocabulary.handing_over"


async def place_last(context: Context, object_name: str, drafts: Sequence[Draft]) -> None:
    """Puts new records that were given no `position` behind all others."""
    homeless = [draft for draft in drafts if draft.new["position"] is None and draft.old is None]
    if not homeless:
        return
    await serialize(context, f"{object_name}.position")
    table = context.whole[object_name].table
    statement = context.statements.get(("last", table), lambda: _last(table))
    position = await context.uow.fetch_value(statement, {"org_id": context.uow.org_id})
    for draft in homeless:
        position = 0 if position is None else position + 1
        draft.new["position"] = position


async def keep_one_default(context: Context, object_name: str, drafts: Sequence[Draft], within: str | None = None) -> None:
    """Sees to it that exactly one live record has `is_default`: a new default ends the old one, which changes as a record does.

    The first record of all becomes the default unasked. Taking it from the default without naming another is a conflict.
    Each value of the column `within` has a default of its own.
    """
    if within is not None:
        for value in sorted({draft.new[within] for draft in drafts if draft.new[within] is not None}):
            await _keep_one(context, object_name, [draft for draft in drafts if draft.new[within] == value], (within, value))
    else:
        await _keep_one(context, object_name, drafts, None)


async def _keep_one(context: Context, object_name: str, drafts: Sequence[Draft], within: tuple[str, str] | None) -> None:
    handing_over: set[UUID] = context.uow.state.get(_HANDING_OVER, set())
    drafts = [draft for draft in drafts if draft.id not in handing_over]
    if not any(draft.changed("is_default") for draft in drafts):
        return
    await serialize(context, f"{object_name}.default")
    table = context.whole[object_name].table
    column, value = (None, None) if within is None else within
    statement = context.statements.get(("default", table, column), lambda: _default(table, column))
    values = {"org_id": context.uow.org_id} | ({} if column is None else {"value": value})
    current: UUID | None = await context.uow.fetch_value(statement, values)
    claims = [draft for draft in drafts if draft.new["is_default"] and not draft.failed]
    new = claims[-1] if claims else None
    for draft in claims[:-1]:
        draft.new["is_default"] = False
    if current is None and new is None:
        new = next((draft for draft in drafts if draft.operation == "create" and not draft.failed), None)
        if new is not None:
            new.new["is_default"] = True
    if new is not None and current is not None and current != new.id:
        old = next((draft for draft in drafts if draft.id == current), None)
        if old is not None:  # changed by this very call
            old.new["is_default"] = False
        context.uow.state[_HANDING_OVER] = {*handing_over, current}
        if old is None:
            await Writer().update_rows(context, context.whole[object_name], {current: {"is_default": False}})
    elif new is None:
        for draft in drafts:
            if draft.id == current and not draft.new["is_default"]:
                draft.problem = Conflict("One must be the default; make another one the default instead.")


def keep_default(drafts: Sequence[Draft]) -> None:
    """Refuses to delete the default."""
    for draft in drafts:
        if draft.old is not None and draft.old["is_default"] and draft.old["deleted_at"] is None:
            draft.problem = Conflict("This is the default; make another one the default first.")


async def refuse_used(context: Context, drafts: Sequence[Draft], *uses: tuple[str, str]) -> None:
    """Refuses to delete records whose `key` live records still hold; `uses` are (object, field)."""
    keys = [draft.old["key"] for draft in drafts if draft.old is not None]
    counts: dict[str, int] = {}
    for object_name, column in uses:
        table = context.whole[object_name].table
        statement = context.statements.get(("uses", table, column), partial(_uses, table, column))
        for key, count in await context.uow.fetch(statement, {"org_id": context.uow.org_id, "keys": keys}):
            counts[key] = counts.get(key, 0) + count
    mark_used(drafts, counts)


def mark_used(drafts: Sequence[Draft], counts: dict[str, int]) -> None:
    """Marks drafts whose key is used this often as in conflict."""
    for draft in drafts:
        count = 0 if draft.old is None else counts.get(draft.old["key"], 0)
        if count:
            draft.problem = Conflict(
                f"{count} records use it; give them another one first.", errors=[FieldError("in_use", pointer="", params={"count": count})]
            )


async def check_followers(context: Context, object_name: str, drafts: Sequence[Draft]) -> None:
    """Refuses `transitions` to keys that there aren't."""
    asking = [draft for draft in drafts if draft.new["transitions"] and draft.changed("transitions")]
    if not asking:
        return
    table = context.whole[object_name].table
    statement = context.statements.get(("keys", table), lambda: _keys(table))
    known = {row[0] for row in await context.uow.fetch(statement, {"org_id": context.uow.org_id})}
    known |= {draft.new["key"] for draft in drafts}
    for draft in asking:
        for index, key in enumerate(draft.new["transitions"]):
            if key not in known:
                draft.errors.append(FieldError("enum", pointer=f"/transitions/{index}", allowed=sorted(known)))


def _last(table: sa.Table) -> Statement:
    return compile_statement(sa.select(sa.func.max(table.c.position)).where(table.c.org_id == ORG, table.c.deleted_at.is_(None)))


def _default(table: sa.Table, within: str | None) -> Statement:
    query = sa.select(table.c.id).where(table.c.org_id == ORG, table.c.deleted_at.is_(None), table.c.is_default)
    return compile_statement(query if within is None else query.where(table.c[within] == sa.bindparam("value", type_=sa.Text)))


def _keys(table: sa.Table) -> Statement:
    return compile_statement(sa.select(table.c.key).where(table.c.org_id == ORG, table.c.deleted_at.is_(None)))


def _uses(table: sa.Table, column: str) -> Statement:
    held = table.c[column]
    keys = sa.bindparam("keys", type_=ARRAY(sa.Text))
    live = sa.select(held, sa.func.count()).where(table.c.org_id == ORG, table.c.deleted_at.is_(None), held == sa.any_(keys))
    return compile_statement(live.group_by(held))
