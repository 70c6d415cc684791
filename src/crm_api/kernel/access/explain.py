"""Why a user may, or may not, do something with one record, and who else may see it.

The question is put to the database as one SELECT whose columns are the very conditions that reads and writes are made of
(`sharing.ways`, `sharing.restricted`, `Policy.level`), for one record; so the answer is the outcome, and the reasons are those
that led to it. Who has access is worked out the other way round: what the conditions say of the record does not depend on who
asks, so it is found out once, and each user's rights are held against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal
from uuid import UUID

import orjson
import sqlalchemy as sa

from crm_api.core.errors import NotFound
from crm_api.db.statement import Statement, compile_statement
from crm_api.kernel.access import sharing
from crm_api.kernel.access.configuration import AccessConfiguration
from crm_api.kernel.access.criteria import condition
from crm_api.kernel.access.rights import FULL, LEVEL_NAMES, LEVELS, NOTHING, READ, WRITE, Criteria, ObjectAccess, Rights
from crm_api.kernel.access.sharing import SHARES, Way
from crm_api.kernel.context import Context
from crm_api.kernel.fields import timestamp_text
from crm_api.kernel.policy import APP, CALLER, Policy
from crm_api.kernel.principal import Principal
from crm_api.kernel.resource import AnyResource

Kind = Literal[
    "super_admin", "modify_all", "view_all", "organization_default", "object", "owner", "co_owner", "role_hierarchy", "manager_chain",
    "sharing_rule", "share", "territory", "parent",
]  # fmt: skip
NEEDS: Final = {"read": READ, "update": WRITE, "delete": FULL, "restore": FULL, "transfer": FULL, "share": FULL, "purge": FULL}
"""The level of access to a record that each action needs."""

PROFILE: Final = {"restore": "delete", "purge": "purge"}
"""What the profile calls actions that have another name there."""

_ID: Final = sa.bindparam("id", type_=sa.Uuid())
_ALL: Final = (READ, WRITE, FULL)


@dataclass(frozen=True, slots=True)
class Path:
    """One way to a record: what opens it, the level it gives, and the particulars (`rule_id`, `owner_id`, `share_id`, …)."""

    kind: Kind
    level: int
    about: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """As answers show it."""
        return {"kind": self.kind, "level": LEVEL_NAMES[self.level], **self.about}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a user stands to one record: the level reached, the ways to it, and the rules that forbid it."""

    level: int
    paths: tuple[Path, ...]
    forbidding: tuple[Criteria, ...] = ()
    private: bool = False
    deleted: bool = False

    def opened_by(self, level: int) -> Path | None:
        """The first way that leads there with this level."""
        return next((path for path in self.paths if path.level >= level), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an action is allowed, and what decides it."""

    allowed: bool
    decided_by: Mapping[str, Any]

    def json(self) -> dict[str, Any]:
        """As answers show it."""
        return {"allowed": self.allowed, "decided_by": self.decided_by}


def as_user(context: Context, configuration: AccessConfiguration, user_id: UUID) -> Principal:
    """What a user may do, whatever token they use. Raises NotFound for one who is no active member."""
    if user_id not in configuration.members:
        raise NotFound("There is no such active user.")
    principal = context.principal
    return replace(principal, user_id=user_id, scopes=frozenset({"admin"}), rights=configuration.rights(user_id))


def offered(resource: AnyResource) -> list[str]:
    """The actions that an object's records have at all."""
    found = ["read"]
    if "update" in resource.verbs:
        found += ["update", "transfer"]
        if resource.sharing == "owner":
            found.append("share")
    found += [name for name in ("delete", "restore") if name in resource.verbs]
    if "delete" in resource.verbs:
        found.append("purge")
    return found


def verdicts(resource: AnyResource, principal: Principal, standing: Standing, *, scoped: bool) -> dict[str, Verdict]:
    """What may be done with a record; `scoped`: within the scopes of the principal's token."""
    return {name: _verdict(resource, principal, standing, name, scoped) for name in offered(resource)}


def _verdict(resource: AnyResource, principal: Principal, standing: Standing, action: str, scoped: bool) -> Verdict:
    named, rights = PROFILE.get(action, action), principal.rights
    if scoped and not principal.in_scope(resource.name, named):
        return Verdict(False, {"kind": "scope"})
    for wanted in ("read", named):
        if not rights.allows(resource.name, wanted):
            key = rights.profile_key
            profile_id = None if rights.profile_id is None else str(rights.profile_id)
            return Verdict(False, {"kind": "profile", "profile_id": profile_id, "profile": key, "action": wanted})
    if standing.level >= NEEDS[action]:
        path = standing.opened_by(NEEDS[action])
        assert path is not None, "a record is reached, and nobody can say how"
        return Verdict(True, path.json())
    if standing.private:
        return Verdict(False, {"kind": "private"})
    for rule in standing.forbidding:
        return Verdict(False, {"kind": "restriction_rule", "rule_id": str(rule.rule), "name": rule.name})
    reached = standing.opened_by(READ)
    return Verdict(False, {"kind": "level", "level": LEVEL_NAMES[reached.level] if reached is not None else None})


# --- one user -------------------------------------------------------------------------------------------------------------


async def standing_of(context: Context, principal: Principal, resource: AnyResource, record_id: UUID) -> Standing:
    """How a user stands to a record, deleted ones too. Raises NotFound where there is no such record at all."""
    policy, whole = Policy(principal, context.whole), resource.whole
    key = ("explained", context.whole.key, whole.key, policy.shape)
    statement = context.statements.get(key, partial(_explaining, policy, whole))
    row = await context.uow.fetch_row(statement, {"org_id": context.uow.org_id, "id": record_id, **policy.values})
    if row is None:
        raise NotFound()
    private = row["seen"] is False or (whole.sharing == "none" and row["level"] < READ)
    if whole.sharing == "parent" and whole.parent is not None and row["parent_id"] is not None:
        above = await standing_of(context, principal, context.whole[whole.parent], row["parent_id"])
        through = {"through": {"object": whole.parent, "id": str(row["parent_id"])}}
        paths = tuple(Path(p.kind, FULL if p.level >= WRITE else READ, {**p.about, **through}) for p in above.paths)
        return Standing(row["level"], paths, above.forbidding, private, row["deleted"])
    access = principal.rights.access(whole.name)
    paths = tuple(_paths(policy, whole, access, row))
    forbidding = () if access is None else tuple(rule for i, rule in enumerate(access.restrictions) if not row[f"r{i}"])
    return Standing(row["level"], paths, forbidding, private, row["deleted"])


def _explaining(policy: Policy, resource: AnyResource) -> Statement:
    """The record's conditions as columns: `seen`, `level`, of each level the ways to it (`w<level>_<n>`), the restrictions (`r<n>`)."""
    row = resource.table.alias("t")
    reached = policy.level(resource, row)
    columns: list[sa.ColumnElement[Any]] = [
        row.c.owner_id,
        row.c.deleted_at.is_not(None).label("deleted"),
        (sa.literal_column(str(FULL), type_=sa.Integer()) if reached is None else reached).label("level"),
    ]
    if resource.private is not None:
        columns.append(resource.private.condition(row, CALLER, APP).label("seen"))
    else:
        columns.append(sa.true().label("seen"))
    above = policy.above(resource)
    columns.append((sa.cast(sa.null(), sa.Uuid()) if above is None else row.c[above]).label("parent_id"))
    access = policy.access(resource)
    if access is not None:
        for level in _ALL:
            for index, way in enumerate(sharing.ways(policy.whole, resource, row, access, level)):
                columns.append(way.condition.label(f"w{level}_{index}"))
        for index, met in enumerate(sharing.restricted(policy.whole, resource, row, access)):
            columns.append(met.label(f"r{index}"))
        columns.append(_shares(resource.name, row).label("shares"))
    query = sa.select(*columns).where(row.c.org_id == sharing.ORG, row.c.id == _ID, *resource.scope(row))
    return compile_statement(query)


def _shares(object_name: str, row: sa.FromClause) -> sa.ColumnElement[Any]:
    """The single shares that reach the user, as JSON text."""
    shares = SHARES.alias("ds")
    text = sa.literal_column
    found = sa.func.json_build_object(
        text("'share_id'"), shares.c.id, text("'access'"), shares.c.access, text("'source'"), shares.c.source,
        text("'grantee'"), sa.func.json_build_object(text("'type'"), shares.c.grantee_type, text("'id'"), shares.c.grantee_id),
        text("'expires_at'"), timestamp_text(shares.c.expires_at),
    )  # fmt: skip
    query = sa.select(sa.cast(sa.func.json_agg(found), sa.Text()))
    return query.where(shares.c.record_id == row.c.id, *sharing.reaching(shares, object_name, READ)).correlate(row).scalar_subquery()


def _paths(policy: Policy, resource: AnyResource, access: ObjectAccess | None, row: Mapping[str, Any]) -> Iterator[Path]:
    """The ways that are open, the strongest first; those of equal strength in the order in which one would name them."""
    if access is None:
        yield _unconditional(policy.principal.rights, resource)
        return
    found: dict[tuple[Any, ...], Path] = {}
    for level in reversed(_ALL):
        for index, way in enumerate(sharing.ways(policy.whole, resource, row_of(resource), access, level)):
            if row[f"w{level}_{index}"]:
                for path in _opened(policy, resource, access, way, level, row):
                    found.setdefault((path.kind, *sorted((k, str(v)) for k, v in path.about.items())), path)
    yield from sorted(found.values(), key=lambda path: -path.level)


def row_of(resource: AnyResource) -> sa.FromClause:
    """A row to enumerate ways for, where only their kinds matter."""
    return resource.table


def _unconditional(rights: Rights, resource: AnyResource) -> Path:
    if rights.everything:
        return Path("super_admin", FULL)
    if resource.sharing != "owner":
        return Path("object", FULL)
    return Path("modify_all" if rights.allows(resource.name, "modify_all") else "organization_default", FULL)


def _opened(policy: Policy, resource: AnyResource, access: ObjectAccess, way: Way, level: int, row: Mapping[str, Any]) -> Iterator[Path]:
    rights = policy.principal.rights
    if way.kind == "default":
        if access.base == FULL:
            yield _unconditional(rights, resource)
        else:
            yield Path("view_all" if rights.allows(resource.name, "view_all") else "organization_default", access.base)
    elif way.kind == "owners":
        for grant in access.owners:
            if grant.level >= level and row["owner_id"] in grant.owners:
                about = {} if grant.reason == "owner" else {"owner_id": str(row["owner_id"])}
                if grant.rule is not None:
                    about |= {"rule_id": str(grant.rule), "name": str(grant.name)}
                yield Path(grant.reason, grant.level, about)
    elif way.kind == "criteria":
        assert way.rule is not None
        yield Path("sharing_rule", way.level, {"rule_id": str(way.rule.rule), "name": way.rule.name})
    else:
        for share in orjson.loads(row["shares"] or "[]"):
            if LEVELS[share["access"]] >= level:
                yield _of_share(share)


def _of_share(share: Mapping[str, Any]) -> Path:
    about = {name: share[name] for name in ("share_id", "grantee", "expires_at")}
    kind: Kind = "share"
    if share["grantee"]["type"] == "territory":
        kind = "territory"
    elif share["grantee"]["type"] == "user" and share["access"] == "full":
        kind = "co_owner"
    return Path(kind, LEVELS[share["access"]], about)


# --- everybody ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Facts:
    """What conditions say of one record, whoever asks: its owner, the rules whose criteria it meets, its shares in force."""

    owner_id: UUID | None
    met: frozenset[UUID]
    shares: tuple[Mapping[str, Any], ...]


async def facts_of(context: Context, configuration: AccessConfiguration, resource: AnyResource, record_id: UUID) -> Facts:
    """Of a record of an object whose records have owners. Raises NotFound where there is none."""
    whole = resource.whole
    rules = configuration.criteria_of(whole.name)
    shape = tuple(rule.node for rule in rules)
    statement = context.statements.get(("facts", context.whole.key, whole.key, shape), partial(_finding, context, whole, rules))
    values: dict[str, Any] = {"org_id": context.uow.org_id, "id": record_id}
    for rule in rules:
        values.update(rule.values)
    row = await context.uow.fetch_row(statement, values)
    if row is None:
        raise NotFound()
    met = frozenset(rule.rule for index, rule in enumerate(rules) if row[f"c{index}"])
    return Facts(row["owner_id"], met, tuple(orjson.loads(row["shares"] or "[]")))


def _finding(context: Context, resource: AnyResource, rules: Sequence[Criteria]) -> Statement:
    row = resource.table.alias("t")
    columns: list[sa.ColumnElement[Any]] = [row.c.owner_id]
    for index, rule in enumerate(rules):
        met = sa.false() if rule.node is None else condition(context.whole, resource, row, rule.node)
        columns.append(sa.func.coalesce(met, sa.false()).label(f"c{index}"))
    shares = SHARES.alias("ds")
    text = sa.literal_column
    found = sa.func.json_build_object(
        text("'share_id'"), shares.c.id, text("'access'"), shares.c.access, text("'source'"), shares.c.source,
        text("'grantee'"), sa.func.json_build_object(text("'type'"), shares.c.grantee_type, text("'id'"), shares.c.grantee_id),
        text("'expires_at'"), timestamp_text(shares.c.expires_at),
    )  # fmt: skip
    held = sa.select(sa.cast(sa.func.json_agg(found), sa.Text())).where(
        shares.c.org_id == sharing.ORG,
        shares.c.object == text(f"'{resource.name}'"),
        shares.c.record_id == row.c.id,
        sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > sharing.AT),
    )
    columns.append(held.correlate(row).scalar_subquery().label("shares"))
    return compile_statement(sa.select(*columns).where(row.c.org_id == sharing.ORG, row.c.id == _ID, *resource.scope(row)))


