"""The application and real worker processes that share a folder for files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests.workers import WorkerProcess, running_worker

Workers = Callable[[], AbstractContextManager[WorkerProcess]]


@pytest.fixture(scope="session")
def job_settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings.model_copy(update={"data_dir": tmp_path_factory.mktemp("data")})


@pytest.fixture(scope="session")
async def app(job_settings: Settings) -> AsyncIterator[Application]:
    app = create_app(job_settings)
    assert isinstance(app, Application)
    async with app.router.lifespan_context(app):
        yield app


@contextmanager
def worker_process(settings: Settings, *, valkey: bool = True) -> Iterator[WorkerProcess]:
    """A worker, killed at the end."""
    environment = {"DATABASE_URL": settings.database_url, "CRM_DATA_DIR": str(settings.data_dir), "CRM_LOG_FORMAT": "console"}
    if valkey and settings.redis_url is not None:
        environment["REDIS_URL"] = settings.redis_url
    with running_worker(environment) as process:
        yield process


@pytest.fixture(scope="session")
def start_worker(job_settings: Settings) -> Workers:
    return lambda: worker_process(job_settings)


@pytest.fixture(scope="module")
def worker(job_settings: Settings) -> Iterator[WorkerProcess]:
    """One worker for a module's tests."""
    with worker_process(job_settings) as process:
        yield process
