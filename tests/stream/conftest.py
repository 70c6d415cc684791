"""A served application of this folder's tests, and an organisation in it for each of them."""

from collections.abc import AsyncIterator

import pytest

from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.api import new_organization
from tests.http.support import served
from tests.journal.test_stream import Site


@pytest.fixture(scope="session")
async def served_app(settings: Settings) -> AsyncIterator[tuple[Application, str]]:
    """One server for the folder; many streams per token."""
    app = create_app(settings.model_copy(update={"db_pool_size": 8, "streams_per_token": 200}))
    assert isinstance(app, Application)
    async with served(app) as port:
        yield app, f"http://127.0.0.1:{port}"


@pytest.fixture
async def site(served_app: tuple[Application, str]) -> AsyncIterator[Site]:
    """An organisation of one's own."""
    app, base = served_app
    async with new_organization(app) as api:
        yield Site(api, base)
