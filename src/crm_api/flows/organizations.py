"""Organisations, the people in them and their tokens, as the command line makes them.

Rows that belong to no organisation (the organisation itself, users, passwords) are written first, in a short transaction of
their own: they are copied to every node of a distributed PostgreSQL, and nothing that follows should hold them locked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final, TypedDict
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, insert
from sqlalchemy.dialects.postgresql import UUID as PgUUID

from crm_api.core.clock import Clock, SystemClock
from crm_api.core.email import Email, normalize_email
from crm_api.core.errors import NotFound
from crm_api.core.ids import uuid7
from crm_api.core.money import check_currency
from crm_api.core.tokens import generate, token_hint
from crm_api.db.engine import Database
from crm_api.db.statement import StatementCache, compile_statement
from crm_api.db.uow import SYSTEM, Actor, Uow, unit_of_work
from crm_api.flows import seeds
from crm_api.flows.users.passwords import Passwords
from crm_api.kernel import audit, events
from crm_api.kernel.access.configuration import SUPER_ADMIN
from crm_api.kernel.context import Context
from crm_api.kernel.preferences import kept_preferences
from crm_api.kernel.principal import OrganizationInfo, Principal
from crm_api.kernel.registry import Registry
from crm_api.kernel.resource import Draft
from crm_api.kernel.writer import Writer
from crm_api.kernel.writes.shape import shape_of
from crm_api.kernel.writes.store import store_new
from crm_api.kernel.writes.types import Work
from crm_api.models.access import Profile
from crm_api.models.tenancy import Credential, Organization, Token, User
from crm_api.resources import RESOURCES
from crm_api.resources.users import belongings

SYSTEM_CLOCK: Final = SystemClock()
_UUID: Final = PgUUID(as_uuid=True)
_TIME: Final = TIMESTAMP(timezone=True)


class MadeOrganization(TypedDict):
    """Ids as texts, and the token, which is shown this once."""

    org_id: str
    user_id: str
    token: str


class MadeToken(TypedDict):
    """The token is shown this once."""

    id: str
    token: str
    scopes: list[str]
    expires_at: str | None


def _bind(name: str, kind: sa.types.TypeEngine[Any] | None = None) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=sa.Text() if kind is None else kind)


_ORGANIZATIONS = sa.insert(Organization).values(
    id=_bind("id", _UUID),
    name=_bind("name"),
    currency=_bind("currency"),
    time_zone=_bind("time_zone"),
    locale=_bind("locale"),
    region=_bind("region"),
    environment=_bind("environment"),
    created_at=_bind("now", _TIME),
)
_ADD_ORGANIZATION: Final = compile_statement(_ORGANIZATIONS)
_ADD_USER: Final = compile_statement(
    insert(User)
    .values(id=_bind("id", _UUID), email=_bind("email"), email_key=_bind("email_key"), created_at=_bind("now", _TIME))
    .on_conflict_do_nothing(index_elements=["email_key"])
)
_FIND_USER: Final = compile_statement(sa.select(User.id).where(User.email_key == _bind("email_key")))
_ADD_PASSWORD: Final = compile_statement(
    insert(Credential)
    .values(user_id=_bind("user_id", _UUID), password_hash=_bind("hash"), updated_at=_bind("now", _TIME))
    .on_conflict_do_nothing(index_elements=["user_id"])
)
_FIND_ORGANIZATION: Final = compile_statement(sa.select(Organization).where(Organization.id == _bind("org_id", _UUID)))
_TOKEN_VALUES: Final[dict[str, sa.ColumnElement[Any]]] = {
    "hash": _bind("hash", sa.LargeBinary()),
    "id": _bind("id", _UUID),
    "org_id": _bind("org_id", _UUID),
    "user_id": _bind("user_id", _UUID),
    "kind": _bind("kind"),
    "name": _bind("name"),
    "prefix": _bind("prefix"),
    "scopes": _bind("scopes", ARRAY(sa.Text)),
    "created_at": _bind("now", _TIME),
    "expires_at": _bind("expires_at", _TIME),
    "preferences": kept_preferences(_bind("org_id", _UUID), _bind("user_id", _UUID)),
}
_ADD_TOKEN: Final = compile_statement(
    sa.insert(Token).from_select(list(_TOKEN_VALUES), sa.select(*_TOKEN_VALUES.values()), include_defaults=False)
)
_FIND_PROFILE: Final = compile_statement(
    sa.select(Profile.id).where(Profile.org_id == _bind("org_id", _UUID), Profile.key == _bind("key"), Profile.deleted_at.is_(None))
)
_REVOKE_TOKEN: Final = compile_statement(
    sa.update(Token)
    .values(revoked_at=sa.func.coalesce(Token.revoked_at, _bind("now", _TIME)))
    .where(Token.org_id == _bind("org_id", _UUID), Token.id == _bind("id", _UUID))
    .returning(Token.id)
)


async def create_organization(
    database: Database,
    *,
    name: str,
    admin_email: str,
    admin_password: str | None = None,
    admin_name: str | None = None,
    currency: str = "USD",
    region: str = "US",
    time_zone: str = "UTC",
    locale: str = "en",
    environment: str = "production",
    org_id: UUID | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> MadeOrganization:
    """An organisation with its first administrator, a token of scope `admin`, and what organisations start with.

    A user who exists already (by e-mail address) joins it and keeps their password. Raises InvalidValue for a bad address or currency.
    """
    email = normalize_email(admin_email)
    check_currency(currency)
    org_id = uuid7(clock) if org_id is None else org_id
    values = {
        "id": org_id,
        "name": name,
        "currency": currency,
        "time_zone": time_zone,
        "locale": locale,
        "region": region,
        "environment": environment,
    }
    async with unit_of_work(database, org_id, clock) as uow:
        await uow.fetch(_ADD_ORGANIZATION, {**values, "now": uow.now})
        user_id = await _user(uow, email, admin_password)
    async with system_context(database, org_id, clock, user_id=user_id) as context:
        await _profiles(context)
        await _member(context, user_id, email, admin_name, await _profile(context, SUPER_ADMIN))
        await _seed(context)
        token = await _token(context.uow, user_id, "first token", ["admin"], None)
        audit.record(context, "organization.created", object="organizations", record_id=org_id, details={"environment": environment})
    return {"org_id": str(org_id), "user_id": str(user_id), "token": token[1]}


async def create_user(
    database: Database,
    *,
    org_id: UUID,
    email: str,
    name: str | None = None,
    password: str | None = None,
    profile: str = "standard",
    clock: Clock = SYSTEM_CLOCK,
) -> UUID:
    """Lets a person into an organisation. Raises InvalidValue for a bad address, Duplicate if they are in already."""
    address = normalize_email(email)
    async with unit_of_work(database, org_id, clock) as uow:
        user_id = await _user(uow, address, password)
    async with system_context(database, org_id, clock, user_id=user_id) as context:
        await _member(context, user_id, address, name, await _profile(context, profile))
    return user_id


async def create_token(
    database: Database,
    *,
    org_id: UUID,
    user_id: UUID,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None = None,
    expires_in_days: int | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> MadeToken:
    """A token that acts for a member. Raises NotFound if the user is no member."""
    async with system_context(database, org_id, clock, user_id=user_id) as context:
        members = context.whole["users"].table
        found = sa.select(members.c.id).where(members.c.org_id == _bind("org_id", _UUID), members.c.id == _bind("id", _UUID))
        if await context.uow.fetch_row(compile_statement(found), {"org_id": org_id, "id": user_id}) is None:
            raise NotFound("There is no such member.")
        if expires_in_days is not None:
            expires_at = context.uow.clock.now() + timedelta(days=expires_in_days)
        id, token = await _token(context.uow, user_id, name, scopes, expires_at)
        audit.record(
            context, "token.created", object="tokens", record_id=id, details={"name": name, "scopes": list(scopes), "user_id": user_id}
        )
    return {
        "id": str(id),
        "token": token,
        "scopes": list(scopes),
        "expires_at": None if expires_at is None else expires_at.isoformat(),
    }


async def revoke_token(database: Database, *, org_id: UUID, token_id: UUID, clock: Clock = SYSTEM_CLOCK) -> None:
    """Ends a token at once; one that is revoked already stays as it is. Raises NotFound."""
    async with unit_of_work(database, org_id, clock) as uow:
        if await uow.fetch_row(_REVOKE_TOKEN, {"org_id": org_id, "id": token_id, "now": uow.clock.now()}) is None:
            raise NotFound()
        audit.record(uow, "token.revoked", object="tokens", record_id=token_id)


@cache
def registry() -> Registry:
    """The standard objects."""
    return Registry(RESOURCES)


@cache
def _statements() -> StatementCache:
    return StatementCache()


@asynccontextmanager
async def system_context(
    database: Database, org_id: UUID, clock: Clock = SYSTEM_CLOCK, *, user_id: UUID, actor: Actor = SYSTEM
) -> AsyncIterator[Context]:
    """A unit of work with all rights in an organisation, committed at the end. `user_id` owns what is made without an owner."""
    async with unit_of_work(database, org_id, clock, actor=actor) as uow:
        organization = await organization_info(uow)
        principal = Principal(organization, user_id, user_id, "system", frozenset({"admin"}), actor)
        yield Context(principal, uow, registry(), _statements())


async def organization_info(uow: Uow) -> OrganizationInfo:
    """What is stored about the uow's organisation, by whose time the unit of work goes from then on. Raises NotFound."""
    row = await uow.fetch_row(_FIND_ORGANIZATION, {"org_id": uow.org_id})
    if row is None:
        raise NotFound("There is no such organisation.")
    found = OrganizationInfo.of(uow.org_id, row)
    uow.keep_time(found.time)
    return found


