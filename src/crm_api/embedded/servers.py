"""The servers of one data folder: started together, found by other commands, stopped in order."""

import asyncio
import fcntl
import json
import os
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from crm_api.embedded.errors import AlreadyRunning, EmbeddedError, NotRunning
from crm_api.embedded.places import find_programs, make_dir, servers_dir, service_account, socket_dir
from crm_api.embedded.postgres import NOT_DURABLE, PostgresServer
from crm_api.embedded.provision import prepare_database
from crm_api.embedded.valkey import ValkeyServer

_LOCK = "up.lock"
_SERVERS = "servers.json"
_FOREIGN = "{} (or a file in it) belongs to another user: {}. Run as that user, or choose another --data-dir."
_T = TypeVar("_T")


@dataclass(frozen=True)
class Urls:
    """Addresses of a database (as both roles) and a Valkey or Redis, as the settings take them."""

    database_url: str
    database_owner_url: str
    redis_url: str

    def environment(self) -> dict[str, str]:
        """The same as environment variables, for child processes."""
        return {"DATABASE_URL": self.database_url, "DATABASE_OWNER_URL": self.database_owner_url, "REDIS_URL": self.redis_url}


@dataclass(frozen=True)
class RunningServers:
    """What a running `up` (or test) has written into its data folder for other commands."""

    pid: int
    urls: Urls
    base_url: str | None


class EmbeddedServers:
    """PostgreSQL and Valkey under `data_dir`, with database `crm` and its two roles made.

    Addresses given by the caller are used instead of starting that server. `durable=False` trades safety for speed and is
    for tests; `postgres_bin` takes the programs of another PostgreSQL (15 or newer). Start from the main thread: on Linux
    the servers end with the thread that started them.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        database: str = "crm",
        database_url: str | None = None,
        database_owner_url: str | None = None,
        redis_url: str | None = None,
        durable: bool = True,
        postgres_settings: Mapping[str, str] | None = None,
        postgres_bin: Path | None = None,
    ) -> None:
        if (database_url is None) != (database_owner_url is None):
            raise EmbeddedError("DATABASE_URL and DATABASE_OWNER_URL go together: the application's role and the owner of the tables.")
        self.data_dir = Path(data_dir).resolve()
        self.database = database
        self._external = (database_url, database_owner_url, redis_url)
        self._settings = {**({} if durable else NOT_DURABLE), **(postgres_settings or {})}
        self._postgres_bin = postgres_bin
        self._lock: int | None = None
        self._urls: Urls | None = None
        self.postgres: PostgresServer | None = None
        self.valkey: ValkeyServer | None = None

    @property
    def urls(self) -> Urls:
        """The addresses; only while started."""
        if self._urls is None:
            raise NotRunning("The servers have not been started.")
        return self._urls

    @property
    def admin_url(self) -> str:
        """The embedded PostgreSQL's superuser, for `prepare_database`; not available with a server of your own."""
        if self.postgres is None:
            raise NotRunning("There is no embedded PostgreSQL here.")
        return self.postgres.admin_url

    @property
    def files(self) -> Path | None:
        """Where the servers' files are, if not in the data folder itself."""
        return self.postgres.base if self.postgres and self.postgres.base != self.data_dir else None

    def take(self) -> None:
        """Take the data folder without starting anything yet. Raises AlreadyRunning if another process has it."""
        if self._lock is None:
            try:
                make_dir(self.data_dir, service_account())
                self._lock = _take_lock(self.data_dir)
            except PermissionError as error:
                raise EmbeddedError(_FOREIGN.format(self.data_dir, error)) from error

    def start(self, progress: Callable[[str], None] = lambda _: None) -> Urls:
        """Take the data folder and start what is needed. Raises AlreadyRunning if another process has it."""
        self.take()
        try:
            return self._start(progress)
        except PermissionError as error:
            self.stop()
            raise EmbeddedError(_FOREIGN.format(self.data_dir, error)) from error
        except BaseException:
            self.stop()
            raise

    def _start(self, progress: Callable[[str], None]) -> Urls:
        database_url, owner_url, redis_url = self._external
        if database_url is None or redis_url is None:
            account = service_account(self.data_dir / "postgres")
            base = servers_dir(self.data_dir, account)
            programs, sockets = find_programs(account), socket_dir(base, account)
            if database_url is None:
                progress("starting PostgreSQL")
                self.postgres = PostgresServer(self._postgres_bin or programs.postgres_bin, base, sockets, account, self._settings)
                self.postgres.start()
                progress("preparing the database")
                made = _wait_for(prepare_database(self.postgres.admin_url, self.database))
                database_url, owner_url = made.database_url, made.database_owner_url
            if redis_url is None:
                progress("starting Valkey")
                self.valkey = ValkeyServer(programs.valkey_server, base, sockets, account)
                self.valkey.start()
                redis_url = self.valkey.url
        assert owner_url is not None  # checked together in __init__
        self._urls = Urls(database_url, owner_url, redis_url)
        self.announce()
        return self._urls

    def announce(self, base_url: str | None = None) -> None:
        """Write where the servers (and the API, once it listens) are, for commands with the same `--data-dir`."""
        content = json.dumps({"pid": os.getpid(), "base_url": base_url, **asdict(self.urls)}, indent=1)
        new = self.data_dir / f"{_SERVERS}.new"
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(content)
        new.replace(self.data_dir / _SERVERS)

    def restart_dead(self) -> list[str]:
        """Start again whichever server has ended by itself; returns their names."""
        dead = []
        for name, server in (("PostgreSQL", self.postgres), ("Valkey", self.valkey)):
            if server is not None and server.process is not None and server.process.poll() is not None:
                server.start()
                dead.append(name)
        return dead

    def stop(self) -> None:
        """Stop what was started, in under 5 s, and give the data folder free. Harmless to repeat."""
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()
        self.valkey = self.postgres = self._urls = None
        if self._lock is not None:
            (self.data_dir / _SERVERS).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def running_servers(data_dir: Path | str) -> RunningServers:
    """The servers that a process holding `data_dir` has announced. Raises NotRunning if there is none."""
    folder = Path(data_dir).resolve()
    if not _is_held(folder):
        raise NotRunning(f"No crm-api is running on {folder}: start `crm-api up`, or set DATABASE_URL.")
    try:
        found = json.loads((folder / _SERVERS).read_text())
    except FileNotFoundError:
        raise NotRunning(f"The crm-api on {folder} is still starting.") from None
    urls = Urls(found["database_url"], found["database_owner_url"], found["redis_url"])
    return RunningServers(found["pid"], urls, found["base_url"])


def _take_lock(folder: Path) -> int:
    """An exclusive lock that the system drops when this process ends, however it ends."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + 1.0
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:  # perhaps only a command that looks whether we run
                time.sleep(0.05)
                continue
            holder = os.read(lock, 20).decode().strip() or "unknown"
            os.close(lock)
            raise AlreadyRunning(
                f"Another crm-api (process {holder}) is running on {folder}. Stop it first, or give this one a --data-dir of its own."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        return lock


def _is_held(folder: Path) -> bool:
    with suppress(FileNotFoundError):
        lock = os.open(folder / _LOCK, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
    return False


def _wait_for(work: Coroutine[object, object, _T]) -> _T:
    """Run a coroutine to its end from synchronous code, also when this thread already runs an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
