"""A process dies exactly at each step of the pipeline, and the next one goes on: nothing is lost, and repeated only what wasn't stored."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest

from crm_api.core.failpoints import ENABLED, POINTS
from tests.chaos.processes import Child, Stack, free_port, stack
from tests.chaos.receiver import Manners, Request, read_log

pytestmark = pytest.mark.chaos

REPEATED = {"answered", "storing"}
"""Places where a request has been answered and nobody else knows."""

PATIENCE_S = 60

_LAPSE = (
    "UPDATE webhook_states SET lease_until = now() - interval '1 second' WHERE lease_id IS NOT NULL",
    "UPDATE webhook_due SET due_at = now()",
)
_LEFT = """
    SELECT (SELECT count(*) FROM outbox) AS unnumbered, (SELECT count(*) FROM webhook_queue) AS queued,
           (SELECT count(*) FROM webhook_due) AS due, (SELECT count(*) FROM webhook_states WHERE lease_id IS NOT NULL) AS leased,
           (SELECT count(*) FROM webhook_deliveries WHERE status <> 'succeeded') AS unfinished
"""


class Bench:
    """A stack with an API, one endpoint, and workers as they are asked for."""

    def __init__(self, made: Stack) -> None:
        self.stack = made
        _, self.hook_port, self.log = made.receiver(Manners(refused=0, late=0))
        made.api().start()
        made.until_ready()
        self.client = made.client()
        self.workers = 0
        self.endpoints = [self.endpoint("plain"), self.endpoint("fifo", ordering="fifo")]

    def endpoint(self, path: str, **more: str) -> str:
        body = {"url": f"http://127.0.0.1:{self.hook_port}/{path}", "event_types": ["account.*"], **more}
        made: str = self.client.post("/v1/webhook_endpoints", json=body).raise_for_status().json()["id"]
        return made

    def worker(self, point: str | None = None) -> Child:
        """A worker, which dies at a place."""
        self.workers += 1
        environment = {} if point is None else {"CRM_FAILPOINT": point, "CRM_FAILPOINTS_ENABLED": ENABLED}
        return self.stack.worker(f"worker-{self.workers}").start(**environment)

    def write(self, count: int = 1) -> list[str]:
        """Makes accounts in one transaction; tells their ids."""
        items = [{"name": f"Account {n}"} for n in range(count)]
        answer = self.client.post("/v1/accounts/batch/create", json={"items": items}).raise_for_status().json()
        return [result["record"]["id"] for result in answer["results"]]

    def arrivals(self, records: list[str]) -> Counter[tuple[str, str]]:
        """How often each endpoint was told of each record."""
        return Counter(
            (request.path, event.record_id) for request in self.requests() for event in request.events if event.record_id in records
        )

    def requests(self) -> list[Request]:
        return read_log(self.log)

    def until_done(self, records: list[str]) -> Counter[tuple[str, str]]:
        """Waits until all have arrived and nothing is left behind; tells how often each did."""
        deadline = monotonic() + PATIENCE_S
        while True:
            counted, left = self.arrivals(records), self.stack.query(_LEFT)[0]
            if len(counted) == 2 * len(records) and not any(left.values()):
                return counted
            assert monotonic() < deadline, f"{len(counted)} of {2 * len(records)} arrived, left behind: {left}"
            sleep(0.05)

    def lapse(self) -> None:
        """As if the lease's fifteen seconds were over."""
        for statement in _LAPSE:
            self.stack.query(statement)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with stack() as made:
        yield Bench(made)


def check_order(requests: list[Request], records: list[str]) -> None:
    """The ordered endpoint was told of each for the first time in the order of the journal, under the event's id."""
    first = dict.fromkeys((event.seq, event.id) for r in requests if r.path == "fifo" for event in r.events if event.record_id in records)
    assert list(first) == sorted(first)
    assert all(request.id == request.events[0].id for request in requests)


