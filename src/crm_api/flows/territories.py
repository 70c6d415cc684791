"""Putting records into territories by their criteria, and showing beforehand what that would change.

A record belongs to every territory whose criteria for its object it meets; that is a single share with the source `territory`,
which nobody but a run makes or takes away. Each territory and object is one pair; pairs are worked through in order, a few
hundred records in a transaction, and the place that was reached is kept: a run that is cut off goes on there, and one that is
repeated finds nothing to do. Shares of runs make no events of their own; a run that has changed something raises
`access_version`, whereupon every stream is told to look again (`resync`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from crm_api.core.errors import FieldError, ValidationFailed, join_pointer
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel import audit
from crm_api.kernel.access.criteria import condition, locale_for, parse_criteria
from crm_api.kernel.access.shares import TERRITORY, Share, store
from crm_api.kernel.access.sharing import ORG, SHARES
from crm_api.kernel.context import Context
from crm_api.kernel.query.plan import Node
from crm_api.kernel.resource import AnyResource

STEP: Final = 500
"""Records of one transaction."""

SHOWN: Final = 100
"""Changes that a dry run names."""

_FIRST: Final = UUID(int=0)
_TERRITORIES: Final = Statement(
    "SELECT id, rules::text AS rules, access FROM territories WHERE org_id = $1 AND deleted_at IS NULL ORDER BY id", ("org_id",)
)
_HELD: Final = Statement(
    "SELECT DISTINCT object, grantee_id FROM record_shares WHERE org_id = $1 AND source = 'territory' AND grantee_type = 'territory'",
    ("org_id",),
)
_REMOVE: Final = Statement("DELETE FROM record_shares WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids"))
_RAISE: Final = Statement("UPDATE organizations SET access_version = access_version + 1 WHERE id = $1", ("org_id",))
_AFTER: Final = sa.bindparam("after", type_=sa.Uuid())
_TERRITORY: Final = sa.bindparam("territory", type_=sa.Uuid())
_ACCESS: Final = sa.bindparam("access", type_=sa.Text())
_LIMIT: Final = sa.bindparam("limit", type_=sa.BigInteger())


@dataclass(frozen=True, slots=True)
class Pair:
    """A territory with one of the objects that it chooses from; without conditions where it chooses none (any more)."""

    object: str
    territory: UUID
    access: str = "read"
    node: Node | None = None
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """How far a run has come: the pair, what is being done, and the last record that was looked at."""

    object: str = ""
    territory: UUID = _FIRST
    phase: str = "add"
    after: UUID = _FIRST

    def json(self) -> list[str]:
        """As it is kept with the job."""
        return [self.object, str(self.territory), self.phase, str(self.after)]

    @classmethod
    def of(cls, kept: Sequence[str] | None) -> Place:
        """As it was kept."""
        return cls() if kept is None else cls(kept[0], UUID(kept[1]), kept[2], UUID(kept[3]))


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did; no next place behind the last."""

    next: Place | None
    added: int = 0
    changed: int = 0
    removed: int = 0


def check_objects(context: Context, names: Sequence[str] | None) -> list[str] | None:
    """The objects that a run is asked for. Raises ValidationFailed for what has no owners."""
    owned = [resource.name for resource in context.whole if resource.sharing == "owner"]
    errors = [
        FieldError("enum", pointer=join_pointer("objects", index), allowed=owned)
        for index, name in enumerate(names or ())
        if name not in owned
    ]
    if errors:
        raise ValidationFailed(errors)
    return None if names is None else list(dict.fromkeys(names))


