"""Client credentials (RFC 6749 4.4): an app that acts as itself.

In its own organisation it has the rights of the user whom its administrators named for that (`run_as_user_id`). In another
organisation it has those of the administrator who installed it there. What it does is the app's deed, not that user's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from crm_api.core.ids import parse_uuid
from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.flows.oauth.clients import Client
from crm_api.flows.oauth.errors import OAuthError, invalid_request
from crm_api.flows.oauth.issuing import KIND_APP, Grant, Lifetimes, is_active, issue, new_grant

_INSTALLED: Final = Statement(
    "SELECT g.id, g.user_id, g.scopes, g.audience FROM oauth_grants g WHERE g.org_id = $1 AND g.app_id = $2 AND g.kind = 'app'"
    " AND g.revoked_at IS NULL ORDER BY g.created_at DESC LIMIT 1",
    ("org_id", "app_id"),
)


def organization_of(client: Client, org_id: str | None) -> UUID:
    """The organisation to act in: the parameter `org_id`, else the app's own. Raises OAuthError."""
    if org_id is None:
        if client.owner_org_id is None:
            raise invalid_request("org_id is missing: the app belongs to no organisation, so it must say in which it acts.")
        return client.owner_org_id
    found = parse_uuid(org_id)
    if found is None or not client.serves(found):
        raise OAuthError("unauthorized_client", "The app is not installed in this organisation.")
    return found


async def act(
    uow: Uow, client: Client, scopes: Sequence[str], audience: Sequence[str] | None, lifetimes: Lifetimes
) -> dict[str, Any] | OAuthError:
    """An access token for the app itself, without a refresh token."""
    row = await uow.fetch_row(_INSTALLED, {"org_id": uow.org_id, "app_id": client.id})
    if uow.org_id == client.owner_org_id:
        acting_as = client.run_as_user_id
        if acting_as is None or not await is_active(uow, acting_as):
            return OAuthError("unauthorized_client", "The user with whose rights the app acts (run_as_user_id) is not active.")
        if row is None:
            grant = await new_grant(uow, client, acting_as, KIND_APP, client.scopes, None, uow.new_id(), lifetimes)
        else:
            grant = Grant(row["id"], uow.org_id, acting_as, KIND_APP, client.scopes, None, None)
    else:
        if row is None or not await is_active(uow, row["user_id"]):
            return OAuthError("unauthorized_client", "The app is not installed in this organisation.")
        if not set(scopes) <= set(row["scopes"]):
            return OAuthError("invalid_scope", "The organisation has not granted all of these scopes.")
        grant = Grant(row["id"], uow.org_id, row["user_id"], KIND_APP, row["scopes"], row["audience"], None)
    return await issue(uow, client, grant, lifetimes, refreshable=False, scopes=scopes, audience=audience)
