"""How far somebody may change what people may do: nobody gives himself or others more than he has.

Super administrators may do everything. Others, whose profiles let them write these objects, may

* write profiles that allow no action and show no field that their own doesn't;
* write sharing rules and criteria of territories for objects whose records they reach all by their profile: `view_all` to let
  others read, `modify_all` to let them write;
* move roles and fill groups (links of teams and territories to users) only with the action `administer` of `organization`, for that
  opens records as well;
* not touch a restriction rule that restricts themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm_api.core.errors import Forbidden, Problem
from crm_api.kernel.access.rights import LEVELS, READ, Rights
from crm_api.kernel.context import Context

PSEUDO: Final = (
    "meta", "events", "audit", "organization", "webhooks", "files", "oauth_apps", "tokens", "connections", "privacy",
)  # fmt: skip
"""What profiles speak of beside objects with records."""

WIDER: Final = "Only those who may do all that a profile allows may write it."
ORGANISING: Final = "Only administrators may move roles and change who belongs to a group that records are shared with."


def administers(context: Context) -> bool:
    """Whether the caller may do what changes other people's rights in ways that nobody can foresee."""
    return context.principal.rights.allows("organization", "administer")


def refuse_organising(context: Context) -> Problem | None:
    """Why the caller may not move roles or fill groups."""
    return None if administers(context) else Forbidden(ORGANISING)


def within(rights: Rights, permissions: Mapping[str, Sequence[str]], fields: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether all that a profile allows is something that these rights allow too."""
    if rights.everything:
        return True
    # Objects that only one of both names are told apart by `*`.
    names = {*permissions, *rights.actions, "*"}
    if not all(rights.allows(name, action) for name in names for action in permissions.get(name, permissions.get("*", ()))):
        return False
    hidden = all(fields.get(name, {}).get(one) == "hidden" for name, ones in rights.hidden.items() for one in ones)
    return hidden and all(one in fields.get(name, {}) for name, ones in rights.read_only.items() for one in ones)


def refuse_opening(context: Context, object_name: str, access: str) -> Problem | None:
    """Why the caller may not let others reach an object's records by a rule."""
    rights = context.principal.rights
    needed = "view_all" if LEVELS[access] == READ else "modify_all"
    if rights.allows(object_name, needed) or rights.allows(object_name, "modify_all"):
        return None
    return Forbidden(f"Only those whose profile has the action {needed} on {object_name} may share them by rules.")


def restricts(context: Context, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether people that a restriction names are the caller, as far as one can tell by their own groups."""
    rights, own = context.principal.rights, str(context.principal.user_id)
    ids = {own, str(rights.profile_id), str(rights.role_id), *map(str, rights.grantees), *map(str, rights.trees)}
    return not rights.everything and any(entry["id"] in ids for entry in entries)


__all__ = ["PSEUDO", "WIDER", "administers", "refuse_opening", "refuse_organising", "restricts", "within"]
