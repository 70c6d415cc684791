"""Links of records that a caller may not see all of: a link is for those who see both its ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from crm_api.kernel.policy import Policy
from crm_api.kernel.registry import Registry, Relation
from crm_api.kernel.resource import AnyResource

_ORG: Final[sa.BindParameter[Any]] = sa.bindparam("org_id", type_=sa.Uuid())
_ONE: Final[ColumnElement[Any]] = sa.literal_column("1")


def edges_of(registry: Registry) -> list[Relation]:
    """All many-to-many relations, seen from the ends that their links start at."""
    return [r for found in registry.relations.values() for r in found.values() if r.kind == "many_to_many" and r.forward]


def reached_now(policy: Policy, resource: AnyResource, id_: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Whether the caller sees the record with an id as it is now, deleted ones too."""
    row = resource.table.alias(name)
    conditions = [row.c.org_id == _ORG, row.c.id == id_, *resource.scope(row)]
    seen = policy.predicate(resource, row)
    return sa.exists(sa.select(_ONE).where(*conditions, *([] if seen is None else [seen]))).correlate_except(row)


class AsTheyAreNow:
    """Which records of the past may be seen: those that are reached now, whoever reached them then."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def predicate(self, resource: AnyResource, row: FromClause) -> ColumnElement[bool] | None:
        """None where everything in the organisation is visible."""
        if self._policy.predicate(resource, row) is None:
            return None
        return reached_now(self._policy, resource, row.c.id, "now")


def both_ends(
    policy: Policy, relations: Iterable[Relation], relation: ColumnElement[Any], source: ColumnElement[Any], target: ColumnElement[Any]
) -> ColumnElement[bool] | None:
    """Whether the caller sees both ends of a link: `relation` is its relation's name, `source` and `target` are the ids of its ends.

    None where that is so of all of them.
    """
    branches = []
    for one in relations:
        needed = [
            reached_now(policy, policy.whole[end], id_, name)
            for end, id_, name in ((one.source, source, "end_from"), (one.target, target, "end_to"))
            if policy.looks_at(policy.whole[end]) != "nothing"
        ]
        if needed:
            branches.append((relation == sa.literal_column(f"'{one.link_name}'"), sa.and_(*needed)))
    return sa.case(*branches, else_=sa.true()) if branches else None


def visible_links(policy: Policy, registry: Registry, row: FromClause) -> list[ColumnElement[bool]]:
    """The same as conditions on rows of `links`. Statements with them take the policy's values."""
    relations = edges_of(registry)
    found = both_ends(policy, relations, row.c.relation, row.c.from_id, row.c.to_id)
    conditions = [] if found is None else [found]
    if registry is not policy.whole:
        names: list[ColumnElement[Any]] = [sa.literal_column(f"'{relation.link_name}'") for relation in relations]
        conditions.append(sa.or_(sa.false(), *(row.c.relation == name for name in names)))
    return conditions
