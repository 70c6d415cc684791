"""Processes of the program that can be killed and frozen, and servers of their own under them.

API and workers run what `crm-api serve` and `crm-api worker` run. They are forked from a process that has the program's modules loaded:
importing those takes seconds, and who kills a hundred processes would mostly measure that.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import httpx

from crm_api.core.sealed import Keyring
from crm_api.db import migrate
from crm_api.db.engine import Database
from crm_api.embedded import EmbeddedServers
from crm_api.embedded.errors import EmbeddedError
from crm_api.flows.organizations import create_organization
from crm_api.settings import driver_url
from tests.chaos.receiver import Manners, receive

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["crm_api.cli.processes", "crm_api.main", "crm_api.worker", "tests.chaos.receiver", "pytest"])
_PR_SET_PDEATHSIG: Final = 1


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _api(port: int) -> None:
    from crm_api.cli.processes import run_api
    from crm_api.settings import Settings

    run_api(Settings(), "127.0.0.1", port)


def _worker() -> None:
    from crm_api.cli.processes import run_worker
    from crm_api.settings import Settings

    run_worker(Settings())


def _main(run: Callable[..., None], arguments: tuple[Any, ...], environment: Mapping[str, str], output: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)  # whatever becomes of the tests, it ends with them
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    run(*arguments)


class Child:
    """A process that is started again as often as it is killed."""

    def __init__(
        self, name: str, run: Callable[..., None], arguments: tuple[Any, ...], environment: Mapping[str, str], output: Path
    ) -> None:
        self.name = name
        self.output = output
        self.frozen_until: float | None = None
        self._run = run
        self._arguments = arguments
        self._environment = environment
        self._process: Any = None

    @property
    def pid(self) -> int:
        """Its process id."""
        pid: int = self._process.pid
        return pid

    @property
    def alive(self) -> bool:
        """Whether it runs (or is frozen)."""
        return self._process is not None and bool(self._process.is_alive())

    @property
    def ended_by(self) -> int | None:
        """Its exit status; a negative one is the signal that killed it."""
        code: int | None = self._process.exitcode
        return code

    def start(self, **environment: str) -> Child:
        """Starts it; `environment` adds to its variables."""
        arguments = (self._run, self._arguments, {**self._environment, **environment}, str(self.output))
        self._process = _FORKS.Process(target=_main, args=arguments, daemon=True)
        self._process.start()
        return self

    def kill(self) -> None:
        """Kills it as `kill -9` does, frozen or not."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self.frozen_until = None

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        os.kill(self.pid, number)

    def wait(self, seconds: float) -> int | None:
        """Waits for its end; its exit status."""
        self._process.join(seconds)
        return self.ended_by

    def wait_frozen(self, seconds: float = 60) -> None:
        """Waits until it has stopped itself."""
        deadline = monotonic() + seconds
        while _state(self.pid) != "T":
            assert self.alive, f"{self.name} ended: {self.output.read_text()[-2000:]}"
            assert monotonic() < deadline, f"{self.name} did not stop"
            sleep(0.02)


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "X"


