"""What a new token may be given: nothing that the token which makes it hasn't got.

Scopes, fields, networks and the expiry can only become narrower. What is left out of a request is as narrow as the calling token.
Getting the secret of a token that is there already, by rotating it, is held to the same rule.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from crm_api.core.clock import parse_timestamp
from crm_api.core.errors import FieldError, Forbidden, InsufficientScope, InvalidValue, ValidationFailed
from crm_api.core.networks import covers, parse_network
from crm_api.db.statement import Statement
from crm_api.flows import tokens
from crm_api.flows.service_members import make_service_member
from crm_api.kernel.context import Context
from crm_api.kernel.principal import Principal
from crm_api.resources.users.rights import Profiles

LONGEST: Final = timedelta(days=366)
MAX_NETWORKS: Final = 100
WIDER: Final = "wider_than_token"

_SCOPE: Final = re.compile(r"([a-z0-9_]+):(read)")
_CALLER: Final = Statement(
    f"SELECT kind, networks FROM tokens WHERE org_id = $1 AND id = $2 AND kind IN ({tokens.KINDS}) ORDER BY created_at DESC LIMIT 1",
    ("org_id", "id"),
)
_APP: Final = Statement(
    "SELECT c.first_party, g.expires_at FROM oauth_clients c LEFT JOIN oauth_grants g ON g.org_id = $1 AND g.id = $2 AND g.app_id = c.id"
    " WHERE c.id = $3",
    ("org_id", "grant_id", "app_id"),
)
_PROFILE: Final = Statement("SELECT profile_id, kind FROM members WHERE org_id = $1 AND id = $2", ("org_id", "id"))


@dataclass(frozen=True, slots=True)
class Limits:
    """What the calling token has, beyond which nothing it makes may go; None stands for no limit."""

    principal: Principal
    kind: tokens.Kind
    fields: Mapping[str, Sequence[str]] | None
    networks: tuple[str, ...] | None
    expires_at: datetime | None

    def holds(self, scope: str) -> bool:
        """Whether the calling token has a scope, by itself or within another."""
        scopes = self.principal.scopes
        if "admin" in scopes or scope in scopes:
            return True
        match = _SCOPE.fullmatch(scope)
        return match is not None and self.principal.in_scope(match[1], "read")

    def beyond(
        self,
        scopes: Sequence[str],
        fields: Mapping[str, Sequence[str]] | None,
        networks: Sequence[str] | None,
        expires_at: datetime | None,
    ) -> list[FieldError]:
        """Where such a token would be wider than the calling one."""
        wrong = [FieldError(WIDER, pointer=f"/scopes/{place}") for place, scope in enumerate(scopes) if not self.holds(scope)]
        for name, own in (self.fields or {}).items():
            if fields is None or name not in fields or not set(fields[name]) <= set(own):
                wrong.append(FieldError(WIDER, pointer=f"/fields/{name}", allowed=sorted(own)))
        if self.networks is not None:
            if networks is None:
                wrong.append(FieldError(WIDER, pointer="/ip_allow_list", allowed=list(self.networks)))
            else:
                outside = covers(self.networks, networks)
                wrong += [
                    FieldError(WIDER, pointer=f"/ip_allow_list/{place}", allowed=list(self.networks))
                    for place, network in enumerate(networks)
                    if network in outside
                ]
        if self.expires_at is not None and (expires_at is None or expires_at > self.expires_at):
            wrong.append(FieldError(WIDER, pointer="/expires_at"))
        return wrong


@dataclass(frozen=True, slots=True)
class Wanted:
    """A token as it is asked for. `given` names what the request said; the rest follows from the calling token."""

    name: str
    scopes: Sequence[str]
    given: frozenset[str]
    kind: tokens.Kind = "personal"
    profile_id: UUID | None = None
    fields: Mapping[str, Sequence[str]] | None = None
    networks: Sequence[str] | None = None
    expires_at: datetime | None = None


def require_management(principal: Principal) -> None:
    """Raises InsufficientScope or Forbidden unless the caller may make, rotate and revoke tokens at all."""
    if not principal.in_scope("tokens", "write"):
        raise InsufficientScope(["tokens:write", "admin"])
    if not principal.rights.allows("tokens", "create"):
        raise Forbidden("Your profile does not allow to make tokens.")


async def limits_of(context: Context) -> Limits:
    """What the calling token has. Raises Forbidden for tokens of apps that are neither our own nor let in with `admin`."""
    principal, uow = context.principal, context.uow
    expires_at = None if principal.expires_at is None else parse_timestamp(principal.expires_at)
    kind: tokens.Kind = "personal"
    networks: tuple[str, ...] | None = None
    if principal.app_id is not None:
        app = await uow.fetch_row(_APP, {"org_id": principal.org_id, "grant_id": principal.token_id, "app_id": principal.app_id})
        if app is None or not (app["first_party"] or "admin" in principal.scopes):
            raise Forbidden("The tokens of apps can't make API tokens.")
        expires_at = app["expires_at"]  # an access token is renewed as long as its grant lasts
    else:
        row = await uow.fetch_row(_CALLER, {"org_id": principal.org_id, "id": principal.token_id})
        if row is not None:
            kind = row["kind"]
            networks = None if row["networks"] is None else tuple(row["networks"])
    fields = None if principal.token_fields is None else {name: sorted(one) for name, one in principal.token_fields.items()}
    return Limits(principal, kind, fields, networks, expires_at)


async def mint(context: Context, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    """Makes a token: its text, which is shown this once, and its description.

    Raises ValidationFailed for what makes no sense, Forbidden (naming each place) for what would be wider than the calling token.
    """
    require_management(context.principal)
    own = await limits_of(context)
    now = context.uow.clock.now()
    scopes = list(dict.fromkeys(wanted.scopes))
    networks = _normal(wanted)
    fields = wanted.fields
    _refuse_nonsense(context, wanted, now)
    if "fields" not in wanted.given:
        fields = own.fields
    if "networks" not in wanted.given:
        networks = None if own.networks is None else list(own.networks)
    expires_at = wanted.expires_at
    if expires_at is None:
        expires_at = now + LONGEST if own.expires_at is None else min(now + LONGEST, own.expires_at)
    _refuse(own.beyond(wanted.scopes, fields, networks, expires_at))
    user_id, kind = context.principal.user_id, own.kind
    if wanted.kind == "service":
        assert wanted.profile_id is not None
        await _may_give_profile(context, wanted.profile_id)
        user_id, kind = await make_service_member(context, wanted.name, wanted.profile_id), "service"
    return await tokens.create(
        context.uow,
        user_id=user_id,
        name=wanted.name,
        scopes=scopes,
        expires_at=expires_at,
        kind=kind,
        fields=fields,
        networks=networks,
        maker_id=context.principal.user_id,
    )


async def rotate(context: Context, id: UUID, grace_seconds: int) -> tuple[str, dict[str, Any]]:
    """A new secret for a token. Raises NotFound, Conflict for one that doesn't work any more, Forbidden for one that is wider than
    the calling token, or acts for somebody else."""
    principal, uow = context.principal, context.uow
    require_management(principal)
    own = await limits_of(context)
    await tokens.lock(uow, id)
    row = await tokens.stored(uow, principal, id)
    if row["user_id"] != principal.user_id:
        member = await uow.fetch_row(_PROFILE, {"org_id": uow.org_id, "id": row["user_id"]})
        if member is None or member["kind"] != "service":
            raise Forbidden("A personal token is rotated by the person that it acts for.")
        await _may_give_profile(context, member["profile_id"])
    fields = None if row["fields"] is None else orjson.loads(row["fields"])
    if id != principal.token_id:
        _refuse(own.beyond(row["scopes"], fields, row["networks"], row["expires_at"]))
    return await tokens.rotate(uow, row, grace_seconds)


def _refuse(wider: list[FieldError]) -> None:
    if wider:
        raise Forbidden("A token can't give what it hasn't got.", errors=wider)


def _normal(wanted: Wanted) -> list[str] | None:
    """The networks in one form. Raises ValidationFailed."""
    if wanted.networks is None:
        return None
    found, errors = [], []
    for place, text in enumerate(wanted.networks):
        try:
            found.append(str(parse_network(text)))
        except InvalidValue as error:
            errors.append(error.at(pointer=f"/ip_allow_list/{place}"))
    if errors:
        raise ValidationFailed(errors=errors)
    return list(dict.fromkeys(found))


def _refuse_nonsense(context: Context, wanted: Wanted, now: datetime) -> None:
    known = tokens.known_scopes(context.registry)
    errors = [FieldError("enum", pointer=f"/scopes/{i}", allowed=known) for i, scope in enumerate(wanted.scopes) if scope not in known]
    if wanted.expires_at is not None and not now < wanted.expires_at <= now + LONGEST:
        message = "The expiry must lie in the future, at most 366 days ahead."
        errors.append(FieldError("max", message, pointer="/expires_at", params={"max_days": LONGEST.days}))
    for name, fields in (wanted.fields or {}).items():
        resource = context.registry.get(name)
        if resource is None:
            errors.append(FieldError("enum", pointer=f"/fields/{name}", allowed=[one.name for one in context.registry]))
            continue
        there = [*resource.all_fields]
        errors += [
            FieldError("unknown_field", pointer=f"/fields/{name}/{place}", allowed=there)
            for place, field in enumerate(fields)
            if field not in there
        ]
    if wanted.fields and "admin" in wanted.scopes:  # an administrator could lift the limit
        errors.append(FieldError("invalid_combination", pointer="/fields", params={"other": "the scope admin"}))
    if wanted.kind == "service" and wanted.profile_id is None:
        errors.append(FieldError("required", pointer="/profile_id"))
    if wanted.kind != "service" and wanted.profile_id is not None:
        errors.append(FieldError("invalid_combination", pointer="/profile_id", params={"other": "kind=personal"}))
    if errors:
        raise ValidationFailed(errors=errors)


async def _may_give_profile(context: Context, profile_id: UUID | None) -> None:
    """Raises Forbidden unless an administrator hands out rights that are within the administrator's own."""
    if not context.principal.administers:
        if "admin" not in context.principal.scopes:
            raise InsufficientScope(["admin"])
        raise Forbidden("Only administrators make and rotate service tokens.")
    profiles = await Profiles.of(context)
    if profile_id not in profiles.rows:
        raise ValidationFailed(errors=[FieldError("not_found_reference", pointer="/profile_id")])
    if not profiles.within(context, profile_id):
        raise Forbidden("Only those who may do all that a profile allows may give it to a service.")
