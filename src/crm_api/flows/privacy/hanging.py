"""What hangs on a person: cases and what was said on them, notes, tasks. Each object has its rule, see `places.py`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from crm_api.db.statement import Statement
from crm_api.flows.privacy.people import OBJECTS
from crm_api.flows.privacy.places import PLACES
from crm_api.flows.privacy.rewriting import blanks, lock_rows, rewrite
from crm_api.flows.privacy.work import DONE, MORE, Step, Work
from crm_api.kernel import events
from crm_api.kernel.resource import Row
from crm_api.kernel.writes import erasure
from crm_api.kernel.writes.types import Target, WriteOptions

CHUNK: Final = 50
"""Records dealt with in one transaction."""


@dataclass(frozen=True, slots=True)
class Hanging:
    """How an object's records hang on people, and on what was dealt with before (the people's cases).

    `field` names the person in the record itself, `of` the parent, `relations` are links to either.
    """

    object: str
    field: str | None = None
    of: str | None = None
    relations: tuple[str, ...] = ()


HANGING: Final = (
    Hanging("cases", field="contact_id"),
    Hanging("case_comments", of="case_id"),
    Hanging("notes", relations=(*(f"notes.{name}" for name in OBJECTS), "notes.cases")),
    Hanging("tasks", relations=(*(f"tasks.{name}" for name in OBJECTS), "tasks.cases")),
)
"""In the order in which they are looked for."""


@cache
def statement_of(hanging: Hanging) -> Statement:
    """The records of an object that hang on the people and were not dealt with yet."""
    before = "SELECT unnest(c.ids) FROM job_chunks c WHERE c.org_id = $1 AND c.job_id = $2"
    ways = []
    if hanging.field is not None:
        ways.append(f"SELECT t.id FROM {hanging.object} t WHERE t.org_id = $1 AND t.{hanging.field} = ANY($3::uuid[])")
    if hanging.of is not None:
        ways.append(f"SELECT t.id FROM {hanging.object} t WHERE t.org_id = $1 AND t.{hanging.of} IN ({before})")
    if hanging.relations:
        named = ", ".join(f"'{name}'" for name in hanging.relations)
        ways.append(
            f"SELECT l.from_id FROM links l WHERE l.org_id = $1 AND l.relation = ANY(ARRAY[{named}])"
            f" AND (l.to_id = ANY($3::uuid[]) OR l.to_id IN ({before}))"
        )
    return Statement(
        f"SELECT x.id FROM ({' UNION '.join(ways)}) AS x (id)"
        f" WHERE NOT x.id IN ({before}) AND $3::uuid[] IS NOT NULL ORDER BY x.id LIMIT $4",
        ("org_id", "job_id", "people", "limit"),
    )


async def hanging(work: Work) -> Step:
    """Deals with some of what hangs on the people."""
    for kind in HANGING:
        values = {"org_id": work.context.uow.org_id, "job_id": work.job_id, "people": work.people.ids, "limit": CHUNK}
        ids = [row["id"] for row in await work.context.uow.fetch(statement_of(kind), values)]
        if not ids:
            continue
        work.counts[kind.object] += len(ids)
        if not work.dry_run:
            resource, writer = work.context.whole[kind.object], work.engine.writer
            rows = await lock_rows(work.context, resource, ids)
            if PLACES[kind.object].rule == "delete":
                gone = [Target(id_) for id_ in rows]
                await writer.delete(work.context, resource, gone, options=WriteOptions(on_children="cascade", purge=True))
                await events.flush(work.context.uow)
                await erasure.forget(work.context, ids)
                await erasure.forget_links(work.context, ids)
            else:
                reference: Row = {} if kind.field is None else {kind.field: None}
                await rewrite(
                    work.context, writer, resource, rows, {id_: {**blanks(resource, row), **reference} for id_, row in rows.items()}
                )
        await work.dealt_with(ids)
        return MORE
    return DONE


async def left(work: Work) -> bool:
    """Whether something hangs on the people that was not dealt with."""
    values = {"org_id": work.context.uow.org_id, "job_id": work.job_id, "people": work.people.ids, "limit": 1}
    for kind in HANGING:
        if await work.context.uow.fetch(statement_of(kind), values):
            return True
    return False
