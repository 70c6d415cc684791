"""Which database a command works on: the environment's, or that of a running `up`."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from crm_api.db.engine import Database
from crm_api.embedded import running_servers
from crm_api.settings import Settings

KEYS_FILE: Final = "encryption_keys"
"""Where `up` keeps the keys that it made, in its data directory."""

SECRET_FILE: Final = "secret_key"
"""The same for CRM_SECRET_KEY."""


def settings_for(data_dir: Path) -> Settings:
    """Settings from the environment; without DATABASE_URL, with the servers and the secret of the `up` that holds `data_dir`; without
    CRM_ENCRYPTION_KEYS, with the keys that `up` has made there.

    Raises NotRunning if there is neither database.
    """
    settings = _settings(data_dir)
    kept = data_dir / KEYS_FILE
    if settings.encryption_keys is None and kept.exists():
        settings = settings.model_copy(update={"encryption_keys": SecretStr(kept.read_text())})
    if settings.secret_key is None and not os.environ.get("DATABASE_URL") and (data_dir / SECRET_FILE).exists():
        settings = settings.model_copy(update={"secret_key": (data_dir / SECRET_FILE).read_text()})
    return settings


def _settings(data_dir: Path) -> Settings:
    if os.environ.get("DATABASE_URL"):
        return Settings(data_dir=data_dir)
    found = running_servers(data_dir)
    settings = Settings(
        data_dir=data_dir,
        database_url=found.urls.database_url,
        database_owner_url=found.urls.database_owner_url,
        redis_url=found.urls.redis_url,
    )
    if found.base_url and not os.environ.get("CRM_BASE_URL"):
        settings = settings.model_copy(update={"base_url": found.base_url})
    return settings


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of `settings`, closed afterwards."""
    database = Database.of(settings)
    try:
        yield database
    finally:
        await database.close()