async def pairs(context: Context, objects: Sequence[str] | None) -> list[Pair]:
    """What a run works through, in order: every territory's criteria, and what earlier runs have put where none are any more."""
    uow, locale = context.uow, locale_for(context.principal.organization)
    found: dict[tuple[str, UUID], Pair] = {}
    for row in await uow.fetch(_HELD, {"org_id": uow.org_id}):
        found[row["object"], row["grantee_id"]] = Pair(row["object"], row["grantee_id"])
    for row in await uow.fetch(_TERRITORIES, {"org_id": uow.org_id}):
        for name, tree in orjson.loads(row["rules"]).items():
            resource = context.whole.get(name)
            if resource is None or resource.sharing != "owner":
                continue
            parsed = parse_criteria(context.whole, resource, tree, locale, 1)
            node, values = (None, ()) if parsed is None else parsed
            found[name, row["id"]] = Pair(name, row["id"], row["access"], node, values)
    wanted = [pair for key, pair in sorted(found.items()) if context.whole.get(key[0]) is not None]
    return wanted if objects is None else [pair for pair in wanted if pair.object in objects]


async def step(context: Context, objects: Sequence[str] | None, place: Place) -> Done:
    """Does the next few hundred records of a run."""
    for pair in await pairs(context, objects):
        if (pair.object, pair.territory) < (place.object, place.territory):
            continue
        if (pair.object, pair.territory) != (place.object, place.territory):
            place = Place(pair.object, pair.territory)
        if place.phase == "add":
            rows = await _rows(context, pair, "add", place.after, STEP)
            await store(context, [_share(context, pair, row["id"]) for row in rows])
            phase, after = ("add", rows[-1]["id"]) if len(rows) == STEP else ("change", _FIRST)
            return Done(replace(place, phase=phase, after=after), added=len(rows))
        rows = await _rows(context, pair, place.phase, _FIRST, STEP)
        ids = [row["share_id"] for row in rows]
        full = len(rows) == STEP
        if place.phase == "change":
            await context.uow.fetch(_CHANGE, {"org_id": context.uow.org_id, "ids": ids, "access": pair.access})
            return Done(replace(place, phase="change" if full else "remove"), changed=len(rows))
        await context.uow.fetch(_REMOVE, {"org_id": context.uow.org_id, "ids": ids})
        # behind this pair, whatever comes next
        behind = place if full else Place(pair.object, UUID(int=pair.territory.int + 1))
        return Done(behind, removed=len(rows))
    return Done(None)


async def finish(context: Context, counts: Mapping[str, int]) -> None:
    """Lets everybody know once a run is through."""
    if any(counts.values()):
        await context.uow.fetch(_RAISE, {"org_id": context.uow.org_id})
    audit.record(context, "territories.run", details=dict(counts))


async def preview(context: Context, objects: Sequence[str] | None) -> dict[str, Any]:
    """What a run would change now: how much of each territory and object, and the first changes by name."""
    listed: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    words = {"add": "added", "change": "changed", "remove": "removed"}
    for pair in await pairs(context, objects):
        values = _values(context, pair, _FIRST, SHOWN)
        counts = await context.uow.fetch_row(_statement(context, pair, "count"), values)
        assert counts is not None
        entry = {"territory_id": str(pair.territory), "object": pair.object, **{word: counts[phase] for phase, word in words.items()}}
        listed.append(entry)
        for phase, word in words.items():
            room = SHOWN - len(changes)
            if counts[phase] and room > 0:
                rows = await _rows(context, pair, phase, _FIRST, room)
                changes += [
                    {"object": pair.object, "record_id": str(row["id"]), "territory_id": str(pair.territory), "change": word}
                    for row in rows
                ]
    total = {word: sum(entry[word] for entry in listed) for word in words.values()}
    return {"dry_run": True, **total, "territories": listed, "changes": changes}


# --- statements -----------------------------------------------------------------------------------------------------------

_CHANGE: Final = Statement(
    "UPDATE record_shares SET access = $3, version = version + 1 WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids", "access")
)


def _share(context: Context, pair: Pair, record_id: UUID) -> Share:
    uow = context.uow
    return Share(
        uow.new_id(), 1, pair.object, record_id, "territory", pair.territory, pair.access, TERRITORY, None, uow.now, uow.actor.json()
    )


