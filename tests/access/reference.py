"""Who reaches what, worked out the plain way: an evaluator written from the description alone, without a look at the product's.

Everything is named by small numbers, in the order in which a test has made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

READ, WRITE, FULL = 1, 2, 3
LEVELS = {"read": READ, "write": WRITE, "full": FULL}
DEFAULTS = {"private": 0, "read": READ, "write": FULL}

Entry = tuple[str, int]
"""People: `user`, `role`, `role_tree`, `team`, `profile` or (of shares) `territory`, and which."""


@dataclass(frozen=True)
class User:
    profile: int
    role: int | None
    manager: int | None


@dataclass(frozen=True)
class Rule:
    """Shares what some people own, or what is in a city."""

    owned_by: Entry | None
    city: str | None
    share_with: Entry
    access: str


@dataclass(frozen=True)
class Restriction:
    """Leaves to some people what is in a city; nothing where there is none."""

    restricts: tuple[Entry, ...]
    city: str | None


@dataclass(frozen=True)
class Given:
    """A single share; `ends`: in so many days, which may be over."""

    record: int
    grantee: Entry
    access: str
    ends: int | None


@dataclass(frozen=True)
class Contact:
    owner: int | None
    city: str


@dataclass(frozen=True)
class Setup:
    """One organisation's configuration with its records."""

    default: str
    hierarchy: str
    profiles: tuple[frozenset[str], ...]
    role_parents: tuple[int | None, ...]
    territory_parents: tuple[int | None, ...]
    teams: tuple[frozenset[int], ...]
    territories: tuple[frozenset[int], ...]
    users: tuple[User, ...]
    rules: tuple[Rule, ...]
    restrictions: tuple[Restriction, ...]
    shares: tuple[Given, ...]
    records: tuple[Contact, ...]

    # --- trees ------------------------------------------------------------------------------------------------------------

    def role_above(self, upper: int | None, lower: int | None) -> bool:
        """Whether a role stands above another."""
        return upper is not None and lower is not None and _above(self.role_parents, upper, lower)

    def stands_above(self, upper: int, lower: int) -> bool:
        """Whether one user sees what another owns by standing above them."""
        if self.hierarchy == "roles":
            return self.role_above(self.users[upper].role, self.users[lower].role)
        managers = {index: user.manager for index, user in enumerate(self.users)}
        return upper != lower and _above(managers, upper, lower)

    def belongs(self, user: int, entry: Entry) -> bool:
        """Whether a user is one of the people that an entry names."""
        kind, number = entry
        found = self.users[user]
        if kind == "user":
            return user == number
        if kind == "profile":
            return found.profile == number
        if kind == "team":
            return user in self.teams[number]
        if kind == "role":
            return found.role == number
        return found.role == number or self.role_above(number, found.role)

    def gets(self, user: int, entry: Entry) -> bool:
        """Whether a user gets what is shared with an entry: who stands above a role gets what it gets, and territories alike."""
        kind, number = entry
        if kind == "territory":
            return any(
                user in members and (other == number or _above(self.territory_parents, other, number))
                for other, members in enumerate(self.territories)
            )
        if self.belongs(user, entry):
            return True
        return kind in ("role", "role_tree") and self.role_above(self.users[user].role, number)

    # --- records ----------------------------------------------------------------------------------------------------------

    def level(self, user: int, number: int) -> int:
        """How far a user reaches a record, whatever the profile allows to do with it."""
        record, profile = self.records[number], self.profiles[self.users[user].profile]
        for restriction in self.restrictions:
            if any(self.belongs(user, entry) for entry in restriction.restricts) and record.city != restriction.city:
                return 0
        reached = [DEFAULTS[self.default]]
        if "modify_all" in profile:
            reached.append(FULL)
        if "view_all" in profile:
            reached.append(READ)
        if record.owner is not None and (record.owner == user or self.stands_above(user, record.owner)):
            reached.append(FULL)
        for rule in self.rules:
            chosen = (
                record.city == rule.city
                if rule.owned_by is None
                else record.owner is not None and self.belongs(record.owner, rule.owned_by)
            )
            if chosen and self.gets(user, rule.share_with):
                reached.append(LEVELS[rule.access])
        reached += [
            LEVELS[share.access]
            for share in self.shares
            if share.record == number and (share.ends is None or share.ends > 0) and self.gets(user, share.grantee)
        ]
        return max(reached)

    def may(self, user: int, action: str) -> bool:
        """Whether a user's profile allows an action at all."""
        return action in self.profiles[self.users[user].profile]

    def allowed(self, user: int, number: int, action: str) -> bool:
        """Whether a user may do something with a record."""
        needed = {"read": READ, "update": WRITE, "delete": FULL, "transfer": FULL, "share": FULL}[action]
        return self.may(user, "read") and self.may(user, action) and self.level(user, number) >= needed

    def seen(self, user: int) -> set[int]:
        """The records that a user may read."""
        return {number for number in range(len(self.records)) if self.allowed(user, number, "read")}


def _above(parents: Any, upper: int, lower: int) -> bool:
    """Whether one node is an ancestor of another."""
    look: Mapping[int, int | None] = dict(enumerate(parents)) if isinstance(parents, tuple) else parents
    parent = look[lower]
    while parent is not None:
        if parent == upper:
            return True
        parent = look[parent]
    return False
