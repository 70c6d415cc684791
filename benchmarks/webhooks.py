"""Webhooks: deliveries per second of one worker against bare httpx, how soon events arrive, and what a dead endpoint costs the others.

API, worker, database and receiver all run on this machine, as they would on a small server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx

from benchmarks import servers
from benchmarks.data import Prepared
from benchmarks.servers import Server
from crm_api.core.sealed import Keyring

DELIVERIES: Final = 4_000
CONNECTIONS: Final = 50
EVENTS_PER_S: Final = 200
AT_ONCE: Final = 5
"""Contacts that one request makes: one by one, their creation alone would take both cores."""

SECONDS: Final = 20
WARM: Final = 50
DEAD: Final = 100_000
GOALS: Final = {"throughput": 0.5, "p95_s": 1.0, "dead": 1.1}
"""The least share of the floor, the most seconds until 95 of 100 first tries arrive, the most that a dead endpoint may stretch that."""


def _key(folder: Path) -> str:
    """The key that seals the endpoints' secrets; it stays with the database."""
    file = folder / "encryption_key"
    if not file.exists():
        file.write_text(Keyring.new_key())
    return file.read_text()


class Bench:
    """The processes that stay for the whole run."""

    def __init__(self, prepared: Prepared, folder: Path, stack: ExitStack) -> None:
        self.prepared = prepared
        self.folder = folder
        self.environment = {
            "DATABASE_URL": prepared.database_url,
            "CRM_RATE_LIMIT": "off",
            "CRM_LOG_LEVEL": "warning",
            "CRM_DB_ORG_CONNECTIONS": "10",
            "CRM_ENCRYPTION_KEYS": _key(folder),
            "CRM_EGRESS_ALLOW": "127.0.0.0/8",
            "CRM_DATA_DIR": str(folder / "data"),
        }
        self.receiver = self._start(["benchmarks.webhook_receiver"], "receiver")
        stack.callback(self.receiver.stop)
        self.api = self._start(["crm_api.cli", "serve", "--port"], "api")
        stack.callback(self.api.stop)
        self.http = stack.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{self.api.port}", headers={"authorization": f"Bearer {prepared.token}"}, timeout=60)
        )

    def _start(self, module: list[str], name: str) -> Server:
        port = servers.free_port()
        return Server([sys.executable, "-m", *module, str(port)], self.environment, port, self.folder / f"webhooks_{name}.log")

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker, as `crm-api worker` runs it."""
        with (self.folder / "webhooks_worker.log").open("ab") as log:
            command = [sys.executable, "-m", "crm_api.cli", "worker"]
            process = subprocess.Popen(command, env={**os.environ, **self.environment}, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(15)

    def ok(self, method: str, path: str, **more: Any) -> Any:
        """A request that must succeed."""
        answer = self.http.request(method, path, **more)
        answer.raise_for_status()
        return answer.json()

    def endpoint(self, path: str = "/hook", **more: Any) -> str:
        """A new endpoint at the receiver; its id."""
        body = {"url": f"http://127.0.0.1:{self.receiver.port}{path}", "event_types": ["contact.created"], "max_concurrency": 50, **more}
        return str(self.ok("POST", "/v1/webhook_endpoints", json=body)["id"])

    def change(self, endpoint: str, **body: Any) -> None:
        """Changes an endpoint."""
        self.ok("PATCH", f"/v1/webhook_endpoints/{endpoint}", json=body)

    def remove(self, endpoint: str) -> None:
        """Deletes an endpoint."""
        self.http.delete(f"/v1/webhook_endpoints/{endpoint}").raise_for_status()

    def arrivals(self) -> list[tuple[float, str, str]]:
        """What came since this was asked last."""
        found: list[tuple[float, str, str]] = httpx.get(f"http://127.0.0.1:{self.receiver.port}/arrivals", timeout=60).json()
        return found

    def contacts(self, count: int) -> None:
        """Makes contacts, which are events."""
        for start in range(0, count, 200):
            items = [{"first_name": f"Bench {start + n}", "last_name": "Webhook"} for n in range(min(200, count - start))]
            self.ok("POST", "/v1/contacts/batch/create", json={"items": items})

    async def value(self, sql: str, *values: Any) -> Any:
        """One value from the database."""
        connection = await asyncpg.connect(self.prepared.admin_url)
        try:
            return await connection.fetchval(sql, *values)
        finally:
            await connection.close()

    def waiting(self) -> int:
        """Deliveries that are not done."""
        return int(asyncio.run(self.value("SELECT count(*) FROM webhook_queue WHERE org_id = $1", UUID(self.prepared.org_id))))


def throughput(bench: Bench, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Deliveries per second that wait already, against httpx posting the same."""
    ours, floors, cpu = [], [], []
    endpoint = bench.endpoint(status="paused")
    with bench.worker() as process:
        for _ in range(rounds):
            bench.contacts(DELIVERIES)
            while bench.waiting() < DELIVERIES:
                time.sleep(0.2)
            bench.arrivals()
            before = servers.cpu_seconds(process.pid)
            bench.change(endpoint, status="enabled")
            while bench.waiting():
                time.sleep(0.05)
            taken = servers.cpu_seconds(process.pid) - before
            times = sorted(at for at, _, _ in bench.arrivals())
            assert len(times) == DELIVERIES, f"{len(times)} arrived"
            ours.append((len(times) - 1) / (times[-1] - times[0]))
            cpu.append(taken / len(times) * 1e6)
            bench.change(endpoint, status="paused")
            floors.append(_floor(bench))
            bench.arrivals()
            say(f"  {ours[-1]:.0f}/s, floor {floors[-1]:.0f}/s, {cpu[-1]:.0f} us of the worker's processor a delivery")
    bench.remove(endpoint)
    return {"ours": ours, "floor": floors, "cpu_us": cpu, "ratio": median(one / other for one, other in zip(ours, floors, strict=True))}


