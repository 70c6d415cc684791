"""For all tests: real servers, the whole application in this process, organisations of one's own.

With CRM_REQUIRE_ALL=1 (as in CI) a skipped test is a failed one, since it would hide a missing tool.
"""

import ipaddress
import os
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest
from pydantic import SecretStr

from crm_api.core.sealed import Keyring
from crm_api.embedded import DatabaseUrls
from crm_api.http.app import Application, create_app
from crm_api.settings import Settings
from tests import databases
from tests.api import Api, new_organization
from tests.event_validation import check_stored
from tests.oauth import matrix
from tests.oauth.matrix import pytest_terminal_summary
from tests.statements import Recorder

__all__ = ["pytest_terminal_summary"]

FOLDER = Path(__file__).parent
LONG = ("platform", "clients", "docs", "privacy", "sandboxes", "jobs", "journal", "meta", "sealing")
"""Folders with modules of a minute or so. They come first, so that no process is left with one of them when the others are done."""

# The same examples in every run, so that a change is judged by what it changed; `make test-long` looks for new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CRM_NEW_EXAMPLES") != "1":
    hypothesis.settings.load_profile("repeatable")

REQUIRE_ALL = os.environ.get("CRM_REQUIRE_ALL") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first; else in the order in which they stand."""
    order = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path.relative_to(FOLDER).parts[0], len(order)))
    matrix.pytest_collection_modifyitems(items)


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    found = report.longrepr
    return str(found[2]) if isinstance(found, tuple) else str(found)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.longrepr = f"CRM_REQUIRE_ALL allows no skips. {_why(report)}"
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if REQUIRE_ALL and report.skipped:
        report.longrepr = f"CRM_REQUIRE_ALL allows no skips. {_why(report)}"
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for the whole session, so that the application and its pool live as long."""
    return "asyncio"


@pytest.fixture(scope="session")
def urls() -> Iterator[DatabaseUrls]:
    """A migrated database of this test process, as both roles."""
    with databases.server() as admin_url, databases.migrated(admin_url) as found:
        yield found


@pytest.fixture(scope="session")
def settings(urls: DatabaseUrls) -> Settings:
    """The settings under which the application runs in tests: everything on but the rate limit."""
    return Settings(
        database_url=urls.database_url,
        database_owner_url=urls.database_owner_url,
        redis_url=databases.servers().urls.redis_url,
        rate_limit="off",
        db_pool_size=30,
        db_org_connections=25,
        db_wait_s=20,
        schema_grace_seconds=0,
        encryption_keys=SecretStr(Keyring.new_key()),
        # Receivers of webhooks and the like are on this machine.
        egress_allow=(ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
    )


@pytest.fixture(scope="session")
async def app(settings: Settings, urls: DatabaseUrls) -> AsyncIterator[Application]:
    """The application with its whole middleware, started. What it ran on the database, and the events that are there by then, are
    checked when the session ends."""
    app = create_app(settings)
    assert isinstance(app, Application)
    recorder = Recorder()
    app.state.services.database.observers.append(recorder)
    app.state.services.people.database.observers.append(recorder)
    async with app.router.lifespan_context(app):
        yield app
    assert not (problems := recorder.problems()), "\n".join(problems)
    stored = await check_stored(databases.as_admin(urls), urls.database_url, app)
    assert not stored.problems, "\n".join(stored.problems)


@pytest.fixture
async def api(app: Application) -> AsyncIterator[Api]:
    """An administrator's client in an organisation made for this test."""
    async with new_organization(app) as made:
        yield made


@pytest.fixture
async def other_api(app: Application) -> AsyncIterator[Api]:
    """The same in a second organisation."""
    async with new_organization(app) as made:
        yield made


@pytest.fixture
async def anonymous(app: Application) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver") as client:
        yield client