def reached(rights: Rights, resource: AnyResource, facts: Facts) -> Standing:
    """How a user stands to a record of which the facts are known."""
    access = rights.access(resource.name)
    if access is None:
        return Standing(FULL, (_unconditional(rights, resource),))
    paths: list[Path] = []
    if access.base == FULL:
        paths.append(_unconditional(rights, resource))
    elif access.base:
        paths.append(Path("view_all" if rights.allows(resource.name, "view_all") else "organization_default", access.base))
    for grant in access.owners:
        if facts.owner_id in grant.owners:
            about = {} if grant.reason == "owner" else {"owner_id": str(facts.owner_id)}
            if grant.rule is not None:
                about |= {"rule_id": str(grant.rule), "name": str(grant.name)}
            paths.append(Path(grant.reason, grant.level, about))
    paths += [Path("sharing_rule", r.level, {"rule_id": str(r.rule), "name": r.name}) for r in access.criteria if r.rule in facts.met]
    people, trees = set(map(str, rights.grantees)), set(map(str, rights.trees))
    for share in facts.shares:
        grantee = share["grantee"]
        if grantee["id"] in (trees if grantee["type"] == "role_tree" else people):
            paths.append(_of_share(share))
    paths.sort(key=lambda path: -path.level)
    forbidding = tuple(rule for rule in access.restrictions if rule.rule not in facts.met)
    level = 0 if forbidding or not paths else paths[0].level
    return Standing(level, tuple(paths), forbidding)


__all__ = [
    "NEEDS", "NOTHING", "Facts", "Path", "Standing", "Verdict", "as_user", "facts_of", "offered", "reached", "standing_of", "verdicts",
]  # fmt: skip
