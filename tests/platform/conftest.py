"""Data folders and servers for the tests of the platform, which start and stop them for real."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm_api.embedded import EmbeddedServers


def make_data_dir() -> Path:
    """A folder that the servers' account may pass through (pytest's own are closed, which matters as root)."""
    folder = Path(tempfile.mkdtemp(prefix="crm-test-", dir="/tmp"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = make_data_dir()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def servers() -> Iterator[EmbeddedServers]:
    folder = make_data_dir()
    with EmbeddedServers(folder, durable=False) as started:
        yield started
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def plain_environment() -> dict[str, str]:
    """This environment without addresses and settings that would lead a child elsewhere."""
    return {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("CRM_", "PG")) and key not in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
    }
