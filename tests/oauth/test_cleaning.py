"""What nobody can use any more is removed; what may still be missed stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_api.core.clock import FixedClock, SystemClock
from crm_api.jobs.sweeps import Jobs, clean_oauth
from tests.oauth.conftest import World
from tests.oauth.support import refused

pytestmark = pytest.mark.anyio


async def counts(world: World) -> dict[str, int]:
    found = {}
    async with world.app.state.services.database.connection() as connection, connection.driver.transaction():
        await connection.driver.execute(f"SET LOCAL app.org_id = '{world.api.org_id}'")
        found["tokens"] = await connection.driver.fetchval(
            "SELECT count(*) FROM tokens WHERE org_id = $1 AND app_id IS NOT NULL", world.api.org_id
        )
        found["codes"] = await connection.driver.fetchval("SELECT count(*) FROM oauth_codes WHERE org_id = $1", world.api.org_id)
        found["grants"] = await connection.driver.fetchval("SELECT count(*) FROM oauth_grants WHERE org_id = $1", world.api.org_id)
    return found


async def test_cleaning(world: World) -> None:
    app, database = world.confidential, world.app.state.services.database
    code, verifier = await app.code(world.browser)
    tokens = (await app.exchange(code, verifier)).json()
    gone = await app.tokens(world.browser)
    await world.api.ok("DELETE", f"/v1/me/grants/{gone['grant_id']}")
    await clean_oauth(Jobs(database, SystemClock()))
    assert await counts(world) == {"tokens": 4, "codes": 2, "grants": 2}
    now = SystemClock().now()
    await clean_oauth(Jobs(database, FixedClock(now + timedelta(days=2))))
    assert await counts(world) == {"tokens": 2, "codes": 0, "grants": 2}, "refresh tokens live for thirty days"
    assert (await app.refresh(tokens["refresh_token"])).status_code == 200
    await clean_oauth(Jobs(database, FixedClock(now + timedelta(days=32))))
    assert await counts(world) == {"tokens": 0, "codes": 0, "grants": 1}
    refused(await app.refresh(tokens["refresh_token"]), "invalid_grant")
    await clean_oauth(Jobs(database, FixedClock(now + timedelta(days=211))))
    assert (await counts(world))["grants"] == 0
