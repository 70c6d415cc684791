"""An endpoint as those see it who serve it: what it asks for, and whether it may still be told anything."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.db.statement import Statement
from crm_api.db.uow import Actor, Uow
from crm_api.kernel.access.rights import EVERYTHING, NOTHING
from crm_api.kernel.principal import OrganizationInfo, Principal

_COLUMNS: Final = (
    "e.id, e.url, e.event_types, e.filters, e.payload, e.rate_per_s, e.max_concurrency, e.ordering, e.batch, e.debounce_s, e.exclude_own,"
    " e.status, e.version, e.api_version, e.acts_as, e.acting_user_id, e.app_id, e.grant_id, e.scopes, e.token_fields, e.token_id,"
    " e.deleted_at IS NOT NULL AS deleted,"
    " CASE WHEN e.acts_as = 'organization' THEN NULL"
    "      WHEN e.acts_as = 'grant' AND (g.id IS NULL OR g.revoked_at IS NOT NULL OR g.expires_at <= $3) THEN 'grant_revoked'"
    "      WHEN m.id IS NULL OR m.status <> 'active' OR m.deleted_at IS NOT NULL THEN 'user_inactive' END AS refusal"
)
_FROM: Final = (
    " FROM webhook_endpoints e LEFT JOIN members m ON m.org_id = e.org_id AND m.id = e.acting_user_id"
    " LEFT JOIN oauth_grants g ON g.org_id = e.org_id AND g.id = e.grant_id WHERE e.org_id = $1"
)
_SOME: Final = Statement(f"SELECT {_COLUMNS}{_FROM} AND e.id = ANY($2::uuid[])", ("org_id", "ids", "now"))
_LISTENING: Final = Statement(
    f"SELECT {_COLUMNS}, s.after_seq"
    + _FROM.replace(" WHERE", " JOIN webhook_states s ON s.org_id = e.org_id AND s.endpoint_id = e.id WHERE")
    + " AND e.deleted_at IS NULL AND e.status <> 'disabled' AND s.after_seq < $2 ORDER BY e.id",
    ("org_id", "until", "now"),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint. `refusal` is why it may no longer be told anything; `after_seq` the number of the last event that is not for it."""

    id: UUID
    url: str
    event_types: tuple[str, ...]
    filters: tuple[Mapping[str, Any], ...]
    payload: str
    rate_per_s: int | None
    max_concurrency: int
    ordering: str
    batch: Mapping[str, Any] | None
    debounce_s: int
    exclude_own: bool
    status: str
    version: int
    api_version: str | None
    acts_as: str
    acting_user_id: UUID | None
    app_id: UUID | None
    grant_id: UUID | None
    scopes: frozenset[str]
    token_fields: Mapping[str, frozenset[str]] | None
    token_id: UUID | None
    deleted: bool
    refusal: str | None
    after_seq: int = 0

    @property
    def fifo(self) -> bool:
        """Whether events are sent one after the other."""
        return self.ordering == "fifo"

    @property
    def eyes(self) -> tuple[Any, ...]:
        """What decides which events it is told of and how: endpoints that agree in it see the same journal."""
        fields = None if self.token_fields is None else tuple(sorted((name, tuple(sorted(f))) for name, f in self.token_fields.items()))
        return (self.acts_as, self.acting_user_id, self.app_id, self.token_id, self.scopes, fields, self.api_version)

    def wants(self, event_type: str) -> bool:
        """Whether a type of events is among those it asks for."""
        return _pattern(self.event_types).fullmatch(event_type) is not None

    def principal(self, organization: OrganizationInfo) -> Principal:
        """As whom it looks at the journal; rights come with the context."""
        if self.acts_as == "organization":
            return Principal(
                organization, organization.id, self.token_id or self.id, "webhook", frozenset({"admin"}), Actor("system"), rights=EVERYTHING
            )
        assert self.acting_user_id is not None
        actor = Actor("user", self.acting_user_id) if self.app_id is None else Actor("app", self.app_id)
        return Principal(
            organization, self.acting_user_id, self.token_id or self.id, "webhook", self.scopes, actor, self.app_id,
            rights=NOTHING, token_fields=self.token_fields,
        )  # fmt: skip


async def endpoints_of(uow: Uow, ids: Collection[UUID], now: datetime) -> dict[UUID, Endpoint]:
    """Endpoints by id, deleted ones too. `now` is real time, by which grants end."""
    rows = await uow.fetch(_SOME, {"org_id": uow.org_id, "ids": list(ids), "now": now})
    return {row["id"]: _endpoint(row) for row in rows}


async def listening(uow: Uow, until: int, now: datetime) -> list[Endpoint]:
    """The endpoints that events up to a number may be for."""
    rows = await uow.fetch(_LISTENING, {"org_id": uow.org_id, "until": until, "now": now})
    return [_endpoint(row) for row in rows]


def _endpoint(row: Any) -> Endpoint:
    values = dict(row)
    fields = values["token_fields"]
    return Endpoint(
        **{
            **values,
            "event_types": tuple(orjson.loads(values["event_types"])),
            "filters": tuple(orjson.loads(values["filters"])),
            "batch": None if values["batch"] is None else orjson.loads(values["batch"]),
            "scopes": frozenset(values["scopes"]),
            "token_fields": None if fields is None else {name: frozenset(f) for name, f in orjson.loads(fields).items()},
        }
    )


@lru_cache(maxsize=4096)
def _pattern(names: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(name).replace(r"\*", ".*") for name in names))
