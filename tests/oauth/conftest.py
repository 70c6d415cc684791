"""An organisation with a person in it who can sign in, and apps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import pytest

from crm_api.flows.organizations import create_organization, create_user
from crm_api.http.app import Application
from tests.api import Api, client
from tests.oauth.support import PASSWORD, App, Browser, register, unauthenticated


@dataclass
class World:
    """An organisation, its administrator's API token, browsers, and apps."""

    app: Application
    api: Api
    http: httpx.AsyncClient
    browser: Browser
    confidential: App
    public: App

    async def member(self) -> Browser:
        """Another person's browser, an ordinary member's."""
        email = f"member-{uuid4().hex}@corp.example"
        database = self.app.state.services.database
        await create_user(database, org_id=self.api.org_id, email=email, password=PASSWORD)
        return Browser(unauthenticated(self.app), email)


@pytest.fixture
async def world(app: Application) -> AsyncIterator[World]:
    email = f"admin-{uuid4().hex}@corp.example"
    made = await create_organization(
        app.state.services.database, name="Acme", admin_email=email, admin_name="Ada Admin", admin_password=PASSWORD
    )
    async with client(app, made["token"]) as authorized, unauthenticated(app) as http, unauthenticated(app) as browsing:
        api = Api(authorized, app, UUID(made["org_id"]), UUID(made["user_id"]), made["token"])
        confidential = await register(api, http)
        public = await register(api, http, type="public", name="Phone", redirect_uris=["https://app.example/callback"])
        yield World(app, api, http, Browser(browsing, email), confidential, public)