async def _user(uow: Uow, email: Email, password: str | None) -> UUID:
    """The user of this address, made if need be; a password is set only for those who have none."""
    await uow.fetch(_ADD_USER, {"id": uow.new_id(), "email": email.display, "email_key": email.key, "now": uow.now})
    user_id: UUID = await uow.fetch_value(_FIND_USER, {"email_key": email.key})
    if password is not None:
        hashed = await _passwords().hash(password)
        await uow.fetch(_ADD_PASSWORD, {"user_id": user_id, "hash": hashed, "now": uow.now})
    return user_id


@cache
def _passwords() -> Passwords:
    return Passwords()


async def _profile(context: Context, key: str) -> UUID:
    """The profile with this key. Raises NotFound."""
    found: UUID | None = await context.uow.fetch_value(_FIND_PROFILE, {"org_id": context.uow.org_id, "key": key})
    if found is None:
        raise NotFound("There is no such profile.")
    return found


async def _member(context: Context, user_id: UUID, email: Email, name: str | None, profile_id: UUID) -> None:
    """The membership, which is the record `/v1/users` shows. Users can't be created over the API yet, hence no body."""
    users, uow = context.whole["users"], context.uow
    shape = shape_of(context, users)
    row = shape.fresh()
    actor = uow.actor.json()
    row.update(id=user_id, version=1, created_at=uow.now, updated_at=uow.now, created_by=actor, updated_by=actor)
    row.update(name=name or email.display.partition("@")[0], email=email.display, profile_id=profile_id, owner_id=None)
    work = Work(0, Draft(user_id, "create", None, row), client_id=True)
    await store_new(context, shape, [work])
    problem = work.problem()
    if problem is not None:
        raise problem
    events.collect(context, users, user_id, None, row, 1)
    await belongings.keep(uow, user_id, "active")


