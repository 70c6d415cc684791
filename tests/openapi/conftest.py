"""Fixtures of the tests about the API's description."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from crm_api.settings import Settings
from tests.live import Live, served


@pytest.fixture(scope="session")
def live(settings: Settings) -> Iterator[Live]:
    """A server of this test process."""
    with served(settings) as found:
        yield found
