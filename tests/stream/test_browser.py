"""EventSource in a real Chromium, on a page of another origin, with a ticket.

Needs Debian's package `chromium` (or CHROMIUM=/path/to/it) beside Node.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import orjson
import pytest

from tests.clients.conftest import MODULES, Node, node
from tests.clients.test_browser import chromium
from tests.journal.test_stream import Site

__all__ = ["chromium", "node"]

pytestmark = [pytest.mark.anyio, pytest.mark.node]

PAGE = Path(__file__).parent / "eventsource_chromium.mjs"


async def test_a_page_follows_the_stream_and_comes_back(site: Site, node: Node, chromium: str) -> None:
    api = site.api
    ticket = await api.ok("POST", "/v1/events/tickets", json={"event_types": ["account.*"]}, status=201)
    address = ticket["url"].replace("http://testserver", site.base)
    environment = {**os.environ, "CHROMIUM": chromium, "MODULES": str(MODULES), "BASE": site.base, "TOKEN": api.token, "TICKET": address}
    process = await asyncio.create_subprocess_exec("node", str(PAGE), env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(90):
        assert await process.stdout.readline() == b"end\n"
        (watch,) = [watch for watch in api.app.state.feeds._watches.values() if watch.org_id == api.org_id]
        await watch.followers.end("shutting_down")
        assert await process.stdout.readline() == b"go on\n"
        seen = orjson.loads(await process.stdout.read())
        assert await process.wait() == 0
    assert seen["names"] == ["before it was opened", "while it was there", "while it was away", "after it came back"]
    assert seen["ends"] == ["shutting_down"]
    assert (seen["ready"], seen["state"]) == (2, 1)
    assert seen["origin"] != site.base
    assert len(set(seen["ids"])) == 4
    assert [text for text in seen["complaints"] if "INCOMPLETE_CHUNKED" not in text] == []
