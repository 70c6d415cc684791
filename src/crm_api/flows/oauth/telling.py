"""Events of apps, for the organisation: `app.created` and its like about those that it has registered, `app.authorized` and
`app.revoked` about what apps may do there. No secret is in any of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.db.statement import StatementCache
from crm_api.db.uow import Uow
from crm_api.kernel.event_catalog import APPS, GRANTS
from crm_api.kernel.events import PlainEvent, emit_in

_STATEMENTS: Final = StatementCache(size=16)
_TOLD: Final = (
    "name", "type", "redirect_uris", "scopes", "first_party", "distribution", "install", "require_pushed_authorization_requests",
    "logo_uri", "client_uri", "run_as_user_id", "active",
)  # fmt: skip
"""The members of an app that its events tell."""

_ACTIONS: Final = {"created": "create", "updated": "update", "deleted": "delete"}
Shown = Mapping[str, Any]


def app(uow: Uow, verb: Literal["created", "updated", "deleted"], old: Shown | None, new: Shown | None, version: int) -> None:
    """Tells that an app of the organisation was registered, changed or removed. `old` and `new` are the app as the API shows it."""
    before, after = old or {}, new or {}
    changes = {
        name: {"old": before.get(name), "new": after.get(name)} for name in _TOLD if before.get(name) != after.get(name)
    }  # fmt: skip
    app_id = UUID((new or before)["id"])
    emit_in(uow, _STATEMENTS, PlainEvent(f"app.{verb}", APPS, app_id, version, changes, action=f"{APPS}.{_ACTIONS[verb]}"))


def rotated(uow: Uow, old: Shown, new: Shown) -> None:
    """Tells that an app has another secret."""
    changes = {name: {"old": old[name], "new": new[name]} for name in ("secret_prefix", "old_secret_until") if old[name] != new[name]}
    event = PlainEvent("app.secret_rotated", APPS, UUID(new["id"]), new["version"], changes, action=f"{APPS}.rotate_secret")
    emit_in(uow, _STATEMENTS, event)


def let_in(uow: Uow, grant_id: UUID, app_id: UUID, app_name: str, user_id: UUID, kind: str, scopes: Sequence[str]) -> None:
    """Tells what an app was allowed."""
    told = {**_grant(app_id, user_id, kind, scopes), "app_name": app_name}
    changes = {name: {"old": None, "new": value} for name, value in told.items()}
    _of_grant(uow, "authorized", grant_id, app_id, user_id, 1, changes)


def ended(uow: Uow, grant: Mapping[str, Any], because: str) -> None:
    """Tells that a grant has ended; `grant` is its row."""
    told = _grant(grant["app_id"], grant["user_id"], grant["kind"], grant["scopes"])
    changes = {name: {"old": value, "new": None} for name, value in told.items()}
    _of_grant(
        uow, "revoked", grant["id"], grant["app_id"], grant["user_id"], 2, {**changes, "revoked_because": {"old": None, "new": because}}
    )


def _grant(app_id: UUID, user_id: UUID, kind: str, scopes: Sequence[str]) -> dict[str, Any]:
    return {"app_id": str(app_id), "user_id": str(user_id), "kind": kind, "scopes": list(scopes)}


def _of_grant(uow: Uow, verb: str, grant_id: UUID, app_id: UUID, user_id: UUID, version: int, changes: Mapping[str, Any]) -> None:
    whose = {"user_id": str(user_id)}
    event = PlainEvent(
        f"app.{verb}", GRANTS, grant_id, version, changes, (str(app_id),), {"before": None, "after": whose},
        action=f"{GRANTS}.{'authorize' if verb == 'authorized' else 'revoke'}",
    )  # fmt: skip
    emit_in(uow, _STATEMENTS, event)


__all__ = ["app", "ended", "let_in", "rotated"]
