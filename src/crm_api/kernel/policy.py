"""What a caller may do: the one place that decides, as checks before and as SQL conditions inside statements.

Two things have to agree. What the token's scopes and the user's profile allow is asked by name (`require`). Whose records are
reached is a condition inside the statement that reads or locks them (`predicate`, `level`); lists, single reads, searches,
boards, events and explanations ask the same object, so what is listed is what can be fetched.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.core.errors import Forbidden, NotFound
from crm_api.kernel.access import sharing
from crm_api.kernel.access.rights import FULL, READ, UNSEEN, WRITE, ObjectAccess
from crm_api.kernel.principal import Principal
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource, Row

ABOUT: Final = "applies_to"
"""The column with the object that a record of an organisation's setup is about: views of leads go where leads can't be read."""

CALLER: Final = sa.bindparam("caller_id", type_=sa.Uuid())
APP: Final = sa.bindparam("caller_app_id", type_=sa.Uuid())


@dataclass(frozen=True, slots=True)
class Policy:
    """The permissions of one principal. `whole` are all objects of the organisation."""

    principal: Principal
    whole: Registry

    @property
    def shape(self) -> Hashable:
        """What of the permissions changes the text of statements; part of their cache key."""
        return self.principal.rights.shape

    @property
    def values(self) -> Mapping[str, Any]:
        """The values that statements with its conditions take, beside `org_id`."""
        return {"caller_id": self.principal.user_id, "caller_app_id": self.principal.app_id, **self.principal.rights.values}

    # --- by name --------------------------------------------------------------------------------------------------------

    def may(self, object_name: str, action: str) -> bool:
        """Whether scopes and profile allow the action on the object."""
        return self.principal.may(object_name, action)

    def require(self, object_name: str, action: str) -> None:
        """Raises InsufficientScope unless the scopes allow the action on the object; if the profile doesn't, NotFound for an object
        that the profile may not even read, else Forbidden."""
        self.principal.require_scope(object_name, action)
        rights = self.principal.rights
        if rights.allows(object_name, action):
            return
        if not rights.allows(object_name, "read") and object_name in self.whole:
            raise NotFound()
        raise Forbidden(f"Your profile does not allow to {action.replace('_', ' ')} {object_name}.")

    def require_read(self, objects: Iterable[str]) -> None:
        """Every object that an answer shows or looks at must be readable."""
        for name in objects:
            self.require(name, "read")

    def readable(self, objects: Iterable[AnyResource]) -> frozenset[str]:
        """Those of the objects that may be read."""
        return frozenset(resource.name for resource in objects if self.principal.may(resource.name, "read"))

    # --- record by record ------------------------------------------------------------------------------------------------

    def access(self, resource: AnyResource) -> ObjectAccess | None:
        """Whose records of an object are reached; None for all of them."""
        return self.principal.rights.access(resource.name)

    def closed(self, resource: AnyResource) -> bool:
        """Whether some of an object's records may be out of reach."""
        if resource.private is not None or self.access(resource) is not None or self._about_unseen(resource):
            return True
        parent = self._parent(resource)
        return parent is not None and self.closed(parent[0])

    def predicate(self, resource: AnyResource, row: FromClause, level: int = READ) -> ColumnElement[bool] | None:
        """The records of an object that are reached at this level, as a condition on its row; None where that is all of them.

        Statements with it take `values`.
        """
        conditions: list[ColumnElement[bool]] = []
        if resource.private is not None:
            conditions.append(resource.private.condition(row, CALLER, APP))
        if self._about_unseen(resource):
            known = row.c[ABOUT] != sa.all_(sa.bindparam(UNSEEN, type_=ARRAY(sa.Text())))
            conditions.append(sa.func.coalesce(known, sa.true()))
        access = self.access(resource)
        if access is not None:
            conditions.append(sharing.predicate(self.whole, resource.whole, row, access, level))
        parent = self._parent(resource)
        if parent is not None and self.closed(parent[0]):
            conditions.append(self._above(*parent, row, level))
        return sa.and_(*conditions) if conditions else None

    def looks_at(self, resource: AnyResource) -> Literal["nothing", "owner", "row"]:
        """What has to be known of a record to tell whether the caller may see it: nothing, its id and owner, or all of it."""
        parent = self._parent(resource)
        if resource.private is not None or self._about_unseen(resource):
            return "row"
        if parent is not None and self.looks_at(parent[0]) != "nothing":
            return "row"
        access = self.access(resource)
        if access is None:
            return "nothing"
        if access.restrictions:
            return "row"
        if access.base >= READ:
            return "nothing"
        return "row" if access.criteria else "owner"

    def level(self, resource: AnyResource, row: FromClause) -> ColumnElement[int] | None:
        """The level at which a record is reached: 0 to 3; None where all are reached in full."""
        if not self.closed(resource):
            return None
        number = sa.literal_column
        found: list[tuple[ColumnElement[bool], ColumnElement[int]]] = []
        for level in (FULL, WRITE, READ):
            condition = self.predicate(resource, row, level)
            assert condition is not None
            found.append((condition, number(str(level), type_=sa.Integer())))
        return sa.case(*found, else_=number("0", type_=sa.Integer()))

    def _about_unseen(self, resource: AnyResource) -> bool:
        """Whether some of an object's records may be about objects that the caller may not know of."""
        rights = self.principal.rights
        return bool(rights.unseen) and not rights.everything and ABOUT in resource.table.c

    def above(self, resource: AnyResource) -> str | None:
        """The column with the record that decides who reaches one of this object; None where the record itself does."""
        parent = self._parent(resource)
        return None if parent is None else parent[1]

    def _parent(self, resource: AnyResource) -> tuple[AnyResource, str] | None:
        """The object whose records decide who reaches this one's, and the column that names them."""
        if resource.sharing != "parent" or resource.parent is None:
            return None
        field = next(f for f in resource.whole.references.values() if f.spec.target == resource.parent)
        return self.whole[resource.parent], field.column

    def _above(self, parent: AnyResource, column: str, row: FromClause, level: int) -> ColumnElement[bool]:
        above = parent.table.alias(f"ab_{column}")
        # whoever may change the parent may take away what hangs on it
        reached = self.predicate(parent, above, min(level, WRITE))
        assert reached is not None
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).where(above.c.org_id == sharing.ORG, above.c.id == row.c[column], reached)
        return sa.exists(found).correlate_except(above)

    def sees(self, resource: AnyResource, row: Row) -> bool:
        """Whether a record that has been read is one that is not private to others."""
        return resource.private is None or resource.private.seen(row, self.principal.user_id, self.principal.app_id)


__all__ = ["APP", "CALLER", "FULL", "READ", "WRITE", "Policy"]
