"""Custom fields against standard columns that hold the same values, in the same records of the same run.

Both sides are the API. The databases are ones of their own, in which every contact has its last name, e-mail address, account
and time of creation a second time, in indexed custom fields; and a table of contacts without the reserved columns of custom
fields tells what those cost whoever doesn't use them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from statistics import median
from typing import Any, Final

import asyncpg

from benchmarks import data, scenarios, servers
from benchmarks.data import Prepared, on
from benchmarks.scenarios import contact, request
from benchmarks.servers import Server
from crm_api.models import slots

Result = dict[str, Any]
Run = Callable[[Server, list[str], int, int, float, int | None], Result]

FIELDS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("x_last_name", "text", {"indexed": True}),
    ("x_email", "text", {"indexed": True}),
    ("x_created_at", "datetime", {"indexed": True}),
    ("x_account_id", "reference", {"target": "accounts", "inverse": "x_contacts"}),
)
"""Custom fields that repeat standard ones, and take the first slots of their kinds."""

MORE: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("y_text", "text", {}),
    ("y_long", "long_text", {}),
    ("y_integer", "integer", {}),
    ("y_number", "number", {}),
    ("y_decimal", "decimal", {}),
    ("y_date", "date", {}),
    ("y_flag", "boolean", {}),
    ("y_phone", "phone", {}),
    ("y_choice", "picklist", {"options": [{"key": "a", "label": "A"}, {"key": "b", "label": "B"}]}),
    ("y_indexed", "text", {"indexed": True}),
)
"""What a create is given ten of."""

VALUES: Final = {
    "y_text": "Some text",
    "y_long": "A longer text about it",
    "y_integer": 12,
    "y_number": 1.5,
    "y_decimal": "12.25",
    "y_date": "2026-01-31",
    "y_flag": True,
    "y_phone": "+49 30 5550100",
    "y_choice": "b",
    "y_indexed": "Indexed",
}

GOAL: Final = 0.7

BARE: Final = """
    CREATE TABLE bare (LIKE contacts INCLUDING ALL);
    ALTER TABLE bare {drops};
    CREATE TABLE bare_contacts (LIKE bare INCLUDING ALL);
    DROP TABLE bare;
    INSERT INTO bare_contacts ({columns}) SELECT {columns} FROM contacts;
    DROP TABLE contacts CASCADE;
    ALTER TABLE bare_contacts RENAME TO contacts;
    ALTER TABLE contacts OWNER TO {owner};
    ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
    ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant ON contacts USING ({mine}) WITH CHECK ({mine});
    GRANT SELECT, INSERT, UPDATE, DELETE ON contacts TO {role};
    {keys};
    ANALYZE contacts
