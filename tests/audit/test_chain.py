"""The chain: made in order whoever writes at once, never forked, the same whether PostgreSQL or Python works out its hashes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from hashlib import sha256
from itertools import pairwise
from uuid import UUID

import orjson
import pytest

from crm_api.core.errors import NotFound
from crm_api.db.uow import Actor, Uow, unit_of_work
from crm_api.embedded import DatabaseUrls
from crm_api.kernel import audit
from crm_api.kernel.audit_chain import GENESIS
from tests.audit.conftest import CLOCK, Log

pytestmark = pytest.mark.anyio


async def test_an_empty_log_is_whole(log: Log) -> None:
    found = await log.verify()
    assert found.json() == {
        "ok": True, "entries": 0, "from_seq": 1, "to_seq": 0, "head_seq": 0, "hash": None, "checkpoints": 0, "erased": 0,
        "next_seq": None, "first_broken": None,
    }  # fmt: skip


async def test_the_layout_of_what_is_hashed(log: Log) -> None:
    """Written out once more by hand, so that a changed layout, which would break every chain there is, is noticed."""
    await log.write("user.signed_in", personal={"email": "ada@acme.example"}, actor=Actor("user", log.org_id), ip="203.0.113.7")
    (row,) = await log.rows()

    def with_length(value: bytes) -> bytes:
        return len(value).to_bytes(4, "big") + value

    personal = b'{"details":{"email":"ada@acme.example"},"ip":"203.0.113.7"}'
    assert row["personal"].encode() == personal
    assert row["commitment"] == sha256(with_length(row["salt"]) + with_length(personal)).digest()
    told = b"".join(
        map(
            with_length,
            [
                b"crm-audit-1", log.org_id.bytes, bytes(32), (1).to_bytes(8, "big"), row["id"].bytes,
                row["occurred_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode(), b"user", log.org_id.bytes, b"user.signed_in", b"things",
                log.org_id.bytes, b"req_1", b"{}", b'{"said":"user.signed_in"}', row["commitment"],
            ],
        )
    )  # fmt: skip
    assert row["hash"] == sha256(told).digest()
    assert row["prev_hash"] == GENESIS


async def test_entries_of_a_transaction_and_of_many_at_once(log: Log) -> None:
    """Thirty writers, each with up to four entries: every number once, every entry on the one before."""

    async def write(number: int) -> None:
        await log.write(*(f"thing.done_{number}_{i}" for i in range(number % 4 + 1)), personal={"n": number} if number % 2 else None)

    await asyncio.gather(*(write(number) for number in range(30)))
    rows = await log.rows()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == sum(number % 4 + 1 for number in range(30))
    for before, row in pairwise(rows):
        assert row["prev_hash"] == before["hash"]
    found = await log.verify()
    assert (found.broken, found.entries, found.hash) == (None, len(rows), rows[-1]["hash"])
    for number in range(30):  # a transaction's entries stand beside each other, in their order
        mine = [row["seq"] for row in rows if row["action"].startswith(f"thing.done_{number}_")]
        assert mine == list(range(mine[0], mine[0] + number % 4 + 1))


async def test_what_is_undone_was_never_written(log: Log) -> None:
    await log.write("thing.first")

    async def half(uow: Uow) -> None:
        audit.record(uow, "thing.kept")
        try:
            async with uow.savepoint():
                audit.record(uow, "thing.undone")
                raise NotFound()
        except NotFound:
            pass

    await log.inside(half)

    async def fails(uow: Uow) -> None:
        audit.record(uow, "thing.failed")
        raise NotFound()

    with pytest.raises(NotFound):
        await log.inside(fails)
    async with unit_of_work(log.database, log.org_id, CLOCK, dry_run=True) as uow:
        audit.record(uow, "thing.tried")
    assert [row["action"] for row in await log.rows()] == ["thing.first", "thing.kept"]
    assert await log.wrong() is None


async def test_it_is_written_last(log: Log) -> None:
    """The end of the chain is locked by the last statement of a transaction, whatever else waits for its end."""
    seen: list[str] = []

    async def later(uow: Uow) -> None:
        seen.append("later")
        audit.record(uow, "thing.noted_at_the_end")
        uow.before_commit.append(latest)

    async def latest(uow: Uow) -> None:
        seen.append("latest")
        async with unit_of_work(log.database, log.org_id, CLOCK) as other:  # would wait for ever if the end were locked by now
            audit.record(other, "thing.of_another")

    async def work(uow: Uow) -> None:
        audit.record(uow, "thing.noted_first")
        uow.before_commit.append(later)

    await log.inside(work)
    assert seen == ["later", "latest"]
    assert [row["action"] for row in await log.rows()] == ["thing.of_another", "thing.noted_first", "thing.noted_at_the_end"]


async def test_alone(log: Log) -> None:
    """What has to be known although the request fails."""
    await audit.record_alone(
        log.database, CLOCK, log.org_id, "user.sign_in_failed", personal={"email": "x@y.example"}, actor=Actor("user", log.org_id)
    )
    (row,) = await log.rows()
    assert (row["action"], row["actor_type"], row["actor_id"]) == ("user.sign_in_failed", "user", log.org_id)


async def test_no_secrets_and_no_floods(log: Log) -> None:
    secret = "crm_pat_1JRouMUn8QUhXdFyVOjBSZ1aH6GwwC6N4CpxUvJbzU02hkMAb"

    async def work(uow: Uow) -> None:
        audit.record(uow, "token.created", details={"text": f"here: {secret}"}, personal={"header": f"Bearer {secret}"})
        audit.record(uow, "thing.long", details={"b": "x" * 100_000, "a": 1})

    await log.inside(work)
    first, second = await log.rows()
    assert orjson.loads(first["details"]) == {"text": "here: [secret]"}
    assert secret not in str(dict(first))
    assert orjson.loads(second["details"])["left_out"] == ["a", "b"]
    assert await log.wrong() is None


async def test_mistakes_of_callers(log: Log) -> None:
    async with unit_of_work(log.database, log.org_id, CLOCK, read_only=True) as uow:
        with pytest.raises(AssertionError, match="writable"):
            audit.record(uow, "thing.done")
    async with unit_of_work(log.database, log.org_id, CLOCK) as uow:
        with pytest.raises(ValueError, match="action"):
            audit.record(uow, "Thing done")


async def test_erasing_what_is_personal_keeps_the_chain(log: Log) -> None:
    await log.write("user.sign_in_failed", personal={"email": "Ada@Acme.example"}, ip="203.0.113.7")
    await log.write("thing.done", personal={"name": "Grace"})
    await log.write("thing.done")

    async def erase(uow: Uow) -> None:
        assert await audit.blank(uow, [], ["ada@acme.EXAMPLE", " "]) == 1
        assert await audit.blank(uow, [UUID(int=1)], []) == 0

    await log.inside(erase)
    first, second, _ = await log.rows()
    assert (first["personal"], first["salt"]) == (None, None)
    assert first["erased_at"] is not None
    assert first["commitment"] is not None
    assert second["personal"] is not None
    found = await log.verify()
    assert (found.broken, found.entries, found.erased) == (None, 3, 1)
    await log.inside(lambda uow: audit.blank(uow, [log.org_id], []))
    assert (await log.verify()).erased == 2


_KILLED = """
import asyncio, sys
from uuid import UUID
from crm_api.core.clock import SystemClock
from crm_api.db.engine import Database
from crm_api.db.uow import unit_of_work
from crm_api.kernel import audit

