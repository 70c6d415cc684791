"""One run: writers, a monkey, somebody who shortens waits, and what came of it."""

from __future__ import annotations

import asyncio
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import monotonic, sleep

import asyncpg

from crm_api.flows.webhooks.serving import LEASE_S
from tests.chaos.checker import ENDPOINTS, Finding, check, journal, recovery, slowest
from tests.chaos.monkey import Monkey
from tests.chaos.processes import Stack
from tests.chaos.receiver import Manners, read_log
from tests.chaos.writers import Ledger, Writer

BEYOND_S = 5.0
"""How much later than the lease's end what waited must have begun to arrive."""

# A refused delivery is tried again after 5 seconds, 5 minutes, half an hour …: here, after half a second. Rows that a worker holds are
# left alone, so that nobody waits for anybody.
_SOON = (
    "UPDATE webhook_queue SET due_at = now() WHERE (org_id, id) IN (SELECT org_id, id FROM webhook_queue WHERE attempts > 0"
    " AND due_at > now() FOR UPDATE SKIP LOCKED)",
    "UPDATE webhook_states SET open_until = now() WHERE (org_id, endpoint_id) IN (SELECT org_id, endpoint_id FROM webhook_states"
    " WHERE circuit = 'open' AND open_until > now() FOR UPDATE SKIP LOCKED)",
    "UPDATE webhook_due d SET due_at = now() WHERE (org_id, endpoint_id) IN (SELECT d.org_id, d.endpoint_id FROM webhook_due d"
    " JOIN webhook_states s USING (org_id, endpoint_id) WHERE d.due_at > now() AND s.lease_id IS NULL FOR UPDATE OF d SKIP LOCKED)",
)
_STUCK = """
    SELECT (SELECT count(*) FROM outbox) AS unnumbered,
           (SELECT count(*) FROM journal_consumers c JOIN journal_heads h USING (org_id) WHERE c.seq < h.seq AND c.name = 'webhooks')
               AS undispatched,
           (SELECT count(*) FROM webhook_queue) AS queued, (SELECT count(*) FROM webhook_due) AS due,
           (SELECT count(*) FROM webhook_states WHERE lease_id IS NOT NULL OR lease_until IS NOT NULL) AS leased,
           (SELECT count(*) FROM webhook_deliveries WHERE status IN ('pending', 'retrying')) AS unfinished
"""


class Hurry(threading.Thread):
    """Shortens what a refused delivery waits, as the database's superuser."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(name="hurry", daemon=True)
        self._stack = stack
        self._over = threading.Event()

    def stop(self) -> None:
        """Ends it."""
        self._over.set()

    def run(self) -> None:
        """Every half second."""
        while not self._over.is_set():
            try:
                asyncio.run(self._shorten())
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError):
                self._over.wait(0.3)

    async def _shorten(self) -> None:
        connection = await self._stack.connect()
        try:
            while not self._over.is_set():
                for statement in _SOON:
                    await connection.execute(statement, timeout=5)
                await asyncio.sleep(0.5)
        finally:
            connection.terminate()


@dataclass
class Outcome:
    """What a run came to. Times in seconds."""

    seed: int
    finding: Finding
    kills: int
    disturbances: Counter[str]
    revived: Counter[str]
    answers: dict[int, int]
    unanswered: int
    baseline: float
    seconds: float
    recoveries: list[tuple[str, str, float]] = field(default_factory=list)
    stuck: dict[str, int] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The longest recovery."""
        return max((seconds for _, _, seconds in self.recoveries), default=0.0)

    @property
    def allowed(self) -> float:
        """How long a recovery may take: the lease and 5 seconds, and what a delivery took on this machine before anything was killed."""
        return LEASE_S + BEYOND_S + self.baseline

    def summary(self) -> str:
        """For people."""
        found, recoveries = self.finding, sorted(seconds for _, _, seconds in self.recoveries)
        lines = [
            f"chaos: seed {self.seed}, {self.seconds:.0f} s, {self.kills} processes killed, {sum(self.disturbances.values())} disturbances",
            *(f"  {count:4}  {kind}" for kind, count in self.disturbances.most_common()),
            f"  started again though nobody killed them: {dict(self.revived) or 'none'}",
            f"  answers to writers by status {dict(sorted(self.answers.items()))}, {self.unanswered} requests without an answer",
            f"  {found.events} events, {found.expected} deliveries expected, {found.requests} requests received",
            f"  lost {found.missing}, duplicates {found.duplicates}, left behind {self.stuck}",
            f"  recoveries measured {len(recoveries)}: median {median(recoveries or [0.0]):.1f} s, worst {self.worst:.1f} s, allowed "
            f"{self.allowed:.1f} s (a delivery before the first kill took up to {self.baseline:.2f} s)",
            *(f"  slow: {path} {seconds:.1f} s after '{kind}'" for kind, path, seconds in self.recoveries if seconds > LEASE_S),
        ]
        return "\n".join(lines)


