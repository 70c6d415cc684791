"""Who calls: the organisation, the person, the token and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from crm_api.core.clock import REAL_TIME, BusinessTime, business_time
from crm_api.db.uow import Actor


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
        )


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated caller. `scopes` are `<object>:<action>`, `*:read` or `admin`.

    `preferences` are the user's own, see `kernel/preferences.py`.
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

    @property
    def org_id(self) -> UUID:
        """The tenant."""
        return self.organization.id

    def may(self, object_name: str, action: str) -> bool:
        """Whether the scopes allow an action (`read`, `write`, `delete`, `export`, `import`, …) on an object; write contains read."""
        scopes = self.scopes
        if "admin" in scopes or f"{object_name}:{action}" in scopes:
            return True
        if action == "read":
            return "*:read" in scopes or f"{object_name}:write" in scopes
        return False