async def main():
    database = Database(sys.argv[1], pool_size=12, org_connections=12, wait_seconds=30)
    async def writer(number):
        count = 0
        while True:
            async with unit_of_work(database, UUID(sys.argv[2]), SystemClock()) as uow:
                for part in range(3):
                    audit.record(uow, "thing.done", details={"writer": number, "count": count, "part": part})
            count += 1
            print(f"{number} {count}", flush=True)
    await asyncio.gather(*(writer(number) for number in range(10)))

asyncio.run(main())
"""


async def test_killed_in_the_middle(log: Log, urls: DatabaseUrls) -> None:
    """Writers killed with SIGKILL leave whole transactions or nothing, and whoever comes next goes on from there."""
    promised: dict[str, int] = {}
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", _KILLED, urls.database_url, str(log.org_id)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        said: dict[str, int] = {}
        for _ in range(60):
            line = (await asyncio.to_thread(process.stdout.readline)).split()
            said[line[0]] = int(line[1])
        os.kill(process.pid, signal.SIGKILL)
        rest, _ = await asyncio.to_thread(process.communicate)
        for line in map(str.split, rest.splitlines()):
            if len(line) == 2:
                said[line[0]] = int(line[1])
        for number, count in said.items():
            promised[number] = promised.get(number, 0) + count
    await log.write("thing.afterwards")
    rows = await log.rows()
    found = await log.verify()
    assert (found.broken, found.entries) == (None, len(rows))
    kept: dict[str, int] = {}
    for triple in range(0, len(rows) - 1, 3):  # three by three: no transaction was cut
        told = [orjson.loads(row["details"]) for row in rows[triple : triple + 3]]
        assert [one["part"] for one in told] == [0, 1, 2]
        assert len({(one["writer"], one["count"]) for one in told}) == 1
        writer = str(told[0]["writer"])
        kept[writer] = kept.get(writer, 0) + 1
    assert all(kept.get(number, 0) >= count for number, count in promised.items()), "what was committed is there"
