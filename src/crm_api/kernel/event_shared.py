"""What callers who see the same may share of the journal: pages are read once for all of them, but for what is some person's own.

Of the events in `apart` (private views, jobs, shares) a shared page tells only that there is one. What everybody is shown of it alike is
what `anybody` reads, once for all. Whoever has a part in it stands in it by id (`concerning`), and reads it alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import orjson

from crm_api.db.statement import Statement
from crm_api.kernel import event_reach
from crm_api.kernel.access.rights import UNSEEN
from crm_api.kernel.context import Context
from crm_api.kernel.event_catalog import APPS, GRANTS
from crm_api.kernel.event_json import SHARES
from crm_api.kernel.event_query import Reader
from crm_api.kernel.job_json import JOBS
from crm_api.kernel.policy import APP, CALLER, Policy

NOBODY: Final = UUID(int=0)
"""The id of nobody."""

_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

# Each event and its row are fetched by id: a plain join would read all partitions.
_CONCERNING: Final = Statement(
    """
    SELECT j.seq, e.related::text AS related,
           CASE WHEN e.object = ANY($4::text[]) THEN concat(e.actor, e.visibility, e.changes, s.row) END AS text
      FROM journal j
      JOIN LATERAL (SELECT * FROM events i WHERE i.org_id = $1 AND i.id = j.event_id LIMIT 1) e ON true
      LEFT JOIN LATERAL (SELECT * FROM event_snapshots n WHERE n.org_id = $1 AND n.event_id = j.event_id LIMIT 1) s ON true
     WHERE j.org_id = $1 AND j.seq > $2 AND j.seq <= $3 AND (e.related <> '[]'::jsonb OR e.object = ANY($4::text[]))
    """,
    ("org_id", "after", "until", "apart"),
)


@dataclass(frozen=True, slots=True)
class Concern:
    """Whom else an event is about. `related` are the records at the ends of a link, `people` all ids that stand in an event of `apart`."""

    related: frozenset[str] = frozenset()
    people: frozenset[str] | None = None


async def concerning(context: Context, apart: Iterable[str], after: int, until: int) -> dict[int, Concern]:
    """What is to be known, beside what is sent, of the events with numbers in (after, until]; none for those that need no more."""
    values = {"org_id": context.principal.org_id, "after": after, "until": until, "apart": sorted(apart)}
    return {
        row["seq"]: Concern(frozenset(orjson.loads(row["related"])), None if row["text"] is None else frozenset(_ID.findall(row["text"])))
        for row in await context.uow.fetch(_CONCERNING, values)
    }


def ids_of(context: Context) -> frozenset[str] | None:
    """The ids by which a caller may have a part in an event of `apart`; None for an app, which may have one in any."""
    principal = context.principal
    if principal.app_id is not None:
        return None
    return frozenset(map(str, {principal.user_id, *principal.rights.grantees, *principal.rights.trees}))


def shared_by(context: Context, reader: Reader) -> Reader:
    """The reader as those are who may share pages with the caller: without what is about single persons (`apart`).

    What is shown of these to everybody alike is what `anybody` reads; the rest each reads by itself.
    """
    policy = context.policy
    everything = policy.principal.rights.everything
    apart = (
        *(() if everything else (SHARES,)),
        *(name for name in event_reach.personal(policy, reader.objects) if reader.own_jobs or name not in (JOBS, APPS, GRANTS)),
    )
    closed = tuple(name for name in reader.closed if name not in apart)
    rights = _rights_key(policy, closed)
    # people and apps are told apart by what is private
    return replace(
        reader, people=None, own_jobs=False, closed=closed, apart=apart, rights=(policy.shape, rights, policy.principal.app_id is None)
    )


def _rights_key(policy: Policy, closed: tuple[str, ...]) -> bytes | None:
    """What tells apart whose records of these objects are reached; None where that is the same for all with rights of the same shape."""
    if not closed:
        return None
    values = {name: value for name, value in policy.values.items() if name not in (CALLER.key, APP.key)}  # those are about what is private
    if not policy.principal.rights.records and all(policy.above(policy.whole[name]) is None for name in closed):
        values = {UNSEEN: values.get(UNSEEN)}
    return hashlib.blake2b(repr(sorted(values.items())).encode(), digest_size=16).digest()


def anybody(context: Context, reader: Reader, shared: Reader) -> tuple[Context, Reader]:
    """A context and a reader for the events in `apart` as they are shown to everybody who shares pages but has no part in them.

    Whoever has one stands in the event by id.
    """
    principal = context.principal
    nobody = replace(principal, user_id=NOBODY, app_id=None if principal.app_id is None else NOBODY)
    objects = reader.objects & frozenset(shared.apart)
    closed = tuple(name for name in reader.closed if name in objects)
    return replace(context, principal=nobody), replace(
        reader, objects=objects, closed=closed, people=() if SHARES in shared.apart else None
    )
