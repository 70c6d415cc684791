"""The stream, over a real socket: what arrives, in which order, from where, and when it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest

from crm_api.db.statement import Statement
from crm_api.db.uow import unit_of_work
from crm_api.http import followers
from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.api import Api, new_organization
from tests.event_validation import wrong
from tests.http.support import served
from tests.journal.events import CLOCK

pytestmark = pytest.mark.anyio


@dataclass
class Message:
    event: str | None
    id: str | None
    data: Any


@dataclass
class Client:
    """A reader of server-sent events; keeps everything that came."""

    response: httpx.Response
    messages: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    comments: int = 0
    last_id: str | None = None
    events: list[Any] = field(default_factory=list)

    async def read(self) -> None:
        fields: dict[str, str] = {}
        async for line in self.response.aiter_lines():
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            elif fields:
                self.last_id = fields.get("id", self.last_id)
                if "data" in fields:
                    data = orjson.loads(fields["data"])
                    self.events += [] if "event" in fields else [data]
                    self.messages.put_nowait(Message(fields.get("event"), fields.get("id"), data))
                fields = {}
        self.messages.put_nowait(Message("closed", None, None))

    async def next(self, seconds: float = 10) -> Message:
        return await asyncio.wait_for(self.messages.get(), seconds)


@dataclass
class Site:
    api: Api
    base: str

    @asynccontextmanager
    async def stream(
        self, path: str = "/v1/events/stream", *, headers: dict[str, str] | None = None, token: str = ""
    ) -> AsyncIterator[Client]:
        bearer = {"authorization": f"Bearer {token or self.api.token}", **(headers or {})}
        async with httpx.AsyncClient(base_url=self.base, timeout=30) as http, http.stream("GET", path, headers=bearer) as response:
            client = Client(response)
            if response.status_code != 200:
                await response.aread()
                yield client
                return
            assert response.headers["content-type"].startswith("text/event-stream")
            reading = asyncio.create_task(client.read())
            try:
                ready = await client.next()
                assert ready.event == "ready"
                assert ready.data["cursor"] == ready.id
                yield client
                assert [problem for event in client.events for problem in wrong(event)] == []
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    app = create_app(settings.model_copy(update={"db_pool_size": 8}))
    assert isinstance(app, Application)
    async with served(app) as port, new_organization(app) as api:
        yield Site(api, f"http://127.0.0.1:{port}")


async def test_events_arrive_as_they_happen_and_as_the_journal_shows_them(site: Site) -> None:
    async with site.stream() as client:
        account = await site.api.make("accounts", name="Acme")
        first = await client.next(2)
        await site.api.change(account, name="Acme Corp")
        second = await client.next(2)
        assert [first.data["type"], second.data["type"]] == ["account.created", "account.updated"]
        page = await site.api.ok("GET", "/v1/events", params={"record_id": account["id"]})
        assert [first.data, second.data] == page["data"]
        assert first.event is None
        assert second.id == page["page"]["events_cursor"]


async def test_resuming_misses_nothing_and_repeats_nothing(site: Site) -> None:
    seen: list[str] = []
    last: str | None = None
    made: list[str] = []

    async def write() -> None:
        for number in range(40):
            made.append((await site.api.make("accounts", name=f"A{number}"))["id"])

    cursor = (await site.api.ok("GET", "/v1/events", params={"cursor": "now"}))["page"]["next_cursor"]
    writing = asyncio.create_task(write())
    while len(seen) < 40:
        headers = {} if last is None else {"last-event-id": last}
        async with site.stream(f"/v1/events/stream?cursor={cursor}", headers=headers) as client:
            for _ in range(7):  # the connection breaks after seven events
                if len(seen) == 40:
                    break
                message = await client.next()
                seen.append(message.data["record_id"])
                last = message.id
    await writing
    assert seen == made


async def test_filters_and_own_events(site: Site) -> None:
    async with (
        site.stream("/v1/events/stream?event_types=deal.*") as deals,
        site.stream("/v1/events/stream?object=accounts&event_types=*.updated") as updates,
        site.stream("/v1/events/stream?exclude_own=true") as others,
        site.stream('/v1/events/stream?object=deals&filter={"field":"amount","op":"changed_to","value":"5"}') as condition,
    ):
        account = await site.api.make("accounts", name="Acme")
        deal = await site.api.make("deals", name="One", amount="3")
        await site.api.change(account, name="Acme 2")
        await site.api.change(deal, amount="5.00")
        assert [(await deals.next()).data["type"] for _ in range(2)] == ["deal.created", "deal.updated"]
        assert (await updates.next()).data["record_id"] == account["id"]
        assert (await condition.next()).data["changes"]["amount"]["new"] == "5.00"
        other = await site.api.with_scopes("admin")
        named = await other.make("accounts", name="Other")
        assert (await others.next()).data["record_id"] == named["id"]
        await other.http.aclose()


async def test_scopes_and_limits(site: Site) -> None:
    narrow = await site.api.with_scopes("events:read", "deals:read")
    async with site.stream(token=narrow.token) as client:
        await site.api.make("accounts", name="Acme")
        await site.api.make("deals", name="One")
        assert (await client.next()).data["object"] == "deals"
    async with site.stream(), site.stream(), site.stream(), site.stream(), site.stream(), site.stream() as sixth:
        assert sixth.response.status_code == 403
        assert sixth.response.json()["code"] == "limit_exceeded"
    async with site.stream("/v1/events/stream?cursor=nonsense") as refused:
        assert refused.response.status_code == 400
    await narrow.http.aclose()


async def test_many_streams_share_one_watch(site: Site) -> None:
    """Readers with the same view cost one read of the journal, however many they are."""
    tokens = [site.api.token] + [(await site.api.with_scopes("admin")).token for _ in range(4)]
    database = site.api.app.state.services.database
    statements: list[str] = []
    database.observers.append(statements.append)
    async with AsyncStreams(site, [token for token in tokens for _ in range(5)]) as clients:
        statements.clear()
        account = await site.api.make("accounts", name="Acme")
        for client in clients:
            assert (await client.next()).data["record_id"] == account["id"]
        assert len([sql for sql in statements if "row_to_json(x)" in sql]) <= 2
        assert len(site.api.app.state.feeds._watches) == 1
    database.observers.remove(statements.append)


class AsyncStreams:
    """Several streams at once."""

    def __init__(self, site: Site, tokens: list[str], path: str = "/v1/events/stream") -> None:
        self._contexts = [site.stream(path, token=token) for token in tokens]

    async def __aenter__(self) -> list[Client]:
        return list(await asyncio.gather(*(context.__aenter__() for context in self._contexts)))

    async def __aexit__(self, *_: object) -> None:
        for context in self._contexts:
            await context.__aexit__(None, None, None)


async def test_quiet_streams_say_so_and_end_with_their_token(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "QUIET_S", 0.3)
    narrow = await site.api.with_scopes("events:read", "deals:read")
    services = site.api.app.state.services
    async with site.stream(token=narrow.token) as client:
        start = client.last_id
        await site.api.make("accounts", name="Not for this reader")
        for _ in range(40):
            await asyncio.sleep(0.1)
            if client.comments >= 2 and client.last_id != start:
                break
        assert client.comments >= 2
        assert client.last_id != start, "the place moves on past events that the filter left out"
        async with unit_of_work(services.database, site.api.org_id, CLOCK) as uow:
            await uow.fetch(
                Statement("UPDATE organizations SET access_version = access_version + 1 WHERE id = $1", ("id",)), {"id": site.api.org_id}
            )
        assert (await client.next()).event == "resync"
        async with unit_of_work(services.database, site.api.org_id, CLOCK) as uow:
            await uow.fetch(
                Statement("UPDATE tokens SET revoked_at = $2 WHERE org_id = $1 AND name = 'narrow'", ("id", "at")),
                {"id": site.api.org_id, "at": CLOCK.now()},
            )
        end = await client.next()
        assert (end.event, end.data["reason"]) == ("end", "token_revoked")
        assert (await client.next()).event == "closed"
    await narrow.http.aclose()


async def test_a_slow_reader_catches_up_by_itself(site: Site) -> None:
    """More events than are kept for streams: who joins with an old cursor reads pages first, then follows."""
    cursor = (await site.api.ok("GET", "/v1/events", params={"cursor": "now"}))["page"]["next_cursor"]
    async with site.stream() as live:
        for batch in range(6):
            items = [{"name": f"A{batch}-{number}"} for number in range(200)]
            await site.api.ok("POST", "/v1/accounts/batch/create", json={"items": items})
        async with site.stream(f"/v1/events/stream?cursor={cursor}") as late:
            for client in (live, late):
                names = [(await client.next(30)).data["record"]["name"] for _ in range(1200)]
                assert names == [f"A{batch}-{number}" for batch in range(6) for number in range(200)]
