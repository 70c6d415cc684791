"""Holds events against the catalogue: each by the schema of its type, with no member that isn't described.

`Events` takes schemas from the committed document, by the same function that `GET /v1/event_types/{type}` uses; what an organisation has
added itself is asked of that route. `check_stored` reads what a whole test session has left in the database, so that events which no test
looks at are held against their schemas too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import jsonschema_rs
import orjson
import sqlalchemy as sa
from starlette.requests import Request

from crm_api.core.clock import SystemClock
from crm_api.db.engine import Database
from crm_api.db.statement import NOW, TODAY, Statement, compile_statement
from crm_api.db.uow import unit_of_work
from crm_api.flows.organizations import organization_info
from crm_api.http.api import REGISTRY
from crm_api.http.app import Application
from crm_api.http.meta.descriptions import descriptions_of
from crm_api.http.meta.jsonschema import complete
from crm_api.http.openapi.event_schemas import alone, full_schema, thin_schema
from crm_api.http.openapi.tenant.base import Base
from crm_api.http.openapi.tenant.objects import visible_schemas
from crm_api.kernel.catalog import Catalog
from crm_api.kernel.event_catalog import SYSTEM_OBJECTS, EventType, event_types
from crm_api.kernel.event_json import as_json, event_columns
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.visible import ALL, Visible
from crm_api.models.events import Event, EventSnapshot, JournalEntry
from tests.openapi_validation import NotDescribed, closed, document

Schema = dict[str, Any]
ALIKE: Final = 40
"""How many stored events with one type and the same changed fields are looked at."""

OWN_OBJECTS: Final = 60
"""How many of the objects that test organisations have made or extended are looked at, evenly chosen."""

MOST_TOLD: Final = 12
"""How many violations are told in full."""


def strict(kind: EventType, schema: Schema) -> Any:
    """A validator that knows no members but those that are described."""
    changes = schema["properties"].get("changes")
    if changes is not None and not kind.open:
        schema = {**schema, "properties": {**schema["properties"], "changes": {**changes, "additionalProperties": False}}}
    return jsonschema_rs.Draft202012Validator(closed(schema), validate_formats=True)


class Events:
    """The validators of one set of objects, made on first use."""

    def __init__(self, registry: Registry, schemas: Mapping[str, Schema]) -> None:
        self.types = event_types(registry)
        self._registry = registry
        self._schemas = schemas
        self._kept: dict[tuple[str, bool], Any] = {}

    def problems(self, event: Mapping[str, Any]) -> list[str] | None:
        """What is wrong with an event; None for one of a type that isn't known here."""
        thin = "changed_fields" in event
        key = (str(event.get("type")), thin)
        if key not in self._kept:
            kind = self.types.get(key[0])
            if kind is None:
                return None
            self._kept[key] = strict(kind, self._complete(kind, thin))
        return told(self._kept[key], event)

    def _complete(self, kind: EventType, thin: bool) -> Schema:
        schemas = dict(self._schemas)
        resource: AnyResource | None = self._registry.get(kind.object)
        if resource is not None:
            alone(schemas, self._registry, resource)
        return complete((thin_schema if thin else full_schema)(kind, resource, schemas), schemas, kind.name, kind.name)


def told(validator: Any, event: Mapping[str, Any]) -> list[str]:
    """What a validator finds wrong, with the place of each mistake."""
    if validator.is_valid(event):
        return []
    return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:300]}" for error in validator.iter_errors(event)]


@cache
def standard() -> Events:
    """Those of all organisations, from the committed document."""
    return Events(REGISTRY, document()["components"]["schemas"])


class OwnTypes:
    """The types of one organisation, as its client is told of them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def problems(self, event: Mapping[str, Any]) -> list[str]:
        """What is wrong with an event by its own organisation's catalogue."""
        name = str(event.get("type"))
        answer = await self._client.get(f"/v1/event_types/{name}")
        if answer.status_code != 200:
            return [f"{name} is no type of event: {answer.text[:200]}"]
        shown = answer.json()
        kind = EventType(name, shown["object_name"], shown["title"], shown["description"], open=name == "schema.updated")
        return told(strict(kind, shown["thin_schema" if "changed_fields" in event else "schema"]), event)


def wrong(payload: Mapping[str, Any]) -> list[str]:
    """What is wrong with what a stream or a webhook has brought: an event, whole or thin, or a batch. Types that an organisation has made
    are not judged here."""
    events = payload["events"] if payload.keys() == {"events"} else [payload]
    return [f"{event.get('type')} {event.get('id')}: {problem}" for event in events for problem in standard().problems(event) or ()]


def events_in(response: httpx.Response) -> list[Mapping[str, Any]]:
    """The events that an answer of the journal holds."""
    path = response.request.url.path
    if response.request.method != "GET" or response.status_code != 200 or not path.startswith("/v1/events"):
        return []
    if path == "/v1/events":
        return list(response.json()["data"])
    is_one = path.count("/") == 3 and not path.endswith(("/stream", "/payload"))
    return [response.json()] if is_one else []


async def assert_events(events: Iterable[Mapping[str, Any]], own: OwnTypes) -> None:
    """Raises NotDescribed for an event that neither the standard catalogue nor the organisation's describes."""
    for event in events:
        if standard().problems(event) == []:
            continue
        found = await own.problems(event)
        if found:
            raise NotDescribed(f"{event.get('type')} {event.get('id')}: {'; '.join(found[:5])}")


