"""Streams of callers with rights of their own: what they are told, `resync` when rights change, and their end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import monotonic

import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.access.people import colleague, share_out
from tests.api import new_organization
from tests.http.support import served
from tests.journal.events import CLOCK
from tests.journal.test_stream import Site

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    app = create_app(settings.model_copy(update={"db_pool_size": 8}))
    assert isinstance(app, Application)
    async with served(app) as port, new_organization(app) as api:
        yield Site(api, f"http://127.0.0.1:{port}")


async def test_each_stream_is_told_what_its_user_sees(site: Site) -> None:
    """Streams share pages only with those who see the same."""
    api = site.api
    await share_out(api, contacts="private")
    ada, bob, eve = [await colleague(api) for _ in range(3)]
    async with site.stream(token=ada.token) as to_ada, site.stream(token=bob.token) as to_bob, site.stream(token=eve.token) as to_eve:
        contact = await ada.make("contacts", last_name="King")
        await api.change(contact, owner_id=str(bob.user_id))
        await ada.make("views", name="Mine", applies_to="contacts", columns=["last_name"])
        await api.make("accounts", name="For all")
        told = [(await to_ada.next()).data["type"] for _ in range(4)]
        assert told == ["contact.created", "contact.hidden", "view.created", "account.created"]
        assert [(await to_bob.next()).data["type"] for _ in range(2)] == ["contact.updated", "account.created"]
        assert (await to_eve.next()).data["type"] == "account.created"


async def test_a_change_of_rights_is_told_at_once(site: Site) -> None:
    """`resync` names the objects whose records are others than before; from then on events follow the new rights."""
    api = site.api
    await share_out(api, contacts="private")
    head = await api.make("roles", name="Head")
    below = await api.make("roles", name="Below", parent_id=head["id"])
    boss, ada = await colleague(api, role_id=head["id"]), await colleague(api, role_id=below["id"])
    async with site.stream(token=boss.token) as to_boss, site.stream() as to_admin:
        contact = await ada.make("contacts", last_name="King")
        assert (await to_boss.next()).data["type"] == "contact.created"
        before = (await boss.ok("GET", "/v1/me"))["access_version"]
        started = monotonic()
        await api.change(below, parent_id=None)
        told = [await to_boss.next() for _ in range(2)]
        resync = next(message for message in told if message.event == "resync")
        assert monotonic() - started < 5
        assert resync.data == {"objects": ["contacts", "links"], "access_version": before + 1}
        assert (await boss.ok("GET", "/v1/me"))["access_version"] == before + 1
        assert (await boss.ok("GET", "/v1/events"))["page"]["access_version"] == before + 1
        await api.change(contact, title="CEO")
        await api.make("accounts", name="For all")
        assert (await to_boss.next()).data["type"] == "account.created"
        messages = [await to_admin.next() for _ in range(5)]
        assert [message.data["objects"] for message in messages if message.event == "resync"] == [[]]


async def test_a_stream_ends_with_its_token_and_its_user(site: Site) -> None:
    """At once, not when something happens next."""
    api = site.api
    for change, reason in (
        ("revoked_at = $2::timestamptz", "token_revoked"),
        ("user_suspended = $2::timestamptz IS NOT NULL", "user_suspended"),
    ):
        ada = await colleague(api)
        async with site.stream(token=ada.token) as client:
            async with unit_of_work(api.app.state.services.database, api.org_id, CLOCK) as uow:
                end = Statement(f"UPDATE tokens SET {change} WHERE org_id = $1 AND user_id = $3", ("id", "at", "user"))
                await uow.fetch(end, {"id": api.org_id, "at": CLOCK.now(), "user": ada.user_id})
            started = monotonic()
            message = await client.next()
            assert (message.event, message.data["reason"]) == ("end", reason)
            assert monotonic() - started < 3
            assert (await client.next()).event == "closed"
