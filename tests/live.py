"""The application on a real server: uvicorn in a thread with an event loop of its own, on a free port of this machine.

For what speaks HTTP from outside: generated clients, other processes, schemathesis.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from crm_api.flows.organizations import create_organization
from crm_api.http.app import create_app
from crm_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Live:
    """Where it is, an administrator's token, and the ids of the organisation and the administrator."""

    url: str
    token: str
    org_id: str
    user_id: str


@contextmanager
def served(settings: Settings) -> Iterator[Live]:
    """A server with an organisation made for it, until the block ends."""
    started: list[Live] = []
    failed: list[BaseException] = []
    ready = threading.Event()
    stop: list[uvicorn.Server] = []

    async def serve() -> None:
        app = create_app(settings)
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="on"))
        stop.append(server)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
            if task.done():
                task.result()
        made = await create_organization(app.state.services.database, name="Live", admin_email="admin@live.example", admin_name="Ada Admin")
        port = server.servers[0].sockets[0].getsockname()[1]
        started.append(Live(f"http://127.0.0.1:{port}", made["token"], str(made["org_id"]), str(made["user_id"])))
        ready.set()
        await task

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            failed.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="live server")
    thread.start()
    try:
        assert ready.wait(60), "the server did not start"
        if failed:
            raise failed[0]
        yield started[0]
    finally:
        for server in stop:
            server.should_exit = True
        thread.join(30)
