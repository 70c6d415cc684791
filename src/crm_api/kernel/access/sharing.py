"""Access to single records as SQL: one condition per reason, from which reads, writes and explanations are all made.

Every value is a parameter (`Rights.values`), so users with alike rights share statements. The arrays of owners hold everybody
whose records a user reaches by owning, standing above, or a rule on owners, worked out beforehand; so the usual case is one
comparison of `owner_id`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.db.statement import NOW
from crm_api.kernel.access.criteria import condition
from crm_api.kernel.access.rights import FULL, GRANTEES, LEVEL_NAMES, READ, TREES, WRITE, Criteria, ObjectAccess, owners_parameter
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import AnyResource
from crm_api.models.access import RecordShare
from crm_api.models.base import table

ORG: Final = sa.bindparam("org_id", type_=sa.Uuid())
SHARES: Final = table(RecordShare)
_UUIDS: Final = ARRAY(PgUUID(as_uuid=True))
AT: Final = sa.bindparam(NOW, type_=SHARES.c.created_at.type)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a record: `kind` and, for a rule, which; the level it gives; the condition under which it is open."""

    kind: Literal["default", "owners", "criteria", "shares"]
    level: int
    condition: ColumnElement[bool]
    rule: Criteria | None = None


def ways(registry: Registry, resource: AnyResource, row: FromClause, access: ObjectAccess, level: int) -> Iterator[Way]:
    """All ways that lead to a record of the object with at least this level; restrictions apart."""
    if access.base >= level:
        yield Way("default", access.base, sa.true())
        return
    owners = sa.bindparam(owners_parameter(access.object, level), type_=_UUIDS)
    yield Way("owners", level, row.c.owner_id == sa.any_(owners))
    for rule in access.criteria:
        if rule.level >= level and rule.node is not None:
            yield Way("criteria", rule.level, condition(registry, resource, row, rule.node), rule)
    # an array of ids, so that PostgreSQL may look all ways up by their indexes and unite what it finds
    shared: ColumnElement[Any] = sa.func.array(shared_ids(resource.name, level).scalar_subquery(), type_=_UUIDS)
    yield Way("shares", level, row.c.id == sa.func.any(shared))


def predicate(registry: Registry, resource: AnyResource, row: FromClause, access: ObjectAccess, level: int) -> ColumnElement[bool]:
    """Whether a record is reached at this level."""
    open_ways = [way.condition for way in ways(registry, resource, row, access, level)]
    return sa.and_(sa.or_(*open_ways), *restricted(registry, resource, row, access))


def restricted(registry: Registry, resource: AnyResource, row: FromClause, access: ObjectAccess) -> list[ColumnElement[bool]]:
    """What restriction rules ask of a record; a rule without criteria leaves none."""
    limits: list[ColumnElement[bool]] = []
    for rule in access.restrictions:
        found = sa.false() if rule.node is None else condition(registry, resource, row, rule.node)
        limits.append(sa.func.coalesce(found, sa.false()))
    return limits


def shared_ids(object_name: str, level: int) -> sa.Select[Any]:
    """The records of an object that are shared with the caller one by one, at this level or above."""
    shares = SHARES.alias("sh")
    return sa.select(shares.c.record_id).where(*reaching(shares, object_name, level)).correlate(None)


def reaching(shares: FromClause, object_name: str, level: int) -> list[ColumnElement[bool]]:
    """Which single shares of an object's records reach the caller now, at this level or above."""
    text = sa.literal_column
    tree = shares.c.grantee_type == text("'role_tree'")
    found: list[ColumnElement[bool]] = [
        shares.c.org_id == ORG,
        shares.c.object == text(f"'{object_name}'"),
        sa.or_(
            sa.and_(shares.c.grantee_id == sa.any_(sa.bindparam(GRANTEES, type_=_UUIDS)), ~tree),
            sa.and_(shares.c.grantee_id == sa.any_(sa.bindparam(TREES, type_=_UUIDS)), tree),
        ),
        sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > AT),
    ]
    if level > READ:
        names = [LEVEL_NAMES[higher] for higher in (READ, WRITE, FULL) if higher >= level]
        found.append(sa.or_(*(shares.c.access == text(f"'{name}'") for name in names)))
    return found