async def _profiles(context: Context) -> None:
    writer, profiles = Writer(), context.whole["profiles"]
    made = await writer.create(context, profiles, seeds.PROFILES)
    first = next(profile.id for profile, body in zip(made, seeds.PROFILES, strict=True) if body["key"] == SUPER_ADMIN)
    assert first is not None
    await writer.update_rows(context, profiles, {first: {"is_system": True}})


async def _seed(context: Context) -> None:
    writer, objects = Writer(), context.whole
    await writer.create(context, objects["lead_statuses"], seeds.LEAD_STATUSES)
    await writer.create(context, objects["lifecycle_stages"], seeds.LIFECYCLE_STAGES)
    await writer.create(context, objects["contact_roles"], seeds.CONTACT_ROLES)
    [pipeline] = await writer.create(context, objects["pipelines"], [seeds.PIPELINE])
    await writer.create(context, objects["stages"], [{**stage, "pipeline_id": str(pipeline.id)} for stage in seeds.STAGES])


async def _token(uow: Uow, user_id: UUID, name: str, scopes: Sequence[str], expires_at: datetime | None) -> tuple[UUID, str]:
    token, hash_ = generate("crm_pat_")
    id = uow.new_id()
    values = {
        "hash": hash_,
        "id": id,
        "org_id": uow.org_id,
        "user_id": user_id,
        "kind": "personal",
        "name": name,
        "prefix": token_hint(token),
        "scopes": list(scopes),
        "now": uow.clock.now(),
        "expires_at": expires_at,
    }
    await uow.fetch(_ADD_TOKEN, values)
    return id, token


__all__ = [
    "MadeOrganization",
    "MadeToken",
    "create_organization",
    "create_token",
    "create_user",
    "organization_info",
    "registry",
    "revoke_token",
    "system_context",
]
