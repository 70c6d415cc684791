"""Merging duplicates: one record stays and takes over what the others have; they are deleted and point to it.

The winner keeps its own values; where it has none it gets those of the losers, in the order in which they are named, unless
`field_choices` says otherwise. Tags, addresses and external ids are united. Everything that referred to a loser refers to the
winner afterwards, deleted records too, and links that would be there twice become one with the roles of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from crm_api.core.errors import FieldError, FieldReadOnly, Merged, ValidationFailed, join_pointer
from crm_api.core.text import fold
from crm_api.db.statement import compile_statement
from crm_api.kernel import events
from crm_api.kernel.access import shares
from crm_api.kernel.access.rights import FULL
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource, Draft, Row
from crm_api.kernel.writer import Writer
from crm_api.kernel.writes import edges, recompute, removal
from crm_api.kernel.writes.edges import Edge
from crm_api.kernel.writes.locked import fill_unchanged, lock_reached, records
from crm_api.kernel.writes.prepare import run_rules
from crm_api.kernel.writes.shape import Shape, shape_of
from crm_api.kernel.writes.statements import IDS, ORG, UUID_TYPE
from crm_api.kernel.writes.types import DEFAULTS, Outcome, Work, check, outcomes
from crm_api.models.columns import FieldType

MAX_LOSERS: Final = 20
MAX_ITEMS: Final = 20

_UNITED: Final = frozenset({FieldType.TAGS, FieldType.EXTERNAL_IDS, FieldType.CUSTOM_FIELDS})


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """`field_choices` names for a field the record whose value stays (a loser, or the winner itself)."""

    winner_id: UUID
    loser_ids: Sequence[UUID]
    field_choices: Mapping[str, UUID] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The winner as stored, and how many references and links were moved, by object (`links` for links)."""

    winner: Outcome
    moved: Mapping[str, int]


class Merger:
    """Stateless."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def merge(self, context: Context, resource: AnyResource, request: MergeRequest) -> MergeResult:
        """Merges in the context's transaction. Raises ValidationFailed, Merged (a record is itself merged away), or what the rules say."""
        shape = shape_of(context, resource)
        _check_request(shape, context.seen(resource), request)
        rows = await lock_reached(context, shape, [request.winner_id, *request.loser_ids], FULL, going=True)
        _check_rows(resource, request, rows)
        winner = rows[request.winner_id]
        losers = [rows[id] for id in request.loser_ids]
        await self._retire(context, shape, winner, losers)
        moved = await self._move_references(context, resource, request)
        work = Work(0, Draft(request.winner_id, "update", winner, _united(shape, request, winner, losers)))
        await self._keep(context, shape, work, request)
        count = await _move_links(context, shape, work.draft.new, request)
        if count:
            moved["links"] = count
        shared = await shares.move(context, resource, request.loser_ids, request.winner_id, work.draft.new["owner_id"])
        if shared:
            moved["shares"] = shared
        if request.winner_id in await recompute.follow_links(context):
            work.record = (await records(context, resource, [request.winner_id]))[request.winner_id]
        await context.uow.fetch(
            context.statements.get(("remerge", shape.table), lambda: _remerge(shape)),
            {"org_id": context.uow.org_id, "ids": list(request.loser_ids), "winner": request.winner_id},
        )
        return MergeResult(outcomes([work])[0], moved)

    async def _retire(self, context: Context, shape: Shape, winner: Row, losers: Sequence[Row]) -> None:
        """Deletes the losers first, so that they hold no unique value any more."""
        works = [Work(index, Draft(row["id"], "delete", row, dict(row))) for index, row in enumerate(losers)]
        removal.mark_deleted(context, shape, works)
        for work in works:
            work.draft.new["merged_into"] = winner["id"]
            work.changed |= {"merged_into"}
        await self._writer.write_changes(context, shape, works, DEFAULTS)

    async def _move_references(self, context: Context, resource: AnyResource, request: MergeRequest) -> dict[str, int]:
        moved: dict[str, int] = {}
        involved = {request.winner_id, *request.loser_ids}
        for child in context.whole:
            child_shape = shape_of(context, child)
            for reference in child_shape.references:
                if reference.spec.target != resource.name:
                    continue
                live = await removal.referring(context, child, reference, request.loser_ids, deleted=False)
                everything = await removal.referring(context, child, reference, request.loser_ids, deleted=True)
                if child.name == resource.name:
                    live = [id for id in live if id not in involved]
                    everything = [id for id in everything if id not in involved]
                for start in range(0, len(live), removal.CHUNK):
                    part = live[start : start + removal.CHUNK]
                    await self._writer.update_rows(context, child, {id: {reference.address: request.winner_id} for id in part})
                gone = [id for id in everything if id not in set(live)]
                if gone:
                    await removal.point(self._writer, context, child_shape, reference, gone, request.winner_id)
                if everything:
                    moved[child.name] = moved.get(child.name, 0) + len(everything)
        return moved

    async def _keep(self, context: Context, shape: Shape, work: Work, request: MergeRequest) -> None:
        """Stores the winner: always a new version, so that every consumer sees the merge."""
        await run_rules(context, shape, [work])
        check([work], DEFAULTS)
        draft = work.draft
        if not work.changed:
            draft.new.update(updated_at=context.uow.now, updated_by=context.uow.actor.json())
            work.changed = frozenset({"version", "updated_at", "updated_by"})
        await self._writer.write_changes(context, shape, [work], DEFAULTS)
        events.mark(context, draft.id, "merged", tuple(str(id) for id in request.loser_ids))
        await fill_unchanged(context, shape, [work])


