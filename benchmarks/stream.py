"""Ten thousand subscribers of the event stream in one process: what each takes of memory, when they hear of an event, what it costs the
database.

They are people of one organisation with equal rights, each with tokens of their own and five streams per token, as many as a token may
have open. Everything runs on the machine itself: the subscribers are another process, which takes as much of it as the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

import httpx

from benchmarks import servers
from benchmarks.data import Prepared
from benchmarks.servers import Server
from crm_api.db.engine import Database
from crm_api.flows.organizations import create_token, create_user

SUBSCRIBERS: Final = 10_000
PER_TOKEN: Final = 5
PEOPLE: Final = 200
EVENTS: Final = 20
GOALS: Final = {"kib_per_subscriber": 64, "last_ms": 5_000, "statements": 20}
"""The most memory of the server per subscriber, the most time until the last of them has an event, and the most statements per event."""


async def tokens(prepared: Prepared, subscribers: int) -> list[str]:
    """Tokens of people who are no administrators."""
    database, org_id = Database(prepared.database_url), UUID(prepared.org_id)
    found = []
    try:
        wanted = -(-subscribers // PER_TOKEN)
        for number in range(min(PEOPLE, wanted)):
            email = f"listener-{time.time_ns()}-{number}@bench.example"
            user_id = await create_user(database, org_id=org_id, email=email, name=f"Listener {number}", profile="standard")
            for index in range(wanted // PEOPLE + (number < wanted % PEOPLE)):
                made = await create_token(database, org_id=org_id, user_id=user_id, name=f"t{index}", scopes=("*:read",))
                found.append(made["token"])
    finally:
        await database.close()
    return found


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


class Told:
    """The statements that the server has run."""

    def __init__(self, server: Server, file: Path) -> None:
        self.server = server
        self.file = file

    def since(self) -> list[str]:
        """Since it was asked last."""
        self.file.unlink(missing_ok=True)
        self.server.process.send_signal(signal.SIGUSR1)
        while not self.file.exists():
            time.sleep(0.01)
        time.sleep(0.05)
        return [line for line in self.file.read_text().split("\n") if line]


def measure(chosen: argparse.Namespace, prepared: Prepared, say: Callable[[str], None], subscribers: int = SUBSCRIBERS) -> dict[str, Any]:
    """One run."""
    say("making tokens")
    known = asyncio.run(tokens(prepared, subscribers))
    port, file = servers.free_port(), chosen.data_dir / "statements.txt"
    environment = {
        "DATABASE_URL": prepared.database_url,
        "CRM_RATE_LIMIT": "off",
        "CRM_LOG_LEVEL": "warning",
        "CRM_DB_ORG_CONNECTIONS": "10",
    }
    command = [sys.executable, "-m", "benchmarks.stream_server", str(port), str(file)]
    server = Server(command, environment, port, chosen.data_dir / "stream.log")
    client = subprocess.Popen([sys.executable, "-m", "benchmarks.stream_client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert client.stdin is not None
    assert client.stdout is not None
    told = Told(server, file)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {prepared.token}"}, timeout=60) as http:
            for _ in range(20):
                http.get("/v1/accounts", params={"limit": 1}).raise_for_status()
            http.post("/v1/accounts", json={"name": "Warm"}).raise_for_status()
            before, cpu, began = memory(server.process.pid), server.cpu_seconds(), time.monotonic()

            def ask(line: str) -> Any:
                client.stdin.write(line + "\n")  # type: ignore[union-attr]
                client.stdin.flush()  # type: ignore[union-attr]
                return hear()

            def hear() -> Any:
                found = client.stdout.readline()  # type: ignore[union-attr]
                if not found:
                    raise RuntimeError("the subscribers have gone")
                return json.loads(found)

            job = {"port": port, "tokens": known, "per_token": PER_TOKEN, "path": "/v1/events/stream"}
            ask(json.dumps(job))
            connected, opened_cpu = time.monotonic() - began, server.cpu_seconds() - cpu
            say(f"{subscribers:,} subscribers after {connected:.1f} s")
            time.sleep(2)
            idle_memory = memory(server.process.pid)
            rounds, statements = [], []
            for number in range(EVENTS):
                marker = f"MARK{number:06d}"
                ask(marker)
                told.since()
                cpu, sent = server.cpu_seconds(), time.monotonic()
                http.post("/v1/accounts", json={"name": marker}).raise_for_status()
                answered = time.monotonic()
                found = hear()
                found |= {"sent": sent, "answered": answered, "cpu": server.cpu_seconds() - cpu}
                rounds.append(found)
                say(f"  {[round((found[name] - sent) * 1e3) for name in ('answered', 'first', 'p50', 'last')]} ms")
                statements.append(told.since())
            cpu, sent = server.cpu_seconds(), time.monotonic()
            time.sleep(5)
            idle_cpu = (server.cpu_seconds() - cpu) / (time.monotonic() - sent)
            after = memory(server.process.pid)
    finally:
        client.kill()
        client.wait()
        server.stop()
    typical = sorted(statements, key=len)[len(statements) // 2]
    return {
        "subscribers": subscribers,
        "tokens": len(known),
        "connected_s": connected,
        "connect_cpu_us": opened_cpu / subscribers * 1e6,
        "kib_per_subscriber": (max(idle_memory, after) - before) / subscribers / 1024,
        "base_mib": before / 2**20,
        "first_ms": median(found["first"] - found["sent"] for found in rounds) * 1e3,
        "p50_ms": median(found["p50"] - found["sent"] for found in rounds) * 1e3,
        "last_ms": median(found["last"] - found["sent"] for found in rounds) * 1e3,
        "cpu_us_per_delivery": median(found["cpu"] for found in rounds) / subscribers * 1e6,
        "idle_cpu": idle_cpu,
        "statements": median(len(found) for found in statements),
        "kinds": Counter(typical),
        "lost": rounds[-1]["lost"],
    }


def met(found: dict[str, Any]) -> bool:
    """Whether every goal is met, and nobody was lost."""
    return not found["lost"] and all(found[name] <= goal for name, goal in GOALS.items())


def lines(found: dict[str, Any]) -> str:
    """For the terminal."""
    return "\n".join(
        [
            f"{found['subscribers']:,} subscribers of the event stream in one process, {found['tokens']:,} tokens",
            f"  memory            {found['kib_per_subscriber']:8.1f} KiB each, beside {found['base_mib']:.0f} MiB of the process "
            f"(goal {GOALS['kib_per_subscriber']})",
            f"  one event to all  {found['first_ms']:8.0f} ms for the first, {found['p50_ms']:.0f} ms for half, {found['last_ms']:.0f} ms "
            f"for the last, counted from the request that made it (goal {GOALS['last_ms']})",
            f"                    {found['cpu_us_per_delivery']:8.0f} µs of the server's processor time for each delivery",
            f"  statements        {found['statements']:8.0f} for one event, those of the request among them (goal {GOALS['statements']})",
            f"  connecting        {found['connected_s']:8.1f} s for all, {found['connect_cpu_us']:.0f} µs of processor time each",
            f"  quiet             {found['idle_cpu'] * 100:8.1f} % of one core, comments and the look at all tokens every second",
            *(f"      {count} × {sql}" for sql, count in found["kinds"].items()),
            "every goal is met" if met(found) else "a goal is missed",
        ]
    )
