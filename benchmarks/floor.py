"""The floor: what a person would write by hand who needs nothing but these answers, `uvicorn benchmarks.floor:app`.

A bare ASGI application over asyncpg with hand-written SQL and orjson, on the same tables, with the same JSON. It knows no tokens,
no tenants, no permissions, no validation, no events, no limits and no headers beyond type and length. The organisation is
fixed, `FLOOR_ORG` in the environment; `DATABASE_URL` names a role that row-level security does not bind.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

ORG = UUID(os.environ.get("FLOOR_ORG", "00000000-0000-0000-0000-000000000000"))
ACTOR = {"type": "user", "id": os.environ.get("FLOOR_USER", "")}

FIELDS = (
    "id::text, version, display_name, created_at, updated_at, deleted_at, created_by, updated_by, owner_id::text, kind, first_name, "
    "last_name, email, emails, phone, phones, title, department, account_id::text, lifecycle_stage, rating, source, birthdate, "
    "address, email_opt_out, do_not_call, description, custom_fields, tags, external_ids"
)
JSON_FIELDS = ("created_by", "updated_by", "emails", "phones", "address", "custom_fields", "external_ids")
ALIASED = ", ".join(f"c.{name}" for name in FIELDS.split(", "))
GET = f"SELECT {FIELDS} FROM contacts WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL"
LIST = f"SELECT {FIELDS} FROM contacts WHERE org_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT $2"
OWNED = (
    f"SELECT {FIELDS} FROM contacts WHERE org_id = $1 AND deleted_at IS NULL AND owner_id = ANY($3) "
    "ORDER BY created_at DESC, id DESC LIMIT $2"
)
SEARCH = (
    f"SELECT {ALIASED} FROM contacts c JOIN accounts a ON a.org_id = c.org_id AND a.id = c.account_id "
    "WHERE c.org_id = $1 AND c.deleted_at IS NULL AND a.deleted_at IS NULL AND c.lifecycle_stage = $2 AND a.industry_key = $3 "
    "ORDER BY c.created_at DESC, c.id DESC LIMIT $4"
)
COLUMNS = {
    "org_id": "uuid", "id": "uuid", "version": "bigint", "display_name": "text", "created_at": "timestamptz", "updated_at": "timestamptz",
    "created_by": "jsonb", "updated_by": "jsonb", "owner_id": "uuid", "kind": "text", "first_name": "text", "last_name": "text",
    "email": "text", "emails": "jsonb", "phone": "text", "phones": "jsonb", "title": "text", "department": "text",
    "lifecycle_stage": "text", "rating": "text", "source": "text", "birthdate": "date", "email_opt_out": "bool", "do_not_call": "bool",
    "description": "text", "custom_fields": "jsonb", "external_ids": "jsonb", "display_name_key": "text", "first_name_key": "text",
    "last_name_key": "text", "email_key": "text", "phone_key": "text", "title_key": "text", "department_key": "text",
    "source_key": "text", "search_text": "text", "trigrams": "text[]",
}  # fmt: skip
INSERT = f"INSERT INTO contacts ({', '.join(COLUMNS)}) VALUES ({', '.join(f'${i + 1}' for i in range(len(COLUMNS)))})"
_PLAIN = {name: kind for name, kind in COLUMNS.items() if name != "trigrams"}
INSERT_MANY = (
    f"INSERT INTO contacts ({', '.join(_PLAIN)}, trigrams) SELECT {', '.join(_PLAIN)}, trigrams::text[] FROM unnest("
    + ", ".join(f"${i + 1}::{kind}[]" for i, kind in enumerate(_PLAIN.values()))
    + f", ${len(_PLAIN) + 1}::text[]) AS u({', '.join(_PLAIN)}, trigrams)"
)
EVENT = (
    "INSERT INTO events (org_id, id, type, object, record_id, version, occurred_at, actor, cause, changes, visibility, transaction_id, "
    "transaction_index, transaction_last) VALUES ($1, $2, 'contact.created', 'contacts', $3, 1, $4, $5, $6, $7, $8, $9, 0, true)"
)
SNAPSHOT = (
    "WITH o AS (INSERT INTO outbox (org_id, event_id) VALUES ($1, $2)) "
    "INSERT INTO event_snapshots (org_id, event_id, row) VALUES ($1, $2, $3)"
)

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
_state: dict[str, Any] = {}


def new_id() -> UUID:
    """A UUIDv7."""
    random = int.from_bytes(os.urandom(10), "big")
    return UUID(int=(time.time_ns() // 1_000_000 << 80) | (7 << 76) | (random >> 68 << 64) | (2 << 62) | (random & ((1 << 62) - 1)))


def shown(row: asyncpg.Record) -> dict[str, Any]:
    """A row as the API shows it."""
    record: dict[str, Any] = {"object": "contacts", **dict(row)}
    for name in JSON_FIELDS:
        value = record[name]
        if value is not None:
            record[name] = orjson.Fragment(value)
    return record


def values_of(body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A body as the columns of a row, and as the answer shows it."""
    id_, now = new_id(), datetime.now(UTC)
    first, last, email, phone = body.get("first_name") or "", body.get("last_name") or "", body.get("email"), body.get("phone")
    emails = [{"address": email, "type": None, "is_primary": True}] if email else []
    phones = [{"number": phone, "type": None, "is_primary": True}] if phone else []
    name = f"{first} {last}"
    digits = (phone or "").replace(" ", "")
    text = f"{name} {email} {phone} {digits} {body.get('title')} {body.get('department')}".lower()
    record: dict[str, Any] = {
        "object": "contacts", "id": str(id_), "version": 1, "display_name": name, "created_at": now, "updated_at": now, "deleted_at": None,
        "created_by": ACTOR, "updated_by": ACTOR, "owner_id": ACTOR["id"], "kind": "person", "first_name": first, "last_name": last,
        "email": email, "emails": emails, "phone": phone, "phones": phones, "title": body.get("title"),
        "department": body.get("department"), "account_id": None, "lifecycle_stage": None, "rating": None,
        "source": body.get("source"), "birthdate": None, "address": None, "email_opt_out": False, "do_not_call": False,
        "description": body.get("description"), "custom_fields": {}, "tags": [], "external_ids": {},
    }  # fmt: skip
    columns = {column: record.get(column) for column in COLUMNS}
    columns["org_id"], columns["id"], columns["owner_id"] = ORG, id_, UUID(ACTOR["id"])
    for column in ("created_by", "updated_by", "emails", "phones", "custom_fields", "external_ids"):
        columns[column] = orjson.dumps(record[column]).decode()
    for column in ("display_name", "first_name", "last_name", "email", "title", "department", "source"):
        value = columns[column]
        columns[f"{column}_key"] = None if value is None else value.lower()
    columns["phone_key"] = digits or None
    columns["search_text"] = text
    columns["trigrams"] = sorted(set(map("".join, zip(text, text[1:], text[2:], strict=False))))
    return columns, record


