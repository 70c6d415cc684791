"""The rights of one user, worked out: which actions, which fields, whose records.

Levels of access to a record: `READ` to see it, `WRITE` to change it, `FULL` to delete, transfer and share it, as its owner may.
A level contains those below it. What a profile allows comes on top: who may not update contacts updates none, whosever they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal
from uuid import UUID

from crm_api.kernel.query.plan import Node

READ, WRITE, FULL = 1, 2, 3
LEVELS: Final = {"read": READ, "write": WRITE, "full": FULL}
LEVEL_NAMES: Final = {level: name for name, level in LEVELS.items()}

GOVERNED_BY: Final = {"webhook_endpoints": "webhooks", "webhook_deliveries": "webhooks"}
"""Objects that profiles and scopes speak of under another name."""

Reason = Literal["owner", "role_hierarchy", "manager_chain", "sharing_rule"]


@dataclass(frozen=True, slots=True)
class OwnerGrant:
    """Access to the records of some owners. `rule` is the sharing rule that gives it, if one does."""

    reason: Reason
    level: int
    owners: frozenset[UUID]
    rule: UUID | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """A rule's conditions on a record; None for none. Their values have slots of their own, see `kernel/access/criteria.py`."""

    rule: UUID
    name: str
    level: int
    node: Node | None
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class ObjectAccess:
    """Whose records of one object a user reaches. `base` is the level that everybody has, 0 for none.

    `criteria` give access to records that meet them, `restrictions` take it away from records that don't.
    """

    object: str
    base: int
    owners: tuple[OwnerGrant, ...] = ()
    criteria: tuple[Criteria, ...] = ()
    restrictions: tuple[Criteria, ...] = ()

    @cached_property
    def open(self) -> bool:
        """Whether nothing has to be looked at."""
        return self.base == FULL and not self.restrictions

    def owners_at(self, level: int) -> frozenset[UUID]:
        """The owners whose records are reached at this level."""
        return frozenset().union(*(grant.owners for grant in self.owners if grant.level >= level))

    @property
    def shape(self) -> Hashable:
        """What of it shows in the text of statements."""
        rules = tuple((one.level, one.node) for one in self.criteria)
        return (self.object, self.base, rules, tuple(one.node for one in self.restrictions))


@dataclass(frozen=True)
class Rights:
    """What one user may do. `everything`: a super administrator, or the system itself.

    `actions` are by object, `*` standing for those not named; `hidden` and `read_only` are fields by object. `records` says for
    single objects whose records are reached; those not named are open. `grantees` are the ids under which single records may have been
    shared with the user, `trees` the roles whose whole subtree counts. `unseen` are the objects with data that may not be
    read; `view` tells apart what different users know of.
    """

    everything: bool = False
    profile_id: UUID | None = None
    profile_key: str | None = None
    role_id: UUID | None = None
    actions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    read_only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    records: Mapping[str, ObjectAccess] = field(default_factory=dict)
    grantees: tuple[UUID, ...] = ()
    trees: tuple[UUID, ...] = ()
    unseen: frozenset[str] = frozenset()
    view: Hashable = None

    def allows(self, object_name: str, action: str) -> bool:
        """Whether the profile allows an action on an object; `write` means to create or to update."""
        if self.everything:
            return True
        object_name = GOVERNED_BY.get(object_name, object_name)
        actions = self.actions.get(object_name)
        if actions is None:
            actions = self.actions.get("*", frozenset())
        if action == "write":
            return "create" in actions or "update" in actions
        return action in actions

    def access(self, object_name: str) -> ObjectAccess | None:
        """Whose records of an object are reached; None for all of them."""
        found = None if self.everything else self.records.get(object_name)
        return None if found is None or found.open else found

    @cached_property
    def shape(self) -> Hashable:
        """What of the rights shows in the text of statements; part of their cache key."""
        if self.everything:
            return None
        shapes = sorted((name, repr(found.shape)) for name, found in self.records.items() if not found.open)
        if not shapes and not self.unseen:
            return None
        return hashlib.blake2b(repr((shapes, bool(self.unseen))).encode(), digest_size=16).digest()

    @cached_property
    def values(self) -> dict[str, Any]:
        """The values that conditions on records need, by the names of their parameters."""
        found: dict[str, Any] = {}
        for name, access in () if self.everything else self.records.items():
            if access.open:
                continue
            for level in (READ, WRITE, FULL):
                found[owners_parameter(name, level)] = sorted(access.owners_at(level))
            for rule in (*access.criteria, *access.restrictions):
                found.update(rule.values)
        if found or self.grantees:
            found[GRANTEES], found[TREES] = list(self.grantees), list(self.trees)
        if self.unseen:
            found[UNSEEN] = sorted(self.unseen)
        return found


GRANTEES: Final = "acl_grantees"
TREES: Final = "acl_trees"
UNSEEN: Final = "acl_unseen"


def owners_parameter(object_name: str, level: int) -> str:
    """The parameter with the owners whose records are reached at a level."""
    return f"acl_{object_name}_{LEVEL_NAMES[level]}"


EVERYTHING: Final = Rights(everything=True)
"""What the system itself may do."""

NOTHING: Final = Rights(view="nothing")
"""What somebody may do who is no active member of the organisation."""

__all__ = [
    "EVERYTHING", "FULL", "GOVERNED_BY", "GRANTEES", "LEVELS", "LEVEL_NAMES", "NOTHING", "READ", "TREES", "UNSEEN", "WRITE", "Criteria",
    "ObjectAccess", "OwnerGrant", "Reason", "Rights", "owners_parameter",
]  # fmt: skip
