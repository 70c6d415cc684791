"""What permissions cost: a member of an organisation with a thousand roles and a hundred sharing rules, who reaches 1 % of its contacts.

The floor knows whose contacts these are and filters by that list of owners, which is the least that any rights come down to.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import asyncpg

from benchmarks import report, servers
from benchmarks.data import Prepared
from benchmarks.scenarios import Versus, request
from crm_api.db.engine import Database
from crm_api.flows.organizations import create_token

ASKS = 50
"""The member who asks; the roles below that one's are 501 to 510."""

Run = Callable[..., dict[str, Any]]
Result = dict[str, Any]


async def _people(prepared: Prepared) -> tuple[str, list[UUID], list[str]]:
    """A token of the member, the owners whose contacts the member reaches, and some of these contacts."""
    connection = await asyncpg.connect(prepared.admin_url)
    try:
        numbers = [ASKS, *range(501, 511)]
        owners = [row[0] for row in await connection.fetch("SELECT md5('m' || n)::uuid FROM unnest($1::int[]) n", numbers)]
        rows = await connection.fetch(
            "SELECT id::text FROM contacts WHERE org_id = $1 AND owner_id = ANY($2::uuid[]) LIMIT 2000", UUID(prepared.org_id), owners
        )
    finally:
        await connection.close()
    database = Database(prepared.database_url)
    try:
        made = await create_token(database, org_id=UUID(prepared.org_id), user_id=owners[0], name="bench", scopes=["*:read"])
    finally:
        await database.close()
    return made["token"], owners, [row[0] for row in rows]


def _scenarios(token: str, owners: list[UUID], ids: list[str]) -> list[Versus]:
    random.Random(5).shuffle(ids)
    named = ",".join(map(str, owners))
    return [
        Versus(
            "access", "list 50 of the 1 % reached", [request("GET", "/v1/contacts?limit=50", token)],
            {"owner list": [request("GET", f"/contacts/owned?{named}", None)]}, {"owner list": 0.4},
        ),
        Versus(
            "access", "get one of them", [request("GET", f"/v1/contacts/{id}", token) for id in ids],
            {"owner list": [request("GET", f"/contacts/{id}", None) for id in ids]}, {"owner list": 0.4},
        ),
    ]  # fmt: skip


def measure(chosen: argparse.Namespace, prepared: Prepared, postgres: int | None, run: Run, say: Callable[[str], None]) -> list[Result]:
    """The API against the floor on one database."""
    token, owners, ids = asyncio.run(_people(prepared))
    results: list[Result] = []
    with ExitStack() as stack:
        ours, floor = servers.api(prepared, chosen.data_dir), servers.floor(prepared, chosen.data_dir, str(owners[0]))
        stack.callback(floor.stop)
        stack.callback(ours.stop)
        for scenario in _scenarios(token, owners, ids):
            found: dict[str, list[Result]] = {"ours": [], "owner list": []}
            for _ in range(chosen.rounds):
                for name, server, asked in (("ours", ours, scenario.ours), ("owner list", floor, scenario.floors["owner list"])):
                    found[name].append(run(server, asked, 200, chosen.connections, chosen.seconds, postgres))
            results.append(report.compared(scenario, "owner list", prepared.contacts, found["ours"], found["owner list"]))
            say(report.line(results[-1]))
    return results
