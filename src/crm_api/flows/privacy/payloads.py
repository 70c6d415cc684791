"""Copies of a person's data that are not records: stored answers, jobs, filters and settings, and the history of those."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

import orjson

from crm_api.core.errors import Deleted
from crm_api.core.json import dumps
from crm_api.db.statement import Statement
from crm_api.flows.privacy.places import tables
from crm_api.flows.privacy.rewriting import lock_rows, rewrite, scrub
from crm_api.flows.privacy.work import DONE, MORE, Step, Work, mentions_id, mentions_text
from crm_api.kernel.resource import Row
from crm_api.kernel.writes.shape import shape_of
from crm_api.models.base import table_of

_PAGE: Final = 500
_EVENTS: Final = 5_000
_WAIT_S: Final = 2.0
_ENDED: Final = ("succeeded", "partly_failed", "failed", "cancelled")
_GONE: Final = dumps(Deleted(restorable=False).to_dict())

# --- stored answers ---------------------------------------------------------------------------------------------------

_FIRST_KEY: Final = {"principal_id": str(UUID(int=0)), "key": ""}
_ANSWERS: Final = Statement(
    f"""
    WITH page AS (SELECT k.principal_id, k.key, coalesce(convert_from(k.body, 'UTF8'), '') AS body
                    FROM idempotency_keys k WHERE k.org_id = $1 AND (k.principal_id, k.key) > ($4::uuid, $5::text)
                   ORDER BY k.principal_id, k.key LIMIT {_PAGE})
    SELECT p.principal_id, p.key, {mentions_text("p.body", "$3")} OR {mentions_id("p.body")} AS mentioned FROM page p
     ORDER BY p.principal_id, p.key
    """,
    ("org_id", "job_id", "texts", "principal_id", "key"),
)
# A repetition is told that the record is gone, and does nothing a second time (`http/idempotency.py`).
_REPLACE: Final = Statement(
    """
    UPDATE idempotency_keys k SET status = 410, headers = '{}'::jsonb, body = ''::bytea
      FROM unnest($2::uuid[], $3::text[]) AS u (principal_id, key)
     WHERE k.org_id = $1 AND k.principal_id = u.principal_id AND k.key = u.key AND k.status IS NOT NULL
    """,
    ("org_id", "principals", "keys"),
)


async def answers(work: Work) -> Step:
    """Replaces stored answers that show what is gone."""
    after = work.state.get("after", _FIRST_KEY)
    place = {"principal_id": UUID(after["principal_id"]), "key": after["key"]}
    rows = await work.context.uow.fetch(_ANSWERS, {**work.values, **place})
    shown = [row for row in rows if row["mentioned"]]
    work.counts["idempotency_keys"] += len(shown)
    if shown and not work.dry_run:
        keys = {"principals": [row["principal_id"] for row in shown], "keys": [row["key"] for row in shown]}
        await work.context.uow.fetch(_REPLACE, {"org_id": work.context.uow.org_id, **keys})
    if len(rows) < _PAGE:
        return DONE
    work.state["after"] = {"principal_id": str(rows[-1]["principal_id"]), "key": rows[-1]["key"]}
    return MORE


# --- jobs -------------------------------------------------------------------------------------------------------------

_JOBS: Final = Statement(
    f"""
    SELECT j.id, j.status, j.request::text AS request, j.result::text AS result,
           {mentions_text("j.request::text || coalesce(j.result::text, '')", "$3")} AS named
      FROM jobs j WHERE j.org_id = $1 AND j.id > $4 AND j.id <> $2 ORDER BY j.id LIMIT {_PAGE}
    """,
    ("org_id", "job_id", "texts", "after"),
)
_SCRUB_JOB: Final = Statement(
    "UPDATE jobs SET request = $3::jsonb, result = $4::jsonb WHERE org_id = $1 AND id = $2", ("org_id", "id", "request", "result")
)
_JOB_SNAPSHOTS: Final = Statement(
    "DELETE FROM event_snapshots s USING events e WHERE s.org_id = $1 AND e.org_id = $1 AND e.record_id = $2 AND s.event_id = e.id",
    ("org_id", "id"),
)
_RUNNING: Final = Statement(
    "SELECT count(*) FROM jobs WHERE org_id = $1 AND id <> $2 AND status = 'running' AND started_at <= $3"
    " AND type <> ALL(ARRAY['privacy_erase', 'schema'])",  # these wait themselves, and write no files
    ("org_id", "job_id", "began"),
)
_JOB_ERRORS: Final = Statement(
    f"""
    SELECT e.job_id, e.position FROM job_errors e
     WHERE e.org_id = $1 AND (e.record_id IN (SELECT unnest(c.ids) FROM job_chunks c WHERE c.org_id = $1 AND c.job_id = $2)
                              OR {mentions_text("e.error::text", "$3")}) AND e.error <> $4::jsonb
     ORDER BY e.job_id, e.position LIMIT {_PAGE}
    """,
    ("org_id", "job_id", "texts", "gone"),
)
_FORGET_ERRORS: Final = Statement(
    "UPDATE job_errors e SET error = $4::jsonb FROM unnest($2::uuid[], $3::int[]) AS u (job_id, position)"
    " WHERE e.org_id = $1 AND e.job_id = u.job_id AND e.position = u.position",
    ("org_id", "jobs", "positions", "gone"),
)


async def others_at_work(work: Work) -> Step:
    """Waits for jobs that began before the person was gone: they may still write files from what they saw then."""
    if work.dry_run:
        return DONE
    began = work.state.setdefault("began", work.context.uow.now.isoformat())
    values = {"org_id": work.context.uow.org_id, "job_id": work.job_id, "began": datetime.fromisoformat(began)}
    running: int = await work.context.uow.fetch_value(_RUNNING, values)
    return Step(more=True, wait_s=_WAIT_S) if running else DONE


async def jobs(work: Work) -> Step:
    """Takes the person out of what jobs were asked and what came of them."""
    uow, values = work.context.uow, frozenset(work.people.values)
    after = UUID(work.state.get("after", str(UUID(int=0))))
    rows = await uow.fetch(_JOBS, {**work.values, "after": after})
    for row in rows:
        if row["status"] not in _ENDED and not row["named"]:
            continue
        request, result = orjson.loads(row["request"]), None if row["result"] is None else orjson.loads(row["result"])
        whole = values if row["status"] in _ENDED else frozenset()
        clean = scrub([request, result], sorted(work.people.texts), whole)
        if clean != [request, result]:
            work.counts["jobs"] += 1
            if not work.dry_run:
                changed = {
                    "id": row["id"],
                    "request": dumps(clean[0]).decode(),
                    "result": None if clean[1] is None else dumps(clean[1]).decode(),
                }
                await uow.fetch(_SCRUB_JOB, {"org_id": uow.org_id, **changed})
                await uow.fetch(_JOB_SNAPSHOTS, {"org_id": uow.org_id, "id": row["id"]})
    if len(rows) < _PAGE:
        return DONE
    work.state["after"] = str(rows[-1]["id"])
    return MORE


async def job_errors(work: Work) -> Step:
    """Replaces problems of jobs that show the person's records."""
    gone = _GONE.decode()
    rows = await work.context.uow.fetch(_JOB_ERRORS, {**work.values, "gone": gone})
    work.counts["job_errors"] += len(rows)
    if work.dry_run or not rows:
        return DONE
    places = {"jobs": [row["job_id"] for row in rows], "positions": [row["position"] for row in rows]}
    await work.context.uow.fetch(_FORGET_ERRORS, {"org_id": work.context.uow.org_id, **places, "gone": gone})
    return MORE if len(rows) == _PAGE else DONE