class EventChecker:
    """A hook for the clients of tests: every event that an answer of the journal holds is one that is described."""

    def __init__(self, ask: Callable[[], httpx.AsyncClient]) -> None:
        self._ask = ask

    async def __call__(self, response: httpx.Response) -> None:
        """Checks the events of one answer. Streams are left to those who read them."""
        if response.request.url.path.startswith("/v1/events") and response.headers.get("content-type") == "application/json":
            await response.aread()
            async with self._ask() as client:
                await assert_events(events_in(response), OwnTypes(client))


# --- all that a session has stored --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """How many events were looked at, and what is wrong with which."""

    count: int
    problems: list[str]


async def check_stored(admin_url: str, app_url: str, app: Application) -> Checked:
    """Reads the events of all organisations through the journal's own columns, and holds them against the catalogue.

    Events that tests have written by hand (without visibility) are left out.
    """
    connection = await asyncpg.connect(admin_url)
    try:
        count, problems = await _standard(connection)
        more, others = await _own(connection, app_url, app)
    finally:
        await connection.close()
    return Checked(count + more, [*problems, *others][:MOST_TOLD])


def _statement(registry: Registry, objects: Iterable[str], where: str) -> Statement:
    """Events as the journal shows them: at most `ALIKE` of those with the same type and the same changed fields."""
    events, journal, snapshots = Event.__table__.alias("e"), JournalEntry.__table__.alias("j"), EventSnapshot.__table__.alias("s")
    alike = sa.func.row_number().over(
        partition_by=(events.c.org_id if where else sa.literal_column("1"), events.c.type, sa.text(_NAMES)), order_by=events.c.id
    )
    picked = sa.select(*events.c, alike.label("alike")).where(sa.text(f"e.visibility <> '{{}}'::jsonb{where}")).subquery("p")
    source = picked.outerjoin(journal, sa.and_(journal.c.org_id == picked.c.org_id, journal.c.event_id == picked.c.id)).outerjoin(
        snapshots, sa.and_(snapshots.c.org_id == picked.c.org_id, snapshots.c.event_id == picked.c.id)
    )
    columns = event_columns(registry, picked, journal.c.seq, snapshots.c.row, objects)
    shown = sa.select(*columns).select_from(source).where(picked.c.alike <= sa.literal_column(str(ALIKE))).subquery("x")
    return compile_statement(sa.select(as_json(shown).label("json")).select_from(shown))


_NAMES: Final = "(SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(e.changes) k)"


def _values(statement: Statement, **more: Any) -> list[Any]:
    now = SystemClock().now()
    given = {"api_version": "2026-12-01", "test": False, NOW: now, TODAY: now.date(), **more}
    return [given[name] for name in statement.names]


async def _standard(connection: asyncpg.Connection) -> tuple[int, list[str]]:
    objects = [*(resource.name for resource in REGISTRY), *SYSTEM_OBJECTS]
    statement = _statement(REGISTRY, objects, "")
    count, problems = 0, []
    known = standard()
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(statement.sql, *_values(statement), prefetch=500):
            event = orjson.loads(row["json"])
            found = known.problems(event)
            if found is None and event["object"] in objects:
                found = ["no such type"]
            if found:
                problems.append(f"{event['type']} {event['id']}: {'; '.join(found[:3])}")
            count += found is not None
    return count, problems


_EXTENDED: Final = """
SELECT d.org_id, d.object, (SELECT max(e.occurred_at) FROM events e WHERE e.org_id = d.org_id AND e.type = 'schema.updated') AS since
  FROM (SELECT org_id, api_name AS object FROM object_definitions UNION SELECT org_id, object FROM field_definitions) d
  JOIN organizations o ON o.id = d.org_id
 ORDER BY md5(d.org_id::text || d.object) LIMIT $1
"""


async def _own(connection: asyncpg.Connection, app_url: str, app: Application) -> tuple[int, list[str]]:
    """Objects of organisations' own, and such with fields of their own, since their schema was changed last: events from before that
    may hold what a field was then."""
    chosen = await connection.fetch(_EXTENDED, OWN_OBJECTS)
    if not chosen:
        return 0, []
    request = Request({"type": "http", "app": app})
    base, _ = await descriptions_of(request).base(request)
    catalog = Catalog(REGISTRY)
    database = Database(app_url, pool_size=2, org_connections=2, wait_seconds=10)
    count, problems = 0, []
    try:
        for org_id, object_name, since in chosen:
            registry = await _registry(database, catalog, org_id)
            if object_name not in registry:
                continue
            later = "" if since is None else f" AND e.occurred_at > '{since}'"
            statement = _statement(registry, [object_name], f" AND e.org_id = '{org_id}' AND e.object = '{object_name}'{later}")
            known: Events | None = None
            for row in await connection.fetch(statement.sql, *_values(statement)):
                known = known or _events_of(base, registry, object_name)
                event = orjson.loads(row["json"])
                found = known.problems(event)
                count += 1
                if found or found is None:
                    problems.append(f"{event['type']} {event['id']}: {'; '.join((found or ['no such type'])[:3])}")
    finally:
        await database.close()
    return count, problems


async def _registry(database: Database, catalog: Catalog, org_id: UUID) -> Registry:
    async with unit_of_work(database, org_id, SystemClock()) as uow:
        return await catalog.registry(uow, await organization_info(uow))


def _events_of(base: Base, registry: Registry, object_name: str) -> Events:
    seen = Visible(registry, {resource.name: resource for resource in registry}, ALL)
    prepared, schemas = visible_schemas(base, seen, {object_name})
    return Events(prepared, schemas)


__all__ = [
    "Checked",
    "EventChecker",
    "Events",
    "OwnTypes",
    "assert_events",
    "check_stored",
    "events_in",
    "standard",
    "strict",
    "told",
    "wrong",
]
