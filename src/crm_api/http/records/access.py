"""Who may do what with a record, and why: `…/access`, `…/access/users`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.cursor import decode_cursor, encode_cursor, query_digest
from crm_api.core.errors import BadRequest, FieldError, InvalidCursor, NotFound
from crm_api.core.ids import parse_uuid
from crm_api.db.statement import Statement
from crm_api.http.records.answers import document
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.http.records.shares import require_full
from crm_api.http.records.story import page_limit
from crm_api.kernel.access import explain
from crm_api.kernel.access.configuration import AccessConfiguration
from crm_api.kernel.access.rights import LEVEL_NAMES, READ
from crm_api.kernel.principal import Principal
from crm_api.kernel.reader import gone
from crm_api.kernel.resource import AnyResource

CURSOR: Final = "access"
LOOKED_AT: Final = 500
"""Users of whom one page of `…/access/users` works out their rights; where few have access it holds fewer than its limit."""

_NAMES: Final = Statement("SELECT id, display_name FROM members WHERE org_id = $1 AND id = ANY($2::uuid[])", ("org_id", "ids"))


def access_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/{id}/access."""

    @raw
    async def get_access(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        given = call.refuse_parameters(("user_id",))
        record = await call.engine.reader.one(call.context, resource, call.path_id(), fields=())
        if record.deleted:
            raise gone(record)
        principal, own = call.context.principal, True
        if "user_id" in given:
            asked = parse_uuid(given["user_id"])
            if asked is None:
                raise BadRequest(errors=[FieldError("invalid_uuid", parameter="user_id")])
            if asked != principal.user_id:
                await _require_insight(call, resource)
                try:
                    principal = explain.as_user(call.context, await _configuration(call), asked)
                except NotFound:
                    raise BadRequest(errors=[FieldError("not_found_reference", parameter="user_id")]) from None
                own = False
        standing = await explain.standing_of(call.context, principal, resource, call.path_id())
        return document(_shown(call, resource, principal, standing, own=own))

    return get_access


def _shown(call: Call, resource: AnyResource, principal: Principal, standing: explain.Standing, *, own: bool) -> dict[str, Any]:
    verdicts = explain.verdicts(resource, principal, standing, scoped=own)
    readable = principal.rights.allows(resource.name, "read")
    known = resource.all_fields
    hidden = [name for name in known if name in principal.rights.hidden.get(resource.name, ())]
    closed = [name for name in known if name in principal.rights.read_only.get(resource.name, ())]
    return {
        "record": {"object": resource.name, "id": str(call.path_id())},
        "user_id": str(principal.user_id),
        "access_version": principal.organization.access_version,
        "level": LEVEL_NAMES.get(standing.level) if readable else None,
        "actions": {name: verdict.json() for name, verdict in verdicts.items()},
        "paths": [path.json() for path in standing.paths],
        "restrictions": [{"rule_id": str(rule.rule), "name": rule.name} for rule in standing.forbidding],
        "read_only_fields": closed,
        "hidden_fields": hidden,
    }


def users_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/{id}/access/users."""

    @raw
    async def list_users_with_access(request: Request) -> Response:
        call = Call.of(request)
        call.policy.require(resource.name, "read")
        given = call.refuse_parameters(("limit", "cursor"))
        record = await call.engine.reader.one(call.context, resource, call.path_id(), fields=())
        if record.deleted:
            raise gone(record)
        await _require_insight(call, resource)
        limit, digest = page_limit(given), query_digest("access", resource.name, str(call.path_id()))
        configuration = await _configuration(call)
        facts = await explain.facts_of(call.context, configuration, resource, call.path_id())
        ids = sorted(configuration.members)
        if "cursor" in given:
            (after,) = decode_cursor(call.engine.cursor_key, CURSOR, digest, given["cursor"])
            if not isinstance(after, UUID):
                raise InvalidCursor("malformed")
            ids = [id_ for id_ in ids if id_ > after]
        found: list[dict[str, Any]] = []
        looked_at = 0
        for user_id in ids[:LOOKED_AT]:
            if len(found) == limit:
                break
            looked_at += 1
            if looked_at % 50 == 0:
                await asyncio.sleep(0)
            rights = configuration.rights(user_id)
            standing = explain.reached(rights, resource, facts)
            path = standing.opened_by(READ)
            if standing.level >= READ and path is not None and rights.allows(resource.name, "read"):
                found.append({"user_id": str(user_id), "level": LEVEL_NAMES[standing.level], "decided_by": path.json()})
        names = await _names(call, found)
        more = looked_at < len(ids)
        cursor = encode_cursor(call.engine.cursor_key, CURSOR, digest, [ids[looked_at - 1]]) if more and looked_at else None
        data = [{"user_id": row["user_id"], "name": names.get(row["user_id"]), **row} for row in found]
        return document({"data": data, "page": {"next_cursor": cursor, "prev_cursor": None, "has_more": cursor is not None}})

    return list_users_with_access


async def _names(call: Call, found: list[dict[str, Any]]) -> Mapping[str, str]:
    ids = [UUID(row["user_id"]) for row in found]
    rows = await call.context.uow.fetch(_NAMES, {"org_id": call.context.uow.org_id, "ids": ids})
    return {str(row["id"]): row["display_name"] for row in rows}


async def _configuration(call: Call) -> AccessConfiguration:
    context = call.context
    return await call.engine.access.configuration(context.uow, context.principal.organization, context.whole)


async def _require_insight(call: Call, resource: AnyResource) -> None:
    """What others may do is told to administrators and to those who have the record in full."""
    if not call.context.principal.administers:
        await require_full(call, resource)
