"""The page on people: its routes exist and take the bodies it shows, its numbers are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from crm_api.flows.users import attempts, links, passwords, sessions, totp
from crm_api.jobs import mail, people
from crm_api.settings import Settings
from tests.api import Api
from tests.users.support import PASSWORD, Person

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "users.md").read_text()
PROSE = " ".join(TEXT.split())
ROUTES = re.findall(r"^    (GET|POST|PATCH|DELETE) (/\S+)(?: +(\{.*?\})(?=[:\n]))?", TEXT, re.M)


def test_routes_are_described() -> None:
    paths = json.loads((ROOT / "openapi" / "openapi.json").read_text())["paths"]
    assert len(ROUTES) > 15
    for method, path, body in ROUTES:
        operation = paths[path.partition("?")[0]][method.lower()]
        query = path.partition("?")[2].partition("=")[0]
        assert not query or query in [parameter.get("name") for parameter in operation["parameters"]], path
        if body:
            json.loads(body)
            assert "requestBody" in operation


async def test_bodies_are_taken(api: Api, person: Person) -> None:
    """What the page sends has the right form: only its made-up secrets are wrong."""
    for method, path, body in ROUTES:
        if not body or path == "/v1/org":
            continue
        sent = {name: PASSWORD if "password" in name else value for name, value in json.loads(body).items()}
        answer = await person.api.http.request(method, f"{path}?dry_run=true", json=sent)
        codes = {error["code"] for error in answer.json().get("errors", ())} if answer.content else set()
        assert answer.is_success or answer.status_code == 404 or codes == {"wrong_code"}, f"{path}: {answer.text}"


@pytest.mark.parametrize(
    ("said", "holds"),
    [
        ("12 to 128 characters", (passwords.SHORTEST, passwords.LONGEST) == (12, 128)),
        ("(19 MiB, two passes", (Settings().password_memory_kib, Settings().password_time_cost) == (19 * 1024, 2)),
        ("Ten failures in 15 minutes", (attempts.ACCOUNT.count, attempts.ACCOUNT.window.seconds) == (10, 900)),
        ("50 close the address", attempts.ADDRESS.count == 50),
        ("five wrong codes", attempts.CODE.count == 5),
        ("12 hours after its last use, and after seven days", (sessions.IDLE.seconds // 3600, sessions.LONGEST.days) == (12, 7)),
        ("ten recovery codes", totp.RECOVERY_CODES == 10),
        ("good once and for 30 minutes", links.LIFETIMES["reset"].seconds == 1800),
        ("good once and for seven days", links.LIFETIMES["activate"].days == 7),
        ("half an hour (passwords) or two days (invitations)", mail.GIVEN_UP_AFTER_S == {"reset": 1800, "activate": 2 * 86_400}),
        ("for seven days and printed", people.MAILS_KEPT.days == 7),
        ("two threads", passwords.THREADS == 2),
    ],
)
def test_numbers(said: str, holds: bool) -> None:
    assert said in PROSE
    assert holds
