"""Links: the edges of many-to-many relations, under a record, in batches, and as a collection of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import BadRequest, FieldError, InvalidCursor, InvalidValue, NotFound, ValidationFailed
from crm_api.core.etag import body_etag, write_etag
from crm_api.core.ids import parse_uuid
from crm_api.http.records.answers import json_response
from crm_api.http.records.batch import MAX_ITEMS, failed_item, results
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.http.records.story import envelope, page_limit
from crm_api.http.routing import charge, reads
from crm_api.kernel.access.delegation import refuse_organising
from crm_api.kernel.events import GROUPS
from crm_api.kernel.links import LinkOutcome, LinkPut, Links
from crm_api.kernel.registry import Relation
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.types import WriteOptions

CURSOR: Final = "links"


def _service(call: Call) -> Links:
    return Links(call.engine.writer)


def _permit(call: Call, relation: Relation, action: str) -> None:
    """Writing an edge needs writing one end and reading the other; which one, the path says."""
    call.policy.require(relation.source, action)
    if relation.link_name in GROUPS and action != "read":
        problem = refuse_organising(call.context)
        if problem is not None:
            raise problem
    call.policy.require(relation.target, "read")


def _after(call: Call, given: Mapping[str, str], digest: str) -> UUID | None:
    if "cursor" not in given:
        return None
    (after,) = decode_cursor(call.engine.cursor_key, CURSOR, digest, given["cursor"])
    if not isinstance(after, UUID):
        raise InvalidCursor("malformed")
    return after


def _page(call: Call, rows: Sequence[bytes], ids: Sequence[UUID], limit: int, digest: str) -> Response:
    more = len(rows) > limit
    cursor = encode_cursor(call.engine.cursor_key, CURSOR, digest, [ids[limit - 1]]) if more else None
    body = envelope(rows[:limit], cursor)
    return json_response(body, 200, {"etag": body_etag(body)})


def list_endpoint(resource: AnyResource, relation: Relation) -> Endpoint:
    """GET /v1/{object}/{id}/links/{relation}."""

    @raw
    async def list_links(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require_read((relation.source, relation.target))
        given = call.refuse_parameters(("limit", "cursor"))
        limit, id_ = page_limit(given), call.path_id()
        digest = query_digest(relation.link_name, relation.forward, str(id_))
        after = _after(call, given, digest)
        if after is None:
            await call.engine.reader.one(call.context, resource, id_)
        found = await _service(call).page(call.context, relation, id_, limit=limit + 1, after=after)
        rows = [b'{"link":' + link.encode() + b',"record":' + record.encode() + b"}" for _, link, record in found]
        return _page(call, rows, [row[0] for row in found], limit, digest)

    return list_links


def put_endpoint(resource: AnyResource, relation: Relation) -> Endpoint:
    """PUT /v1/{object}/{id}/links/{relation}/{other_id}."""

    @raw
    async def put_link(request: Request) -> Response:
        call = Call.of(request)
        _permit(call, relation, "write")
        call.refuse_parameters(("dry_run",))
        body = await call.json() if await request.body() else {}
        if not isinstance(body, dict):
            raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
        items = [LinkPut(call.path_id("other_id"), body)]
        outcome = (await _service(call).put(call.context, relation, call.path_id(), items))[0]
        return _one(outcome)

    return put_link


def delete_endpoint(resource: AnyResource, relation: Relation) -> Endpoint:
    """DELETE /v1/{object}/{id}/links/{relation}/{other_id}."""

    @raw
    async def delete_link(request: Request) -> Response:
        call = Call.of(request)
        _permit(call, relation, "write")
        call.refuse_parameters(("dry_run",))
        outcome = (await _service(call).delete(call.context, relation, call.path_id(), [call.path_id("other_id")]))[0]
        return _one(outcome)

    return delete_link


def _one(outcome: LinkOutcome) -> Response:
    assert outcome.version is not None
    return json_response(outcome.link.encode(), outcome.status, {"etag": write_etag(outcome.version), "x-outcome": outcome.outcome})


def batch_endpoint(resource: AnyResource, relation: Relation, verb: str) -> Endpoint:
    """POST /v1/{object}/{id}/links/{relation}/batch/{put|delete}."""

    @raw
    async def batch_links(request: Request) -> Response:
        call = Call.of(request)
        _permit(call, relation, "write")
        call.refuse_parameters(("dry_run",))
        mode, items = _batch_body(await call.json(), verb)
        await charge(request, (len(items) + 19) // 20 - 1)
        how = WriteOptions(atomic=mode == "atomic", items=len(items))
        service = _service(call)
        if verb == "put":
            outcomes = await service.put(call.context, relation, call.path_id(), [LinkPut(i, rest) for i, rest in items], options=how)
        else:
            outcomes = await service.delete(call.context, relation, call.path_id(), [i for i, _ in items], options=how)
        parts = []
        for outcome in outcomes:
            if outcome.problem is not None:
                parts.append(failed_item(call, outcome.index, outcome.problem))
                continue
            head = {
                "index": outcome.index,
                "status": outcome.status,
                "outcome": outcome.outcome,
                "id": str(outcome.id),
                "version": outcome.version,
            }
            parts.append(orjson.dumps(head)[:-1] + b',"link":' + outcome.link.encode() + b"}")
        return results(parts)

    return batch_links


def _batch_body(body: Any, verb: str) -> tuple[str, list[tuple[UUID, dict[str, Any]]]]:
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        raise ValidationFailed(errors=[InvalidValue("required", expected="array").at(pointer="/items")])
    errors = [
        InvalidValue("unknown_field", allowed=["mode", "items"]).at(pointer=f"/{key}") for key in body if key not in ("mode", "items")
    ]
    if body.get("mode", "partial") not in ("partial", "atomic"):
        errors.append(InvalidValue("enum", allowed=["partial", "atomic"]).at(pointer="/mode"))
    if not 1 <= len(body["items"]) <= MAX_ITEMS:
        errors.append(
            InvalidValue("too_many_items" if body["items"] else "min_items", max_items=MAX_ITEMS, min_items=1).at(pointer="/items")
        )
    items: list[tuple[UUID, dict[str, Any]]] = []
    for index, item in enumerate(body["items"][:MAX_ITEMS]):
        found = parse_uuid(item["id"]) if isinstance(item, dict) and isinstance(item.get("id"), str) else None
        if found is None:
            errors.append(FieldError("invalid_uuid", pointer=f"/items/{index}/id"))
            continue
        rest = {key: value for key, value in item.items() if key != "id"}
        if verb == "delete" and rest:
            errors += [FieldError("unknown_field", pointer=f"/items/{index}/{key}", allowed=["id"]) for key in rest]
        items.append((found, rest))
    if errors:
        raise ValidationFailed(errors=errors)
    return body.get("mode", "partial"), items


@raw
async def list_all(request: Request) -> Response:
    """GET /v1/links: every edge of one relation, or of all that the caller may read."""
    call = Call.of(request)
    given = call.refuse_parameters(("relation", "limit", "cursor"))
    name = given.get("relation")
    registry = call.context.registry
    known = sorted(
        {r.link_name for relations in registry.relations.values() for r in relations.values() if r.link_name is not None and r.forward}
    )
    if name is not None and name not in known:
        raise BadRequest(errors=[InvalidValue("enum", allowed=known).at(parameter="relation")])
    for link_name in known if name is None else [name]:
        relation = registry.link(link_name)
        assert relation is not None
        call.policy.require_read((relation.source, relation.target))
    limit, digest = page_limit(given), query_digest("links", name)
    found = await _service(call).of_relation(call.context, name, limit=limit + 1, after=_after(call, given, digest))
    return _page(call, [link.encode() for _, link in found], [row[0] for row in found], limit, digest)


@reads
@raw
async def read_batch(request: Request) -> Response:
    """POST /v1/links/batch/read: edges by id."""
    call = Call.of(request)
    call.refuse_parameters()
    _, items = _batch_body(await call.json(), "delete")
    found = await _service(call).read(call.context, [id_ for id_, _ in items])
    parts = []
    for index, (id_, _) in enumerate(items):
        link = found.get(id_)
        if link is None or not _readable(call, link):
            parts.append(failed_item(call, index, NotFound()))
        else:
            parts.append(b'{"index":%d,"status":200,"id":"%s","link":%s}' % (index, str(id_).encode(), link.encode()))
    return results(parts)


def _readable(call: Call, link: str) -> bool:
    edge = orjson.loads(link)
    principal = call.context.principal
    return principal.may(edge["from"]["object"], "read") and principal.may(edge["to"]["object"], "read")
