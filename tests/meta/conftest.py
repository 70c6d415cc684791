"""Organisations whose answers follow their own description, not the committed one."""

from __future__ import annotations

import pytest

from tests.api import Api


@pytest.fixture
async def org(api: Api) -> Api:
    """An organisation of its own that the test may give any schema."""
    api.http.event_hooks = {"response": []}
    return api
