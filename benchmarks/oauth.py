"""Refreshes per second of the token endpoint, one process, against the same statements by hand.

Every connection has a grant of its own, since each refresh needs the token that the one before gave.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson

from benchmarks import servers
from benchmarks.data import Prepared
from benchmarks.servers import Server
from crm_api.core.clock import SystemClock
from crm_api.db.engine import Database
from crm_api.db.uow import unit_of_work
from crm_api.flows.oauth import registry
from crm_api.flows.oauth.issuing import KIND_USER, Lifetimes, issue, new_grant

FORM: Final = "application/x-www-form-urlencoded"
GOAL: Final = 300
"""Refreshes per second of one process."""


async def tokens(prepared: Prepared, count: int) -> tuple[str, str, list[str]]:
    """An app with so many grants: its id, its secret, and a refresh token of each grant."""
    database, clock, org_id = Database(prepared.database_url), SystemClock(), UUID(prepared.org_id)
    try:
        async with unit_of_work(database, org_id, clock) as uow:
            await uow.begin()
            user_id = await uow.connection.driver.fetchval("SELECT id FROM members WHERE org_id = $1 LIMIT 1", org_id)
            given = {"name": "Benchmark", "type": "confidential", "redirect_uris": [], "scopes": ["contacts:read", "deals:write"]}
            client, secret = await registry.create(uow, given, owner_org_id=org_id, user_id=user_id)
            assert secret is not None
            found = []
            for _ in range(count):
                grant = await new_grant(uow, client, user_id, KIND_USER, client.scopes, None, uow.new_id(), Lifetimes())
                found.append((await issue(uow, client, grant, Lifetimes(), refreshable=True))["refresh_token"])
        return str(client.id), secret, found
    finally:
        await database.close()


async def chain(port: int, client_id: str, secret: str, token: str, until: float) -> list[float]:
    """Refreshes one grant again and again; the seconds that each took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    while (began := perf_counter()) < until:
        body = f"grant_type=refresh_token&refresh_token={token}&client_id={client_id}&client_secret={secret}"
        head = f"POST /oauth/token HTTP/1.1\r\nhost: bench\r\ncontent-length: {len(body)}\r\ncontent-type: {FORM}"
        writer.write(f"{head}\r\n\r\n{body}".encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        at = answer.index(b"content-length:") + 15
        found = await reader.readexactly(int(answer[at : answer.index(b"\r\n", at)]))
        if not answer.startswith(b"http/1.1 200"):
            raise RuntimeError(found.decode())
        token = orjson.loads(found)["refresh_token"]
        times.append(perf_counter() - began)
    writer.close()
    return times


def floor(prepared: Prepared, folder: Path) -> Server:
    """The floor, under the same server program."""
    port = servers.free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.oauth_floor:app", "--port", str(port), "--log-level", "warning"]
    url = prepared.database_url.replace("postgresql+asyncpg", "postgresql")
    return Server([*command, "--no-access-log"], {"DATABASE_URL": url}, port, folder / "oauth_floor.log")


def run(prepared: Prepared, server: Server, connections: int, seconds: float) -> dict[str, float]:
    """One measurement, with new grants."""
    client_id, secret, found = asyncio.run(tokens(prepared, connections))

    async def all_chains() -> list[list[float]]:
        until = perf_counter() + seconds
        return await asyncio.gather(*(chain(server.port, client_id, secret, token, until) for token in found))

    before, began = server.cpu_seconds(), perf_counter()
    times = sorted(time for one in asyncio.run(all_chains()) for time in one)
    spent = perf_counter() - began
    return {
        "per_second": len(times) / spent,
        "p95_ms": times[int(len(times) * 0.95)] * 1000,
        "cpu_us": (server.cpu_seconds() - before) / len(times) * 1e6,
    }


async def _forget(prepared: Prepared) -> None:
    connection = await asyncpg.connect(prepared.admin_url)
    try:
        await connection.execute("DELETE FROM tokens WHERE app_id IS NOT NULL")
        await connection.execute("TRUNCATE oauth_grants, oauth_clients")
    finally:
        await connection.close()


def measure(chosen: argparse.Namespace, prepared: Prepared) -> dict[str, Any]:
    """Both sides in turn; medians, and the median of the ratios of neighbours."""
    found: dict[str, list[dict[str, float]]] = {"ours": [], "floor": []}
    with ExitStack() as stack:
        sides = {"ours": servers.api(prepared, chosen.data_dir), "floor": floor(prepared, chosen.data_dir)}
        for server in sides.values():
            stack.callback(server.stop)
            run(prepared, server, chosen.connections, 0.5)
        for _ in range(chosen.rounds):
            for name, server in sides.items():
                found[name].append(run(prepared, server, chosen.connections, chosen.seconds))
    asyncio.run(_forget(prepared))
    figures = {name: {key: median(one[key] for one in runs) for key in runs[0]} for name, runs in found.items()}
    ratio = median(mine["per_second"] / theirs["per_second"] for mine, theirs in zip(found["ours"], found["floor"], strict=True))
    return {**figures, "ratio": ratio, "goal": GOAL}


def line(row: dict[str, Any]) -> str:
    """The figures for the terminal."""
    ours, by_hand = row["ours"], row["floor"]
    return (
        f"refreshes per second: {ours['per_second']:.0f} (goal {row['goal']}, {'pass' if ours['per_second'] >= row['goal'] else 'MISS'}), "
        f"by hand {by_hand['per_second']:.0f}, ratio {row['ratio']:.2f}; p95 {ours['p95_ms']:.1f} ms, by hand {by_hand['p95_ms']:.1f} ms; "
        f"processor time {ours['cpu_us']:.0f} µs, by hand {by_hand['cpu_us']:.0f} µs"
    )
