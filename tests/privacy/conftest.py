"""The application and workers of the tests of jobs, and organisations that are sandboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from crm_api.http.app import Application
from tests.api import Api, new_organization
from tests.jobs.conftest import app, job_settings, start_worker, worker

__all__ = ["app", "job_settings", "start_worker", "worker"]


@pytest.fixture
async def sandbox(app: Application) -> AsyncIterator[Api]:
    """An administrator's client in an organisation whose clock can be moved."""
    async with new_organization(app, environment="sandbox") as made:
        yield made
