"""What the caller may do with each record of an answer (`include=abilities`), worked out in the statement that reads it.

The level at which a record is reached comes from the same conditions that lock it for a write (`Policy.level`), of the record as
it is now; what scopes and profile allow stands in the statement, so it is part of its key.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.access.rights import FULL, WRITE
from crm_api.kernel.policy import Policy
from crm_api.kernel.query.filters import ORG
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource

MEMBER: Final = "abilities"
ACTIONS: Final = {"update": WRITE, "delete": FULL, "transfer": FULL, "share": FULL}
"""What records say of themselves, with the level that it needs."""

_text = sa.literal_column


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one caller may do by name, object by object; `key` tells callers apart whose statements differ."""

    policy: Policy
    allowed: dict[str, frozenset[str]]

    @classmethod
    def of(cls, policy: Policy, registry: Registry) -> Abilities:
        """For answers with records of any of these objects."""
        return cls(policy, {resource.name: _allowed(policy, resource) for resource in registry})

    @property
    def key(self) -> Hashable:
        """Part of the key of statements."""
        return tuple(sorted((name, tuple(sorted(actions))) for name, actions in self.allowed.items()))

    def column(self, resource: AnyResource, row: FromClause, name: str) -> ColumnElement[Any]:
        """The member of one record; `name` is an alias that is free. The record is looked up again where its owner or the like decides."""
        allowed = self.allowed[resource.name]
        near = resource.table.alias(name)
        level = self.policy.level(resource, near) if allowed else None
        if level is None:
            return _object(resource, {action: sa.true() if action in allowed else sa.false() for action in ACTIONS})
        reached = (
            sa.select(level.label("level"))
            .where(near.c.org_id == ORG, near.c.id == row.c.id)
            .correlate(row)
            .offset(_text("0"))  # so that the level is worked out once
            .subquery(f"{name}_l")
        )
        flags = {action: reached.c.level >= _text(str(need)) if action in allowed else sa.false() for action, need in ACTIONS.items()}
        return sa.select(_object(resource, flags)).select_from(reached).scalar_subquery()


def _object(resource: AnyResource, flags: dict[str, ColumnElement[bool]]) -> ColumnElement[Any]:
    closed = ",".join(f'"{name}"' for name in resource.all_fields if name in resource.read_only)
    members: list[Any] = []
    for action, flag in flags.items():
        members += [_text(f"'{action}'"), flag]
    return sa.func.json_build_object(*members, _text("'read_only_fields'"), _text(f"'[{closed}]'::json"))


def _allowed(policy: Policy, resource: AnyResource) -> frozenset[str]:
    found: set[str] = {action for action in ("update", "delete") if action in resource.verbs and policy.may(resource.name, action)}
    if "update" in resource.verbs and "owner_id" in resource.fields and policy.may(resource.name, "transfer"):
        found.add("transfer")
    if "update" in resource.verbs and resource.sharing == "owner" and policy.may(resource.name, "share"):
        found.add("share")
    return frozenset(found)
