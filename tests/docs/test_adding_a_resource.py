"""The page on adding an object, followed literally in a copy of the project."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import databases
from tests.docs.support import ROOT, Copy, blocks, free_port, patched

PAGE = ROOT / "docs" / "adding-a-resource.md"


@pytest.fixture(scope="module")
def copy() -> Iterator[Copy]:
    """A copy of the project, with a database that is at the newest revision of the original."""
    folder = Path(tempfile.mkdtemp(prefix="crm-page-", dir="/tmp"))
    with databases.server() as admin_url, databases.migrated(admin_url) as urls:
        copy = Copy(
            folder / "crm_api",
            DATABASE_URL=urls.database_url,
            DATABASE_OWNER_URL=urls.database_owner_url,
            REDIS_URL=databases.servers().urls.redis_url,
            CRM_TEST_ADMIN_URL=admin_url,
        )
        yield copy
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def written(copy: Copy) -> list[str]:
    """What the page's commands print, after all of it was done in order."""
    said = []
    for block in blocks(PAGE):
        if block.language == "bash":
            said.append(copy.run(block.text))
        elif block.language == "diff":
            name = re.search(r"^\+\+\+ b/(\S+)$", block.text, re.M)
            assert name is not None
            file = copy.folder / name[1]
            file.write_text(patched(file.read_text(), block.text))
        else:
            assert block.path is not None, f"which file is this?\n{block.text}"
            file = copy.folder / block.path
            assert not file.exists(), f"{block.path} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
    return said


def test_it_stays_small() -> None:
    files = [block for block in blocks(PAGE) if block.path is not None]
    total = sum(len(block.text.splitlines()) for block in files)
    said = re.search(r"new files of about (\d+) lines", PAGE.read_text())
    assert said is not None
    assert (len(files), total <= 150, abs(total - int(said[1])) <= 5) == (5, True, True), total


def test_its_commands_work(written: list[str], copy: Copy) -> None:
    tests = written[-1]
    passed = re.search(r"(\d+) passed", tests)
    assert passed is not None
    assert int(passed[1]) >= 50
    assert "failed" not in tests


def test_what_it_adds_is_tidy(written: list[str], copy: Copy) -> None:
    new = " ".join(block.path for block in blocks(PAGE) if block.path is not None)
    copy.run(f"ruff check {new}; ruff format --check {new}; ruff check src/crm_api/models/__init__.py src/crm_api/resources/__init__.py")


def test_the_migration_is_complete(written: list[str], copy: Copy) -> None:
    [revision] = (copy.folder / "migrations" / "versions").glob("*_competitors.py")
    text = revision.read_text()
    assert 'place_table(op, "competitors")\n    fence_table(op, "competitors")' in text
    assert text.count("op.create_table(") == text.count("op.drop_table(") == 1
    assert "No new upgrade operations" in copy.run("alembic check")
    copy.run(f"ruff check {revision}; ruff format --check {revision}; mypy {revision}")


@pytest.fixture(scope="module")
def crm(written: list[str], copy: Copy) -> Iterator[httpx.Client]:
    """A client of the copy's server, in an organisation of its own."""
    made = json.loads(copy.run("crm-api org create --name Page --admin-email ada@corp.example --admin-password page-page-page --json"))
    url = f"http://127.0.0.1:{free_port()}"
    with (copy.folder / "server.out").open("wb") as out:
        command = ["crm-api", "serve", "--port", url.rpartition(":")[2]]
        process = subprocess.Popen(command, cwd=copy.folder, env=copy.environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        with httpx.Client(base_url=url, headers={"authorization": f"Bearer {made['token']}"}) as client:
            deadline = time.monotonic() + 60
            while True:
                assert process.poll() is None, (copy.folder / "server.out").read_text()
                assert time.monotonic() < deadline
                try:
                    if client.get("/readyz").is_success:
                        break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(20)


def test_the_api_knows_the_object(crm: httpx.Client) -> None:
    def ask(method: str, path: str, **more: Any) -> Any:
        answer = crm.request(method, path, **more)
        assert answer.is_success, answer.text
        return answer.json()

    made = ask("POST", "/v1/competitors", json={"name": "Initech", "strength": "even"})
    deal = ask("POST", "/v1/deals", json={"name": "Robots"})
    ask("PUT", f"/v1/deals/{deal['id']}/links/competitors/{made['id']}", json={"standing": "behind"})
    ask("PATCH", "/v1/competitors/by/name/INITECH", json={"strength": "strong"})
    assert [row["name"] for row in ask("GET", "/v1/competitors", params={"strength": "strong", "sort": "name"})["data"]] == ["Initech"]
    tree = {"field": "deals", "any": {"field": "name", "value": "robots"}}
    assert len(ask("POST", "/v1/competitors/search", json={"filter": tree})["data"]) == 1
    assert [hit["object"] for hit in ask("GET", "/v1/search", params={"q": "init"})["data"]] == ["competitors"]
    history = ask("GET", f"/v1/competitors/{made['id']}/history")["data"]
    assert [entry["version"] for entry in history] == [2, 1]
    events = ask("GET", "/v1/events", params={"object": "competitors"})["data"]
    assert [event["type"] for event in events] == ["competitor.created", "competitor.updated"]
    assert {"/v1/competitors", "/v1/competitors/search"} <= set(ask("GET", "/openapi.json")["paths"])


def test_the_description_was_written(written: list[str], copy: Copy) -> None:
    described = json.loads((copy.folder / "openapi" / "openapi.json").read_text())
    assert "/v1/competitors/{id}" in described["paths"]