def _values(context: Context, pair: Pair, after: UUID, limit: int) -> dict[str, Any]:
    about = {"org_id": context.uow.org_id, "territory": pair.territory, "access": pair.access}
    return {**about, **dict(pair.values), "after": after, "limit": limit}


async def _rows(context: Context, pair: Pair, phase: str, after: UUID, limit: int) -> list[Any]:
    return await context.uow.fetch(_statement(context, pair, phase), _values(context, pair, after, limit))


def _statement(context: Context, pair: Pair, phase: str) -> Statement:
    resource = context.whole[pair.object]
    key = ("territories", context.whole.key, resource.key, pair.node, phase)
    return context.statements.get(key, partial(_build, context, resource, pair.node, phase))


def _build(context: Context, resource: AnyResource, node: Node | None, phase: str) -> Statement:
    queries = {name: make(context, resource, node) for name, make in (("add", _adding), ("change", _changing), ("remove", _removing))}
    if phase == "count":
        counted = [
            sa.select(sa.func.count()).select_from(query.subquery(name)).scalar_subquery().label(name) for name, query in queries.items()
        ]
        return compile_statement(sa.select(*counted))
    query = queries[phase]
    if phase == "add":  # a record that is about to be purged is waited for, and then gone
        query = query.where(query.selected_columns["id"] > _AFTER).with_for_update(read=True, key_share=True)
    return compile_statement(query.order_by(query.selected_columns["id"]).limit(_LIMIT))


def _meets(context: Context, resource: AnyResource, row: sa.FromClause, node: Node | None) -> ColumnElement[bool]:
    if node is None:
        return sa.false()
    return sa.func.coalesce(condition(context.whole, resource, row, node), sa.false())


def _held(resource: AnyResource, shares: sa.FromClause) -> list[ColumnElement[bool]]:
    """The shares of the territory with records of the object."""
    text = sa.literal_column
    return [
        shares.c.org_id == ORG,
        shares.c.object == text(f"'{resource.name}'"),
        shares.c.grantee_id == _TERRITORY,
        shares.c.grantee_type == text("'territory'"),
        shares.c.source == text(f"'{TERRITORY}'"),
    ]


def _adding(context: Context, resource: AnyResource, node: Node | None) -> sa.Select[Any]:
    """Live records that meet the criteria and are not there."""
    row, shares = resource.table.alias("t"), SHARES.alias("sh")
    there = sa.exists(sa.select(sa.literal_column("1")).where(*_held(resource, shares), shares.c.record_id == row.c.id))
    mine = [row.c.org_id == ORG, row.c.deleted_at.is_(None), *resource.scope(row)]
    return sa.select(row.c.id).where(*mine, _meets(context, resource, row, node), ~there)


def _changing(context: Context, resource: AnyResource, node: Node | None) -> sa.Select[Any]:
    """Records that are there with another access than the territory's."""
    row, shares = resource.table.alias("t"), SHARES.alias("sh")
    mine = [row.c.org_id == ORG, row.c.id == shares.c.record_id, row.c.deleted_at.is_(None), _meets(context, resource, row, node)]
    query = sa.select(shares.c.record_id.label("id"), shares.c.id.label("share_id")).select_from(shares.join(row, sa.true()))
    return query.where(*_held(resource, shares), *mine, shares.c.access != _ACCESS)


def _removing(context: Context, resource: AnyResource, node: Node | None) -> sa.Select[Any]:
    """Records that are there and don't meet the criteria; deleted ones stay, for they may come back."""
    row, shares = resource.table.alias("t"), SHARES.alias("sh")
    met = sa.or_(row.c.deleted_at.is_not(None), _meets(context, resource, row, node)) if node is not None else sa.false()
    kept = sa.exists(sa.select(sa.literal_column("1")).where(row.c.org_id == ORG, row.c.id == shares.c.record_id, met))
    return sa.select(shares.c.record_id.label("id"), shares.c.id.label("share_id")).where(*_held(resource, shares), ~kept)


__all__ = ["SHOWN", "STEP", "Done", "Place", "check_objects", "finish", "pairs", "preview", "step"]
