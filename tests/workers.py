"""Real worker processes for tests, to be stopped and killed.

They are forked from a server that has read the program once (`multiprocessing`'s forkserver, which has no threads and no event loop
of ours), since reading it takes each new process seconds, and some tests start several.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from typing import Final

OURS: Final = ("CRM_", "DATABASE_", "REDIS_")
_context: Final = get_context("forkserver")
_context.set_forkserver_preload(["crm_api.worker", "crm_api.http.api"])


class WorkerProcess:
    """A running worker, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process: ForkServerProcess = _context.Process(target=_work, args=(dict(environment),), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """How it ended (minus the signal's number if one ended it), or None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float = 60) -> int:
        """How it ended; waits for that. Raises TimeoutError after `timeout` seconds."""
        self._process.join(timeout)
        found = self.poll()
        if found is None:
            raise TimeoutError(f"the worker still runs after {timeout} s")
        return found


@contextmanager
def running_worker(environment: Mapping[str, str]) -> Iterator[WorkerProcess]:
    """A worker under these variables and no others of ours; killed at the end."""
    process = WorkerProcess(environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _work(environment: dict[str, str]) -> None:
    for name in [name for name in os.environ if name.startswith(OURS)]:
        del os.environ[name]
    os.environ.update(environment)
    from crm_api.worker import run

    run()
