"""Server processes under measurement: started, asked whether they answer, watched for the processor time they take, ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.data import Prepared


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Server:
    """One server process on a port of its own."""

    def __init__(self, command: list[str], environment: dict[str, str], port: int, log: Path) -> None:
        self.port = port
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"a server did not start; see {log}") from None
                time.sleep(0.05)

    def stop(self) -> None:
        """Ends it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self) -> float:
        """Processor time that it has taken so far; 0 where the system does not tell."""
        return cpu_seconds(self.process.pid)


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a process, in the nanoseconds of Linux' schedstat."""
    total = 0
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total / 1e9


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    try:
        return [int(text) for thread in Path(f"/proc/{pid}/task").iterdir() for text in (thread / "children").read_text().split()]
    except FileNotFoundError:
        return []


def api(prepared: Prepared, folder: Path) -> Server:
    """The product, as `crm-api serve` runs it, one process."""
    port = free_port()
    environment = {
        "DATABASE_URL": prepared.database_url,
        "CRM_RATE_LIMIT": "off",
        "CRM_LOG_LEVEL": "warning",  # no access log
        "CRM_DB_ORG_CONNECTIONS": "10",  # the whole pool: there is one organisation
    }
    command = [sys.executable, "-m", "crm_api.cli", "serve", "--port", str(port)]
    return Server(command, environment, port, folder / "api.log")


def floor(prepared: Prepared, folder: Path, user_id: str) -> Server:
    """The floor, under the same server program with the same event loop and parser."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.floor:app", "--port", str(port), "--log-level", "warning", "--no-access-log"]
    environment = {"DATABASE_URL": prepared.admin_url, "FLOOR_ORG": prepared.org_id, "FLOOR_USER": user_id}
    return Server(command, environment, port, folder / "floor.log")