@pytest.mark.parametrize("point", [point for point in POINTS if point != "committed"])
def test_a_worker_dies_at(bench: Bench, point: str) -> None:
    doomed = bench.worker(point)
    records = bench.write(3)
    assert doomed.wait(PATIENCE_S) == -9, doomed.output.read_text()[-2000:]
    bench.lapse()
    survivor = bench.worker()
    counted = bench.until_done(records)
    survivor.kill()
    assert sum(counted.values()) >= len(counted)
    if point not in REPEATED:
        # Both endpoints are served at once: the other one's request may have been under way.
        assert max(counted.values()) <= 2
        twice = {path for (path, _), times in counted.items() if times > 1}
        assert len(twice) <= 1 or point in ("stored", "released", "releasing"), counted
    check_order(bench.requests(), records)


def test_the_api_dies_before_it_wakes_anybody(bench: Bench) -> None:
    port = free_port()
    doomed = bench.stack.api("doomed", port).start(CRM_FAILPOINT="committed", CRM_FAILPOINTS_ENABLED=ENABLED)
    bench.stack.until_ready(port)
    with bench.stack.client(port) as client, pytest.raises(httpx.TransportError):
        client.post("/v1/accounts", json={"name": "Committed, but unanswered"})
    assert doomed.wait(PATIENCE_S) == -9
    [found] = bench.client.get("/v1/accounts", params={"name": "Committed, but unanswered"}).raise_for_status().json()["data"]
    worker = bench.worker()
    assert set(bench.until_done([found["id"]]).values()) == {1}
    worker.kill()


def test_who_froze_past_the_lease_changes_nothing(bench: Bench) -> None:
    frozen = bench.worker("answered:stop")
    records = bench.write(3)
    frozen.wait_frozen()
    bench.lapse()
    second = bench.worker()
    bench.until_done(records)
    before = bench.stack.query("SELECT id, status, attempts, finished_at FROM webhook_deliveries ORDER BY id")
    frozen.signal(signal.SIGCONT)
    _until_logged(frozen.output, "webhook_lease_lost")
    sleep(0.5)
    assert bench.stack.query("SELECT id, status, attempts, finished_at FROM webhook_deliveries ORDER BY id") == before
    assert {row["attempts"] for row in before} == {1}
    counts = bench.arrivals(records)
    assert max(counts.values()) <= 2
    check_order(bench.requests(), records)
    later = bench.write(2)
    assert set(bench.until_done(later).values()) == {1}
    second.kill()
    frozen.kill()


def _until_logged(output: Path, text: str) -> None:
    deadline = monotonic() + PATIENCE_S
    while text not in output.read_text():
        assert monotonic() < deadline, f"nothing of {text} in {output.read_text()[-2000:]}"
        sleep(0.05)


def test_without_valkey_deliveries_go_on(bench: Bench) -> None:
    bench.stack.kill_valkey(forget=True)
    worker = bench.worker()
    try:
        bench.until_done(bench.write(1))
        waits = []
        for _ in range(5):
            records = bench.write(1)
            began = monotonic()
            assert set(bench.until_done(records).values()) == {1}
            waits.append(monotonic() - began)
        # Two looks at most: the relay's, and the sender's at what its own dispatcher has made.
        assert min(waits) < 2, waits
    finally:
        bench.stack.start_valkey()
    assert set(bench.until_done(bench.write(1)).values()) == {1}
    worker.kill()


def test_workers_outlive_postgresql(bench: Bench) -> None:
    workers = [bench.worker(), bench.worker()]
    bench.until_done(bench.write(2))
    for restart in (bench.stack.stop_postgres, bench.stack.kill_postgres):
        records = bench.write(20)
        restart()
        bench.stack.start_postgres()
        bench.stack.until_ready()
        began = monotonic()
        more = _written(bench)
        assert set(bench.until_done(records + more).values()) <= {1, 2}
        assert monotonic() - began < 25 + PATIENCE_S
    assert all(worker.alive for worker in workers)
    for worker in workers:
        worker.kill()


def _written(bench: Bench) -> list[str]:
    for _ in range(50):
        try:
            return bench.write(2)
        except httpx.HTTPStatusError:
            sleep(0.2)
    raise AssertionError("the API does not come back")
