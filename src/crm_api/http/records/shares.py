"""Single shares of a record, and its co-owners."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from crm_api.core.clock import format_timestamp, parse_timestamp
from crm_api.core.errors import FieldError, InvalidValue, ValidationFailed
from crm_api.core.etag import write_etag
from crm_api.core.ids import parse_uuid
from crm_api.http.records.answers import document
from crm_api.http.records.call import Call, Endpoint, raw
from crm_api.kernel.access import shares
from crm_api.kernel.access.explain import standing_of
from crm_api.kernel.access.rights import FULL, LEVELS
from crm_api.kernel.access.shares import Given, Share
from crm_api.kernel.reader import gone
from crm_api.kernel.resource import AnyResource
from crm_api.kernel.writes.locked import out_of_reach

GRANTEE_KEYS: Final = {"user_id": "user", "role_id": "role", "team_id": "team", "territory_id": "territory"}
BODY_KEYS: Final = (*GRANTEE_KEYS, "with_subordinates", "access", "expires_at")


def list_endpoint(resource: AnyResource) -> Endpoint:
    """GET /v1/{object}/{id}/shares."""

    @raw
    async def list_shares(request: Request) -> Response:
        call = _sharer(request, resource)
        call.policy.require(resource.name, "read")
        await require_full(call, resource)
        found = await shares.listed(call.context, resource, call.path_id())
        page = {"next_cursor": None, "prev_cursor": None, "has_more": False}
        return document({"data": [share.json() for share in found], "page": page})

    return list_shares


def create_endpoint(resource: AnyResource) -> Endpoint:
    """POST /v1/{object}/{id}/shares."""

    @raw
    async def share_record(request: Request) -> Response:
        call = _sharer(request, resource, "dry_run")
        given = _given(await call.json(), call.context.uow.now)
        return await _put(call, resource, given)

    return share_record


def delete_endpoint(resource: AnyResource) -> Endpoint:
    """DELETE /v1/{object}/{id}/shares/{share_id}."""

    @raw
    async def unshare_record(request: Request) -> Response:
        call = _sharer(request, resource, "dry_run")
        call.context.uow.cause.action = f"{resource.name}.unshare"
        return _gone(await shares.remove(call.context, resource, call.path_id(), call.path_id("share_id")))

    return unshare_record


def put_co_owner_endpoint(resource: AnyResource) -> Endpoint:
    """PUT /v1/{object}/{id}/co_owners/{user_id}."""

    @raw
    async def put_co_owner(request: Request) -> Response:
        call = _sharer(request, resource, "dry_run")
        expires_at = None
        if await request.body():
            body, errors = _members(await call.json(), ("expires_at",))
            expires_at = _expiry(body.get("expires_at"), call.context.uow.now, errors)
            _refuse(errors)
        return await _put(call, resource, Given("user", call.path_id("user_id"), "full", expires_at))

    return put_co_owner


def delete_co_owner_endpoint(resource: AnyResource) -> Endpoint:
    """DELETE /v1/{object}/{id}/co_owners/{user_id}."""

    @raw
    async def delete_co_owner(request: Request) -> Response:
        call = _sharer(request, resource, "dry_run")
        call.context.uow.cause.action = f"{resource.name}.unshare"
        return _gone(await shares.remove(call.context, resource, call.path_id(), call.path_id("user_id"), co_owner=True))

    return delete_co_owner


def _sharer(request: Request, resource: AnyResource, *parameters: str) -> Call:
    """The call of somebody who may share records of the object. Raises Forbidden, and BadRequest for other query parameters."""
    call = Call.of(request)
    call.policy.require(resource.name, "share")
    call.refuse_parameters(parameters)
    return call


async def require_full(call: Call, resource: AnyResource) -> None:
    """Raises NotFound, Deleted or Forbidden unless the caller has the live record of the path in full."""
    record = await call.engine.reader.one(call.context, resource, call.path_id(), fields=())
    if record.deleted:
        raise gone(record)
    standing = await standing_of(call.context, call.context.principal, resource, call.path_id())
    if standing.level < FULL:
        raise out_of_reach(standing.level)


async def _put(call: Call, resource: AnyResource, given: Given) -> Response:
    call.context.uow.cause.action = f"{resource.name}.share"
    share, outcome = await shares.put(call.context, resource, call.path_id(), given)
    headers = {"etag": write_etag(share.version), "x-outcome": outcome}
    if outcome == "created":
        headers["location"] = f"/v1/{resource.name}/{share.record_id}/shares"
    return document(share.json(), 201 if outcome == "created" else 200, headers)


def _gone(share: Share) -> Response:
    return document(share.json(), 200, {"etag": write_etag(share.version), "x-outcome": "deleted"})


# --- bodies ---------------------------------------------------------------------------------------------------------------


def _members(body: Any, allowed: tuple[str, ...]) -> tuple[dict[str, Any], list[FieldError]]:
    if not isinstance(body, dict):
        raise ValidationFailed(errors=[InvalidValue("invalid_body", expected="object").at(pointer="")])
    return body, [InvalidValue("unknown_field", allowed=list(allowed)).at(pointer=f"/{key}") for key in body if key not in allowed]


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        raise ValidationFailed(errors)


def _given(body: Any, now: datetime) -> Given:
    """What a body asks for. Raises ValidationFailed."""
    body, errors = _members(body, BODY_KEYS)
    named = [key for key in GRANTEE_KEYS if body.get(key) is not None]
    key = named[0] if named else "user_id"
    id_ = UUID(int=0)
    if not named:
        errors.append(FieldError("required", pointer="/user_id", allowed=list(GRANTEE_KEYS)))
    for other in named[1:]:
        errors.append(FieldError("invalid_combination", pointer=f"/{other}", params={"other": key}))
    if named:
        found = parse_uuid(body[key]) if isinstance(body[key], str) else None
        if found is None:
            errors.append(FieldError("invalid_uuid", pointer=f"/{key}"))
        id_ = found or id_
    tree = body.get("with_subordinates", False)
    if not isinstance(tree, bool):
        errors.append(FieldError("invalid_boolean", pointer="/with_subordinates"))
    elif tree and key != "role_id":
        errors.append(FieldError("invalid_combination", pointer="/with_subordinates", params={"other": key}))
    access = body.get("access")
    if access is None:
        errors.append(FieldError("required", pointer="/access", allowed=list(LEVELS)))
    elif access not in LEVELS:
        errors.append(FieldError("enum", pointer="/access", allowed=list(LEVELS)))
    expires_at = _expiry(body.get("expires_at"), now, errors)
    _refuse(errors)
    return Given("role_tree" if tree else GRANTEE_KEYS[key], id_, str(access), expires_at, f"/{key}")


def _expiry(value: Any, now: datetime, errors: list[FieldError]) -> datetime | None:
    """When a share ends: a later moment of the organisation's own time."""
    if value is None:
        return None
    try:
        found = parse_timestamp(value) if isinstance(value, str) else None
    except InvalidValue as error:
        errors.append(error.at(pointer="/expires_at"))
        return None
    if found is None:
        errors.append(FieldError("type", pointer="/expires_at", params={"expected": "string"}))
    elif found <= now:
        errors.append(FieldError("min", pointer="/expires_at", params={"min": format_timestamp(now)}))
    return found


__all__ = [
    "BODY_KEYS", "GRANTEE_KEYS", "create_endpoint", "delete_co_owner_endpoint", "delete_endpoint", "list_endpoint",
    "put_co_owner_endpoint", "require_full",
]  # fmt: skip
