"""Keeps child processes running until told to stop, then ends them in order."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

from crm_api.embedded.process import spawn, stop

_LONGEST_PAUSE = 10.0
_STEADY_AFTER = 30.0  # seconds of life after which a child's next death counts as its first


class Stopped(BaseException):
    """A signal asked to stop before everything was up. Not an Exception: nothing on the way may swallow it."""


@dataclass
class Child:
    """One `crm-api` command in a process of its own."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    due: float | None = None

    def start(self) -> None:
        # SIGTERM when we die: both commands then finish what they are at and end.
        command = [sys.executable, "-m", "crm_api.cli", *self.arguments]
        # Its logs go to our standard error: standard output is for our own answer.
        self.process = spawn(command, on_parent_death=signal.SIGTERM, env=self.environment, output=sys.stderr.buffer)
        self.started = time.monotonic()
        self.due = None

    def watch(self) -> str | None:
        """Start the child again if it died, after a pause that doubles; a message when something happened."""
        now = time.monotonic()
        if self.due is not None:
            if now >= self.due:
                self.start()
            return None
        if self.process is None or self.process.poll() is None:
            return None
        self.deaths = 1 if now - self.started > _STEADY_AFTER else self.deaths + 1
        self.due = now + min(0.25 * 2**self.deaths, _LONGEST_PAUSE)
        return f"{self.name} ended with status {self.process.returncode}; starting it again"


class Supervisor:
    """Runs children and stops them within `patience` seconds after SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, patience: float = 3.0) -> None:
        self.children: list[Child] = []
        self._patience = patience
        self._stop = threading.Event()
        self._starting = True

    def __enter__(self) -> "Supervisor":
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if sig == signal.SIGHUP and signal.getsignal(sig) == signal.SIG_IGN:
                continue  # started with nohup
            signal.signal(sig, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        self._starting = False
        self.stop()

    def _on_signal(self, sig: int, frame: FrameType | None) -> None:
        first = not self._stop.is_set()
        self._stop.set()
        if self._starting and first:
            raise Stopped

    def add(self, child: Child) -> None:
        """Start a child and keep it running from now on."""
        self.children.append(child)
        child.start()

    def run(self, check: Callable[[], Sequence[str]], report: Callable[[str], None]) -> None:
        """Watch over the children until a signal comes; `check` is called along with it and may report too."""
        self._starting = False
        while not self._stop.wait(0.2):
            for message in (*(child.watch() for child in self.children), *check()):
                if message:
                    report(message)

    def stop(self) -> None:
        """Ask all children to end, wait, and kill those that don't."""
        processes = [child.process for child in self.children if child.process is not None]
        for process in processes:
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    process.terminate()
        deadline = time.monotonic() + self._patience
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            stop(process)
        self.children.clear()
