"""Who calls: the organisation, the person, the token and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.clock import REAL_TIME, BusinessTime, business_time
from crm_api.core.errors import InsufficientScope
from crm_api.db.uow import Actor
from crm_api.kernel.access.rights import EVERYTHING, GOVERNED_BY, Rights


@dataclass(frozen=True, slots=True)
class OrganizationInfo:
    """The caller's organisation, as far as requests need it."""

    id: UUID
    name: str
    environment: str
    currency: str
    time_zone: str
    locale: str
    region: str
    schema_version: int
    access_version: int
    settings: Mapping[str, Any]
    time: BusinessTime = REAL_TIME
    parent_id: UUID | None = None
    suppression_key: bytes | None = None

    @classmethod
    def of(cls, org_id: UUID, row: Mapping[str, Any]) -> OrganizationInfo:
        """From a row that has the columns of the same names; `settings` in it is the JSON that is stored."""
        settings = row["settings"]
        return cls(
            org_id,
            row["name"],
            row["environment"],
            row["currency"],
            row["time_zone"],
            row["locale"],
            row["region"],
            row["schema_version"],
            row["access_version"],
            {} if settings == "{}" else orjson.loads(settings),
            business_time(row["clock_offset_us"], row["clock_frozen_at"]),
            row["parent_id"],
            row["suppression_key"],
        )


_SCOPES: Final = {"create": "write", "update": "write", "bulk": "write", "transfer": "write", "share": "write"}


def scope_action(action: str) -> str:
    """The action of scopes that an action of profiles belongs to."""
    return _SCOPES.get(action, action)


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. `scopes` are `<object>:<action>`, `*:read` or `admin`, what the token allows; `rights` are what the
    user may do. Both have to agree.

    `preferences` are the user's own, see `kernel/preferences.py`. `token_fields` are the only fields that the token knows of the
    objects named there; None for no such limits.
    """

    organization: OrganizationInfo
    user_id: UUID
    token_id: UUID
    token_name: str
    scopes: frozenset[str]
    actor: Actor
    app_id: UUID | None = None
    api_version: str | None = None
    expires_at: str | None = None
    preferences: Mapping[str, Any] = field(default_factory=dict)
    rights: Rights = EVERYTHING
    token_fields: Mapping[str, frozenset[str]] | None = None

    @property
    def org_id(self) -> UUID:
        """The tenant."""
        return self.organization.id

    def may(self, object_name: str, action: str) -> bool:
        """Whether scopes and profile allow an action (`read`, `create`, `update`, `write` for either, `delete`, `export`, …)."""
        return self.in_scope(object_name, action) and self.rights.allows(object_name, action)

    def in_scope(self, object_name: str, action: str) -> bool:
        """Whether the scopes allow an action on an object; write contains read."""
        scopes = self.scopes
        object_name = GOVERNED_BY.get(object_name, object_name)
        if "admin" in scopes or f"{object_name}:{scope_action(action)}" in scopes:
            return True
        if action == "read":
            return "*:read" in scopes or f"{object_name}:write" in scopes
        return False

    def require_scope(self, object_name: str, action: str) -> None:
        """Raises InsufficientScope unless the scopes allow the action."""
        if not self.in_scope(object_name, action):
            raise InsufficientScope([f"{GOVERNED_BY.get(object_name, object_name)}:{scope_action(action)}"])

    @property
    def administers(self) -> bool:
        """Whether the caller may do what only administrators may."""
        return "admin" in self.scopes and self.rights.allows("organization", "administer")