def _check_request(shape: Shape, known: AnyResource, request: MergeRequest) -> None:
    """`known` is the object as the caller knows it."""
    closed = [name for name in request.field_choices if name in known.read_only]
    if closed:
        raise FieldReadOnly([FieldError("field_read_only", pointer=join_pointer("field_choices", name)) for name in closed])
    errors: list[FieldError] = []
    if not request.loser_ids:
        errors.append(FieldError("min_items", pointer="/loser_ids", params={"min_items": 1}))
    if len(request.loser_ids) > MAX_LOSERS:
        errors.append(FieldError("too_many_items", pointer="/loser_ids", params={"max_items": MAX_LOSERS}))
    seen = {request.winner_id}
    for index, id in enumerate(request.loser_ids):
        if id in seen:
            errors.append(FieldError("repeated_item", pointer=join_pointer("loser_ids", index)))
        seen.add(id)
    fields = shape.resource.all_fields
    fields = {name: field for name, field in fields.items() if name not in known.hidden}
    choosable = sorted(name for name in fields if _choosable(shape, name))
    for name, id in request.field_choices.items():
        pointer = join_pointer("field_choices", name)
        if name not in fields:
            errors.append(FieldError("unknown_field", pointer=pointer, allowed=choosable))
        elif name not in choosable:
            errors.append(FieldError("read_only", pointer=pointer, allowed=choosable))
        elif id not in seen:
            errors.append(FieldError("enum", pointer=pointer, allowed=[str(id) for id in (request.winner_id, *request.loser_ids)]))
    if errors:
        raise ValidationFailed(errors)


def _check_rows(resource: AnyResource, request: MergeRequest, rows: Mapping[UUID, Row]) -> None:
    errors: list[FieldError] = []
    places = [("/winner_id", request.winner_id)] + [(join_pointer("loser_ids", i), id) for i, id in enumerate(request.loser_ids)]
    for pointer, id in places:
        row = rows.get(id)
        if row is None:
            errors.append(FieldError("not_found_reference", pointer=pointer))
        elif row.get("merged_into") is not None:
            raise Merged(str(row["merged_into"]), f"/v1/{resource.name}/{row['merged_into']}")
        elif row["deleted_at"] is not None:
            errors.append(FieldError("deleted_reference", pointer=pointer))
    if errors:
        raise ValidationFailed(errors)


def _choosable(shape: Shape, name: str) -> bool:
    spec = shape.resource.all_fields[name].spec
    lists = {items.name for _, items in shape.pairs}
    return spec.writable == "always" and spec.type not in _UNITED and name not in lists


def _united(shape: Shape, request: MergeRequest, winner: Row, losers: Sequence[Row]) -> Row:
    """The winner's row after the merge."""
    row = dict(winner)
    involved = {winner["id"], *(loser["id"] for loser in losers)}
    by_id = {entry["id"]: entry for entry in (winner, *losers)}
    money = {f.name for f in (*shape.money, *shape.own_amounts)}
    for name, item in shape.resource.all_fields.items():
        if not _choosable(shape, name):
            continue
        chosen = request.field_choices.get(name)
        if chosen is not None:
            item.put(row, item.get(by_id[chosen]))
        elif item.get(row) is None:
            same = [loser for loser in losers if name not in money or loser.get("currency") == winner.get("currency")]
            item.put(row, next((value for loser in same if (value := item.get(loser)) is not None), None))
        if item.type is FieldType.REFERENCE and item.spec.target == shape.resource.name and item.get(row) in involved:
            item.put(row, None)
    _check_money(request, row, by_id, money)
    row["tags"] = list(dict.fromkeys(tag for entry in (winner, *losers) for tag in entry["tags"]))
    united: dict[str, Any] = {}
    for entry in (winner, *losers):
        united.update({key: value for key, value in entry["external_ids"].items() if key not in united})
    row["external_ids"] = united
    for scalar, items in shape.pairs:
        row[items.column] = _united_items(row[scalar.column], [entry[items.column] for entry in (winner, *losers)])
    return row


