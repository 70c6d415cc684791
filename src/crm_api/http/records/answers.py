"""Answers: bytes of finished JSON with the headers that the contract promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import orjson
from starlette.responses import Response

from crm_api.core.errors import Deleted
from crm_api.core.etag import body_etag, digest, write_etag
from crm_api.http.idempotency import SECRET_HEADER
from crm_api.http.records.call import AnswerOptions, Call
from crm_api.kernel.journal import encode_events_cursor
from crm_api.kernel.once import shown_once
from crm_api.kernel.principal import Principal
from crm_api.kernel.reader import ReadPage, StoredRecord, gone
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.types import Outcome

JSON: Final = "application/json"


def json_response(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Finished JSON."""
    return Response(body, status, headers, JSON)


def document(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A Python value as JSON."""
    return json_response(orjson.dumps(value), status, headers)


def schema_stamp(principal: Principal) -> bytes:
    """What besides the bytes decides a representation: the versions of the organisation's schema and permissions."""
    return b"%d.%d" % (principal.organization.schema_version, principal.organization.access_version)


def read_tag(call: Call, version: int, body: bytes) -> str:
    """`"<version>.<digest>"`."""
    return f'"{version}.{digest(body + schema_stamp(call.context.principal))}"'


def record_answer(call: Call, resource: AnyResource, record: StoredRecord) -> Response:
    """A single read: 200, 304, 301 for a merged record, 410 for a deleted one."""
    if record.merged_into is not None:
        body = orjson.dumps({"merged_into": str(record.merged_into)})
        return json_response(body, 301, {"location": f"/v1/{resource.name}/{record.merged_into}"})
    if record.deleted:
        raise gone(record)
    tag = read_tag(call, record.version, record.json)
    condition = call.if_none_match()
    if condition is not None and condition.matches_tag(tag):
        return Response(status_code=304, headers={"etag": tag})
    return json_response(record.json, 200, {"etag": tag})


def page_body(principal: Principal, page: ReadPage) -> bytes:
    """The list envelope."""
    cursors = b'"next_cursor":%s,"prev_cursor":%s,"has_more":%s,' % (
        _cursor(page.next_cursor),
        _cursor(page.prev_cursor),
        b"true" if page.has_more else b"false",
    )
    count = b"" if page.count is None else b'"count":%d,' % page.count
    broad = b'"too_broad":true,' if page.too_broad else b""
    purged = b"" if page.purged is None else b'"purged":[' + page.purged + b"],"
    events = encode_events_cursor(principal.org_id, page.head).encode()
    return b'{"data":[' + page.data + b'],"page":{' + cursors + count + broad + purged + b'"events_cursor":"' + events + b'"}}'


def _cursor(text: str | None) -> bytes:
    return b"null" if text is None else b'"' + text.encode() + b'"'


def page_answer(call: Call, page: ReadPage) -> Response:
    """A list: 200 or 304."""
    body = page_body(call.context.principal, page)
    tag = body_etag(body + schema_stamp(call.context.principal))
    condition = call.if_none_match()
    if condition is not None and condition.matches_tag(tag):
        return Response(status_code=304, headers={"etag": tag})
    return json_response(body, 200, {"etag": tag})


async def shown(call: Call, resource: AnyResource, id: UUID, record: str, options: AnswerOptions) -> bytes:
    """A record just written, as the caller asked to see it."""
    if options.plain:
        return record.encode()
    stored = await call.engine.reader.one(
        call.context,
        resource,
        id,
        fields=options.fields,
        expand=options.expand,
        values=options.values,
        labels=options.labels,
        abilities=options.abilities,
    )
    return stored.json


async def write_answer(call: Call, resource: AnyResource, outcome: Outcome, options: AnswerOptions) -> Response:
    """A single write: its status, `X-Outcome`, `ETag`, `Location` of what was created, and the record if it is wanted."""
    assert outcome.id is not None
    assert outcome.version is not None
    headers = {"etag": write_etag(outcome.version), "x-outcome": outcome.outcome}
    if outcome.status == 201:
        headers["location"] = f"/v1/{resource.name}/{outcome.id}"
    if call.minimal():
        # 204 for what was created too (RFC 7240 section 4.2): an empty 201 beside one with a record can't be described, and breaks clients.
        return Response(status_code=204, headers={**headers, "preference-applied": "return=minimal"})
    body = await shown(call, resource, outcome.id, outcome.record, options)
    once = shown_once(call.context.uow, outcome.id)
    if once:
        body = with_once(body, once)
        headers |= {SECRET_HEADER: ",".join(once), "cache-control": "no-store"}
    return json_response(body, outcome.status, headers)


def with_once(record: bytes, once: Mapping[str, str | None]) -> bytes:
    """A record with the secrets that are shown beside it this once."""
    return record[:-1] + b"," + orjson.dumps(once)[1:]


__all__ = [
    "Deleted", "document", "json_response", "page_answer", "page_body", "read_tag", "record_answer", "shown", "with_once", "write_answer",
]  # fmt: skip
