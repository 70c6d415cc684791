"""What streams share, and what they don't: the cost of many, events that are some person's own, rights before every event, slow clients."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import suppress
from time import monotonic
from urllib.parse import urlsplit

import orjson
import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.http import stream_group
from tests.access.people import colleague, share_out
from tests.journal.events import CLOCK
from tests.journal.test_stream import AsyncStreams, Client, Site

pytestmark = pytest.mark.anyio


async def test_an_event_for_sixty_streams_of_twenty_people_costs_a_handful_of_statements(site: Site) -> None:
    api = site.api
    people = [await colleague(api) for _ in range(20)]
    statements: list[str] = []
    observers = api.app.state.services.database.observers
    async with AsyncStreams(site, [one.token for one in people for _ in range(3)]) as clients:
        await api.make("accounts", name="Warm")
        for client in clients:
            await client.next()
        observers.append(statements.append)
        try:
            account = await api.make("accounts", name="Acme")
            for client in clients:
                assert (await client.next()).data["record_id"] == account["id"]
        finally:
            observers.remove(statements.append)
    kinds = Counter(sql.split()[0] for sql in statements)
    assert len([sql for sql in statements if "row_to_json(x)" in sql]) == 1
    # the request's own are five; a look that nothing comes of may be among them
    assert len(statements) <= 25, (kinds, statements)


async def types(client: Client, count: int) -> list[str]:
    return [(await client.next()).data["type"] for _ in range(count)]


async def test_what_is_some_persons_own_goes_to_that_person(site: Site) -> None:
    """Private views, jobs and shares; and a public view goes to all without being read by each."""
    api = site.api
    ada, bob = await colleague(api), await colleague(api)
    statements: list[str] = []
    observers = api.app.state.services.database.observers
    async with site.stream(token=ada.token) as to_ada, site.stream(token=bob.token) as to_bob, site.stream() as to_admin:
        await ada.make("views", name="Mine", applies_to="deals", columns=["name"], visibility="private")
        await ada.make("views", name="With Bob", applies_to="deals", columns=["name"], visibility="private", shared_with=[
            {"type": "user", "id": str(bob.user_id)}
        ])  # fmt: skip
        account = await ada.make("accounts", name="Acme")
        assert await types(to_ada, 3) == ["view.created", "view.created", "account.created"]
        assert await types(to_bob, 2) == ["view.created", "account.created"]
        assert await types(to_admin, 1) == ["account.created"]
        observers.append(statements.append)
        try:
            await api.make("views", name="For all", applies_to="deals", columns=["name"], visibility="shared")
            for client in (to_ada, to_bob, to_admin):
                assert await types(client, 1) == ["view.created"]
        finally:
            observers.remove(statements.append)
        # one page for those with equal rights and one of what anybody sees, twice; the administrator made it and looks for himself
        assert len([sql for sql in statements if "row_to_json(x)" in sql]) <= 5
        await ada.ok("POST", f"/v1/accounts/{account['id']}/shares", json={"user_id": str(bob.user_id), "access": "write"})


async def test_record_and_own_events_are_left_out_in_python_as_in_sql(site: Site) -> None:
    api = site.api
    account, other = await api.make("accounts", name="Acme"), await api.make("accounts", name="Other")
    contact = await api.make("contacts", last_name="King")
    deal = await api.make("deals", name="One")
    query = f"/v1/events/stream?record_id={deal['id']}"
    async with site.stream(query) as of_deal, site.stream(f"{query}&event_types=link.*") as links:
        await api.change(account, name="Acme 2")
        await api.change(other, name="Other 2")
        await api.ok("PUT", f"/v1/deals/{deal['id']}/links/contacts/{contact['id']}", json={})
        await api.change(deal, name="Two")
        expected = (await api.ok("GET", "/v1/events", params={"record_id": deal["id"]}))["data"][1:]
        assert [event["type"] for event in expected] == ["link.created", "deal.updated"]
        assert [(await of_deal.next()).data for _ in range(2)] == expected
        assert (await links.next()).data == expected[0]


async def test_nothing_is_sent_with_rights_of_before(site: Site) -> None:
    """An event that is made after a right was taken away is never seen with it, however many come at once."""
    api = site.api
    role, below = await api.make("roles", name="Head"), await api.make("roles", name="Below")
    boss, ada = await colleague(api, role_id=role["id"]), await colleague(api, role_id=below["id"])
    await share_out(api, contacts="private")
    contact = await ada.make("contacts", last_name="King")
    told: list[str] = []
    async with site.stream(token=boss.token) as client:
        for turn in range(6):
            sees = turn % 2 == 0
            await asyncio.gather(*(api.change(contact, title=f"before {turn}.{number}") for number in range(3)))
            await api.change(below, parent_id=role["id"] if sees else None)
            await api.change(contact, title=f"{'seen' if sees else 'secret'} {turn}")
            mark = await api.make("accounts", name="Mark")  # all before it has been told once it is
            while (message := await client.next()).event is not None or message.data["record_id"] != mark["id"]:
                if message.event is None:
                    told.append(str(message.data["changes"].get("title", {}).get("new")))
    assert not [title for title in told if title.startswith("secret")]
    assert {title for title in told if title.startswith("seen")} == {"seen 0", "seen 2", "seen 4"}


async def test_a_token_that_is_no_longer_there_ends_the_stream(site: Site) -> None:
    api = site.api
    narrow = await api.with_scopes("events:read")
    async with site.stream(token=narrow.token) as client:
        async with unit_of_work(api.app.state.services.database, api.org_id, CLOCK) as uow:
            await uow.fetch(Statement("DELETE FROM tokens WHERE org_id = $1 AND name = 'narrow'", ("id",)), {"id": api.org_id})
        end = await client.next()
        assert (end.event, end.data["reason"]) == ("end", "token_invalid")
    await narrow.http.aclose()


async def silent(site: Site, token: str) -> socket.socket:
    """A client that has opened the stream, and takes what comes only when it is asked to."""
    address = urlsplit(site.base)
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(raw, (address.hostname, address.port))
    await loop.sock_sendall(raw, f"GET /v1/events/stream HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {token}\r\n\r\n".encode())
    seen = b""
    while not seen.endswith(b"\n\n\r\n"):  # the end of `ready`
        seen += await loop.sock_recv(raw, 4_096)
    return raw


async def test_a_client_that_takes_nothing_for_long_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_api.http.followers.QUIET_S", 0.3)
    monkeypatch.setattr("crm_api.http.stream.STALLED_S", 0.5)
    api = site.api
    raw = await silent(site, api.token)
    (watch,) = [watch for watch in api.app.state.feeds._watches.values() if watch.org_id == api.org_id]
    items = [{"name": f"A{number}", "description": "x" * 20_000} for number in range(200)]
    for _ in range(3):
        await api.ok("POST", "/v1/accounts/batch/create", json={"items": items})
    async with asyncio.timeout(20):
        while watch.followers.streams:
            await asyncio.sleep(0.05)
    taken = 0
    with suppress(ConnectionResetError):
        while piece := await asyncio.get_running_loop().sock_recv(raw, 1 << 20):
            taken += len(piece)
    raw.close()
    assert taken < 10_000_000, "what waited was thrown away"


async def test_a_client_that_takes_nothing_costs_no_more_than_a_buffer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it has not taken waits in the journal, not in memory; and it gets all of it in the end, in order."""
    monkeypatch.setattr(stream_group, "KEPT_BYTES", 20_000)
    monkeypatch.setattr("crm_api.http.followers.KEPT_BYTES", 20_000)
    api, loop = site.api, asyncio.get_running_loop()
    raw = await silent(site, api.token)
    async with site.stream() as quick:
        text = "x" * 20_000
        for batch in range(10):
            items = [{"name": f"A{batch}-{number}", "description": text} for number in range(40)]
            await api.ok("POST", "/v1/accounts/batch/create", json={"items": items})
        for _ in range(400):
            await quick.next(30)
        (watch,) = [watch for watch in api.app.state.feeds._watches.values() if watch.org_id == api.org_id]
        kept = sum(entry.size for group in watch.followers._groups.values() for entry in group.entries)
        assert kept < 200_000
        names: list[str] = []
        wire, text_ = b"", b""
        started = monotonic()
        while len(names) < 400 and monotonic() - started < 60:
            wire += await loop.sock_recv(raw, 1 << 20)
            while (at := wire.find(b"\r\n")) > 0 and len(wire) >= (end := at + 4 + int(wire[:at], 16)):  # pieces of a chunked body
                text_, wire = text_ + wire[at + 2 : end - 2], wire[end:]
            *whole, text_ = text_.split(b"\n\n")
            data = [line[6:] for block in whole for line in block.split(b"\n") if line.startswith(b"data: ")]
            names += [event["record"]["name"] for event in map(orjson.loads, data) if "record" in event]
    raw.close()
    assert names == [f"A{batch}-{number}" for batch in range(10) for number in range(40)]
