"""A database of its own for tests that change keys, which is everybody's business in a database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from crm_api.core.sealed import Keyring
from crm_api.db.engine import Database
from crm_api.embedded import DatabaseUrls
from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests import databases
from tests.api import Api, new_organization

OLD = Keyring.new_key(1)
NEW = f"{Keyring.new_key(2)},{OLD}"


@pytest.fixture(scope="module")
def own_urls() -> Iterator[DatabaseUrls]:
    """A migrated database."""
    with databases.server() as admin_url, databases.migrated(admin_url) as found:
        yield found


@pytest.fixture
def fresh_urls() -> Iterator[DatabaseUrls]:
    """Another one, in which nothing was sealed yet."""
    with databases.server() as admin_url, databases.migrated(admin_url) as found:
        yield found


@pytest.fixture(scope="module")
def own_settings(settings: Settings, own_urls: DatabaseUrls) -> Settings:
    """The settings of a server that has the old key only."""
    change = {"database_url": own_urls.database_url, "database_owner_url": own_urls.database_owner_url, "encryption_keys": SecretStr(OLD)}
    return settings.model_copy(update=change)


@pytest.fixture(scope="module")
async def own_app(own_settings: Settings) -> AsyncIterator[Application]:
    """That server."""
    app = create_app(own_settings)
    assert isinstance(app, Application)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture(scope="module")
async def new_app(own_settings: Settings) -> AsyncIterator[Application]:
    """The same with a new key that seals, and the old one that opens."""
    app = create_app(own_settings.model_copy(update={"encryption_keys": SecretStr(NEW)}))
    assert isinstance(app, Application)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def crm(own_app: Application) -> AsyncIterator[Api]:
    """An administrator's client of the server with the old key."""
    async with new_organization(own_app) as made:
        yield made


@pytest.fixture
async def own_database(own_urls: DatabaseUrls) -> AsyncIterator[Database]:
    """A pool of the test's own."""
    database = Database(own_urls.database_url, pool_size=10, org_connections=10, wait_seconds=30)
    yield database
    await database.close()
