"""`Idempotency-Key`: the answer to a write is stored with its effect, in one transaction, and given again for a day.

The first statement of the transaction claims the key. A second request with the same key waits for the first one's commit
for a tenth of a second and is then told 409 `in_flight`; waiting longer would hold a connection that others need. Only
successful answers are stored: what failed changed nothing, so it may be tried again under the same key. Keys and paths, which
callers may make of names and addresses, are kept as digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.errors import BadRequest, Conflict, FieldError, IdempotencyKeyReused, InFlight
from crm_api.db.errors import classify
from crm_api.db.statement import compile_statement
from crm_api.kernel.context import Context
from crm_api.models.base import table
from crm_api.models.platform import IdempotencyKey

KEPT: Final = timedelta(hours=24)
WAIT_MS: Final = 100
SECRET_HEADER: Final = "x-once-shown"
"""A response header (removed before sending) that lists JSON members to blank in the stored copy: secrets shown once.

A member that stands deeper is written with the steps to it: `results/0/body/token`."""

ERASED: Final = 410
"""Kept as the status of an answer whose record was erased since: a repetition is told so, and writes nothing."""

_keys = table(IdempotencyKey)
_P = sa.bindparam
_where = (
    _keys.c.org_id == _P("org_id", type_=sa.Uuid()),
    _keys.c.principal_id == _P("principal_id", type_=sa.Uuid()),
    _keys.c.key == _P("key", type_=sa.Text()),
)
_claim_insert = insert(_keys).values(
    {c: _P(c, type_=_keys.c[c].type) for c in ("org_id", "principal_id", "key", "method", "path", "body_hash", "created_at")}
)
# A key whose day is over is taken again; RETURNING gives a row only to whoever claimed it.
_CLAIM: Final = compile_statement(
    _claim_insert.on_conflict_do_update(
        index_elements=["org_id", "principal_id", "key"],
        set_={
            "method": _claim_insert.excluded.method,
            "path": _claim_insert.excluded.path,
            "body_hash": _claim_insert.excluded.body_hash,
            "created_at": _claim_insert.excluded.created_at,
            "status": sa.null(),
            "headers": sa.null(),
            "body": sa.null(),
        },
        where=_keys.c.created_at < _P("expired", type_=_keys.c.created_at.type),
    ).returning(_keys.c.key)
)
_STORED: Final = compile_statement(
    sa.select(_keys.c.method, _keys.c.path, _keys.c.body_hash, _keys.c.status, _keys.c.headers, _keys.c.body).where(*_where)
)
_STORE: Final = compile_statement(
    sa.update(_keys)
    .where(*_where)
    .values(status=_P("status", type_=sa.Integer()), headers=_P("headers", type_=JSONB()), body=_P("body", type_=sa.LargeBinary()))
)


async def guarded(request: Request, context: Context, key: str, inner: Callable[[Request], Awaitable[Response]]) -> Response:
    """Runs the endpoint once per key and principal; a repetition gets the stored answer.

    Raises BadRequest for a malformed key, IdempotencyKeyReused for another request under the same key, InFlight while the
    first one still runs.
    """
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise BadRequest(
            errors=[FieldError("invalid_header", header="Idempotency-Key", params={"reason": "1 to 255 visible ASCII characters"})]
        )
    body = await request.body()
    path = request.url.path + ("?" + request.url.query if request.url.query else "")
    now = context.uow.clock.now()  # real time: a sandbox's clock must not make it forget what it has answered
    values = {
        "org_id": context.principal.org_id,
        "principal_id": context.principal.token_id,
        "key": hashlib.sha256(key.encode()).hexdigest(),
        "method": request.method,
        "path": hashlib.sha256(path.encode()).hexdigest(),
        # With a key, since a body may be little more than a password: nobody is to guess it from a copy of the table.
        "body_hash": hashlib.blake2b(body, digest_size=32, key=request.app.state.services.engine.cursor_key).digest(),
        "created_at": now,
        "expired": now - KEPT,
    }
    uow = context.uow
    uow.lock_timeout_ms = WAIT_MS
    try:
        claimed = await uow.fetch_row(_CLAIM, values)
    except Exception as error:
        if classify(error).kind == "lock_timeout":
            raise InFlight() from None
        raise
    if claimed is None:
        return await _replayed(context, values)
    await uow.connection.run("SET LOCAL lock_timeout = 0")
    response = await inner(request)
    stored = bytes(response.body)
    once_shown = response.headers.get(SECRET_HEADER)
    if once_shown is not None:
        stored = _blanked(stored, once_shown.split(","))
    headers = {name: value for name, value in response.headers.items() if name in ("content-type", "location", "etag", "x-outcome")}
    await uow.fetch(_STORE, {**values, "status": response.status_code, "headers": orjson.dumps(headers).decode(), "body": stored})
    return response


async def _replayed(context: Context, values: dict[str, object]) -> Response:
    row = await context.uow.fetch_row(_STORED, values)
    if row is None or row["status"] is None:
        raise InFlight()
    if (row["method"], row["path"], bytes(row["body_hash"])) != (values["method"], values["path"], values["body_hash"]):
        raise IdempotencyKeyReused()
    if row["status"] == ERASED:
        raise Conflict("What this request wrote was erased since; it is not done a second time.")
    headers = {**orjson.loads(row["headers"]), "idempotency-replayed": "true"}
    return Response(bytes(row["body"]), row["status"], headers)


def _blanked(body: bytes, members: list[str]) -> bytes:
    """The answer with its secrets taken out: a stored copy must not be a place to read them a second time."""
    document = orjson.loads(body)
    for member in members:
        *steps, last = member.split("/")
        holder: Any = document
        for step in steps:
            holder = holder[int(step) if isinstance(holder, list) else step]
        if last in holder:
            holder[last] = None
    return orjson.dumps(document)