def _check_money(request: MergeRequest, row: Row, by_id: Mapping[UUID, Row], money: set[str]) -> None:
    """An amount can't be taken over without its currency."""
    errors = [
        FieldError("invalid_combination", pointer=join_pointer("field_choices", name), params={"other": "currency"})
        for name in money
        if (chosen := request.field_choices.get(name)) is not None and by_id[chosen].get("currency") != row.get("currency")
    ]
    if errors:
        raise ValidationFailed(errors)


def _united_items(primary: str | None, lists: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for entry in (entry for entries in lists for entry in entries):
        value = str(entry.get("address") or entry.get("number"))
        found.setdefault(fold(value), {**entry, "is_primary": value == primary})
    if primary is None:
        return []
    ordered = sorted(found.values(), key=lambda entry: not entry["is_primary"])
    return ordered[:MAX_ITEMS]


async def _move_links(context: Context, shape: Shape, winner: Row, request: MergeRequest) -> int:
    """Edges of the losers become edges of the winner; those it has already take their attributes in."""
    ids = [request.winner_id, *request.loser_ids]
    losers = set(request.loser_ids)
    existing: dict[tuple[str, UUID, UUID], Edge] = {}
    moving: list[Edge] = []
    for edge in await edges.of_records(context, shape.resource.name, ids):
        if edge.from_id in losers or edge.to_id in losers:
            moving.append(edge)
        else:
            existing[edge.relation, edge.from_id, edge.to_id] = edge
    before = dict(existing)
    for edge in moving:
        from_id = request.winner_id if edge.from_id in losers else edge.from_id
        to_id = request.winner_id if edge.to_id in losers else edge.to_id
        if from_id == to_id and edge.from_object == edge.to_object:
            continue
        key = (edge.relation, from_id, to_id)
        there = existing.get(key)
        attributes = edge.attributes if there is None else _joined(there.attributes, edge.attributes)
        if there is None:
            existing[key] = edges.new_edge(context, edge.relation, edge.from_object, from_id, edge.to_object, to_id, attributes)
        else:
            existing[key] = replace(there, attributes=attributes)
    _one_primary(shape, existing, winner)
    new = [edge for key, edge in existing.items() if key not in before]
    changed = [
        (old, old.with_attributes(context, existing[key].attributes))
        for key, old in before.items()
        if existing[key].attributes != old.attributes
    ]
    await edges.store(context, new=new, changed=changed, removed=moving)
    return len(moving)


def _one_primary(shape: Shape, existing: dict[tuple[str, UUID, UUID], Edge], winner: Row) -> None:
    """Of several primary edges of one record only the first stays so; where a field mirrors it, the one that the field names."""
    mirrored = {
        f"{shape.resource.name}.{link.name}": winner[shape.resource.fields[link.primary_field].column]
        for link in shape.resource.links
        if link.primary_field is not None
    }
    taken: set[tuple[str, UUID]] = set()
    for key, edge in existing.items():
        source = (edge.relation, edge.from_id)
        if edge.relation in mirrored and edge.from_id == winner["id"]:
            primary = edge.to_id == mirrored[edge.relation]
        else:
            primary = edge.is_primary and source not in taken
        if primary:
            taken.add(source)
        if edge.is_primary != primary:
            existing[key] = replace(edge, attributes={**edge.attributes, "is_primary": primary})


def _joined(one: Mapping[str, Any], two: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(one)
    for name, value in two.items():
        mine = joined.get(name)
        if isinstance(mine, list) and isinstance(value, list):
            joined[name] = list(dict.fromkeys([*mine, *value]))
        elif mine is None or (name == "is_primary" and value):
            joined[name] = value
    return joined


def _remerge(shape: Shape) -> Any:
    """What was merged into a loser before now points to the winner, so that one redirect is enough."""
    table = shape.table
    winner = sa.bindparam("winner", type_=UUID_TYPE)
    return compile_statement(sa.update(table).values(merged_into=winner).where(table.c.org_id == ORG, table.c.merged_into == sa.any_(IDS)))
