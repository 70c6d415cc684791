"""What a caller may do: the one place that decides, as checks before and as SQL conditions inside statements.

Object access follows the token's scopes. Record access (owner, role tree, sharing rules, teams) and field access join here
as predicates and projections; lists and single reads ask the same object, so what is listed is what can be fetched.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.errors import InsufficientScope
from crm_api.kernel.principal import Principal
from crm_api.kernel.resource import AnyResource, Row

CALLER: Final = sa.bindparam("caller_id", type_=sa.Uuid())


@dataclass(frozen=True, slots=True)
class Policy:
    """The permissions of one principal."""

    principal: Principal

    @property
    def shape(self) -> Hashable:
        """What of the permissions changes the text of statements; part of their cache key."""
        return ()

    def require(self, object_name: str, action: str) -> None:
        """Raises InsufficientScope unless the scopes allow the action on the object."""
        if not self.principal.may(object_name, action):
            raise InsufficientScope([f"{object_name}:{action}"])

    def require_read(self, objects: Iterable[str]) -> None:
        """Every object that an answer shows or looks at must be readable."""
        for name in objects:
            self.require(name, "read")

    def readable(self, objects: Iterable[AnyResource]) -> frozenset[str]:
        """Those of the objects that the scopes allow to read."""
        return frozenset(resource.name for resource in objects if self.principal.may(resource.name, "read"))

    def predicate(self, resource: AnyResource, row: FromClause) -> ColumnElement[bool] | None:
        """The records of an object that the caller may see, as a condition on its row; None where that is all of them.

        Statements with it take the caller's id as `caller_id`.
        """
        return None if resource.private is None else resource.private.condition(row, CALLER)

    def sees(self, resource: AnyResource, row: Row) -> bool:
        """The same for a record that has been read."""
        return resource.private is None or resource.private.seen(row, self.principal.user_id)
