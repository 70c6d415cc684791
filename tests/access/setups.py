"""Random setups of an organisation, and how they come into the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from hypothesis import strategies as st

from crm_api.core.ids import uuid7
from crm_api.flows.organizations import system_context
from crm_api.kernel.writer import Writer
from tests.access.people import colleague
from tests.access.reference import Contact, Entry, Given, Restriction, Rule, Setup, User
from tests.api import Api

USERS, ROLES, TEAMS, TERRITORIES, RECORDS = 6, 5, 2, 3, 8
ALL = ("read", "create", "update", "delete", "transfer", "share")
PROFILES: tuple[tuple[str, ...], ...] = (ALL, (*ALL, "view_all"), (*ALL, "modify_all"), ("read",), ("read", "update", "view_all"), ())
CITIES = ("Berlin", "Bonn", "Ulm")


def _numbers(count: int) -> st.SearchStrategy[int]:
    return st.integers(0, count - 1)


def _tree(count: int) -> st.SearchStrategy[tuple[int | None, ...]]:
    """Parents of lower numbers, so that there are no circles."""
    return st.tuples(*(st.none() if n == 0 else st.one_of(st.none(), _numbers(n)) for n in range(count)))


_PEOPLE: st.SearchStrategy[Entry] = st.one_of(
    st.tuples(st.just("user"), _numbers(USERS)),
    st.tuples(st.sampled_from(["role", "role_tree"]), _numbers(ROLES)),
    st.tuples(st.just("team"), _numbers(TEAMS)),
    st.tuples(st.just("profile"), _numbers(len(PROFILES))),
)
_GRANTEES: st.SearchStrategy[Entry] = st.one_of(
    st.tuples(st.just("user"), _numbers(USERS)),
    st.tuples(st.sampled_from(["role", "role_tree"]), _numbers(ROLES)),
    st.tuples(st.just("team"), _numbers(TEAMS)),
    st.tuples(st.just("territory"), _numbers(TERRITORIES)),
)
_CITY = st.sampled_from(CITIES)


@st.composite
def _users(draw: st.DrawFn) -> tuple[User, ...]:
    managers = draw(_tree(USERS))
    role = st.one_of(st.none(), _numbers(ROLES))
    # the ordinary profile more often than the others
    profile = st.one_of(st.just(0), st.just(0), _numbers(len(PROFILES)))
    return tuple(User(draw(profile), draw(role), managers[n]) for n in range(USERS))


@st.composite
def _rules(draw: st.DrawFn) -> Rule:
    access = draw(st.sampled_from(["read", "write"]))
    if draw(st.booleans()):
        return Rule(draw(_PEOPLE), None, draw(_PEOPLE), access)
    return Rule(None, draw(_CITY), draw(_PEOPLE), access)


def _groups(count: int) -> st.SearchStrategy[tuple[frozenset[int], ...]]:
    return st.tuples(*(st.frozensets(_numbers(USERS), max_size=3) for _ in range(count)))


SETUPS: st.SearchStrategy[Setup] = st.builds(
    Setup,
    default=st.sampled_from(["private", "private", "read", "write"]),
    hierarchy=st.sampled_from(["roles", "managers"]),
    profiles=st.just(tuple(frozenset(actions) for actions in PROFILES)),
    role_parents=_tree(ROLES),
    territory_parents=_tree(TERRITORIES),
    teams=_groups(TEAMS),
    territories=_groups(TERRITORIES),
    users=_users(),
    rules=st.lists(_rules(), max_size=3).map(tuple),
    restrictions=st.lists(
        st.builds(Restriction, st.lists(_PEOPLE, min_size=1, max_size=2, unique=True).map(tuple), st.one_of(st.none(), _CITY)), max_size=1
    ).map(tuple),
    shares=st.lists(
        st.builds(Given, _numbers(RECORDS), _GRANTEES, st.sampled_from(["read", "write", "full"]), st.sampled_from([None, 5, -5])),
        max_size=6,
        unique_by=lambda share: (share.record, share.grantee),
    ).map(tuple),
    records=st.tuples(*(st.builds(Contact, st.one_of(st.none(), _numbers(USERS)), _CITY) for _ in range(RECORDS))),
)


@dataclass
class World:
    """An organisation whose people and records stay while what they may do changes."""

    admin: Api
    users: list[Api]
    roles: list[str]
    teams: list[str]
    territories: list[str]
    profiles: list[str]
    records: list[str]

    def entry(self, entry: Entry) -> dict[str, str]:
        """People as bodies name them."""
        kind, number = entry
        ids = {
            "user": [str(user.user_id) for user in self.users],
            "role": self.roles,
            "role_tree": self.roles,
            "team": self.teams,
            "territory": self.territories,
            "profile": self.profiles,
        }
        return {"type": kind, "id": ids[kind][number]}

    async def become(self, setup: Setup) -> None:
        """Sets the organisation up so, in one transaction."""
        api, writer = self.admin, Writer()
        async with system_context(api.app.state.services.database, api.org_id, user_id=api.user_id) as context:
            await context.uow.begin()
            run, org, now = context.uow.connection.driver.execute, api.org_id, context.uow.now
            for table in ("sharing_rules", "restriction_rules", "record_shares", "links"):
                await run(f"DELETE FROM {table} WHERE org_id = $1", org)
            for table, ids, parents in (
                ("roles", self.roles, setup.role_parents),
                ("territories", self.territories, setup.territory_parents),
            ):
                for id_, parent in zip(ids, parents, strict=True):
                    await run(f"UPDATE {table} SET parent_id = $3 WHERE org_id = $1 AND id = $2", org, id_, _at(ids, parent))
            for user, place in zip(self.users, setup.users, strict=True):
                manager = None if place.manager is None else self.users[place.manager].user_id
                await run(
                    "UPDATE members SET profile_id = $3, role_id = $4, manager_id = $5 WHERE org_id = $1 AND id = $2",
                    org, user.user_id, UUID(self.profiles[place.profile]), _at(self.roles, place.role), manager,
                )  # fmt: skip
            for relation, ids, groups in (("teams", self.teams, setup.teams), ("territories", self.territories, setup.territories)):
                for id_, members in zip(ids, groups, strict=True):
                    for member in sorted(members):
                        await run(
                            "INSERT INTO links (org_id, id, relation, from_object, from_id, to_object, to_id, attributes, version,"
                            " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 'users', $6, '{}', 1, $7, $7)",
                            org, uuid7(context.uow.clock), f"{relation}.users", relation, id_, self.users[member].user_id, now,
                        )  # fmt: skip
            for share in setup.shares:
                grantee = self.entry(share.grantee)
                ends = None if share.ends is None else now + timedelta(days=share.ends)
                source = "territory" if grantee["type"] == "territory" else "manual"
                given = (grantee["id"], self.records[share.record], grantee["type"])
                await run(
                    "INSERT INTO record_shares (org_id, id, version, object, grantee_id, record_id, grantee_type, source, access,"
                    " expires_at, created_at, created_by) VALUES ($1, $2, 1, 'contacts', $3, $4, $5, $6, $7, $8, $9, '{}')",
                    org, uuid7(context.uow.clock), *given, source, share.access, ends, now,
                )  # fmt: skip
            sharing = {"hierarchy": setup.hierarchy, "defaults": {"contacts": setup.default}}
            await run(
                "UPDATE organizations SET access_version = access_version + 1, settings = $2 WHERE id = $1",
                org, orjson.dumps({"sharing": sharing}).decode(),
            )  # fmt: skip
            bodies = [
                {
                    "name": f"Rule {n}",
                    "applies_to": "contacts",
                    "share_with": self.entry(rule.share_with),
                    "access": rule.access,
                    **({"criteria": _city(rule.city)} if rule.owned_by is None else {"owned_by": self.entry(rule.owned_by)}),
                }
                for n, rule in enumerate(setup.rules)
            ]
            await writer.create(context, context.whole["sharing_rules"], bodies)
            limits = [
                {
                    "name": f"Limit {n}",
                    "applies_to": "contacts",
                    "restricts": [self.entry(entry) for entry in limit.restricts],
                    **({} if limit.city is None else {"criteria": _city(limit.city)}),
                }
                for n, limit in enumerate(setup.restrictions)
            ]
            await writer.create(context, context.whole["restriction_rules"], limits)
            changes: dict[UUID, dict[str, Any]] = {}
            for id_, record in zip(self.records, setup.records, strict=True):
                owner = None if record.owner is None else self.users[record.owner].user_id
                changes[UUID(id_)] = {"owner_id": owner, "address": {"city": record.city}}
            await writer.update_rows(context, context.whole["contacts"], changes)


def _city(name: str | None) -> dict[str, Any]:
    return {"field": "address.city", "value": name}


def _at(ids: list[str], number: int | None) -> UUID | None:
    return None if number is None else UUID(ids[number])


async def make_world(api: Api) -> World:
    """People, groups and records in an organisation that is new."""
    profiles = []
    for number, actions in enumerate(PROFILES):
        made = await api.make(
            "profiles", name=f"Profile {number}", permissions={"*": ["read", "create", "update", "delete"], "contacts": list(actions)}
        )
        profiles.append(made["id"])
    users = [await colleague(api, profile_id=profiles[0]) for _ in range(USERS)]
    ids: dict[str, list[str]] = {}
    for name, count in (("roles", ROLES), ("teams", TEAMS), ("territories", TERRITORIES)):
        ids[name] = [(await api.make(name, name=f"{name} {n}"))["id"] for n in range(count)]
    records = [(await api.make("contacts", last_name=f"King {n}", address={"city": "Ulm"}))["id"] for n in range(RECORDS)]
    return World(api, users, ids["roles"], ids["teams"], ids["territories"], profiles, records)