# --- filters and settings ---------------------------------------------------------------------------------------------


@cache
def _naming(table: str) -> Statement:
    text = "(to_jsonb(t) - 'trigrams' - 'search' - 'search_text')::text"
    return Statement(f"SELECT t.id FROM {table} t WHERE t.org_id = $1 AND {mentions_text(text, '$2')} ORDER BY t.id", ("org_id", "texts"))


_DOCUMENTS: Final[Mapping[str, tuple[str, str]]] = {"home_pages": ("user_id", "widgets"), "config_snapshots": ("id", "config")}
"""Tables with criteria that are no records: what names a row, and its JSON."""


@cache
def _documents(table: str) -> tuple[Statement, Statement]:
    key, column = _DOCUMENTS[table]
    text = f"t.{column}::text"
    found = f"SELECT t.{key} AS id, {text} AS document FROM {table} t WHERE t.org_id = $1 AND {mentions_text(text, '$2')}"
    return (
        Statement(f"{found} FOR NO KEY UPDATE", ("org_id", "texts")),
        Statement(f"UPDATE {table} SET {column} = $3::jsonb WHERE org_id = $1 AND {key} = $2", ("org_id", "id", "document")),
    )


async def criteria(work: Work) -> Step:
    """Replaces what names the person in views, segments, sharing rules and their like."""
    uow, texts = work.context.uow, sorted(work.people.texts)
    if not texts:
        return DONE
    asked = {"org_id": uow.org_id, "texts": texts}
    there = {table_of(resource.name): resource for resource in work.context.whole}
    for name in tables("criteria"):
        if name in _DOCUMENTS:
            find, change = _documents(name)
            rows = await uow.fetch(find, asked)
            work.counts[name] += len(rows)
            for row in () if work.dry_run else rows:
                document = dumps(scrub(orjson.loads(row["document"]), texts)).decode()
                await uow.fetch(change, {"org_id": uow.org_id, "id": row["id"], "document": document})
        elif name in there:
            resource = there[name]
            ids = [row["id"] for row in await uow.fetch(_naming(name), asked)]
            work.counts[name] += len(ids)
            if ids and not work.dry_run:
                locked = await lock_rows(work.context, resource, ids)
                written = [f.column for f in resource.fields.values() if f.member is None and f.spec.writable in ("always", "create")]
                free = [column for column in written if column != "id" and column in shape_of(work.context, resource).columns]
                values: dict[UUID, Row] = {}
                for id_, row in locked.items():
                    clean = {column: scrub(row[column], texts) for column in free if isinstance(row[column], str | list | dict)}
                    values[id_] = {column: value for column, value in clean.items() if value != row[column]}
                await rewrite(work.context, work.engine.writer, resource, locked, {id_: given for id_, given in values.items() if given})
    return DONE


