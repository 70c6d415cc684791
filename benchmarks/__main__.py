"""`python -m benchmarks`: prepare, measure, print, and write the figures as JSON."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import platform
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg

from benchmarks import access, custom, data, oauth, report, scenarios, schema, servers, stream, webhooks
from benchmarks.data import Prepared
from benchmarks.servers import Server
from crm_api.embedded import EmbeddedServers

_seed = itertools.count(1)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(".bench"), help="where databases are kept between runs (default: .bench)")
    parser.add_argument(
        "--admin-url", default=os.environ.get("CRM_ADMIN_URL"), help="a PostgreSQL of yours, as superuser; default: an embedded one"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        help="list, get, search, create, batch, growth, custom, access, oauth, schema, stream, webhooks; repeatable",
    )
    parser.add_argument(
        "--sizes", type=lambda text: [int(size) for size in text.split(",")], default=[10_000, 1_000_000], help="numbers of contacts"
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="of one measurement (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each side, in turn (default: 5)")
    parser.add_argument("--connections", type=int, default=8, help="that ask at once (default: 8)")
    parser.add_argument("--keep", action="store_true", help="take databases as they are, even if the migrations have changed")
    parser.add_argument("--serve", action="store_true", help="start the servers, say where, and wait (for profilers)")
    parser.add_argument("--json", type=Path, help="where the figures go (default: results.json in the data folder)")
    return parser.parse_args()


def run_client(
    server: Server, requests: list[str], expected: int, connections: int, seconds: float, postgres: int | None
) -> dict[str, Any]:
    """One measurement; with the processor time per request that the server, and PostgreSQL, took for it."""
    job = {
        "port": server.port, "requests": requests, "expected": expected, "connections": connections, "seconds": seconds, "warm": 0.4,
        "seed": (os.getpid() << 24) + (next(_seed) << 32),
    }  # fmt: skip
    backends = servers.children(postgres) if postgres else []
    before, database_before = server.cpu_seconds(), sum(servers.cpu_seconds(pid) for pid in backends)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.client"], input=json.dumps(job).encode(), capture_output=True, check=False, timeout=seconds + 60
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr.decode()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    if found["failures"]:
        raise RuntimeError(f"an answer was not {expected}:\n{found['failures'][0]}\nlog: {server.log}")
    found["cpu_us"] = (server.cpu_seconds() - before) / found["total"] * 1e6
    backends = sorted({*backends, *(servers.children(postgres) if postgres else [])})
    found["database_cpu_us"] = (sum(servers.cpu_seconds(pid) for pid in backends) - database_before) / found["total"] * 1e6
    return found


async def same_answers(prepared: Prepared, ours: Server, floor: Server, rows: list[asyncpg.Record]) -> None:
    """Raises unless both sides answer reads with the same records."""
    import httpx

    def ignoring_times(record: dict[str, Any]) -> dict[str, Any]:
        return {name: value[:19] if name.endswith("_at") and value else value for name, value in record.items()}

    async with httpx.AsyncClient() as client:
        for ours_path, floor_path in (
            ("/v1/contacts?limit=50", "/contacts"),
            (f"/v1/contacts/{rows[0]['id']}", f"/contacts/{rows[0]['id']}"),
        ):
            mine = (
                await client.get(f"http://127.0.0.1:{ours.port}{ours_path}", headers={"authorization": f"Bearer {prepared.token}"})
            ).json()
            theirs = (await client.get(f"http://127.0.0.1:{floor.port}{floor_path}")).json()
            pairs = zip(mine["data"], theirs["data"], strict=True) if "data" in mine else [(mine, theirs)]
            for one, other in pairs:
                if ignoring_times(one) != ignoring_times(other):
                    raise RuntimeError(f"the floor answers something else:\n{one!s:.2000}\n{other!s:.2000}")


def measure_versus(chosen: argparse.Namespace, prepared: Prepared, postgres: int | None) -> list[dict[str, Any]]:
    """The API against the floor on one database."""
    wanted = set(chosen.only)
    results = []
    rows = asyncio.run(scenarios.sample(prepared))
    user = asyncio.run(_user(prepared))
    with ExitStack() as stack:
        ours, floor = servers.api(prepared, chosen.data_dir), servers.floor(prepared, chosen.data_dir, user)
        stack.callback(floor.stop)
        stack.callback(ours.stop)
        asyncio.run(same_answers(prepared, ours, floor, rows))
        if chosen.serve:
            say(f"API: http://127.0.0.1:{ours.port}, pid {ours.process.pid}; floor: http://127.0.0.1:{floor.port}, pid {floor.process.pid}")
            say(f"token {prepared.token}")
            input()
            return []
        wrote = False
        for scenario in scenarios.versus(prepared, rows):
            if wanted and scenario.name not in wanted:
                continue
            wrote = wrote or scenario.writes
            sides = [("ours", ours, scenario.ours), *((name, floor, requests) for name, requests in scenario.floors.items())]
            found: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in sides}
            for _ in range(chosen.rounds):
                for name, server, requests in sides:
                    found[name].append(run_client(server, requests, scenario.expected, chosen.connections, chosen.seconds, postgres))
            for name in scenario.floors:
                results.append(report.compared(scenario, name, prepared.contacts, found["ours"], found[name]))
                say(report.line(results[-1]))
        if wrote:
            asyncio.run(data.forget_writes(prepared))
    return results


def measure_growth(chosen: argparse.Namespace, small: Prepared, large: Prepared, postgres: int | None) -> list[dict[str, Any]]:
    """The p95 on the large database against that on the small one, one request at a time."""
    results = []
    with ExitStack() as stack:
        sides = {}
        for name, prepared in (("small", small), ("large", large)):
            server = servers.api(prepared, chosen.data_dir)
            stack.callback(server.stop)
            sides[name] = (server, scenarios.growth(prepared, asyncio.run(scenarios.sample(prepared))))
        for kind in sides["small"][1]:
            found: dict[str, list[dict[str, Any]]] = {"small": [], "large": []}
            for _ in range(chosen.rounds):
                for name, (server, requests) in sides.items():
                    found[name].append(run_client(server, requests[kind], 200, 1, chosen.seconds, postgres))
            figures = {name: median(run["p95_ms"] for run in runs) for name, runs in found.items()}
            ratio = median(
                large_run["p95_ms"] / small_run["p95_ms"] for small_run, large_run in zip(found["small"], found["large"], strict=True)
            )
            goal = None if kind in scenarios.NOT_HELD else 1.5
            results.append(
                {"scenario": kind, "small_p95_ms": figures["small"], "large_p95_ms": figures["large"], "ratio": ratio, "goal": goal}
            )
            say(report.growth_line(results[-1]))
    return results


async def _user(prepared: Prepared) -> str:
    connection = await asyncpg.connect(prepared.admin_url)
    try:
        return str(await connection.fetchval("SELECT id FROM members LIMIT 1"))
    finally:
        await connection.close()


def _custom(chosen: argparse.Namespace, admin_url: str, postgres: int | None, results: dict[str, Any]) -> int:
    plain = data.prepare(admin_url, chosen.data_dir, chosen.sizes[0], say, keep=chosen.keep)
    found = custom.measure_slots(chosen, plain, postgres, run_client, say)
    for size in chosen.sizes:
        own = data.prepare(admin_url, chosen.data_dir, size, say, keep=chosen.keep, kind="custom")
        found += custom.measure(chosen, own, postgres, run_client, say)
    text, missed = custom.table(found)
    print(text)
    (chosen.json or chosen.data_dir / "results_custom.json").write_text(json.dumps({**results, "custom": found}, indent=1))
    return 1 if missed else 0


def _access(chosen: argparse.Namespace, admin_url: str, postgres: int | None, results: dict[str, Any]) -> int:
    found: list[dict[str, Any]] = []
    for size in chosen.sizes:
        prepared = data.prepare(admin_url, chosen.data_dir, size, say, keep=chosen.keep, kind="access")
        found += access.measure(chosen, prepared, postgres, run_client, say)
    print(report.tables({"versus": found, "growth": []})[0])
    (chosen.json or chosen.data_dir / "results_access.json").write_text(json.dumps({**results, "access": found}, indent=1))
    return 0 if all(map(report.met, found)) else 1


def main() -> int:
    """0 if every goal is met, 1 if one is missed."""
    chosen = options()
    if chosen.only == ["schema"]:
        print("\n".join(schema.line(found) for found in schema.measure()))
        return 0
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": {"python": platform.python_version(), "cores": os.cpu_count(), "system": platform.system()}}
    with ExitStack() as stack:
        postgres: int | None = None
        admin_url = chosen.admin_url
        if admin_url is None:
            settings = {"max_parallel_workers_per_gather": "0", "shared_buffers": "1GB", "autovacuum": "off"}
            embedded = stack.enter_context(EmbeddedServers(chosen.data_dir, redis_url="redis://unused", postgres_settings=settings))
            admin_url = embedded.admin_url
            assert embedded.postgres is not None
            assert embedded.postgres.process is not None
            postgres = embedded.postgres.process.pid
        if chosen.only == ["custom"]:
            return _custom(chosen, admin_url, postgres, results)
        if chosen.only == ["oauth"]:
            found = oauth.measure(chosen, data.prepare(admin_url, chosen.data_dir, chosen.sizes[0], say, keep=chosen.keep))
            print(oauth.line(found))
            return 0 if found["ours"]["per_second"] >= found["goal"] else 1
        if chosen.only == ["webhooks"]:
            sent = webhooks.measure(chosen, data.prepare(admin_url, chosen.data_dir, chosen.sizes[0], say, keep=chosen.keep), say)
            print(webhooks.lines(sent))
            (chosen.json or chosen.data_dir / "results_webhooks.json").write_text(json.dumps({**results, "webhooks": sent}, indent=1))
            return 0 if webhooks.met(sent) else 1
        if chosen.only == ["stream"]:
            told = stream.measure(chosen, data.prepare(admin_url, chosen.data_dir, chosen.sizes[0], say, keep=chosen.keep), say)
            print(stream.lines(told))
            (chosen.json or chosen.data_dir / "results_stream.json").write_text(json.dumps({**results, "stream": told}, indent=1))
            return 0 if stream.met(told) else 1
        if chosen.only == ["access"]:
            return _access(chosen, admin_url, postgres, results)
        prepared = [data.prepare(admin_url, chosen.data_dir, size, say, keep=chosen.keep) for size in chosen.sizes]
        results["versus"], results["growth"] = [], []
        for one in prepared:
            if chosen.only != ["growth"]:
                results["versus"] += measure_versus(chosen, one, postgres)
        if len(prepared) > 1 and (not chosen.only or "growth" in chosen.only):
            results["growth"] = measure_growth(chosen, prepared[0], prepared[-1], postgres)
    text, missed = report.tables(results)
    print(text)
    (chosen.json or chosen.data_dir / "results.json").write_text(json.dumps(results, indent=1))
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
