"""One PostgreSQL server on a Unix socket, from the wheel's programs."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from crm_api.embedded.errors import EmbeddedError
from crm_api.embedded.places import make_private_dir
from crm_api.embedded.process import Account, command_line, end_orphan, open_log, run_as, server_environment, spawn, stop

SUPERUSER = "postgres"
_LOG_KEPT = 10_000_000  # bytes, then the log of the run before is kept as .1

# Chosen for one application on one machine; durability stays as PostgreSQL ships it.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "max_locks_per_transaction": "256",  # a query on a table of daily partitions locks each of them
    "jit": "off",  # compiling costs more than these short statements
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
# For throw-away data only (tests): a crash of the machine may lose or break it.
NOT_DURABLE: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class PostgresServer:
    """`start()` … `stop()`; the folder survives both. The caller holds the lock on the data folder."""

    programs: Path
    base: Path
    sockets: Path
    account: Account | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.base / "postgres"

    @property
    def log(self) -> Path:
        return self.base / "postgres.log"

    @property
    def admin_url(self) -> str:
        """The server's own superuser, for making databases and roles; nothing else uses it."""
        return f"postgresql://{SUPERUSER}@/postgres?host={quote(str(self.sockets))}&port=5432"

    def start(self, patience: float = 60.0) -> None:
        """Start, on new data if there is none, and return when queries are answered (also after crash recovery)."""
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._end_previous()
        if self.log.exists() and self.log.stat().st_size > _LOG_KEPT:
            self.log.replace(self.log.with_suffix(".log.1"))
        options = {**SETTINGS, "unix_socket_directories": str(self.sockets), **self.settings}
        command: list[str | Path] = [self.programs / "postgres", "-D", self.data]
        command += [f"--{key}={value}" for key, value in options.items()]
        with open_log(self.log, keep=True) as log:
            # SIGINT is PostgreSQL's fast shutdown: sessions are ended, data is flushed.
            self.process = spawn(
                command, on_parent_death=signal.SIGINT, account=self.account, output=log, cwd=self.data, env=server_environment()
            )
        deadline = time.monotonic() + patience
        while self._status() != "ready":
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"PostgreSQL did not start; the end of {self.log}:\n{self._log_end()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End sessions, flush and stop; after 2.5 s at once, and the next start recovers."""
        if self.process is not None:
            stop(self.process, (signal.SIGINT, 2.5), (signal.SIGQUIT, 0.5))
            self.process = None

    def _initialise(self) -> None:
        fresh = self.base / "postgres.new"
        # Made aside and renamed when complete, so that an interrupted first start leaves nothing half made.
        shutil.rmtree(fresh, ignore_errors=True)
        make_private_dir(fresh, self.account)
        command: list[str | Path] = [self.programs / "initdb", "-D", fresh, "-U", SUPERUSER, "--encoding=UTF8", "--no-instructions"]
        if self._major_version() >= 17:
            # The wheel's build has no ICU; the builtin provider gives the same order on every machine.
            command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        else:
            command += ["--locale=C.UTF-8"]
        # Only who may enter the socket's folder (this account, root) can connect at all.
        command += ["--auth-local=trust", "--auth-host=reject"]
        done = run_as(self.account, command, cwd=fresh)
        if done.returncode != 0:
            raise EmbeddedError(f"PostgreSQL's data could not be made in {fresh}:\n{done.stdout}{done.stderr}")
        shutil.rmtree(self.data, ignore_errors=True)
        fresh.rename(self.data)

    def _major_version(self) -> int:
        told = run_as(self.account, [self.programs / "postgres", "--version"], cwd=Path("/")).stdout
        found = re.search(r"(\d+)", told)
        if found is None:
            raise EmbeddedError(f"{self.programs / 'postgres'} does not run here.")
        return int(found[1])

    def _pid_file(self) -> list[str]:
        # Lines: pid, data folder, start time, port, socket folder, address, shared memory, status.
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _status(self) -> str | None:
        lines = self._pid_file()
        mine = self.process is not None and lines and lines[0].strip() == str(self.process.pid)
        return lines[7].strip() if mine and len(lines) > 7 else None

    def _end_previous(self) -> None:
        """End what a killed parent left running, and forget a pid file whose number now belongs to a stranger."""
        lines = self._pid_file()
        if not lines:
            return
        pid = int(lines[0])
        marks = ("postgres", str(self.data))
        end_orphan(pid, marks=marks, signals=((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)))
        line = command_line(pid)
        if line is not None and not all(mark in line for mark in marks):
            # PostgreSQL would take the stranger for another server and refuse; the lock on the folder says there is none.
            with suppress(FileNotFoundError):
                os.unlink(self.data / "postmaster.pid")

    def _log_end(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        except FileNotFoundError:
            return ""
