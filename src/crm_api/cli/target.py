"""Which API the commands for developers talk to, and with what token."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import httpx
import orjson

from crm_api.cli.terminal import fail
from crm_api.embedded.errors import EmbeddedError

if TYPE_CHECKING:
    from crm_api.db.engine import Database

DEMO_FILE: Final = "demo.json"
"""Where `up --demo` keeps the token that it shows, by a digest of the database's address."""

_SHORT_DAYS: Final = 1
_PATIENCE_S: Final = 40.0
"""A little more than the API itself takes for any answer, long-polls among them."""

_ORGANIZATIONS: Final = "SELECT id, name FROM organizations WHERE environment = 'production' ORDER BY created_at LIMIT 6"
_FIRST_MEMBER: Final = (
    "SELECT id FROM members WHERE org_id = $1 AND deleted_at IS NULL AND status = 'active' ORDER BY created_at, id LIMIT 1"
)


@dataclass(frozen=True)
class Wanted:
    """What the options say. `scopes` are those of a token that is made where none is given."""

    url: str | None
    token: str | None
    org_id: str | None
    user_id: str | None
    data_dir: Path
    scopes: tuple[str, ...]
    name: str


@asynccontextmanager
async def api_of(wanted: Wanted) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the API that the options mean, with a token.

    Without `--token` it is the one that `up --demo` has shown for the data directory; else one is made in the database for this
    command alone, and revoked at its end. Ends the program where there is neither.
    """
    if wanted.token is not None and wanted.url is not None:
        async with _client(wanted.url, wanted.token) as api:
            yield api
        return
    from crm_api.cli.environment import open_database, settings_for  # what takes long to import, only where it is needed

    try:
        settings = settings_for(wanted.data_dir)
    except EmbeddedError as error:
        fail(f"{error} Or name another API with --url and --token.")
    url = wanted.url or settings.base_url
    token = wanted.token or (None if wanted.org_id else demo_token(wanted.data_dir, settings.database_url))
    if token is not None:
        async with _client(url, token) as api:
            yield api
        return
    from crm_api.flows.organizations import create_token, revoke_token

    async with open_database(settings) as database:
        org_id, user_id = await _whose(database, wanted)
        made = await create_token(
            database, org_id=org_id, user_id=user_id, name=wanted.name, scopes=list(wanted.scopes), expires_in_days=_SHORT_DAYS
        )
        try:
            async with _client(url, made["token"]) as api:
                yield api
        finally:
            await revoke_token(database, org_id=org_id, token_id=UUID(made["id"]))


def demo_token(data_dir: Path, database_url: str) -> str | None:
    """The token that `up --demo` has kept beside its data for this database."""
    kept = data_dir / DEMO_FILE
    if not kept.exists():
        return None
    found: dict[str, Any] = orjson.loads(kept.read_bytes()).get(hashlib.sha256(database_url.encode()).hexdigest(), {})
    return found.get("token")


async def _whose(database: Database, wanted: Wanted) -> tuple[UUID, UUID]:
    """The organisation and the member that a token is made for: those named, else the only organisation and its first member."""
    from crm_api.core.clock import SystemClock
    from crm_api.db.statement import Statement
    from crm_api.db.uow import unit_of_work

    try:
        org_id = None if wanted.org_id is None else UUID(wanted.org_id)
        user_id = None if wanted.user_id is None else UUID(wanted.user_id)
    except ValueError:
        fail("--org-id and --user-id are UUIDs, as `crm-api org create --json` prints them.")
    if org_id is None:
        async with database.connection() as connection:
            found = await connection.fetch(Statement(_ORGANIZATIONS, ()), {})
        if not found:
            fail("There is no organisation yet: crm-api org create.")
        if len(found) > 1:
            fail(
                "There are several organisations; choose with --token, or --org-id: " + ", ".join(f"{r['id']} ({r['name']})" for r in found)
            )
        org_id = found[0]["id"]
    if user_id is None:
        async with unit_of_work(database, org_id, SystemClock()) as uow:
            user_id = await uow.fetch_value(Statement(_FIRST_MEMBER, ("org_id",)), {"org_id": org_id})
        if user_id is None:
            fail(f"The organisation {org_id} has no members.")
    return org_id, user_id


def _client(url: str, token: str) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    return httpx.AsyncClient(base_url=url.rstrip("/"), headers=headers, timeout=_PATIENCE_S)


def problem_of(answer: httpx.Response) -> str:
    """What an answer that is no success says, in one line."""
    try:
        told: Any = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict) or "title" not in told:
        return f"{answer.status_code} {answer.reason_phrase}"
    places = [
        ": ".join(filter(None, [one.get("parameter") or one.get("pointer") or one.get("header"), one.get("message")]))
        + (f" ({', '.join(map(str, one['allowed'][:60]))})" if one.get("allowed") else "")
        for one in told.get("errors", ())
    ]
    more = told.get("detail") or ""
    cursor = f"The oldest cursor is {told['oldest_cursor']}." if "oldest_cursor" in told else ""
    scopes = f"It needs {', '.join(told['required_scopes'])}." if "required_scopes" in told else ""
    return " ".join(filter(None, [f"{answer.status_code} {told['title']}.", more, *places, scopes, cursor]))


async def ask(api: httpx.AsyncClient, method: str, path: str, **more: Any) -> Any:
    """An answer's body. Ends the program with the API's own words if it refuses."""
    answer = await api.request(method, path, **more)
    if not answer.is_success:
        fail(f"{method} {path.partition('?')[0]}: {problem_of(answer)}")
    return orjson.loads(answer.content) if answer.content else None
