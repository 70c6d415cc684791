"""Bringing together what is known of a person: everything, once, readable, and for administrators only."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import orjson
import pytest

from crm_api.settings import Settings
from tests.api import Api
from tests.jobs.support import finished
from tests.privacy.support import plant

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("worker")]


async def exported(api: Api, subject: dict[str, Any]) -> tuple[dict[str, Any], zipfile.ZipFile]:
    job = await api.ok("POST", "/v1/privacy/export", json={"subject": subject}, status=202)
    done = await finished(api, job)
    assert done["status"] == "succeeded", done
    [file] = done["result"]["files"]
    answer = await api.http.get(file["url"])
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (file["bytes"], file["sha256"])
    return done, zipfile.ZipFile(io.BytesIO(answer.content))


def lines(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()]


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(f"{name}.csv").decode())))


async def test_everything_about_a_person(api: Api, job_settings: Settings) -> None:
    planted = await plant(api, Path(job_settings.data_dir))
    stranger = await api.make("contacts", last_name="Stranger", email="stranger@acme.example", title="=1+1")
    done, archive = await exported(api, {"object": "leads", "id": planted.lead["id"]})
    names = {"contacts", "leads", "notes", "tasks", "cases", "case_comments", "consents", "links", "events"}
    assert set(done["result"]["rows"]) == names
    assert set(archive.namelist()) == {f"{name}.{kind}" for name in names for kind in ("jsonl", "csv")}
    for name in names:
        assert len(lines(archive, name)) == len(table(archive, name)) == done["result"]["rows"][name]
    assert planted.contact["id"] in {row["id"] for row in lines(archive, "contacts")}
    assert lines(archive, "leads") == [await api.get(planted.lead)]
    assert lines(archive, "cases") == [await api.get(planted.others["case"])]
    assert {row["record_id"] for row in lines(archive, "events")} >= {planted.contact["id"], planted.lead["id"]}
    assert stranger["id"].encode() not in b"".join(archive.read(name) for name in archive.namelist())


async def test_cells_are_no_formulas(api: Api) -> None:
    made = await api.make("contacts", last_name="=cmd()", title="+1", department="-x", email="cells@acme.example")
    _, archive = await exported(api, {"email": "cells@acme.example"})
    [row] = table(archive, "contacts")
    assert (row["last_name"], row["title"], row["department"], row["id"]) == ("'=cmd()", "'+1", "'-x", made["id"])
    assert lines(archive, "contacts")[0]["last_name"] == "=cmd()"


async def test_the_file_is_for_administrators_of_the_organisation(api: Api, other_api: Api) -> None:
    await api.make("contacts", last_name="One", email="one@acme.example")
    done, _ = await exported(api, {"email": "one@acme.example"})
    url = done["result"]["files"][0]["url"]
    await other_api.fails("GET", url, 404, "not_found")
    narrow = await api.with_scopes("contacts:read", "contacts:export")
    await narrow.fails("GET", url, 403, "insufficient_scope")
    assert "people" not in done["result"]


async def test_fields_of_ones_own_objects_too(api: Api) -> None:
    await api.ok("POST", "/v1/meta/objects", json={"api_name": "vessels", "singular": "vessel", "label": "Vessel"}, status=201)
    field = {"api_name": "captain_id", "type": "reference", "target": "contacts", "inverse": "commanded_vessels"}
    await api.ok("POST", "/v1/meta/vessels/fields", json=field, status=201)
    made = await api.make("contacts", last_name="Ahab", email="ahab@acme.example")
    vessel = await api.make("vessels", name="Pequod", captain_id=made["id"])
    _, archive = await exported(api, {"object": "contacts", "id": made["id"]})
    assert [row["id"] for row in lines(archive, "vessels")] == [vessel["id"]]
    erase = {"subject": {"object": "contacts", "id": made["id"]}}
    assert (await finished(api, await api.ok("POST", "/v1/privacy/erase", json=erase, status=202)))["status"] == "succeeded"
    assert (await api.get(vessel))["captain_id"] is None
