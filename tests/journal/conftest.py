"""A pool for tests that work on the journal without the application."""

from collections.abc import AsyncIterator

import pytest

from crm_api.db.engine import Database
from crm_api.embedded import DatabaseUrls


@pytest.fixture
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.database_url, pool_size=30, org_connections=30, wait_seconds=30)
    yield database
    await database.close()
