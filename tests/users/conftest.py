"""Browsers and mails for the tests about people."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from crm_api.http.app import Application
from tests.api import Api, new_organization
from tests.users.support import PASSWORD, Person, browser


@pytest.fixture
async def person(app: Application) -> AsyncIterator[Person]:
    """The administrator of a new organisation, who has a password."""
    async with new_organization(app, admin_password=PASSWORD) as api:
        user = await api.ok("GET", f"/v1/users/{api.user_id}")
        yield Person(api, user["email"])


@pytest.fixture
async def http(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A browser."""
    async with browser(app) as client:
        yield client


__all__ = ["Api", "http", "person"]
