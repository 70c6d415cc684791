"""Who kills and freezes processes at random, and starts them again."""

from __future__ import annotations

import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Final

from crm_api.flows.webhooks.serving import LEASE_S
from tests.chaos.processes import Child, Stack

KINDS: Final = (
    "kill a worker", "kill a worker", "kill a worker", "kill both workers", "freeze a worker", "freeze a worker past its lease",
    "kill the API", "kill the API", "freeze the API", "kill PostgreSQL", "kill PostgreSQL", "freeze PostgreSQL", "restart PostgreSQL",
    "kill Valkey", "kill Valkey and lose its data", "freeze Valkey", "flush Valkey",
)  # fmt: skip


@dataclass
class Monkey:
    """Disturbs a stack. `kills` counts processes that were killed; `log` says when what happened, by the machine's monotonic clock."""

    stack: Stack
    chance: random.Random
    workers: list[Child]
    api: Child
    kills: int = 0
    log: list[tuple[float, str]] = field(default_factory=list)
    revived: Counter[str] = field(default_factory=Counter)

    def disturb(self, kind: str | None = None) -> None:
        """Does one thing; what it killed runs again when it returns, what it froze for long goes on later."""
        kind = kind or self.chance.choice(KINDS)
        self.log.append((monotonic(), kind))
        self._doing[kind]()
        self.log.append((monotonic(), f"{kind}: over"))

    def rest(self, seconds: float) -> None:
        """Lets time pass, and minds what has to go on or to be started again."""
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            self.tend()
            sleep(min(left, 0.05))

    def tend(self) -> None:
        """Wakes those whose time is over and starts those that ended by themselves, as a service manager would."""
        for child in (*self.workers, self.api):
            if child.frozen_until is not None and child.frozen_until <= monotonic():
                self._thaw(child)
            if not child.alive:
                self.revived[f"{child.name} ({child.ended_by})"] += 1
                child.start()

    def settle(self) -> float:
        """Ends what still goes on, and tells when the last disturbance was over."""
        for child in (*self.workers, self.api):
            if child.frozen_until is not None:
                self.rest(child.frozen_until - monotonic() + 0.1)
        self.tend()
        return self.log[-1][0]

    @property
    def _doing(self) -> dict[str, Callable[[], None]]:
        return {
            "kill a worker": lambda: self._kill(self._one()),
            "kill both workers": lambda: self._kill(*self.workers),
            "freeze a worker": lambda: self._freeze(self._one(), self.chance.uniform(1, 4)),
            "freeze a worker past its lease": lambda: self._freeze(self._one(), LEASE_S + self.chance.uniform(0.5, 4)),
            "kill the API": lambda: self._kill(self.api),
            "freeze the API": lambda: self._freeze(self.api, self.chance.uniform(0.3, 2)),
            "kill PostgreSQL": self._kill_postgres,
            "freeze PostgreSQL": self._freeze_postgres,
            "restart PostgreSQL": self._restart_postgres,
            "kill Valkey": lambda: self._kill_valkey(forget=False),
            "kill Valkey and lose its data": lambda: self._kill_valkey(forget=True),
            "freeze Valkey": self._freeze_valkey,
            "flush Valkey": self.stack.flush_valkey,
        }

    def _one(self) -> Child:
        awake = [worker for worker in self.workers if worker.frozen_until is None]
        return self.chance.choice(awake or self.workers)

    def _kill(self, *children: Child) -> None:
        for child in children:
            child.kill()
            self.kills += 1
        sleep(self.chance.uniform(0, 0.3))
        for child in children:
            child.start()

    def _freeze(self, child: Child, seconds: float) -> None:
        if child.alive:
            child.signal(signal.SIGSTOP)
            child.frozen_until = monotonic() + seconds

    def _thaw(self, child: Child) -> None:
        child.frozen_until = None
        if child.alive:
            child.signal(signal.SIGCONT)
            self.log.append((monotonic(), f"{child.name} goes on"))

    def _kill_postgres(self) -> None:
        self.stack.kill_postgres()
        self.kills += 1
        sleep(self.chance.uniform(0, 1))
        self.stack.start_postgres()

    def _restart_postgres(self) -> None:
        self.stack.stop_postgres()
        self.stack.start_postgres()

    def _freeze_postgres(self) -> None:
        self.stack.signal_postgres(signal.SIGSTOP)
        sleep(self.chance.uniform(0.3, 2))
        self.stack.signal_postgres(signal.SIGCONT)

    def _kill_valkey(self, *, forget: bool) -> None:
        self.stack.kill_valkey(forget=forget)
        self.kills += 1
        sleep(self.chance.uniform(0, 2))
        self.stack.start_valkey()

    def _freeze_valkey(self) -> None:
        self.stack.signal_valkey(signal.SIGSTOP)
        sleep(self.chance.uniform(0.3, 2))
        self.stack.signal_valkey(signal.SIGCONT)