# --- what the history of the rest still tells -------------------------------------------------------------------------

_LAST: Final = Statement(
    f"SELECT max(p.id::text)::uuid AS last, count(*) AS count FROM"
    f" (SELECT id FROM events WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT {_EVENTS}) p",
    ("org_id", "after"),
)
_IN_PAGE: Final = "e.org_id = $1 AND e.id > $4 AND e.id <= $5"
_FOUND: Final = Statement(
    f"""
    SELECT count(*) FROM events e WHERE {_IN_PAGE}
       AND ((e.object = ANY($2::text[]) AND {mentions_text("e.changes::text", "$3")}) OR {mentions_text("e.cause::text", "$3")})
    """,
    ("org_id", "objects", "texts", "after", "last"),
)
_BLANK: Final = Statement(
    f"""
    UPDATE events e SET changes = (
        SELECT coalesce(jsonb_object_agg(c.key, CASE WHEN {mentions_text("c.value::text", "$3")}
                                                THEN '{{"old": null, "new": null}}'::jsonb ELSE c.value END), '{{}}'::jsonb)
          FROM jsonb_each(e.changes) c)
     WHERE {_IN_PAGE} AND e.object = ANY($2::text[]) AND {mentions_text("e.changes::text", "$3")}
    """,
    ("org_id", "objects", "texts", "after", "last"),
)
_CAUSES: Final = Statement(
    f"UPDATE events e SET cause = e.cause - 'idempotency_key' - 'request_id'"
    f" WHERE {_IN_PAGE.replace('$4', '$3').replace('$5', '$4')} AND {mentions_text('e.cause::text', '$2')}",
    ("org_id", "texts", "after", "last"),
)
_SNAPSHOTS: Final = Statement(
    f"""
    DELETE FROM event_snapshots s USING events e
     WHERE {_IN_PAGE} AND s.org_id = $1 AND s.event_id = e.id AND e.object = ANY($2::text[]) AND {mentions_text("s.row::text", "$3")}
    """,
    ("org_id", "objects", "texts", "after", "last"),
)


async def history(work: Work) -> Step:
    """Takes the person out of the history of filters and settings, and out of the causes of other records' events."""
    uow = work.context.uow
    after = UUID(work.state.get("after", str(UUID(int=0))))
    page = await uow.fetch_row(_LAST, {"org_id": uow.org_id, "after": after})
    if page is None or page["last"] is None or not work.people.texts:
        return DONE
    objects = [*tables("criteria"), "jobs"]
    values = {"org_id": uow.org_id, "objects": objects, "texts": sorted(work.people.texts), "after": after, "last": page["last"]}
    work.counts["events"] += await uow.fetch_value(_FOUND, values)
    if not work.dry_run:
        for statement in (_BLANK, _CAUSES, _SNAPSHOTS):
            await uow.fetch(statement, values)
    work.state["after"] = str(page["last"])
    return MORE if page["count"] == _EVENTS else DONE
