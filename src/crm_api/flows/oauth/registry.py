"""The register of apps: made, changed and removed by administrators, or by programs that were trusted to (RFC 7591)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from crm_api.core.clock import format_timestamp
from crm_api.core.errors import Conflict, FieldError, LimitExceeded, NotFound, ValidationFailed
from crm_api.core.tokens import generate, token_hint
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.oauth import redirects, telling
from crm_api.flows.oauth.clients import CLIENT, CODE, COLUMNS, DEVICE, REFRESH, Client
from crm_api.kernel.audit import record

MOST_APPS: Final = 200
DEFAULT_GRANTS: Final = {"confidential": (CODE, REFRESH, CLIENT, DEVICE), "public": (CODE, REFRESH, DEVICE)}

_NAMES: Final = ", ".join(COLUMNS)
_PLACES: Final = ", ".join(f"${place}" for place in range(1, len(COLUMNS) + 1))
_SETS: Final = ", ".join(f"{name} = ${place}" for place, name in enumerate(COLUMNS, 1) if name != "id")
_INSERT: Final = Statement(f"INSERT INTO oauth_clients ({_NAMES}) VALUES ({_PLACES})", COLUMNS)
_UPDATE: Final = Statement(f"UPDATE oauth_clients SET {_SETS} WHERE id = $1", COLUMNS)
_COUNT: Final = Statement("SELECT count(*) FROM oauth_clients WHERE owner_org_id IS NOT DISTINCT FROM $1", ("owner_org_id",))
_LIST: Final = Statement(f"SELECT {_NAMES} FROM oauth_clients WHERE owner_org_id = $1 ORDER BY id DESC LIMIT 500", ("owner_org_id",))
_LOCK: Final = Statement(f"SELECT {_NAMES} FROM oauth_clients WHERE owner_org_id = $1 AND id = $2 FOR UPDATE", ("owner_org_id", "id"))
_GET: Final = Statement(f"SELECT {_NAMES} FROM oauth_clients WHERE owner_org_id = $1 AND id = $2", ("owner_org_id", "id"))
_DELETE: Final = Statement("DELETE FROM oauth_clients WHERE owner_org_id = $1 AND id = $2", ("owner_org_id", "id"))
_MEMBER: Final = Statement("SELECT 1 FROM members m WHERE m.org_id = $1 AND m.id = $2 AND m.deleted_at IS NULL", ("org_id", "user_id"))
_END_ALL: Final = Statement("UPDATE tokens SET revoked_at = $2 WHERE app_id = $1 AND revoked_at IS NULL", ("app_id", "now"))
_END_ACCESS: Final = Statement(
    "UPDATE tokens SET revoked_at = $2 WHERE app_id = $1 AND kind = ANY('{at,app}'::text[]) AND revoked_at IS NULL", ("app_id", "now")
)
_END_WITH: Final = Statement(
    "UPDATE tokens SET revoked_at = $2 WHERE app_id = $1 AND scopes && $3::text[] AND revoked_at IS NULL", ("app_id", "now", "scopes")
)
_OWN_GRANTS: Final = Statement(
    "SELECT g.id FROM oauth_grants g WHERE g.org_id = $1 AND g.app_id = $2 AND g.kind = 'app'", ("org_id", "app_id")
)
_END_OF_GRANTS: Final = Statement(
    "UPDATE tokens SET revoked_at = $3 WHERE org_id = $1 AND id = ANY($2::uuid[]) AND revoked_at IS NULL", ("org_id", "ids", "now")
)


def check_redirect_uris(uris: Sequence[str], *, native: bool) -> list[FieldError]:
    """What is wrong with redirect URIs, one by one."""
    found = ((place, redirects.fault(uri, native=native)) for place, uri in enumerate(uris))
    return [
        FieldError("invalid_redirect_uri", pointer=f"/redirect_uris/{place}", params={"reason": why})
        for place, why in found
        if why is not None
    ]


def check_link(name: str, uri: str | None) -> list[FieldError]:
    """Links that people see must be https."""
    if uri is None or (urlsplit(uri).scheme == "https" and urlsplit(uri).netloc and uri.isascii() and uri.isprintable()):
        return []
    return [FieldError("invalid_url", pointer=f"/{name}")]


async def create(
    uow: Uow, given: Mapping[str, Any], *, owner_org_id: UUID | None, user_id: UUID | None, audited: bool = True
) -> tuple[Client, str | None]:
    """Registers an app; for a confidential one with its secret, which can't be had again."""
    count = await uow.fetch_value(_COUNT, {"owner_org_id": owner_org_id})
    if owner_org_id is not None and count >= MOST_APPS:
        raise LimitExceeded("oauth_apps", MOST_APPS, count + 1)
    now = uow.clock.now()
    values: dict[str, Any] = {
        "id": uow.new_id(), "owner_org_id": owner_org_id, "auth_method": None, "first_party": False, "distribution": "org",
        "install": "user", "require_par": False, "logo_uri": None, "client_uri": None, "run_as_user_id": user_id, "created_by": user_id,
        "grant_types": list(DEFAULT_GRANTS[given["type"]]), "secret_hash": None, "secret_prefix": None, "previous_secret_hash": None,
        "previous_secret_until": None, "version": 1, "created_at": now, "updated_at": now, "disabled_at": None, **given,
    }  # fmt: skip
    secret: str | None = None
    if values["type"] == "confidential":
        secret, values["secret_hash"] = generate("crm_cs_")
        values["secret_prefix"] = token_hint(secret)
    if values["run_as_user_id"] is not None and values["run_as_user_id"] != user_id:
        await _check_member(uow, values["run_as_user_id"])
    await uow.fetch(_INSERT, values)
    client = Client.of(values)
    details = {"client_name": client.name, "scopes": list(client.scopes), "type": client.type}
    if audited:
        record(uow, "oauth_app.created", object="oauth_apps", record_id=client.id, details=details)
    if owner_org_id is not None:
        telling.app(uow, "created", None, described(client, now), client.version)
    return client, secret