class Stack:
    """PostgreSQL, Valkey, an organisation, and whatever processes of the program are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # What was committed outlasts the server's death, though not the machine's.
        settings = {"synchronous_commit": "on", "max_connections": "150", "shared_buffers": "64MB"}
        self.servers = EmbeddedServers(folder / "servers", durable=False, postgres_settings=settings)
        self.children: list[Child] = []
        self.port = free_port()
        self.environment: dict[str, str] = {}
        self.token = ""
        self.org_id = ""

    def start(self) -> None:
        """Starts the servers and makes the database and the organisation. From the main thread, with which the servers end."""
        forkserver.ensure_running()  # it loads the program while the servers start
        (self.folder / "servers").mkdir()
        (self.folder / "servers").chmod(0o711)
        urls = self.servers.start()
        migrate.upgrade(urls.database_owner_url)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CRM_", "DATABASE_", "REDIS_"))}
        self.environment = {
            **kept,
            **urls.environment(),
            "CRM_DATA_DIR": str(self.folder / "data"),
            "CRM_ENCRYPTION_KEYS": Keyring.new_key(),
            "CRM_SECRET_KEY": "only for these tests",
            "CRM_EGRESS_ALLOW": "127.0.0.0/8",
            "CRM_RATE_LIMIT": "off",
            "CRM_LOG_LEVEL": "warning",
            "CRM_DB_ORG_CONNECTIONS": "10",
            "CRM_DB_WAIT_S": "20",
        }
        asyncio.run(self._organization())

    async def _organization(self) -> None:
        database = Database(self.servers.urls.database_url)
        made = await create_organization(database, name="Chaos", admin_email="admin@chaos.example", admin_name="Ada Admin")
        await database.close()
        self.org_id, self.token = str(made["org_id"]), made["token"]

    def child(self, name: str, run: Callable[..., None], *arguments: Any) -> Child:
        """A process, not started yet; killed at the end."""
        made = Child(name, run, arguments, self.environment, self.folder / f"{name}.log")
        self.children.append(made)
        return made

    def api(self, name: str = "api", port: int | None = None) -> Child:
        """An API."""
        return self.child(name, _api, port or self.port)

    def worker(self, name: str) -> Child:
        """A worker."""
        return self.child(name, _worker)

    def receiver(self, manners: Manners) -> tuple[Child, int, Path]:
        """A receiver, running, its port and its log."""
        port, log = free_port(), self.folder / "received.log"
        child = self.child("receiver", receive, port, str(log), manners).start()
        _until_listening(port)
        return child, port, log

    def url(self, path: str = "", port: int | None = None) -> str:
        """An address of the API."""
        return f"http://127.0.0.1:{port or self.port}{path}"

    def client(self, port: int | None = None) -> httpx.Client:
        """A client of the API, as the organisation's administrator."""
        return httpx.Client(base_url=self.url(port=port), headers={"authorization": f"Bearer {self.token}"}, timeout=30)

    def until_ready(self, port: int | None = None, seconds: float = 90) -> None:
        """Waits until the API answers."""
        deadline = monotonic() + seconds
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(self.url("/readyz", port), timeout=5).status_code == 200:
                    return
            assert monotonic() < deadline, "the API does not answer"
            sleep(0.05)

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Asks the database past row-level security, as its superuser."""
        return asyncio.run(self._query(sql, values))

    async def _query(self, sql: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        connection = await self.connect()
        try:
            return [dict(row) for row in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """A connection as the database's superuser."""
        path = urlsplit(driver_url(self.servers.urls.database_url)).path
        return await asyncpg.connect(urlsplit(self.servers.admin_url)._replace(path=path).geturl(), timeout=10)

    def kill_postgres(self) -> None:
        """Kills PostgreSQL's first process; the others follow it."""
        assert self.servers.postgres is not None
        assert self.servers.postgres.process is not None
        self.servers.postgres.process.kill()
        self.servers.postgres.process.wait()

    def start_postgres(self) -> None:
        """Starts PostgreSQL again, as soon as what is left of the killed one has ended."""
        assert self.servers.postgres is not None
        deadline = monotonic() + 60
        while True:
            try:
                self.servers.postgres.start()
                return
            except EmbeddedError:
                if monotonic() > deadline:
                    raise
                sleep(0.2)

    def stop_postgres(self) -> None:
        """Stops PostgreSQL in order."""
        assert self.servers.postgres is not None
        self.servers.postgres.stop()

    def signal_postgres(self, number: signal.Signals) -> None:
        """Sends a signal to all of PostgreSQL's processes."""
        assert self.servers.postgres is not None
        assert self.servers.postgres.process is not None
        first = self.servers.postgres.process.pid
        for pid in (first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def signal_valkey(self, number: signal.Signals) -> None:
        """Sends Valkey a signal."""
        assert self.servers.valkey is not None
        assert self.servers.valkey.process is not None
        self.servers.valkey.process.send_signal(number)

    def kill_valkey(self, *, forget: bool) -> None:
        """Kills Valkey; `forget` removes what it had written, so that it starts empty."""
        self.signal_valkey(signal.SIGKILL)
        assert self.servers.valkey is not None
        assert self.servers.valkey.process is not None
        self.servers.valkey.process.wait()
        if forget:
            shutil.rmtree(self.servers.valkey.base / "valkey" / "appendonlydir", ignore_errors=True)

    def start_valkey(self) -> None:
        """Starts Valkey again."""
        assert self.servers.valkey is not None
        self.servers.valkey.start()

    def flush_valkey(self) -> None:
        """Empties Valkey."""
        assert self.servers.valkey is not None
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.servers.valkey.socket))
            client.sendall(b"FLUSHALL\r\n")
            assert client.recv(16).startswith(b"+OK")

    def stop(self) -> None:
        """Kills everything."""
        for child in self.children:
            child.kill()
        with suppress(OSError, AttributeError, AssertionError):
            self.signal_postgres(signal.SIGCONT)
        self.servers.stop()


def _until_listening(port: int, seconds: float = 60) -> None:
    deadline = monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert monotonic() < deadline, "nobody listens"
            sleep(0.02)


@contextmanager
def stack() -> Iterator[Stack]:
    """Servers and processes in a folder of their own, all gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix="crm-chaos-", dir="/tmp"))
    folder.chmod(0o711)  # the servers' account, when tests run as root, passes through
    made = Stack(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
