"""Workers that die in the middle of an erasure or an export: the next one finishes what they began."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from crm_api.embedded import DatabaseUrls
from crm_api.settings import Settings
from tests.api import Api
from tests.jobs.conftest import Workers
from tests.jobs.support import events, finished, let_leases_run_out
from tests.privacy.support import files, rows_with

pytestmark = [pytest.mark.anyio, pytest.mark.chaos]
NOTES = 400


async def talkative(api: Api, word: str) -> dict[str, Any]:
    """A contact with many notes."""
    made = await api.make("contacts", last_name=f"{word}-King", email=f"{word}@acme.example")
    for start in range(0, NOTES, 200):
        items = [{"title": f"{word} {n}", "body": {"format": "text", "content": word}} for n in range(start, start + 200)]
        answer = await api.ok("POST", "/v1/notes/batch/create", json={"items": items}, status=207)
        for result in answer["results"]:
            await api.ok("PUT", f"/v1/notes/{result['id']}/links/contacts/{made['id']}", json={})
    return made


async def test_killed_again_and_again(api: Api, start_worker: Workers, urls: DatabaseUrls, job_settings: Settings) -> None:
    word = f"zk{api.org_id.hex[:14]}"
    made = await talkative(api, word)
    job = await api.ok("POST", "/v1/privacy/erase", json={"subject": {"object": "contacts", "id": made["id"]}}, status=202)
    seen = set()
    for least in (1, 150, 300):
        with start_worker() as worker:
            while (now := await api.ok("GET", f"/v1/jobs/{job['id']}"))["progress"]["done"] < least:
                await asyncio.sleep(0.01)
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        await let_leases_run_out(api)
        seen.add(now["status"])
    assert seen == {"running"}
    with start_worker():
        done = await finished(api, job, 90)
    assert done["status"] == "succeeded", done
    assert done["result"]["erased"]["notes"] == NOTES
    told = await events(api, event_types="note.purged,contact.erased")
    assert len({event["record_id"] for event in told}) == len(told) == NOTES + 1
    assert len(await events(api, event_types="job.finished")) == 1
    found = await rows_with(urls, [word])
    assert not found, {table: rows[:2] for table, rows in found.items()}


async def test_an_export_begins_anew(api: Api, start_worker: Workers, job_settings: Settings) -> None:
    word = f"ze{api.org_id.hex[:14]}"
    made = await talkative(api, word)
    job = await api.ok("POST", "/v1/privacy/export", json={"subject": {"object": "contacts", "id": made["id"]}}, status=202)
    with start_worker() as worker:
        while (await api.ok("GET", f"/v1/jobs/{job['id']}"))["status"] == "queued":
            await asyncio.sleep(0.005)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    await let_leases_run_out(api)
    with start_worker():
        done = await finished(api, job, 90)
    assert done["status"] == "succeeded", done
    assert done["result"]["rows"]["notes"] == NOTES
    folder = Path(job_settings.data_dir) / "files" / str(api.org_id) / job["id"]
    assert len(list(folder.iterdir())) == 1
    assert any(name.endswith("notes.jsonl") and data.count(b"\n") == NOTES for name, data in files(folder))


async def test_two_at_once_don_t_wait_for_each_other(api: Api, start_worker: Workers, urls: DatabaseUrls) -> None:
    word = f"zt{api.org_id.hex[:14]}"
    with start_worker(), start_worker():
        jobs = []
        for number in range(4):
            made = await api.make("contacts", last_name=f"{word} {number}", email=f"{word}{number}@acme.example")
            note = await api.make("notes", body={"format": "text", "content": word})
            await api.ok("PUT", f"/v1/notes/{note['id']}/links/contacts/{made['id']}", json={})
            subject = {"object": "contacts", "id": made["id"]}
            jobs.append(await api.ok("POST", "/v1/privacy/erase", json={"subject": subject}, status=202))
        assert {(await finished(api, job, 60))["status"] for job in jobs} == {"succeeded"}
    assert not await rows_with(urls, [word])


async def test_a_cancelled_erasure_forgets_whom_it_was_about(api: Api) -> None:
    await api.make("contacts", last_name="Kept", email="kept@acme.example")
    job = await api.ok("POST", "/v1/privacy/erase", json={"subject": {"email": "kept@acme.example"}}, status=202)
    cancelled = await api.ok("POST", f"/v1/jobs/{job['id']}/cancel")
    assert cancelled["status"] == "cancelled"
    assert "kept@acme.example" not in str(cancelled)
