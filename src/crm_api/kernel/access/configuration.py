"""An organisation's rights as they are stored, and what follows for each of its users.

Read as a whole with one statement whenever `organizations.access_version` has risen, and kept per process: a thousand roles
and ten thousand members are a few megabytes, and working out one user's rights is a walk over them in memory.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.db.statement import Statement
from crm_api.db.uow import Uow
from crm_api.kernel.access.criteria import locale_for, parse_criteria
from crm_api.kernel.access.fields import with_followers
from crm_api.kernel.access.rights import FULL, LEVELS, NOTHING, READ, Criteria, ObjectAccess, OwnerGrant, Rights
from crm_api.kernel.principal import OrganizationInfo
from crm_api.kernel.registry import Registry

SUPER_ADMIN: Final = "super_admin"
KEPT: Final = 512
"""Organisations whose configurations a process keeps."""

KEPT_USERS: Final = 20_000
"""Users of one organisation whose rights a process keeps."""

_LOAD: Final = Statement(
    """
    SELECT 'members' AS kind,
           json_agg(json_build_object('id', id, 'profile', profile_id, 'role', role_id, 'manager', manager_id))::text AS rows
      FROM members WHERE org_id = $1 AND deleted_at IS NULL AND status = 'active'
    UNION ALL
    SELECT 'profiles', json_agg(json_build_object('id', id, 'key', key, 'permissions', permissions, 'fields', fields))::text
      FROM profiles WHERE org_id = $1 AND deleted_at IS NULL
    UNION ALL
    SELECT 'roles', json_agg(json_build_object('id', id, 'parent', parent_id))::text FROM roles WHERE org_id = $1 AND deleted_at IS NULL
    UNION ALL
    SELECT 'territories', json_agg(json_build_object('id', id, 'parent', parent_id))::text
      FROM territories WHERE org_id = $1 AND deleted_at IS NULL
    UNION ALL
    SELECT 'groups', json_agg(json_build_object('group', l.from_id, 'user', l.to_id))::text
      FROM links l WHERE l.org_id = $1 AND l.relation IN ('teams.users', 'territories.users')
       AND (EXISTS (SELECT 1 FROM teams g WHERE g.org_id = $1 AND g.id = l.from_id AND g.deleted_at IS NULL)
         OR EXISTS (SELECT 1 FROM territories g WHERE g.org_id = $1 AND g.id = l.from_id AND g.deleted_at IS NULL))
    UNION ALL
    SELECT 'sharing', json_agg(json_build_object('id', id, 'object', applies_to, 'name', name, 'owned_by', owned_by, 'criteria', criteria,
           'share_with', share_with, 'access', access) ORDER BY id)::text
      FROM sharing_rules WHERE org_id = $1 AND deleted_at IS NULL AND is_active
    UNION ALL
    SELECT 'restrictions', json_agg(json_build_object('id', id, 'object', applies_to, 'name', name, 'criteria', criteria,
           'restricts', restricts) ORDER BY id)::text
      FROM restriction_rules WHERE org_id = $1 AND deleted_at IS NULL AND is_active
    """,
    ("org_id",),
)

Row = Mapping[str, Any]


class AccessConfiguration:
    """Members, profiles, roles, groups and rules of one organisation; `rights` says what they mean for a user."""

    def __init__(self, organization: OrganizationInfo, registry: Registry, rows: Mapping[str, list[Row]]) -> None:
        self.registry = registry
        self.sharing: Mapping[str, Any] = organization.settings.get("sharing", {})
        self.members = {UUID(row["id"]): row for row in rows["members"]}
        self.profiles = {row["id"]: row for row in rows["profiles"]}
        self.roles = {row["id"]: row["parent"] for row in rows["roles"]}
        self.territories = {row["id"]: row["parent"] for row in rows["territories"]}
        self.groups: defaultdict[str, set[UUID]] = defaultdict(set)
        self._groups_of: defaultdict[UUID, set[str]] = defaultdict(set)
        for row in rows["groups"]:
            self.groups[row["group"]].add(UUID(row["user"]))
            self._groups_of[UUID(row["user"])].add(row["group"])
        self._with_role: defaultdict[str, set[UUID]] = defaultdict(set)
        self._reports: defaultdict[str, list[str]] = defaultdict(list)
        for user_id, row in self.members.items():
            if row["role"] is not None:
                self._with_role[row["role"]].add(user_id)
            if row["manager"] is not None:
                self._reports[row["manager"]].append(row["id"])
        self._below: defaultdict[str, list[str]] = defaultdict(list)
        for role, parent in self.roles.items():
            if parent is not None:
                self._below[parent].append(role)
        self._parts: defaultdict[str, list[str]] = defaultdict(list)
        for territory, parent in self.territories.items():
            if parent is not None:
                self._parts[parent].append(territory)
        self._rules = rows["sharing"]
        self._restrictions = rows["restrictions"]
        self._locale = locale_for(organization)
        self._parsed: dict[str, Criteria | None] = {}
        self._kept: OrderedDict[UUID, Rights] = OrderedDict()
        self._views: dict[str, tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]] = {}

    def rights(self, user_id: UUID) -> Rights:
        """What a user may do; nothing for one who is no active member."""
        found = self._kept.get(user_id)
        if found is None:
            found = self._kept[user_id] = self._worked_out(user_id)
            if len(self._kept) > KEPT_USERS:
                self._kept.popitem(last=False)
        return found

    # --- profiles -----------------------------------------------------------------------------------------------------

    def _worked_out(self, user_id: UUID) -> Rights:
        member = self.members.get(user_id)
        profile = None if member is None else self.profiles.get(member["profile"])
        if member is None or profile is None:
            return NOTHING
        about = {
            "profile_id": UUID(profile["id"]),
            "profile_key": profile["key"],
            "role_id": None if member["role"] is None else UUID(member["role"]),
        }
        groups, trees = self._grantees(user_id, member)
        if profile["key"] == SUPER_ADMIN:
            return Rights(everything=True, grantees=groups, trees=trees, **about)
        actions = {name: frozenset(given) for name, given in profile["permissions"].items()}
        hidden, read_only = self._fields(profile)
        rights = Rights(False, **about, actions=actions, hidden=hidden, read_only=read_only, grantees=groups, trees=trees)
        unseen = frozenset(resource.name for resource in self.registry if not rights.allows(resource.name, "read"))
        data = frozenset(name for name in unseen if self.registry[name].sharing != "none")
        view = _digest(unseen, hidden, read_only) if unseen or hidden or read_only else None
        return replace(rights, records=self._records(user_id, member, profile, rights), unseen=data, view=view)

    def _fields(self, profile: Row) -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
        """Hidden and read-only fields by object, with what follows from the hidden ones."""
        found = self._views.get(profile["id"])
        if found is None:
            hidden = {name: {f for f, how in fields.items() if how == "hidden"} for name, fields in profile["fields"].items()}
            closed = {name: frozenset(f for f, how in fields.items() if how == "read_only") for name, fields in profile["fields"].items()}
            found = with_followers(self.registry, hidden), {name: fields for name, fields in closed.items() if fields}
            self._views[profile["id"]] = found
        return found

    # --- people -------------------------------------------------------------------------------------------------------

    def _grantees(self, user_id: UUID, member: Row) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
        """The ids that stand for a user where single records are shared, and the roles above whose subtree holds the user's."""
        ids = {member["id"], *self._groups_of[user_id]}
        for territory in list(ids & self.territories.keys()):
            ids |= self.under(territory, self._parts)
        trees: set[str] = set()
        role = member["role"]
        if role is not None:
            below = {role, *self.under(role, self._below)}
            ids |= below
            trees = below | set(self.above(role))
        return tuple(sorted(map(UUID, ids))), tuple(sorted(map(UUID, trees)))

    @staticmethod
    def under(start: str, below: Mapping[str, list[str]]) -> set[str]:
        """Everything below a node of a tree."""
        found: set[str] = set()
        waiting = [start]
        while waiting:
            for child in below.get(waiting.pop(), ()):
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return found

    def above(self, role: str) -> list[str]:
        """The roles above a role, the nearest first."""
        found: list[str] = []
        parent = self.roles.get(role)
        while parent is not None and parent not in found:
            found.append(parent)
            parent = self.roles.get(parent)
        return found

    def subordinates(self, user_id: UUID) -> frozenset[UUID]:
        """Those whose records a user reaches by standing above them, by the role tree or by the chain of managers."""
        member = self.members[user_id]
        if self.hierarchy == "managers":
            return frozenset(UUID(one) for one in self.under(member["id"], self._reports)) - {user_id}
        if member["role"] is None:
            return frozenset()
        return frozenset().union(*(self._with_role[role] for role in self.under(member["role"], self._below)))

    @property
    def hierarchy(self) -> str:
        """What makes somebody stand above others: `roles` or `managers`."""
        return str(self.sharing.get("hierarchy", "roles"))

    def people(self, entry: Row) -> frozenset[UUID]:
        """The users that an entry such as `{"type": "team", "id": …}` names."""
        kind, id = entry["type"], entry["id"]
        if kind == "user":
            return frozenset({UUID(id)})
        if kind == "role":
            return frozenset(self._with_role[id])
        if kind == "role_tree":
            return frozenset().union(*(self._with_role[role] for role in {id, *self.under(id, self._below)}))
        if kind == "team":
            return frozenset(self.groups[id])
        return frozenset(user_id for user_id, row in self.members.items() if row["profile"] == id)

    def _reached(self, user_id: UUID, member: Row, entry: Row) -> bool:
        """Whether what is shared with an entry reaches a user: who stands above a role gets what the role gets."""
        if user_id in self.people(entry):
            return True
        own = member["role"]
        return entry["type"] in ("role", "role_tree") and own is not None and own in self.above(entry["id"])

    # --- records ------------------------------------------------------------------------------------------------------

    def _records(self, user_id: UUID, member: Row, profile: Row, rights: Rights) -> dict[str, ObjectAccess]:
        found = {}
        defaults: Mapping[str, str] = self.sharing.get("defaults", {})
        rules, restrictions = _by_object(self._rules), _by_object(self._restrictions)
        for resource in self.registry:
            if resource.sharing != "owner":
                continue
            name = resource.name
            base = {"private": 0, "read": READ, "write": FULL}[defaults.get(name, "write")]
            if rights.allows(name, "modify_all"):
                base = FULL
            elif rights.allows(name, "view_all"):
                base = max(base, READ)
            limits = tuple(self._criteria(rule, READ) for rule in restrictions[name] if self._restricted(user_id, rule))
            if base == FULL and not limits:
                continue
            owners, criteria = ([], []) if base == FULL else self._grants(user_id, member, rules[name])
            found[name] = ObjectAccess(name, base, tuple(owners), tuple(criteria), limits)
        return found

    def _restricted(self, user_id: UUID, rule: Row) -> bool:
        return any(user_id in self.people(entry) for entry in rule["restricts"])

    def _grants(self, user_id: UUID, member: Row, rules: Iterable[Row]) -> tuple[list[OwnerGrant], list[Criteria]]:
        owners = [OwnerGrant("owner", FULL, frozenset({user_id}))]
        below = self.subordinates(user_id)
        if below:
            owners.append(OwnerGrant("manager_chain" if self.hierarchy == "managers" else "role_hierarchy", FULL, below))
        criteria = []
        for rule in rules:
            if not self._reached(user_id, member, rule["share_with"]):
                continue
            level = LEVELS[rule["access"]]
            if rule["owned_by"] is not None:
                owners.append(OwnerGrant("sharing_rule", level, self.people(rule["owned_by"]), UUID(rule["id"]), rule["name"]))
            if rule["criteria"] is not None:
                found = self._criteria(rule, level)
                if found.node is not None:
                    criteria.append(found)
        return owners, criteria

    def criteria_of(self, object_name: str) -> tuple[Criteria, ...]:
        """The criteria of all rules about an object, of those that share and of those that restrict."""
        sharing = [self._criteria(rule, LEVELS[rule["access"]]) for rule in _by_object(self._rules)[object_name] if rule["criteria"]]
        return (*sharing, *(self._criteria(rule, READ) for rule in _by_object(self._restrictions)[object_name]))

    def _criteria(self, rule: Row, level: int) -> Criteria:
        """A rule's criteria, parsed once; without conditions where there are none or they no longer make sense."""
        found = self._parsed.get(rule["id"])
        if found is None:
            resource = self.registry.get(rule["object"])
            parsed = None
            if resource is not None and rule["criteria"] is not None:
                parsed = parse_criteria(self.registry, resource, rule["criteria"], self._locale, len(self._parsed) + 1)
            node, values = (None, ()) if parsed is None else parsed
            found = self._parsed[rule["id"]] = Criteria(UUID(rule["id"]), rule["name"], level, node, values)
        return found


