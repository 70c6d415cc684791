"""Colleagues: several people of one organisation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from crm_api.flows.organizations import create_token, create_user
from tests.api import Api, client


@pytest.fixture
async def colleague(api: Api) -> AsyncIterator[Api]:
    """Another person of the same organisation, with all rights."""
    database = api.app.state.services.database
    email = f"bob-{uuid4().hex}@corp.example"
    user_id = await create_user(database, org_id=api.org_id, email=email, name="Bob", profile="super_admin")
    made = await create_token(database, org_id=api.org_id, user_id=user_id, name="bob", scopes=["admin"])
    async with client(api.app, made["token"]) as http:
        yield Api(http, api.app, api.org_id, user_id, made["token"])
