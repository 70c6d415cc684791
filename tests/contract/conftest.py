"""Two organisations for all checks of one object."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from crm_api.http.app import Application
from tests.api import Api, new_organization


@pytest.fixture(scope="class")
async def contract_api(app: Application) -> AsyncIterator[Api]:
    """The organisation under test."""
    async with new_organization(app) as made:
        yield made


@pytest.fixture(scope="class")
async def contract_other(app: Application) -> AsyncIterator[Api]:
    """Another tenant."""
    async with new_organization(app) as made:
        yield made