def _digest(unseen: frozenset[str], hidden: Mapping[str, frozenset[str]], read_only: Mapping[str, frozenset[str]]) -> bytes:
    """What tells apart what users know of: profiles that hide the same share statements."""
    fields = [sorted((name, sorted(found)) for name, found in about.items()) for about in (hidden, read_only)]
    return hashlib.blake2b(repr((sorted(unseen), fields)).encode(), digest_size=16).digest()


def _by_object(rules: Iterable[Row]) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for rule in rules:
        found[rule["object"]].append(rule)
    return found


class AccessCatalog:
    """Configurations by organisation, access version and schema version, for the life of a process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[UUID, tuple[tuple[int, int], AccessConfiguration]] = OrderedDict()

    async def configuration(self, uow: Uow, organization: OrganizationInfo, registry: Registry) -> AccessConfiguration:
        """The organisation's configuration as it is now; one statement when it has changed."""
        key = (organization.access_version, organization.schema_version)
        kept = self._kept.get(organization.id)
        if kept is None or kept[0] != key:
            rows = {
                row["kind"]: orjson.loads(row["rows"]) if row["rows"] else [] for row in await uow.fetch(_LOAD, {"org_id": organization.id})
            }
            kept = self._kept[organization.id] = key, AccessConfiguration(organization, registry, rows)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(organization.id)
        return kept[1]


__all__ = ["SUPER_ADMIN", "AccessCatalog", "AccessConfiguration"]
