"""How far somebody may change the rights of others, and that an organisation always keeps somebody who may do everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.errors import Forbidden, LastSuperAdmin, Problem
from crm_api.db.statement import Statement
from crm_api.kernel.access.configuration import SUPER_ADMIN
from crm_api.kernel.context import Context
from crm_api.kernel.locks import serialize
from crm_api.kernel.resource import Draft

_PROFILES: Final = Statement(
    "SELECT id, key, permissions, fields, is_default FROM profiles WHERE org_id = $1 AND deleted_at IS NULL", ("org_id",)
)
_REMAINING: Final = Statement(
    "SELECT 1 FROM members m JOIN profiles p ON p.org_id = m.org_id AND p.id = m.profile_id"
    " WHERE m.org_id = $1 AND p.org_id = $1 AND p.key = 'super_admin' AND m.kind = 'person'"
    " AND m.status = 'active' AND m.deleted_at IS NULL"
    " AND NOT m.id = ANY($2::uuid[]) LIMIT 1",
    ("org_id", "leaving"),
)


@dataclass(frozen=True, slots=True)
class Profiles:
    """The organisation's profiles, as far as it matters who may hand them out."""

    rows: Mapping[UUID, Any]

    @classmethod
    async def of(cls, context: Context) -> Profiles:
        """As they are now."""
        return cls({row["id"]: row for row in await context.uow.fetch(_PROFILES, {"org_id": context.uow.org_id})})

    @property
    def default(self) -> UUID | None:
        """What new users get who are given none."""
        return next((id for id, row in self.rows.items() if row["is_default"]), None)

    def is_super(self, profile_id: UUID | None) -> bool:
        """Whether it is the super administrators' profile."""
        return profile_id is not None and profile_id in self.rows and self.rows[profile_id]["key"] == SUPER_ADMIN

    def within(self, context: Context, profile_id: UUID | None) -> bool:
        """Whether the caller may do everything that the profile allows, so that handing it out gives nothing away."""
        principal = context.principal
        if profile_id is None or profile_id not in self.rows:
            return True
        if self.is_super(profile_id):
            return principal.rights.everything and "admin" in principal.scopes
        if principal.rights.everything:
            return True
        row = self.rows[profile_id]
        permissions: Mapping[str, Sequence[str]] = orjson.loads(row["permissions"])
        own = principal.rights
        # Objects that only one of both names are told apart by `*`.
        names = {*permissions, *own.actions, "*"}
        everything = all(own.allows(name, action) for name in names for action in permissions.get(name, permissions.get("*", ())))
        fields: Mapping[str, Mapping[str, str]] = orjson.loads(row["fields"])
        hidden = all(fields.get(name, {}).get(one) == "hidden" for name, ones in own.hidden.items() for one in ones)
        closed = all(one in fields.get(name, {}) for name, ones in own.read_only.items() for one in ones)
        return everything and hidden and closed


def refuse_too_much(context: Context, profiles: Profiles, draft: Draft) -> Problem | None:
    """Why the caller may not give or take these rights."""
    principal, old, new = context.principal, draft.old, draft.new
    if old is not None and draft.id == principal.user_id and not principal.rights.everything:
        moved = [name for name in ("profile_id", "role_id") if draft.changed(name)]
        if moved:
            return Forbidden(f"Nobody changes their own {' and '.join(name.removesuffix('_id') for name in moved)}.")
    rights = old is None or draft.operation != "update" or any(draft.changed(name) for name in ("profile_id", "role_id", "status"))
    if rights:
        for profile_id in {new["profile_id"], None if old is None else old["profile_id"]}:
            if not profiles.within(context, profile_id):
                return Forbidden("Only those who may do all that a profile allows may give it to others or take it from them.")
    role = new["role_id"]
    reached = principal.rights.allows("organization", "administer") or role in principal.rights.grantees
    if role is not None and (old is None or draft.changed("role_id")) and not reached:
        return Forbidden("The role must be the caller's own or one below it.")
    return None


async def keep_one_super_admin(context: Context, profiles: Profiles, leaving: Sequence[Draft]) -> None:
    """Marks drafts that would leave the organisation without an active super administrator (`last_super_admin`).

    Checks run one after the other in an organisation: two administrators who suspend each other at the same moment would each
    see the other still there.
    """
    going = [
        draft
        for draft in leaving
        if draft.old is not None
        and draft.old["status"] == "active"
        and draft.old["deleted_at"] is None
        and profiles.is_super(draft.old["profile_id"])
    ]
    if not going:
        return
    await serialize(context, "users.super_admin")
    if await context.uow.fetch_row(_REMAINING, {"org_id": context.uow.org_id, "leaving": [draft.id for draft in going]}) is None:
        for draft in going:
            draft.problem = LastSuperAdmin()
