"""Databases for tests: a server (given or embedded), a migrated template on it, and clones of that.

`CRM_TEST_ADMIN_URL` names a server to use (`postgresql://`, as a role that may make roles and databases); without it one is
started for the session.
"""

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from crm_api.db import migrate
from crm_api.embedded import DatabaseUrls, EmbeddedServers, prepare_database
from crm_api.embedded.provision import drop_database

_started: EmbeddedServers | None = None


def servers() -> EmbeddedServers:
    """The PostgreSQL and Valkey of this test process, started by whoever asks first and stopped when the process ends."""
    global _started
    if _started is None:
        folder = Path(tempfile.mkdtemp(prefix="crm-test-", dir="/tmp"))
        folder.chmod(0o711)  # the server's account, when tests run as root, passes through
        _started = EmbeddedServers(folder, durable=False, postgres_settings={"max_connections": "300"})
        _started.start()

        def end(started: EmbeddedServers = _started) -> None:
            started.stop()
            shutil.rmtree(folder, ignore_errors=True)

        atexit.register(end)
    return _started


@contextmanager
def server() -> Iterator[str]:
    """The address of a server, as a role that may make databases."""
    yield os.environ.get("CRM_TEST_ADMIN_URL") or servers().admin_url


def as_admin(urls: DatabaseUrls) -> str:
    """The address of a database as the role that may make databases, and see all of them."""
    admin = urlsplit(os.environ.get("CRM_TEST_ADMIN_URL") or servers().admin_url)
    return admin._replace(path=urlsplit(urls.database_owner_url).path).geturl()


@contextmanager
def migrated(admin_url: str, name: str | None = None) -> Iterator[DatabaseUrls]:
    """A database of its own, migrated to the newest revision, dropped at the end."""
    name = name or f"test_{uuid4().hex[:12]}"
    urls = asyncio.run(prepare_database(admin_url, name))
    try:
        migrate.upgrade(urls.database_owner_url)
        yield urls
    finally:
        asyncio.run(drop_database(admin_url, name))
