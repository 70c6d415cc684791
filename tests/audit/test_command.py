"""`crm-api audit verify`, and walking a log part by part."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import pytest

from crm_api.embedded import DatabaseUrls
from crm_api.flows.audit_verification import verify_whole
from crm_api.settings import Settings
from tests.audit.conftest import SIGNER, Log

pytestmark = pytest.mark.anyio


async def test_part_by_part(log: Log) -> None:
    for _ in range(5):
        await log.write("thing.done", "thing.done", personal={"n": 1})
    await log.sign()
    for part in (1, 3, 10, 11):
        found = await verify_whole(log.database, log.org_id, SIGNER, part=part)
        assert (found.broken, found.entries, found.checkpoints, found.from_seq, found.to_seq) == (None, 10, 1, 1, 10)
    await log.spoil("UPDATE audit_log SET action = 'thing.other' WHERE seq = 7")
    for part in (1, 3, 10):
        found = await verify_whole(log.database, log.org_id, SIGNER, part=part)
        assert found.broken is not None
        assert (found.broken.seq, found.broken.reason, found.entries) == (7, "altered", 6)


async def test_the_command(log: Log, urls: DatabaseUrls, settings: Settings) -> None:
    await log.write("thing.done", "thing.done")
    made = await log.sign(settings.signer)
    assert made is not None
    environment = {**os.environ, "DATABASE_URL": settings.database_url}

    async def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "crm_api.cli", "audit", "verify", "--org-id", str(log.org_id), *arguments]
        return await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    told = await run("--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["entries"] == 2
    told = await run("--kept-seq", "2", "--kept-hash", made.hash.hex())
    assert "All 2 entries and 1 checkpoints" in told.stderr
    told = await run("--kept-seq", "2", "--kept-hash", "00" * 32)
    assert (told.returncode, "unlike_kept" in told.stderr) == (1, True)
    await log.spoil("DELETE FROM audit_log WHERE seq = 1")
    told = await run()
    assert (told.returncode, "Entry 1 is wrong (missing)" in told.stderr) == (1, True)
    assert (await run("--kept-seq", "2")).returncode == 1
