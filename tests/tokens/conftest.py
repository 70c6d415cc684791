"""People of an organisation and tokens of theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from tests.api import Api, client

Caller = Callable[[str], Api]


@pytest.fixture
async def caller(api: Api) -> AsyncIterator[Caller]:
    """Makes a client for a token of the organisation."""
    async with AsyncExitStack() as stack:
        made: list[Api] = []

        def make(token: str) -> Api:
            http = client(api.app, token)
            made.append(Api(http, api.app, api.org_id, api.user_id, token))
            stack.push_async_callback(http.aclose)
            return made[-1]

        yield make
