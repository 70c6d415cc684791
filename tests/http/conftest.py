"""Fixtures of the HTTP tests."""

from collections.abc import Iterator

import pytest

from crm_api.embedded import DatabaseUrls
from tests import databases
from tests.http.support import ValkeyProcess, running_valkey


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def valkey_process() -> Iterator[ValkeyProcess]:
    """A Valkey for one test, which may do to it what it likes."""
    with running_valkey() as server:
        yield server


@pytest.fixture(scope="session")
def database_urls() -> Iterator[DatabaseUrls]:
    """A migrated database, as both roles."""
    with databases.server() as admin_url, databases.migrated(admin_url) as urls:
        yield urls
