"""Erasing a person: stage after stage, each in steps of their own transactions, so that a worker may die at any point.

What was done is found done when a step is taken again, and what stands between the steps stands with the job. First the
addresses are kept from coming back, then everything that hangs on the person goes, then the person, then the copies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from crm_api.db.statement import Statement
from crm_api.flows.privacy import files, payloads
from crm_api.flows.privacy.hanging import hanging, left
from crm_api.flows.privacy.people import OBJECTS, find
from crm_api.flows.privacy.rewriting import lock_rows
from crm_api.flows.privacy.work import DONE, MORE, Step, Work
from crm_api.flows.snapshots import job_folder
from crm_api.kernel import audit, events
from crm_api.kernel.suppression import suppress
from crm_api.kernel.writes import edges, erasure
from crm_api.kernel.writes.types import Target, WriteOptions

_PEOPLE: Final = 10
"""People removed in one transaction."""

_BARE: Final = Statement("UPDATE links SET attributes = '{}'::jsonb WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids"))
_APART: Final = {
    name: Statement(
        f"UPDATE {name} SET merged_into = NULL WHERE org_id = $1 AND id = ANY($2::uuid[]) AND merged_into IS NOT NULL", ("org_id", "ids")
    )
    for name in OBJECTS
}
_TREATED: Final = Statement(
    "SELECT DISTINCT u.id FROM job_chunks c, unnest(c.ids) AS u (id) WHERE c.org_id = $1 AND c.job_id = $2", ("org_id", "job_id")
)
_TOLD: Final = Statement(
    "SELECT (SELECT count(*) FROM events e WHERE e.org_id = $1 AND e.record_id = ANY($2::uuid[])) AS events,"
    " (SELECT count(*) FROM event_snapshots s JOIN events e ON e.org_id = $1 AND e.id = s.event_id"
    "   WHERE s.org_id = $1 AND e.record_id = ANY($2::uuid[])) AS event_snapshots",
    ("org_id", "ids"),
)
_SANDBOXES: Final = Statement("SELECT id, name FROM sandboxes WHERE org_id = $1 ORDER BY created_at", ("org_id",))

Stage = Callable[[Work], Awaitable[Step]]


async def _remember(work: Work) -> Step:
    """Finds out who is meant, and keeps the addresses from coming back."""
    work.people = await find(work.context, work.people, work.request["match_on"])
    if work.request["suppress"] and not work.dry_run:
        kinds = {"email", *work.request["match_on"]} if work.people.emails else {"phone"}
        await suppress(work.context.uow, [address for address in work.people.addresses if address[0] in kinds])
    return DONE


async def _people(work: Work) -> Step:
    """Purges some of the people, as `erased`."""
    context, uow = work.context, work.context.uow
    for name in OBJECTS:
        resource = context.whole[name]
        wanted = sorted(work.people.of(name))
        done = set(work.state.get("done", ()))
        ids = [id_ for id_ in wanted if str(id_) not in done][:_PEOPLE]
        if not ids:
            continue
        rows = await lock_rows(context, resource, ids, going=True)
        if await left(work):  # somebody added to it meanwhile
            return Step(more=True, back="hanging")
        work.counts[name] += len(rows)
        if work.dry_run:
            told = await uow.fetch_row(_TOLD, {"org_id": uow.org_id, "ids": ids})
            assert told is not None
            work.counts.update({key: told[key] for key in ("events", "event_snapshots")})
        else:
            linked = [edge.id for edge in await edges.of_records(context, name, ids)]
            await uow.fetch(_BARE, {"org_id": uow.org_id, "ids": linked})  # so that no event tells of what they said
            work.counts["links"] += len(linked)
            await uow.fetch(_APART[name], {"org_id": uow.org_id, "ids": ids})  # what was merged away can't be purged
            targets = [Target(id_) for id_ in rows]
            await work.engine.writer.delete(context, resource, targets, options=WriteOptions(on_children="detach", purge=True))
            for id_ in rows:
                events.mark(context, id_, "erased", ())
            await events.flush(uow)
            await erasure.forget(context, ids)
            await erasure.forget_links(context, ids)
        await work.dealt_with(ids)
        work.state["done"] = sorted(done | {str(id_) for id_ in ids})
        return MORE
    if not work.dry_run:
        again = await find(context, work.people, work.request["match_on"])
        if set(again.ids) - set(work.people.ids):  # somebody brought the person back meanwhile
            work.people = again
            return Step(more=True, back="hanging")
    return DONE


async def _audit(work: Work) -> Step:
    """Blanks what is personal in the audit log."""
    if not work.dry_run:
        ids = await treated(work)
        work.counts["audit_log"] += await audit.blank(work.context.uow, ids, sorted(work.people.texts))
    return DONE


async def _files(work: Work) -> Step:
    """Counts the files that were removed; looking at them may take long, and is done between two transactions (`search`)."""
    work.counts["files"] += work.files or 0
    return DONE


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for in the files of jobs."""

    root: Path
    ids: Sequence[UUID]
    texts: Sequence[str]
    dry_run: bool

    async def run(self) -> int:
        """Removes the files of jobs that show the person; of how many jobs. Once more finds nothing."""
        found = await asyncio.to_thread(lambda: list(files.folders_naming(self.root, self.ids, self.texts)))
        if not self.dry_run:
            await asyncio.to_thread(files.remove, found)
        return len(found)


async def search(work: Work, stage: str) -> Search | None:
    """What has to be looked for before this stage, if it was not yet."""
    if stage != "files" or work.files is not None:
        return None
    root = job_folder(work.data_dir, work.context.uow.org_id, work.job_id).parent
    return Search(root, await treated(work), sorted(work.people.texts), work.dry_run)


STAGES: Final[Mapping[str, Stage]] = {
    "remember": _remember,
    "hanging": hanging,
    "people": _people,
    "answers": payloads.answers,
    "others_at_work": payloads.others_at_work,
    "jobs": payloads.jobs,
    "job_errors": payloads.job_errors,
    "criteria": payloads.criteria,
    "history": payloads.history,
    "audit": _audit,
    "files": _files,
}
"""In their order."""

_AFTER: Final = dict(zip(STAGES, [*list(STAGES)[1:], None], strict=True))


async def take(work: Work, stage: str) -> tuple[str | None, float]:
    """Takes one step of a stage; the stage of the next step, None after the last, and how many seconds later it may be."""
    step = await STAGES[stage](work)
    if step.back is not None:
        return step.back, 0
    if step.more:
        return stage, step.wait_s
    work.state = {}
    return _AFTER[stage], 0


async def treated(work: Work) -> list[UUID]:
    """The records that were dealt with."""
    return [row["id"] for row in await work.context.uow.fetch(_TREATED, {"org_id": work.context.uow.org_id, "job_id": work.job_id})]


async def outcome(work: Work) -> dict[str, Any]:
    """What the job tells in the end: how many of everything, and the sandboxes, which hold copies of their own."""
    sandboxes = await work.context.uow.fetch(_SANDBOXES, {"org_id": work.context.uow.org_id})
    counts = {name: work.counts[name] for name in sorted(work.counts) if work.counts[name]}
    return {
        "dry_run": work.dry_run,
        "found" if work.dry_run else "erased": counts,
        "sandboxes": [{"id": str(row["id"]), "name": row["name"]} for row in sandboxes],
    }


def conclude(work: Work) -> None:
    """Notes the erasure in the audit log, which knows of the person no more than the ids."""
    counts = {name: count for name, count in sorted(work.counts.items()) if count}
    audit.record(work.context, "privacy.erased", object="jobs", record_id=work.job_id, details={"counts": counts})
