"""Organisations of their own for the tests of settings and money."""

from collections.abc import AsyncIterator

import pytest

from crm_api.http.app import Application
from tests.api import Api, new_organization


@pytest.fixture
async def api(app: Application) -> AsyncIterator[Api]:
    async with new_organization(app, currency="EUR", region="DE", time_zone="Europe/Berlin", locale="de") as found:
        yield found
