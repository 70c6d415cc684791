"""Colleagues: several people of one organisation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from crm_api.core.clock import SystemClock
from crm_api.core.email import normalize_email
from crm_api.flows import organizations, tokens
from crm_api.flows.organizations import system_context
from tests.api import Api, client


@pytest.fixture
async def colleague(api: Api) -> AsyncIterator[Api]:
    """Another person of the same organisation, with all rights."""
    database = api.app.state.services.database
    email = normalize_email(f"bob-{uuid4().hex}@corp.example")
    async with system_context(database, api.org_id, SystemClock(), user_id=api.user_id) as context:
        user_id = await organizations._user(context.uow, email, None)
        await organizations._member(context, user_id, email, "Bob", "super_admin")
        token, _ = await tokens.create(context.uow, user_id=user_id, name="bob", scopes=["admin"], expires_at=None)
    async with client(api.app, token) as http:
        yield Api(http, api.app, api.org_id, user_id, token)
