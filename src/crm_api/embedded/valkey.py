"""One Valkey server on a Unix socket, from the wheel's program."""

import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crm_api.embedded.errors import EmbeddedError
from crm_api.embedded.places import make_private_dir
from crm_api.embedded.process import Account, end_orphan, open_log, spawn, stop


@dataclass
class ValkeyServer:
    """`start()` … `stop()`; keeps an append-only file, so queued wake-ups survive a restart."""

    program: Path
    base: Path
    sockets: Path
    account: Account | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def log(self) -> Path:
        return self.base / "valkey.log"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self, patience: float = 20.0) -> None:
        """Start and return when it answers PING."""
        data = self.base / "valkey"
        make_private_dir(data, self.account)
        pid_file = self.sockets / "valkey.pid"
        with suppress(FileNotFoundError, ValueError):
            end_orphan(
                int(pid_file.read_text()),
                marks=("valkey-server", str(self.sockets)),
                signals=((signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0)),
            )
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "pidfile": str(pid_file),
            "daemonize": "no",
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        command = [str(self.program), *(part for key, value in options.items() for part in (f"--{key}", value))]
        with open_log(self.log, keep=False) as log:
            self.process = spawn(command, on_parent_death=signal.SIGTERM, account=self.account, output=log, cwd=data)
        deadline = time.monotonic() + patience
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"Valkey did not start; {self.log} says:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Flush and stop, within 1 s."""
        if self.process is not None:
            stop(self.process, (signal.SIGTERM, 1.0))
            self.process = None

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.settimeout(1.0)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
