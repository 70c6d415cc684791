"""Roles that row-level security would not bind are refused."""

import asyncpg
import pytest

from crm_api.db.roles import UnsafeRole, refuse_unsafe_role
from crm_api.embedded import EmbeddedServers
from crm_api.settings import driver_url

pytestmark = pytest.mark.anyio


async def test_plain_role_is_fine(servers: EmbeddedServers) -> None:
    await refuse_unsafe_role(driver_url(servers.urls.database_url))


async def test_superuser_is_refused(servers: EmbeddedServers) -> None:
    with pytest.raises(UnsafeRole, match="postgres of DATABASE_URL is a superuser"):
        await refuse_unsafe_role(servers.admin_url)


async def test_bypassrls_is_refused(servers: EmbeddedServers) -> None:
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute("CREATE ROLE climber LOGIN BYPASSRLS")
    await admin.close()
    with pytest.raises(UnsafeRole, match="BYPASSRLS"):
        await refuse_unsafe_role(servers.admin_url.replace("postgres@", "climber@"))


async def test_owner_of_tables_and_its_members_are_refused(servers: EmbeddedServers) -> None:
    owner_url = driver_url(servers.urls.database_owner_url)
    owner = await asyncpg.connect(owner_url)
    await owner.execute("CREATE TABLE theirs (id int)")
    await owner.close()
    with pytest.raises(UnsafeRole, match=r"owns tables .*theirs"):
        await refuse_unsafe_role(owner_url)
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute("CREATE ROLE friend LOGIN; GRANT crm_owner TO friend; GRANT CONNECT ON DATABASE crm TO friend")
    await admin.close()
    with pytest.raises(UnsafeRole, match="member"):
        await refuse_unsafe_role(owner_url.replace("crm_owner@", "friend@"))
