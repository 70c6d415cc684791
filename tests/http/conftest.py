"""Fixtures of the HTTP tests."""

from collections.abc import Iterator

import pytest

from tests.http.support import ValkeyProcess, running_valkey


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def valkey_process() -> Iterator[ValkeyProcess]:
    """A Valkey for one test, which may do to it what it likes."""
    with running_valkey() as server:
        yield server