async def _check_member(uow: Uow, user_id: UUID) -> None:
    if await uow.fetch_row(_MEMBER, {"org_id": uow.org_id, "user_id": user_id}) is None:
        raise ValidationFailed([FieldError("unresolved_reference", pointer="/run_as_user_id")])


async def listed(uow: Uow) -> list[Client]:
    """The organisation's apps, newest first."""
    return [Client.of(row) for row in await uow.fetch(_LIST, {"owner_org_id": uow.org_id})]


async def get(uow: Uow, id: UUID, *, lock: bool = False) -> Client:
    """One of the organisation's apps. Raises NotFound."""
    row = await uow.fetch_row(_LOCK if lock else _GET, {"owner_org_id": uow.org_id, "id": id})
    if row is None:
        raise NotFound()
    return Client.of(row)


def _values(client: Client) -> dict[str, Any]:
    found = {name: getattr(client, name) for name in COLUMNS}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


async def update(uow: Uow, client: Client, given: Mapping[str, Any]) -> Client:
    """Changes an app. Tokens that it could not get any more end at once."""
    now = uow.clock.now()
    old = _values(client)
    changed = {name: value for name, value in given.items() if old[name] != value}
    if not changed:
        return client
    if changed.get("run_as_user_id") is not None:
        await _check_member(uow, changed["run_as_user_id"])
    values = {**old, **changed, "version": client.version + 1, "updated_at": now}
    await uow.fetch(_UPDATE, values)
    if changed.get("disabled_at") is not None:
        await uow.fetch(_END_ACCESS, {"app_id": client.id, "now": now})
    removed = sorted(set(client.scopes) - set(values["scopes"]))
    if removed:
        await uow.fetch(_END_WITH, {"app_id": client.id, "now": now, "scopes": removed})
    if "run_as_user_id" in changed:
        grants = [row["id"] for row in await uow.fetch(_OWN_GRANTS, {"org_id": uow.org_id, "app_id": client.id})]
        await uow.fetch(_END_OF_GRANTS, {"org_id": uow.org_id, "ids": grants, "now": now})
    record(uow, "oauth_app.updated", object="oauth_apps", record_id=client.id, details={"changed": sorted(changed)})
    new = Client.of(values)
    telling.app(uow, "updated", described(client, now), described(new, now), new.version)
    return new


async def delete(uow: Uow, client: Client) -> None:
    """Removes an app; all its tokens, in every organisation, end at once."""
    await uow.fetch(_DELETE, {"owner_org_id": uow.org_id, "id": client.id})
    await uow.fetch(_END_ALL, {"app_id": client.id, "now": uow.clock.now()})
    record(uow, "oauth_app.deleted", object="oauth_apps", record_id=client.id, details={"client_name": client.name})
    telling.app(uow, "deleted", described(client, uow.clock.now()), None, client.version + 1)


async def rotate(uow: Uow, client: Client, grace_seconds: int) -> tuple[Client, str]:
    """A new secret; the old one goes on for `grace_seconds`. Raises Conflict for an app that has none."""
    if client.public:
        raise Conflict("A public app has no secret.")
    now: datetime = uow.clock.now()
    secret, hashed = generate("crm_cs_")
    values = {
        **_values(client), "secret_hash": hashed, "secret_prefix": token_hint(secret), "previous_secret_hash": client.secret_hash,
        "previous_secret_until": now + timedelta(seconds=grace_seconds), "version": client.version + 1, "updated_at": now,
    }  # fmt: skip
    await uow.fetch(_UPDATE, values)
    record(uow, "oauth_app.secret_rotated", object="oauth_apps", record_id=client.id, details={"grace_seconds": grace_seconds})
    new = Client.of(values)
    telling.rotated(uow, described(client, now), described(new, now))
    return new, secret


def described(client: Client, now: datetime) -> dict[str, Any]:
    """An app as the API shows it: everything but its secret."""
    until = client.previous_secret_until
    return {
        "object": "oauth_apps",
        "id": str(client.id),
        "client_id": str(client.id),
        "name": client.name,
        "type": client.type,
        "redirect_uris": list(client.redirect_uris),
        "scopes": list(client.scopes),
        "grant_types": list(client.grant_types),
        "first_party": client.first_party,
        "distribution": client.distribution,
        "install": client.install,
        "require_pushed_authorization_requests": client.require_par,
        "logo_uri": client.logo_uri,
        "client_uri": client.client_uri,
        "run_as_user_id": None if client.run_as_user_id is None else str(client.run_as_user_id),
        "active": client.disabled_at is None,
        "secret_prefix": client.secret_prefix,
        "old_secret_until": format_timestamp(until) if until is not None and until > now else None,
        "version": client.version,
        "created_by": None if client.created_by is None else str(client.created_by),
        "created_at": format_timestamp(client.created_at),
        "updated_at": format_timestamp(client.updated_at),
    }
