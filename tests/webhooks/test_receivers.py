"""Receivers that answer slowly, endlessly or packed hold nothing up; and sandboxes, which tell nobody."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic

import asyncpg
import pytest

from crm_api.embedded import DatabaseUrls
from crm_api.jobs.webhooks import requests
from tests.api import Api
from tests.databases import as_admin
from tests.webhooks.conftest import Hooks
from tests.webhooks.states import attempts, deliveries

pytestmark = pytest.mark.anyio

Speak = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def speaking(speak: Speak) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            await speak(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x"
    finally:
        server.close()


async def test_one_that_drips_is_cut_off(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(200):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    monkeypatch.setattr(requests, "TOTAL_S", 0.5)
    async with speaking(drip) as url:
        await hooks.endpoint("contact.*", url=url)
        await hooks.api.make("contacts", last_name="a")
        began = monotonic()
        await hooks.run()
    assert monotonic() - began < 5
    [told] = await deliveries(hooks.api)
    assert (told["status"], told["status_code"]) == ("retrying", None)


@pytest.mark.parametrize("packed", [False, True])
async def test_one_that_never_ends_is_read_for_16_kb(hooks: Hooks, packed: bool) -> None:
    sent = 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        encoding = b"content-encoding: gzip\r\n" if packed else b""
        writer.write(b"HTTP/1.1 200 OK\r\n" + encoding + b"content-length: 1073741824\r\n\r\n")
        packer = zlib.compressobj(wbits=31)
        piece = packer.compress(b"\0" * 10_000_000) + packer.flush() if packed else b"x" * 65_536
        while sent < 1 << 30:
            writer.write(piece)
            sent += len(piece)
            await writer.drain()

    async with speaking(pour) as url:
        await hooks.endpoint("contact.*", url=url)
        await hooks.api.make("contacts", last_name="a")
        await hooks.run()
    [told] = await deliveries(hooks.api)
    assert told["status"] == "succeeded"
    [attempt] = await attempts(hooks.api)
    assert attempt["truncated"]
    assert len(attempt["response_body"]) <= 16_384
    assert sent < 64 * 1024 * 1024


async def test_a_sandbox_tells_nobody(hooks: Hooks, other_api: Api, urls: DatabaseUrls) -> None:
    await hooks.endpoint("contact.*")
    await hooks.api.make("contacts", last_name="a")
    await hooks.relay.step()
    await hooks.dispatcher.step()
    # What had been made for it before it became one is not sent either.
    owner = await asyncpg.connect(as_admin(urls))
    try:
        become = "UPDATE organizations SET parent_id = $2, environment = $3 WHERE id = $1"
        await owner.execute(become, hooks.api.org_id, other_api.org_id, "sandbox")
        await hooks.api.make("contacts", last_name="b")
        await hooks.run()
        await owner.execute(become, hooks.api.org_id, None, "production")
    finally:
        await owner.close()
    assert hooks.receiver.received == []
    assert [one["status"] for one in await deliveries(hooks.api)] == ["cancelled"]
