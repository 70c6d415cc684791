"""What is asked, of the API and of the floor."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from benchmarks.client import UNIQUE
from benchmarks.data import Prepared
from benchmarks.rows import INDUSTRIES, STAGES

MARKED = UNIQUE.decode()


@dataclass(frozen=True)
class Versus:
    """The same requests to the API and to one or more floors; `goals` are the least shares of the floors' speed."""

    name: str
    title: str
    ours: list[str]
    floors: dict[str, list[str]]
    goals: dict[str, float]
    expected: int = 200
    writes: bool = False


@dataclass(frozen=True)
class Growth:
    """The same requests on the small and the large database; `goal` is the most that the p95 may grow by (None: only reported)."""

    name: str
    title: str
    paths: list[tuple[str, str, Any]] = field(default_factory=list)
    goal: float | None = 1.5


def request(method: str, path: str, token: str | None, body: Any = None) -> str:
    """A request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\nuser-agent: bench\r\n"
    if token is not None:
        head += f"authorization: Bearer {token}\r\n"
    if body is None:
        return head + "\r\n"
    text = json.dumps(body, separators=(",", ":"))
    return f"{head}content-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n{text}"


def contact(number: int = 0) -> dict[str, Any]:
    """A contact to make, with an address of its own each time that it is sent."""
    return {
        "first_name": "Ada",
        "last_name": f"Wagner-{number}",
        "email": f"ada.{MARKED}.{number}@made.bench.example",
        "phone": "+49 30 5550100",
        "title": "Head of Purchasing",
        "department": "Purchasing",
        "source": "web",
    }


async def sample(prepared: Prepared, count: int = 2_000) -> list[asyncpg.Record]:
    """Some contacts, spread over the whole table."""
    connection = await asyncpg.connect(prepared.admin_url)
    try:
        low = await connection.fetchval("SELECT min(created_at) FROM contacts")
        high = await connection.fetchval("SELECT max(created_at) FROM contacts WHERE email_key NOT LIKE '%@made.bench.example'")
        chance = random.Random(7)
        found: list[asyncpg.Record] = []
        for _ in range(count // 100):
            since = low + (high - low) * chance.random() * 0.98
            found += await connection.fetch(
                "SELECT id::text, email, created_at FROM contacts WHERE org_id = $1 AND created_at >= $2 ORDER BY created_at LIMIT 100",
                prepared.org_id,
                since,
            )
        chance.shuffle(found)
        return found
    finally:
        await connection.close()


def versus(prepared: Prepared, rows: list[asyncpg.Record]) -> list[Versus]:
    """What is compared with the floor."""
    token = prepared.token
    chance = random.Random(3)
    pairs = [(chance.choice(STAGES), chance.choice(INDUSTRIES)) for _ in range(60)]
    searches = [
        {
            "filter": {
                "and": [
                    {"field": "lifecycle_stage", "op": "eq", "value": stage},
                    {"field": "account.industry", "op": "eq", "value": industry},
                ]
            },
            "sort": ["-created_at"],
            "limit": 50,
        }
        for stage, industry in pairs
    ]
    batch = {"items": [contact(number) for number in range(200)]}
    return [
        Versus("list", "list 50", [request("GET", "/v1/contacts?limit=50", token)], {"": [request("GET", "/contacts", None)]}, {"": 0.75}),
        Versus(
            "get",
            "get one",
            [request("GET", f"/v1/contacts/{row['id']}", token) for row in rows],
            {"": [request("GET", f"/contacts/{row['id']}", None) for row in rows]},
            {"": 0.4},
        ),
        Versus(
            "search",
            "search with a relation",
            [request("POST", "/v1/contacts/search", token, body) for body in searches],
            {"": [request("POST", "/contacts/search", None, body) for body in searches]},
            {"": 0.7},
        ),
        Versus(
            "create",
            "create with event",
            [request("POST", "/v1/contacts", token, contact())],
            {
                "one INSERT": [request("POST", "/contacts", None, contact())],
                "three INSERTs": [request("POST", "/contacts/with-event", None, contact())],
            },
            {"one INSERT": 0.25, "three INSERTs": 0.6},
            expected=201,
            writes=True,
        ),
        Versus(
            "batch",
            "create 200 in a batch",
            [request("POST", "/v1/contacts/batch/create", token, batch)],
            {"": [request("POST", "/contacts/batch", None, batch)]},
            {"": 0.15},
            expected=207,
            writes=True,
        ),
    ]


def growth(prepared: Prepared, rows: list[asyncpg.Record]) -> dict[str, list[str]]:
    """What is compared between the sizes."""
    token = prepared.token

    def get(path: str) -> str:
        return request("GET", path, token)

    stamps = [row["created_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for row in rows]
    return {
        "get": [get(f"/v1/contacts/{row['id']}") for row in rows],
        "list": [get("/v1/contacts?limit=50")],
        "sort": [get("/v1/contacts?limit=50&sort=last_name"), get("/v1/contacts?limit=50&sort=-email")],
        "equality": [get(f"/v1/contacts?limit=50&email={row['email']}") for row in rows[:500]]
        + [get(f"/v1/contacts?limit=50&lifecycle_stage={stage}") for stage in STAGES],
        "range": [get(f"/v1/contacts?limit=50&created_at[gte]={stamp}") for stamp in stamps[:500]]
        + [get(f"/v1/contacts?limit=50&created_at[lt]={stamp}") for stamp in stamps[:500]],
        "full text, few matches": [get(f"/v1/contacts?limit=50&q={row['email'].partition('@')[0]}") for row in rows[:500]],
        "full text, many matches": [get("/v1/contacts?limit=50&q=engineer"), get("/v1/contacts?limit=50&q=ada")],
    }


NOT_HELD = ("full text, few matches", "full text, many matches")
"""Reported without a goal: what they cost follows the number of matches, up to a cap."""
