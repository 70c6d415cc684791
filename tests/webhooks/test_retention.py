"""What is kept of deliveries goes when its time is over, while others are sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crm_api.core.ids import uuid7_floor
from crm_api.http.app import Application
from crm_api.jobs.sweeps import Jobs, expire_rows
from tests.webhooks.conftest import Hooks

pytestmark = pytest.mark.anyio


async def test_rows_past_their_time_are_removed_and_others_stay(hooks: Hooks, app: Application) -> None:
    await hooks.endpoint("contact.*")
    services = app.state.services
    await hooks.api.make("contacts", first_name="Ada")
    await hooks.run()
    await hooks.api.make("contacts", first_name="Grace")
    await hooks.relay.step()
    await hooks.dispatcher.step()

    async def counted(*tables: str) -> list[int]:
        async with services.database.connection() as connection:
            await connection.run(f"BEGIN; SET LOCAL app.org_id = '{hooks.api.org_id}'")
            found = [await connection.driver.fetchval(f"SELECT count(*) FROM {t} WHERE org_id = $1", hooks.api.org_id) for t in tables]
            await connection.run("COMMIT")
            return found

    tables = ("webhook_queue", "webhook_deliveries", "webhook_attempts")
    await expire_rows(Jobs(services.database, services.clock))
    assert await counted(*tables) == [1, 2, 1]
    later = services.clock.now() - timedelta(days=60)
    async with services.database.connection() as connection:  # as if all of it had happened two months ago
        await connection.run(f"BEGIN; SET LOCAL app.org_id = '{hooks.api.org_id}'")
        old = uuid7_floor(later)
        for table in tables:
            sql = f"UPDATE {table} SET id = ('{str(old)[:13]}' || substr(id::text, 14))::uuid WHERE org_id = $1"
            await connection.driver.execute(sql, hooks.api.org_id)
        await connection.run("COMMIT")
    await expire_rows(Jobs(services.database, services.clock))
    assert await counted(*tables) == [0, 0, 0]
