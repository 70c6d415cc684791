"""What the authorization page and the device page share: who is asked, for which organisation, and what is shown to them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from starlette.requests import Request

from crm_api.core.ids import parse_uuid
from crm_api.db.uow import Actor
from crm_api.flows.oauth.clients import Client
from crm_api.flows.organizations import organization_info
from crm_api.flows.users.sessions import Session
from crm_api.http.oauth.wire import in_organization
from crm_api.http.pages.cookies import cookie_of
from crm_api.http.services import services_of
from crm_api.kernel.access.rights import NOTHING
from crm_api.kernel.principal import Principal
from crm_api.resources.users import belongings
from crm_api.resources.users.belongings import Place


async def places_for(request: Request, session: Session, client: Client) -> list[Place]:
    """The person's organisations in which the app may be used, and the person may decide about that."""
    services = services_of(request)
    async with services.database.connection() as connection:
        found = await belongings.active(connection, session.user_id)
    served = [place for place in found if client.serves(place.org_id) and (session.level == "totp" or not place.requires_totp)]
    if client.install != "org":
        return served
    return [place for place in served if await _administers(request, session, place.org_id)]


async def _administers(request: Request, session: Session, org_id: UUID) -> bool:
    """An app that is installed for a whole organisation is installed by those who administer it."""
    actor = Actor("user", session.user_id)
    async with in_organization(request, org_id, actor) as uow:
        organization = await organization_info(uow)
        principal = Principal(organization, session.user_id, session.id, "consent", frozenset({"admin"}), actor, rights=NOTHING)
        context = await services_of(request).engine.context(principal, uow)
        return context.principal.administers


def chosen(places: Sequence[Place], given: str | None) -> Place | None:
    """The organisation that was chosen: the named one, or the only one."""
    if given is None:
        return places[0] if len(places) == 1 else None
    wanted = parse_uuid(given)
    return next((place for place in places if place.org_id == wanted), None)


def seal(request: Request, text: str) -> str:
    """Ties what was shown to a browser to what comes back from it, so that a form can't be altered on its way."""
    settings = services_of(request).settings
    key = hashlib.blake2b((settings.secret_key or settings.database_url).encode(), digest_size=32, person=b"oauth consent").digest()
    return hmac.new(key, f"{cookie_of(request)}.{text}".encode(), "sha256").hexdigest()


def unaltered(request: Request, text: str, sealed: str) -> bool:
    """Whether a form came back as it was shown."""
    return sealed.isascii() and hmac.compare_digest(seal(request, text), sealed)
