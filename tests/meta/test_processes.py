"""A change of the schema is there with the next request, in every process; and what happens when several do things at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from uuid import uuid4

import httpx
import pytest

from crm_api.db.engine import Database
from crm_api.embedded import DatabaseUrls
from crm_api.flows.organizations import create_organization
from tests.api import Api
from tests.chaos.test_killed_api import api_process, client, free_port

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def ports(urls: DatabaseUrls) -> Iterator[tuple[int, int]]:
    """Two servers of one database that know nothing of each other."""
    chosen = (free_port(), free_port())
    with ExitStack() as stack:
        for port in chosen:
            stack.enter_context(api_process(urls, None, port))
        yield chosen


@pytest.fixture
async def pair(urls: DatabaseUrls, ports: tuple[int, int]) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A client of each server, in one organisation of its own."""
    database = Database(urls.database_url)
    made = await create_organization(database, name="Two", admin_email=f"admin-{uuid4().hex}@corp.example", admin_name="Ada Admin")
    await database.close()
    async with client(ports[0], made["token"]) as one, client(ports[1], made["token"]) as two:
        yield one, two


async def test_a_new_field_is_there_at_once_in_another_process(pair: tuple[httpx.AsyncClient, httpx.AsyncClient]) -> None:
    for number in range(12):
        here, there = pair if number % 2 else pair[::-1]
        name = f"field_{number}"
        made = await here.post("/v1/meta/contacts/fields", json={"api_name": name, "type": "text"})
        assert made.status_code == 201, made.text
        record = await there.post("/v1/contacts", json={"last_name": name, "custom_fields": {name: f"Value {number}"}})
        assert record.status_code == 201, record.text
        assert record.json()["custom_fields"][name] == f"Value {number}"
        found = await there.get("/v1/contacts", params={f"custom_fields.{name}": f"value {number}"})
        assert [row["id"] for row in found.json()["data"]] == [record.json()["id"]]
        assert len((await here.get(f"/v1/contacts/{record.json()['id']}")).json()["custom_fields"]) == number + 1


async def test_a_new_object_is_there_at_once_in_another_process(pair: tuple[httpx.AsyncClient, httpx.AsyncClient]) -> None:
    here, there = pair
    for number in range(5):
        made = await here.post("/v1/meta/objects", json={"api_name": f"things_{number}", "singular": f"thing_{number}", "label": "Thing"})
        assert made.status_code == 201, made.text
        record = await there.post(f"/v1/things_{number}", json={"name": "One"})
        assert record.status_code == 201, record.text
        assert (await here.get(f"/v1/things_{number}")).json()["data"] == [record.json()]


@pytest.fixture
async def crowd(api: Api) -> Api:
    """An organisation in which many write at once while its schema changes. Their answers are not held against its description, which
    would be made anew for each: other tests do so.
    """
    api.http.event_hooks = {"response": []}
    return api


async def test_twenty_make_one_field(crowd: Api) -> None:
    org = crowd
    body = {"api_name": "tier", "type": "text", "unique": True}
    answers = await asyncio.gather(*(org.http.post("/v1/meta/contacts/fields", json=body) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 19, {answer.text for answer in answers}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"duplicate"}
    objects = [org.http.post("/v1/meta/objects", json={"api_name": "things", "singular": "thing", "label": "Thing"}) for _ in range(8)]
    answers = await asyncio.gather(*objects)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7, {answer.text for answer in answers}


async def test_writers_go_on_while_fields_are_made(crowd: Api) -> None:
    """Twenty writers on the same object, half of them on the same records, and nobody fails or loses a value."""
    org = crowd
    shared = [await org.make("contacts", last_name=f"Shared {n}") for n in range(2)]
    over = asyncio.Event()

    async def write(number: int) -> int:
        done = 0
        while not over.is_set() or done < 1:
            if number % 2:
                answer = await org.http.post("/v1/contacts", json={"last_name": f"W {number}", "tags": [f"w{number}"]})
            else:
                record = shared[number // 2 % 2]
                answer = await org.http.patch(f"/v1/contacts/{record['id']}", json={"title": f"{number} {done}"})
            assert answer.is_success, answer.text
            done += 1
            await asyncio.sleep(0.05)
        return done

    writers = [asyncio.create_task(write(number)) for number in range(20)]
    for number in range(6):
        kind = ("text", "integer", "date")[number % 3]
        body = {"api_name": f"new_{number}", "type": kind, "indexed": number < 4, "unique": kind == "text"}
        answer = await org.http.post("/v1/meta/contacts/fields", json=body)
        assert answer.status_code == 201, answer.text
        value = {"text": f"Äöü {number}", "integer": number, "date": "2026-01-02"}[kind]
        for index, record in enumerate(shared):
            own = f"{value} {index}" if kind == "text" else value
            answer = await org.http.patch(f"/v1/contacts/{record['id']}", json={"custom_fields": {f"new_{number}": own}})
            assert answer.status_code == 200, answer.text
    over.set()
    assert all(done for done in await asyncio.gather(*writers))
    for index, record in enumerate(shared):
        now = await org.get(record)
        for number in range(6):
            value = now["custom_fields"][f"new_{number}"]
            assert value is not None
            if number % 3 == 0:
                assert value == f"Äöü {number} {index}"
                found = await org.all("/v1/contacts", **{f"custom_fields.new_{number}": f"aou {number} {index}"})
                assert [row["id"] for row in found] == [record["id"]]
