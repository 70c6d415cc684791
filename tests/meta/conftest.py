"""Organisations whose answers follow their own description, not the committed one."""

from __future__ import annotations

import pytest

from tests.api import Api, unchecked
from tests.openapi_validation import Checker


@pytest.fixture
async def org(api: Api) -> Api:
    """An organisation of its own that the test may give any schema. Each answer is held against the description of that."""
    api.http.event_hooks = {"response": [Checker(lambda: unchecked(api.app, api.token), own=True)]}
    return api
