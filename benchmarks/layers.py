"""Where the time of one read goes: `python -m benchmarks.layers`, the parts one by one, in microseconds of this process.

Each part runs many times in a row with everything in the processor's caches; in service the same parts take about twice as
long, since PostgreSQL and other requests push them out in between.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from benchmarks import data, scenarios
from benchmarks.data import Prepared
from crm_api.core.ids import parse_uuid
from crm_api.db.uow import Cause, Uow
from crm_api.embedded import EmbeddedServers
from crm_api.http.app import create_app
from crm_api.http.auth import authenticate, bearer_hash
from crm_api.http.middleware import Edge
from crm_api.http.records.answers import json_response
from crm_api.http.services import Services
from crm_api.kernel.context import Context
from crm_api.settings import Settings

Work = Callable[[], Awaitable[object]]


async def measure(name: str, work: Work, less: float = 0.0, times: int = 500) -> float:
    """Prints the processor time of one run of `work`, the least of many averages; `less` is what of it belongs elsewhere."""
    found = []
    for _ in range(15):
        began = time.thread_time()
        for _ in range(times):
            await work()
        found.append((time.thread_time() - began) / times * 1e6)
    print(f"{name:58} {max(0.0, min(found) - less):7.1f}")
    return min(found)


async def nothing(message: Message) -> None:
    """Takes an answer."""


async def layers(prepared: Prepared) -> None:
    """Measures and prints."""
    app = create_app(Settings(database_url=prepared.database_url, rate_limit="off", log_level="warning"))
    app.middleware_stack = app.build_middleware_stack()
    services: Services = app.state.services
    edge: Any = app.middleware_stack
    router: Any = app.router
    record = (await scenarios.sample(prepared, 100))[0]["id"]
    path = f"/v1/contacts/{record}"

    async def receive() -> Message:
        await asyncio.sleep(3600)  # nobody hangs up
        return {"type": "http.disconnect"}

    def scope() -> Scope:
        return {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [
                (b"host", b"localhost"), (b"accept", b"application/json"), (b"user-agent", b"bench"),
                (b"authorization", b"Bearer " + prepared.token.encode()),
            ], "state": {}, "app": app, "path_params": {"id": record}, "root_path": "",
        }  # fmt: skip

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await json_response(body, 200, {"etag": '"1.0123456789abcdef"'})(scope, receive, send)

    database, clock, engine = services.database, services.clock, services.engine
    async with database.connection() as connection:
        principal = await authenticate(connection, bearer_hash(Request(scope())), clock.now(), None)

        def uow() -> Uow:
            return Uow(connection, principal.org_id, clock.now(), clock, principal.actor, Cause(), True)

        async def transaction() -> None:
            one = uow()
            await one.begin()
            await one.commit()

        held = uow()
        context = Context(principal, held, engine.registry, engine.statements)
        contacts = engine.registry["contacts"]
        id_ = parse_uuid(record)
        assert id_ is not None
        body = (await engine.reader.one(context, contacts, id_)).json

        plain = await measure("answer: headers and body, as Starlette's response", lambda: answer(scope(), receive, nothing))
        inner = Edge(answer, edge.config, edge.observe)
        await measure("edge: request id, limits, headers, metrics", lambda: inner(scope(), receive, nothing), plain)

        async def find() -> None:
            router.find(scope())

        await measure("finding the route", find)

        async def checkout() -> None:
            async with database.connection():
                pass

        await measure("a connection from the pool", checkout)

        async def look_up() -> None:
            await authenticate(connection, bearer_hash(Request(scope())), clock.now(), None)

        await measure("authentication: header, one query, caller", look_up)
        await measure("the record's statement, arguments to bytes", lambda: engine.reader.one(context, contacts, id_))
        await held.rollback()
        await measure("BEGIN with tenant and time limit, COMMIT", transaction)

    async def whole() -> None:
        await edge(scope(), receive, nothing)

    await measure("a whole request, without the server program", whole)
    await database.close()
    await floor_parts(prepared, id_)


async def floor_parts(prepared: Prepared, id_: Any) -> None:
    """The same for the floor."""
    from benchmarks import floor

    floor.ORG = parse_uuid(prepared.org_id) or floor.ORG
    async with asyncpg.create_pool(prepared.admin_url, min_size=1, max_size=2) as pool:
        floor._state["pool"] = pool
        await measure("the floor's whole request: one query and the pool's reset", lambda: floor.get(f"/contacts/{id_}"))


def main() -> None:
    """On the smallest of the databases in the data folder, made if it is not there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.layers", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(".bench"))
    folder = parser.parse_args().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    with EmbeddedServers(folder, redis_url="redis://unused") as embedded:
        uvloop.run(layers(data.prepare(embedded.admin_url, folder, 10_000, print, keep=True)))


if __name__ == "__main__":
    main()
