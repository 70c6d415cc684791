"""What stops those who guess: closed accounts and places, and what a flood of sign-ins costs."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from crm_api.http.app import Application
from tests.users.support import OTHER, PASSWORD, Person, browser, read, services_of, sign_in, sql

pytestmark = pytest.mark.anyio


# --- lockout ----------------------------------------------------------------------------------------------------------------


async def test_an_account_is_closed_after_ten_failures(app: Application, person: Person) -> None:
    for number in range(10):
        async with browser(app, f"198.51.100.{number}") as http:
            assert (await sign_in(http, person.email, "wrong wrong wrong")).status_code == 401
    async with browser(app, "198.51.100.99") as http:
        answer = await sign_in(http, person.email)  # with the right one, even
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 900
        assert "Too many attempts" in read(answer).text
    await sql(app, "UPDATE failed_attempts SET since = since - interval '16 minutes'")
    async with browser(app, "198.51.100.99") as http:
        assert (await sign_in(http, person.email)).status_code == 303


async def test_an_unknown_account_is_closed_likewise(app: Application) -> None:
    for _ in range(10):
        async with browser(app, "198.51.100.1") as http:
            assert (await sign_in(http, "closed@corp.example", "wrong wrong wrong")).status_code == 401
    async with browser(app, "198.51.100.1") as http:
        assert (await sign_in(http, "closed@corp.example", "wrong wrong wrong")).status_code == 429


async def test_only_failures_count(app: Application, person: Person) -> None:
    for _ in range(12):
        async with browser(app, "198.51.100.2") as http:
            assert (await sign_in(http, person.email)).status_code == 303
    rows = await sql(app, "SELECT count FROM failed_attempts WHERE subject = $1", _subject(app, "address", "198.51.100.2"))
    assert [row["count"] for row in rows] == [0]


def _subject(app: Application, kind: str, who: str) -> bytes:
    import hmac

    return hmac.digest(services_of(app).people.attempts.key, f"{kind}:{who}".encode(), "sha256")


async def test_guesses_at_once_are_no_more_than_guesses_in_turn(app: Application, person: Person) -> None:
    async def guess(number: int) -> int:
        async with browser(app, f"203.0.113.{number}") as http:
            return (await sign_in(http, person.email, f"wrong number {number}")).status_code

    answers = await asyncio.gather(*(guess(number) for number in range(20)))
    assert answers.count(401) == 10
    assert answers.count(429) == 10


async def test_one_place_is_closed_after_fifty_failures_at_any_accounts(app: Application, person: Person) -> None:
    people = services_of(app).people
    from crm_api.core.errors import Problem
    from crm_api.flows.users.attempts import ADDRESS, place_of

    async with people.database.connection() as connection:
        for _ in range(50):
            await people.attempts.reserve(connection, ADDRESS, place_of("2001:db8:1:2::5"))
        with pytest.raises(Problem, match="Too many"):
            await people.attempts.reserve(connection, ADDRESS, place_of("2001:db8:1:2:aaaa::9"))  # the same subscriber
        await people.attempts.reserve(connection, ADDRESS, place_of("2001:db8:1:3::5"))
    async with browser(app, "2001:db8:1:2::7") as http:
        assert (await sign_in(http, person.email)).status_code == 429
    async with browser(app, "192.0.2.9") as http:  # the account is not closed by that
        assert (await sign_in(http, person.email)).status_code == 303


async def test_nothing_readable_is_stored_about_failures(app: Application) -> None:
    async with browser(app, "203.0.113.200") as http:
        await sign_in(http, "secret-person@corp.example", "wrong wrong wrong")
    rows = await sql(app, "SELECT f::text AS t FROM failed_attempts f")
    assert not [row for row in rows if "secret-person" in row["t"] or "203.0.113" in row["t"]]


# --- floods -----------------------------------------------------------------------------------------------------------------


async def test_a_flood_of_sign_ins_stalls_nobody_else(app: Application, person: Person) -> None:
    async def attempt(number: int) -> int:
        async with browser(app, f"203.0.113.{number}") as http:
            return (await sign_in(http, f"flood-{number}@corp.example", "wrong wrong wrong")).status_code

    flood = [asyncio.create_task(attempt(number)) for number in range(20)]
    slowest = 0.0
    async with browser(app) as http:
        while not all(task.done() for task in flood):
            started = time.perf_counter()
            assert (await http.get("/healthz")).status_code == 200
            slowest = max(slowest, time.perf_counter() - started)
            await asyncio.sleep(0.005)
        assert (await person.api.http.get("/v1/me")).status_code == 200
    assert {task.result() for task in flood} == {401}
    assert slowest < 0.5


async def test_who_finds_no_place_is_told_when_to_come_again(app: Application, person: Person) -> None:
    people = services_of(app).people
    places, people.passwords._places = people.passwords._places, 1
    try:

        async def attempt(number: int) -> httpx.Response:
            async with browser(app, f"203.0.113.{number}") as http:
                return await sign_in(http, person.email)

        answers = await asyncio.gather(*(attempt(number) for number in range(6)))
    finally:
        people.passwords._places = places
    statuses = [answer.status_code for answer in answers]
    assert 303 in statuses
    assert 503 in statuses
    assert set(statuses) == {303, 503}
    assert next(answer for answer in answers if answer.status_code == 503).headers["retry-after"] == "2"
    rows = await sql(app, "SELECT count FROM failed_attempts WHERE subject = $1", _subject(app, "account", person.email))
    assert [row["count"] for row in rows if row["count"]] == []  # not heard is not failed


async def test_hashes_made_with_less_are_made_anew(app: Application, http: httpx.AsyncClient, person: Person) -> None:
    from pwdlib.hashers.argon2 import Argon2Hasher

    weak = Argon2Hasher(memory_cost=1024, time_cost=1, parallelism=1).hash(PASSWORD)
    await sql(app, "UPDATE credentials SET password_hash = $1 WHERE user_id = $2", weak, person.api.user_id)
    assert (await sign_in(http, person.email)).status_code == 303
    [row] = await sql(app, "SELECT password_hash FROM credentials WHERE user_id = $1", person.api.user_id)
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert (await sign_in(http, person.email, OTHER)).status_code == 401
