"""A migrated database for the journal's tests, and organisations in it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from crm_api.db.engine import Database
from crm_api.embedded import DatabaseUrls
from tests.databases import migrated, server


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def urls() -> Iterator[DatabaseUrls]:
    with server() as admin_url, migrated(admin_url) as found:
        yield found


@pytest.fixture
async def database(urls: DatabaseUrls) -> AsyncIterator[Database]:
    database = Database(urls.database_url, pool_size=30, org_connections=30, wait_seconds=30)
    yield database
    await database.close()