def run(stack: Stack, seed: int, rounds: Sequence[Sequence[str | None]], *, pause_s: float, rate: float, kills: int = 0) -> Outcome:
    """Disturbs in rounds, each of which ends when what waited has arrived. A round names its disturbances; None is one by chance. More
    rounds like the last follow until so many processes are `kills`ed."""
    began = monotonic()
    chance = random.Random(seed)
    _, port, log = stack.receiver(Manners(seed))
    api, workers = stack.api().start(), [stack.worker(f"worker-{n}").start() for n in (1, 2)]
    stack.until_ready()
    with stack.client() as client:
        for asked in ENDPOINTS:
            body = {"url": f"http://127.0.0.1:{port}/{asked.path}", **asked.made}
            client.post("/v1/webhook_endpoints", json=body).raise_for_status()
        client.post("/v1/accounts", json={"name": "First", "industry": "red"}).raise_for_status()
    _until(lambda: {request.path for request in read_log(log)} >= {asked.path for asked in ENDPOINTS}, 120, "nothing arrives")
    ledger, monkey = Ledger(), Monkey(stack, chance, workers, api)
    writers = [Writer(stack, ledger, seed + n, rate) for n in range(2)]
    hurry = Hurry(stack)
    for thread in (*writers, hurry):
        thread.start()
    quiet = monotonic()
    sleep(3)
    first = monotonic()
    ends: list[tuple[str, float]] = []
    try:
        todo = list(rounds)
        while todo or monkey.kills < kills:
            for kind in todo.pop(0) if todo else rounds[-1]:
                monkey.disturb(kind)
                monkey.rest(chance.uniform(0.1, 2 * pause_s))
            ends.append((monkey.log[-1][1], monkey.settle()))
            _arrived(stack, monkey)
            if kills:
                print(f"  {monotonic() - began:5.0f} s  {monkey.kills} killed", flush=True)
        for writer in writers:
            writer.stop()
            writer.join(60)
        stuck = _drained(stack, monkey)
    finally:
        for writer in writers:
            writer.stop()
        hurry.stop()
        hurry.join(30)
    stack.until_ready()
    with stack.client() as client:
        events = journal(client)
    received = read_log(log)
    outcome = Outcome(
        seed, check(events, received, ledger), monkey.kills, Counter(kind for _, kind in monkey.log if kind in monkey._doing),
        monkey.revived, ledger.answers, ledger.unknown, slowest(events, received, ledger, quiet, first), monotonic() - began, stuck=stuck,
    )  # fmt: skip
    outcome.recoveries = [(kind, path, s) for kind, at in ends for path, s in recovery(events, received, ledger, at).items()]
    if early := [at for at in outcome.finding.repeats if at < first]:
        outcome.finding.say(f"{len(early)} deliveries were repeated before anything was killed")
    return outcome


def _head(stack: Stack) -> int:
    found: int = stack.query("SELECT (SELECT coalesce(max(seq), 0) FROM journal_heads) + (SELECT count(*) FROM outbox) AS seq")[0]["seq"]
    return found


def _arrived(stack: Stack, monkey: Monkey, patience: float = 60) -> None:
    """Waits until what was there now has arrived everywhere (or for long enough; what is missing is found in the end)."""
    head, deadline = _head(stack), monotonic() + patience
    sql = "SELECT (SELECT min(seq) FROM webhook_queue) AS waiting, (SELECT min(seq) FROM journal_consumers WHERE name = 'webhooks') AS seen"
    while monotonic() < deadline:
        monkey.rest(0.3)
        row = stack.query(sql)[0]
        if row["seen"] >= head and (row["waiting"] is None or row["waiting"] > head):
            return


def _drained(stack: Stack, monkey: Monkey, patience: float = 300) -> dict[str, int]:
    """Waits until nothing is left to do; tells what is left otherwise."""
    deadline = monotonic() + patience
    while True:
        left = stack.query(_STUCK)[0]
        if not any(left.values()) or monotonic() > deadline:
            return left
        monkey.rest(0.3)


def _until(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = monotonic() + seconds
    while not true():
        assert monotonic() < deadline, otherwise
        sleep(0.05)


def seed_of(default: int | None = None) -> int:
    """The seed: of the environment (`CRM_CHAOS_SEED`), given, or by chance."""
    given = os.environ.get("CRM_CHAOS_SEED")
    return int(given) if given else random.SystemRandom().randrange(10**9) if default is None else default
