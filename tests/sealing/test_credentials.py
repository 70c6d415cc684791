"""What integrations get of a connection, and what is noted about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from crm_api.core.errors import Conflict, NotFound
from crm_api.core.sealed import Keyring
from crm_api.flows.connections import Credentials, credentials, note_use
from crm_api.flows.sandboxes.tables import kind_of
from crm_api.kernel.writer import Writer
from crm_api.models.base import table
from crm_api.models.connections import Connection, ConnectionSecret
from tests.api import Api, Record
from tests.sealing.support import BODY, context_with

pytestmark = pytest.mark.anyio

WEB = {"provider": "example", "base_url": "https://api.shop.example/v2"}


def _keys(api: Api) -> Keyring:
    keys: Keyring = api.app.state.services.engine.keys
    return keys


async def _used(api: Api, record: Record) -> Credentials:
    async with context_with(api.app.state.services.database, api, _keys(api)) as context:
        return await credentials(context, UUID(record["id"]), purpose="orders.sync")


@pytest.mark.parametrize(
    ("body", "secret", "headers"),
    [
        ({**WEB, "type": "api_key"}, {"api_key": "k-1"}, {"X-Api-Key": "k-1"}),
        ({**WEB, "type": "api_key", "header_name": "X-Shop"}, {"api_key": "k-2"}, {"X-Shop": "k-2"}),
        ({**WEB, "type": "bearer"}, {"token": "t-1"}, {"Authorization": "Bearer t-1"}),
        (
            {**WEB, "type": "oauth2", "client_id": "crm", "token_url": "https://login.shop.example/token", "scopes": ["orders.read"]},
            {"access_token": "a-1", "refresh_token": "r-1", "client_secret": "s-1"},
            {"Authorization": "Bearer a-1"},
        ),
        ({**WEB, "type": "basic", "username": "crm"}, {"password": "pässwörd"}, {}),
        ({"provider": "mail", "type": "smtp", "host": "mail.corp.example", "port": 587}, {"password": "p"}, {}),
    ],
)
async def test_each_type(api: Api, body: dict[str, Any], secret: dict[str, str], headers: dict[str, str]) -> None:
    record = await api.make("connections", name="Ours", **body)
    with pytest.raises(Conflict):
        await _used(api, record)
    await api.ok("PUT", f"/v1/connections/{record['id']}/secret", json=secret)
    used = await _used(api, record)
    assert (used.secret, used.headers(), used.type, list(used.scopes)) == (secret, headers, body["type"], body.get("scopes", []))
    assert not any(value in repr(used) for value in secret.values() if len(value) > 1)
    told = (await api.ok("GET", "/v1/audit", params={"action": "connection.secret_revealed"}))["data"]
    assert [(entry["record_id"], entry["details"]["purpose"]) for entry in told] == [(record["id"], "orders.sync")]
    assert [
        entry["details"]["parts"] for entry in (await api.ok("GET", "/v1/audit", params={"action": "connection.secret_set"}))["data"]
    ] == [sorted(secret)]


async def test_a_connection_that_is_off_is_not_used(api: Api) -> None:
    record = await api.make("connections", name="Ours", **BODY)
    await api.ok("PUT", f"/v1/connections/{record['id']}/secret", json={"api_key": "k-1"})
    await api.change(record, is_active=False)
    with pytest.raises(Conflict):
        await _used(api, record)
    await api.change(record, is_active=True)
    assert (await _used(api, record)).secret == {"api_key": "k-1"}
    await api.ok("DELETE", f"/v1/connections/{record['id']}")
    with pytest.raises(NotFound):
        await _used(api, record)


async def test_how_uses_went(api: Api) -> None:
    record = await api.make("connections", name="Ours", **BODY)
    await api.ok("PUT", f"/v1/connections/{record['id']}/secret", json={"api_key": "k-very-secret"})
    used = await _used(api, record)

    async def note(error: str | None) -> Record:
        async with context_with(api.app.state.services.database, api, _keys(api)) as context:
            await note_use(context, Writer(), used, error)
        return await api.get(record)

    first = await note(None)
    assert (first["status"], first["last_error"]) == ("working", None)
    assert first["tested_at"] is not None
    assert (await note(None))["version"] == first["version"]  # no event for each call
    failed = await note("401 for k-very-secret at api.shop.example " + "x" * 2000)
    assert failed["status"] == "failing"
    assert failed["last_error"].startswith("401 for … at api.shop.example")
    assert len(failed["last_error"]) == 1000
    assert "k-very-secret" not in str(await api.ok("GET", f"/v1/connections/{record['id']}/history"))
    again = await api.ok("PUT", f"/v1/connections/{record['id']}/secret", json={"api_key": "k-2"})
    assert (again["status"], again["last_error"]) == ("ready", None)


async def test_what_leaves_an_organisation_holds_no_connection(api: Api) -> None:
    """Neither a configuration document nor a sandbox takes credentials along."""
    await api.make("connections", name="Ours", **BODY)
    registry = api.app.state.services.engine.registry
    assert {kind_of(registry, table(model)) for model in (Connection, ConnectionSecret)} == {"never"}
    assert "example_shop" not in str(await api.ok("GET", "/v1/config/export"))
