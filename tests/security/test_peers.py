"""Schemathesis as a judge from outside: three people who must not see each other's records, two of them colleagues (OWASP API1).

Its check `object_level_authorization` makes records as one of them and repeats each successful read as the others;
`ignored_auth` repeats requests without a token and with a wrong one.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from crm_api.db.engine import Database
from crm_api.flows.organizations import create_organization, create_token, create_user
from crm_api.settings import Settings
from tests.live import Live, served
from tests.openapi_validation import DOCUMENT

OBJECTS = ("accounts", "contacts", "notes")
PEERS = ("ada", "grace", "eve")


@pytest.fixture(scope="module")
def live(settings: Settings) -> Iterator[Live]:
    with served(settings) as found:
        yield found


def tokens(settings: Settings, live: Live) -> dict[str, str]:
    """Two colleagues whose records are private, and the administrator of another organisation."""
    closed = {"sharing": {"defaults": dict.fromkeys(OBJECTS, "private")}}
    answer = httpx.patch(f"{live.url}/v1/org", json=closed, headers={"authorization": f"Bearer {live.token}"}, timeout=30)
    assert answer.status_code == 200, answer.text

    async def people() -> dict[str, str]:
        database = Database(settings.database_url)
        found = {}
        for name in ("ada", "grace"):
            org_id = UUID(live.org_id)
            user_id = await create_user(database, org_id=org_id, email=f"{name}@live.example", name=name)
            found[name] = (await create_token(database, org_id=org_id, user_id=user_id, name=name, scopes=["admin"]))["token"]
        found["eve"] = (await create_organization(database, name="Other", admin_email="eve@other.example"))["token"]
        await database.close()
        return found

    return asyncio.run(people())


def test_nobody_gets_what_is_somebody_elses(settings: Settings, live: Live, tmp_path: Path) -> None:
    people = tokens(settings, live)
    entries = [{"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {people[name]}"}]} for name in PEERS]
    (tmp_path / "auth.yaml").write_text(json.dumps({"auth": entries}))
    (tmp_path / "schemathesis.toml").write_text(f'[auth.wfc]\npath = "{tmp_path / "auth.yaml"}"\npeers = {json.dumps(PEERS)}\n')
    (tmp_path / "openapi.json").write_text(json.dumps(part_of(json.loads(DOCUMENT.read_text()))))
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "schemathesis.toml"), "run"),
        *(str(tmp_path / "openapi.json"), "--url", live.url, "--checks", "object_level_authorization,ignored_auth"),
        *("--phases", "examples,stateful", "--max-examples", "10", "--seed", "7", "--no-color"),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    made = httpx.get(f"{live.url}/v1/notes?count=exact", headers={"authorization": f"Bearer {live.token}"}, timeout=30).json()
    assert made["page"]["count"] > 0, "nothing was made, so nothing was tried"
    assert re.search(r"\d+ generated", done.stdout), done.stdout[-2000:]


def part_of(document: dict[str, Any]) -> dict[str, Any]:
    """The description of a few objects' creates, lists and reads without parameters: enough for the check, and done in seconds."""
    kept: dict[str, Any] = {}
    for path in (path for name in OBJECTS for path in (f"/v1/{name}", f"/v1/{name}/{{id}}")):
        item = document["paths"][path]
        for method in ("get", "post"):
            if method in item:
                named = [parameter for parameter in item[method]["parameters"] if parameter.get("$ref", "").endswith("/RecordId")]
                kept.setdefault(path, {})[method] = {**item[method], "parameters": named}
    return {**document, "paths": kept}
