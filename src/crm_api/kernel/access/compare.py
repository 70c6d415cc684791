"""What a change of rights means for one caller: the objects of which other records, or other fields of them, are reached than before."""

from __future__ import annotations

from crm_api.kernel.policy import ABOUT, Policy


def changed_objects(before: Policy, after: Policy) -> frozenset[str]:
    """The objects that a caller who keeps a copy of what they may read has to look at again.

    An object may be named although the very same records are reached by other ways than before.
    """
    old, new = before.principal.rights, after.principal.rights
    others = (old.grantees, old.trees) != (new.grantees, new.trees)
    found: set[str] = set()
    for name in {resource.name for registry in (before.whole, after.whole) for resource in registry}:
        ways = (old.access(name), new.access(name))
        readable = (before.may(name, "read"), after.may(name, "read"))
        if (
            readable[0] != readable[1]
            or ways[0] != ways[1]
            or (others and ways != (None, None))
            or old.hidden.get(name) != new.hidden.get(name)
        ):
            found.add(name)
    for resource in after.whole:
        if (resource.sharing == "parent" and resource.parent in found) or (old.unseen != new.unseen and ABOUT in resource.table.c):
            found.add(resource.name)
    return frozenset(name for name in found if before.may(name, "read") or after.may(name, "read"))