"""
"""Puts a table without slots in the place of the contacts. Dropping columns would not do: rows keep room for them."""


def define(prepared: Prepared, server: Server) -> None:
    """Makes the fields by way of the API, if they are not there."""
    for api_name, kind, more in (*FIELDS, *MORE):
        body = json.dumps({"api_name": api_name, "type": kind, **more}).encode()
        headers = {"authorization": f"Bearer {prepared.token}", "content-type": "application/json"}
        asked = urllib.request.Request(f"http://127.0.0.1:{server.port}/v1/meta/contacts/fields", body, headers, method="POST")
        try:
            urllib.request.urlopen(asked).close()
        except urllib.error.HTTPError as error:
            if error.code != 409:
                raise RuntimeError(error.read().decode()) from error


def pages(prepared: Prepared, server: Server, sort: str, count: int = 40) -> list[str]:
    """The paths of pages one after the other, from the first on."""
    found = [f"/v1/contacts?limit=50&sort={sort}"]
    for _ in range(count):
        asked = urllib.request.Request(f"http://127.0.0.1:{server.port}{found[-1]}", headers={"authorization": f"Bearer {prepared.token}"})
        with urllib.request.urlopen(asked) as answer:
            cursor = json.loads(answer.read())["page"]["next_cursor"]
        found.append(f"/v1/contacts?limit=50&sort={sort}&cursor={cursor}")
    return found[1:]


def requests(prepared: Prepared, server: Server, rows: list[asyncpg.Record]) -> dict[str, tuple[list[str], list[str], int]]:
    """For each scenario what is asked by the custom field, by the standard one, and the expected status."""
    token = prepared.token
    stamps = [row["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for row in rows[:300]]
    emails = [row["email"] for row in rows[:500]]
    names = ["a", "be", "fi", "ka", "m", "po", "s", "w"]

    def get(*paths: str) -> list[str]:
        return [request("GET", path, token) for path in paths]

    def both(template: str, standard: str, values: list[Any]) -> tuple[list[str], list[str], int]:
        names = (f"custom_fields.x_{standard}", standard)
        custom, plain = (get(*(template.format(f=name, v=value) for value in values)) for name in names)
        return custom, plain, 200

    def batch(more: dict[str, Any]) -> list[str]:
        return [request("POST", "/v1/contacts/batch/create", token, {"items": [{**more, **contact(n)} for n in range(200)]})]

    plain, filled = contact(), {**contact(), "custom_fields": VALUES}
    return {
        "first page by text": both("/v1/contacts?limit=50&sort={f}", "last_name", [0]),
        "first page by text, descending": both("/v1/contacts?limit=50&sort=-{f}", "last_name", [0]),
        "later pages by text": (
            get(*pages(prepared, server, "custom_fields.x_email")),
            get(*pages(prepared, server, "email")),
            200,
        ),
        "first page by time": both("/v1/contacts?limit=50&sort=-{f}", "created_at", [0]),
        "equal, one found": both("/v1/contacts?limit=50&{f}={v}", "email", emails),
        "equal, many found": both("/v1/contacts?limit=50&sort={f}&{f}={v}", "last_name", ["adler", "kaya-ross", "zhou-west"]),
        "range in its order": both("/v1/contacts?limit=50&sort={f}&{f}[gte]={v}", "created_at", stamps),
        "range of texts": both("/v1/contacts?limit=50&sort={f}&{f}[gte]={v}", "last_name", names),
        "starts with": both("/v1/contacts?limit=50&{f}[starts_with]={v}", "email", [email[:12] for email in emails]),
        "reference": both("/v1/contacts?limit=50&{f}={v}", "account_id", _accounts(prepared)),
        "create with ten fields": ([request("POST", "/v1/contacts", token, filled)], [request("POST", "/v1/contacts", token, plain)], 201),
        "create 200 with ten fields": (batch(filled), batch(plain), 207),
    }


def _accounts(prepared: Prepared) -> list[str]:
    async def read() -> list[str]:
        connection = await asyncpg.connect(prepared.admin_url)
        try:
            some = "SELECT DISTINCT account_id::text FROM (SELECT account_id FROM contacts LIMIT 3000) x LIMIT 300"
            return [row[0] for row in await connection.fetch(some)]
        finally:
            await connection.close()

    return asyncio.run(read())


async def settle(prepared: Prepared) -> None:
    """The fields count as complete: the rows were made with their slots."""
    connection = await asyncpg.connect(prepared.admin_url)
    try:
        await connection.execute("UPDATE field_definitions SET state = 'active'")
        await connection.execute("UPDATE organizations SET schema_version = schema_version + 1")
    finally:
        await connection.close()


async def without_slots(prepared: Prepared) -> Prepared:
    """A copy of a database whose contacts have none of the reserved columns, nor their indexes."""
    name = f"{prepared.admin_url.partition('?')[0].rpartition('/')[2]}_bare"
    admin = await asyncpg.connect(on(prepared.admin_url, "postgres"))
    source = prepared.admin_url.partition("?")[0].rpartition("/")[2]
    await admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    await admin.close()
    bare = replace(prepared, admin_url=on(prepared.admin_url, name), database_url=on(prepared.database_url, name))
    connection = await asyncpg.connect(bare.admin_url)
    columns = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'contacts'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
    )
    about = await connection.fetchrow(
        "SELECT qual, tableowner FROM pg_policies JOIN pg_tables USING (tablename) WHERE tablename = 'contacts' AND policyname = 'tenant'"
    )
    assert about is not None
    keys = await connection.fetch(
        "SELECT format('ALTER TABLE contacts ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)) "
        "FROM pg_constraint WHERE conrelid = 'contacts'::regclass AND contype = 'f'"
    )
    names = ", ".join(row[0] for row in columns if row[0] not in slots.NAMES)
    drops = ", ".join(f"DROP COLUMN {name}" for name in sorted(slots.NAMES))
    role = prepared.database_url.partition("://")[2].partition(":")[0].partition("@")[0]
    text = {"owner": about["tableowner"], "mine": about["qual"], "role": role, "keys": "; ".join(row[0] for row in keys) or "SELECT"}
    await connection.execute(BARE.format(drops=drops, columns=names, **text))
    await connection.close()
    return bare


def measure(chosen: argparse.Namespace, prepared: Prepared, postgres: int | None, run: Run, say: Callable[[str], None]) -> list[Result]:
    """Custom fields against standard columns on one database."""
    results: list[Result] = []
    with ExitStack() as stack:
        server = servers.api(prepared, chosen.data_dir)
        stack.callback(server.stop)
        define(prepared, server)
        asyncio.run(settle(prepared))
        for title, (custom, plain, expected) in requests(prepared, server, asyncio.run(scenarios.sample(prepared))).items():
            found: dict[str, list[Result]] = {"custom": [], "standard": []}
            for _ in range(chosen.rounds):
                for side, asked in (("custom", custom), ("standard", plain)):
                    found[side].append(run(server, asked, expected, chosen.connections, chosen.seconds, postgres))
            goal = GOAL if expected == 200 else None
            results.append(compared(title, prepared.contacts, found["custom"], found["standard"], goal))
            say(line(results[-1]))
    asyncio.run(data.forget_writes(prepared))
    return results


def measure_slots(
    chosen: argparse.Namespace, prepared: Prepared, postgres: int | None, run: Run, say: Callable[[str], None]
) -> list[Result]:
    """Creates of an organisation without custom fields, with and without the reserved columns in the table."""
    results: list[Result] = []
    token = prepared.token
    batch = {"items": [contact(number) for number in range(200)]}
    asked = {
        "create, slots in reserve": ([request("POST", "/v1/contacts", token, contact())], 201),
        "create 200, slots in reserve": ([request("POST", "/v1/contacts/batch/create", token, batch)], 207),
    }
    bare = asyncio.run(without_slots(prepared))
    with ExitStack() as stack:
        sides = {"with": servers.api(prepared, chosen.data_dir), "without": servers.api(bare, chosen.data_dir)}
        for server in sides.values():
            stack.callback(server.stop)
        for title, (requests_, expected) in asked.items():
            found: dict[str, list[Result]] = {"with": [], "without": []}
            for _ in range(2 * chosen.rounds):
                for side, server in sides.items():
                    found[side].append(run(server, requests_, expected, chosen.connections, chosen.seconds, postgres))
            results.append(compared(title, prepared.contacts, found["with"], found["without"], 0.95))
            say(line(results[-1]))
    asyncio.run(data.forget_writes(prepared))
    return results


def compared(title: str, contacts: int, ours: list[Result], other: list[Result], goal: float | None) -> Result:
    """Medians of both sides, and the median of the ratios of neighbouring measurements."""
    pairs = list(zip(ours, other, strict=True))

    def both(key: str) -> dict[str, float]:
        return {"ours": median(run[key] for run in ours), "other": median(run[key] for run in other)}

    return {
        "scenario": title,
        "contacts": contacts,
        "per_second": both("per_second"),
        "cpu_us": both("cpu_us"),
        "database_cpu_us": both("database_cpu_us"),
        "p95_ms": both("p95_ms"),
        "ratio": median(mine["per_second"] / theirs["per_second"] for mine, theirs in pairs),
        "goal": goal,
    }


def line(row: Result) -> str:
    """A row for the terminal."""
    goal = "          " if row["goal"] is None else f"{row['goal']:5.2f} {'pass' if row['ratio'] >= row['goal'] else 'MISS'}"
    figures = " ".join(f"{row[key]['ours']:8.0f} {row[key]['other']:8.0f}" for key in ("per_second", "cpu_us", "database_cpu_us"))
    return f"{row['scenario']:34} {row['contacts']:>9,} {row['ratio']:6.2f} {goal} | {figures}"


def table(results: list[Result]) -> tuple[str, int]:
    """All rows, and how many goals are missed."""
    head = f"{'custom against standard':34} {'contacts':>9} {'ratio':>6} {'goal':>5}      | answers/s, µs of API process, µs of database"
    missed = sum(row["goal"] is not None and row["ratio"] < row["goal"] for row in results)
    return "\n".join([head, *(line(row) for row in results)]), missed