async def read_body(receive: Receive) -> Any:
    """The request's JSON."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return orjson.loads(body)


async def get(path: str) -> bytes:
    """One record."""
    row = await _state["pool"].fetchrow(GET, ORG, UUID(path[-36:]))
    return orjson.dumps(shown(row), option=orjson.OPT_UTC_Z)


def page(rows: list[asyncpg.Record], limit: int) -> bytes:
    """One page and where the next begins."""
    more = len(rows) > limit
    rows = rows[:limit]
    cursor = {"next_cursor": rows[-1]["id"] if more else None, "prev_cursor": None, "has_more": more, "events_cursor": None}
    return orjson.dumps({"data": [shown(row) for row in rows], "page": cursor}, option=orjson.OPT_UTC_Z)


async def search(body: dict[str, Any]) -> bytes:
    """Contacts of a lifecycle stage at accounts of an industry; it reads the same body as the API."""
    stage, industry = (condition["value"] for condition in body["filter"]["and"])
    limit = body["limit"]
    return page(await _state["pool"].fetch(SEARCH, ORG, stage, industry.lower(), limit + 1), limit)


async def create(body: dict[str, Any]) -> bytes:
    """One bare INSERT."""
    columns, record = values_of(body)
    await _state["pool"].execute(INSERT, *columns.values())
    return orjson.dumps(record, option=orjson.OPT_UTC_Z)


async def create_with_event(body: dict[str, Any]) -> bytes:
    """Record, event and snapshot (with the outbox row) in one transaction, three statements."""
    columns, record = values_of(body)
    event, now = new_id(), columns["created_at"]
    shown_text = orjson.dumps(record, option=orjson.OPT_UTC_Z)
    changes = {name: {"old": None, "new": value} for name, value in record.items() if value is not None}
    async with _state["pool"].acquire() as connection, connection.transaction():
        await connection.execute(INSERT, *columns.values())
        await connection.execute(
            EVENT, ORG, event, columns["id"], now, orjson.dumps(ACTOR).decode(), '{"action":"contacts.create"}',
            orjson.dumps(changes, option=orjson.OPT_UTC_Z).decode(),
            orjson.dumps({"before": None, "after": {"owner_id": ACTOR["id"]}}).decode(), new_id(),
        )  # fmt: skip
        await connection.execute(SNAPSHOT, ORG, event, shown_text.decode())
    return shown_text


async def batch(body: dict[str, Any]) -> bytes:
    """One INSERT of many rows."""
    made = [values_of(item) for item in body["items"]]
    arrays: list[list[Any]] = [[columns[name] for columns, _ in made] for name in _PLAIN]
    trigrams = [
        "{" + ",".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in columns["trigrams"]) + "}"
        for columns, _ in made
    ]
    await _state["pool"].execute(INSERT_MANY, *arrays, trigrams)
    results = [
        {"index": index, "status": 201, "outcome": "created", "id": record["id"], "version": 1, "record": record}
        for index, (_, record) in enumerate(made)
    ]
    return orjson.dumps({"results": results}, option=orjson.OPT_UTC_Z)


async def lifespan(receive: Receive, send: Send) -> None:
    """Opens the pool, and closes it."""
    await receive()
    url = os.environ["DATABASE_URL"]
    _state["pool"] = await asyncpg.create_pool(url, min_size=1, max_size=10, server_settings={"jit": "off"})
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _state["pool"].close()
    await send({"type": "lifespan.shutdown.complete"})


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """The application."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    path: str = scope["path"]
    status = 200
    if scope["method"] == "GET":
        if path == "/contacts":
            body = page(await _state["pool"].fetch(LIST, ORG, 51), 50)
        elif path == "/contacts/owned":
            owners = [UUID(text) for text in scope["query_string"].decode().split(",")]
            body = page(await _state["pool"].fetch(OWNED, ORG, 51, owners), 50)
        else:
            body = await get(path)
    else:
        asked = await read_body(receive)
        if path == "/contacts/search":
            body = await search(asked)
        elif path == "/contacts/batch":
            body, status = await batch(asked), 207
        else:
            body, status = await (create(asked) if path == "/contacts" else create_with_event(asked)), 201
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
        }
    )
    await send({"type": "http.response.body", "body": body})