def _floor(bench: Bench) -> float:
    page = bench.ok("GET", "/v1/events", params={"event_types": "contact.created", "limit": 1, "cursor": "oldest"})
    body = json.dumps(page["data"][0], separators=(",", ":"))
    job = {
        "url": f"http://127.0.0.1:{bench.receiver.port}/floor", "bodies": [body] * DELIVERIES, "connections": CONNECTIONS,
        "headers": {
            "content-type": "application/json", "webhook-id": "0" * 36, "webhook-timestamp": "1", "webhook-signature": "v1," + "0" * 44,
        },
    }  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.webhook_floor"]
    done = subprocess.run(command, input=json.dumps(job).encode(), capture_output=True, check=True)
    return float(json.loads(done.stdout)["rate"])


def latency(bench: Bench, say: Callable[[str], None], seconds: int = SECONDS) -> dict[str, Any]:
    """How long events take to two endpoints, at a steady rate, from the change to the receiver."""
    endpoints = [bench.endpoint(f"/steady/{n}") for n in range(2)]
    with bench.worker():
        bench.contacts(WARM)
        warm = 0
        while warm < 2 * WARM:
            time.sleep(0.2)
            warm += sum(path.startswith("/steady/") for _, path, _ in bench.arrivals())
        made, wall = asyncio.run(_steadily(bench, seconds))
        deadline = time.monotonic() + 60
        found: list[tuple[float, str, str]] = []
        while len(found) < 2 * made and time.monotonic() < deadline:
            time.sleep(0.2)
            found += [one for one in bench.arrivals() if one[1].startswith("/steady/")]
    for endpoint in endpoints:
        bench.remove(endpoint)
    waits = sorted(at - datetime.fromisoformat(occurred).timestamp() for at, _, occurred in found)
    if len(waits) != 2 * made:
        raise RuntimeError(f"{len(waits)} of {2 * made} arrived")
    result = {"events_per_s": made / wall, "p50_s": waits[len(waits) // 2], "p95_s": waits[int(len(waits) * 0.95)], "max_s": waits[-1]}
    say("  " + ", ".join(f"{name} {value:.3f}" for name, value in result.items()))
    return result


async def _steadily(bench: Bench, seconds: int) -> tuple[int, float]:
    """Creates contacts at the wanted rate, some in each request, whatever the answers take."""
    made = 0
    limits = httpx.Limits(max_connections=20)
    headers = {"authorization": f"Bearer {bench.prepared.token}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.api.port}", headers=headers, limits=limits, timeout=60) as client:

        async def make(n: int) -> None:
            nonlocal made
            items = [{"first_name": f"Steady {n} {k}"} for k in range(AT_ONCE)]
            answer = await client.post("/v1/contacts/batch/create", json={"items": items}, headers={"prefer": "return=minimal"})
            answer.raise_for_status()
            made += AT_ONCE

        tasks = []
        began = time.perf_counter()
        for n in range(EVENTS_PER_S * seconds // AT_ONCE):
            tasks.append(asyncio.create_task(make(n)))
            pause = began + (n + 1) * AT_ONCE / EVENTS_PER_S - time.perf_counter()
            if pause > 0:
                await asyncio.sleep(pause)
        await asyncio.gather(*tasks)
        return made, time.perf_counter() - began


def dead(bench: Bench, say: Callable[[str], None]) -> dict[str, Any]:
    """The same beside an endpoint that nobody listens at, with 100,000 deliveries waiting."""
    alone = latency(bench, say)
    endpoint = bench.endpoint(status="paused")
    say(f"making {DEAD:,} deliveries that wait")
    asyncio.run(bench.value(_WAITING, UUID(bench.prepared.org_id), UUID(endpoint), DEAD))
    bench.change(endpoint, url=f"http://127.0.0.1:{servers.free_port()}/nobody", status="enabled", event_types=["account.created"])
    beside = latency(bench, say)
    left = bench.waiting()
    bench.remove(endpoint)
    return {"alone": alone, "beside": beside, "ratio": beside["p95_s"] / alone["p95_s"], "waiting": left}


# Copies of one event's delivery: what it would say does not matter, since nobody hears it.
_WAITING: Final = """
WITH one AS (SELECT e.id, e.record_id FROM events e WHERE e.org_id = $1 ORDER BY e.id DESC LIMIT 1),
     ids AS (SELECT gen_random_uuid() AS id, n FROM generate_series(1, $3::int) AS n),
     queued AS (INSERT INTO webhook_queue (org_id, id, endpoint_id, seq, events, record_id, due_at)
                SELECT $1, ids.id, $2, ids.n, ARRAY[one.id], one.record_id, now() FROM ids, one RETURNING id, seq, record_id)
INSERT INTO webhook_deliveries (org_id, id, endpoint_id, event_id, event_type, seq, record_id, status, created_at)
SELECT $1, q.id, $2, one.id, 'contact.created', q.seq, q.record_id, 'pending', now() FROM queued q, one
"""


def measure(chosen: argparse.Namespace, prepared: Prepared, say: Callable[[str], None]) -> dict[str, Any]:
    """One run of all three."""
    with ExitStack() as stack:
        bench = Bench(prepared, chosen.data_dir, stack)
        say("deliveries that wait, one worker")
        found = {"throughput": throughput(bench, chosen.rounds, say)}
        say(f"{EVENTS_PER_S} events a second to two endpoints")
        return {**found, "dead": dead(bench, say)}


def lines(found: dict[str, Any]) -> str:
    """What is printed."""
    through, calm = found["throughput"], found["dead"]["alone"]
    return "\n".join(
        [
            f"webhooks: {median(through['ours']):.0f} deliveries/s of one worker, {through['ratio']:.2f} of bare httpx"
            f" (goal {GOALS['throughput']})",
            f"webhooks: {calm['events_per_s']:.0f} events/s to 2 endpoints: first try p50 {calm['p50_s'] * 1e3:.0f} ms,"
            f" p95 {calm['p95_s'] * 1e3:.0f} ms (goal {GOALS['p95_s'] * 1e3:.0f})",
            f"webhooks: beside a dead endpoint with {DEAD:,} waiting: p95 {found['dead']['beside']['p95_s'] * 1e3:.0f} ms,"
            f" {found['dead']['ratio']:.2f} times as long (goal {GOALS['dead']})",
        ]
    )


def met(found: dict[str, Any]) -> bool:
    """Whether all goals are reached."""
    return bool(
        found["throughput"]["ratio"] >= GOALS["throughput"]
        and found["dead"]["alone"]["p95_s"] <= GOALS["p95_s"]
        and found["dead"]["ratio"] <= GOALS["dead"]
    )
